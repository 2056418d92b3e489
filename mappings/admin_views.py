"""Settings > Financial: the accounts of a book, its switches, and the account mapping."""

from collections.abc import Callable

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db import transaction
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET

from ledger.admin.base import page_context
from ledger.admin.guard import page
from ledger.admin.scoping import may_for_all
from ledger.audit import note
from ledger.errors import DaybookError
from ledger.journal import charts, orders
from ledger.models import Account, Book
from ledger.moments import zone_of_book
from ledger.resources import download
from ledger.terms import AccountType
from mappings import editing, effects, loading
from mappings.admin_forms import MappingForm, SwitchForm
from mappings.models import Mapping
from mappings.names import Known
from mappings.resources import AccountResource

Changed = Callable[[Book], None]
"""Called after a change that may let waiting events go on: the room above wakes its worker."""

ACCOUNTS_PER_PAGE = 100
NAMED_USES = 5


@page("ledger.view_account")
def financial(request: HttpRequest) -> HttpResponse:
    """The only book's accounts, or the choice between several."""
    books = list(Book.objects.all())
    if len(books) == 1:
        return redirect("mappings:accounts", books[0].pk)
    context = page_context(request, title="Financial", books=books)
    return render(request, "admin/mappings/books.html", context)


@page("ledger.view_account")
def accounts(request: HttpRequest, book_id: int) -> HttpResponse:
    """The chart of accounts as it was imported, with what uses each account."""
    book = get_object_or_404(Book, pk=book_id)
    wanted = request.GET.get("q", "").strip()
    rows = Paginator(_searched(book, wanted), ACCOUNTS_PER_PAGE).get_page(request.GET.get("page"))
    used = used_by(book, [account.pk for account in rows])
    context = page_context(request, title="Financial", book=book, tab="accounts", rows=rows, wanted=wanted)
    context["listed"] = [(account, used.get(account.pk, "")) for account in rows]
    context["may_delete"] = may_for_all(request.user, "ledger.delete_account")
    return render(request, "admin/mappings/accounts.html", context)


def _searched(book: Book, wanted: str) -> QuerySet[Account]:
    rows = Account.objects.filter(book=book, deleted_at=None)
    if not wanted:
        return rows
    types = [kind for kind in AccountType if wanted.lower() in kind.replace("_", " ")]
    return rows.filter(
        Q(full_name__icontains=wanted) | Q(number__startswith=wanted) | Q(detail__icontains=wanted) | Q(type__in=types)
    )


def used_by(book: Book, accounts: list[int]) -> dict[int, str]:
    """The mapping rows that use each of these accounts, in words; of many rows the first few."""
    rows = list(Mapping.objects.filter(book=book, account__in=accounts).select_related("store"))
    known = Known(book, rows=rows, accounts=False)
    labels: dict[int, list[str]] = {}
    for row in rows:
        labels.setdefault(row.account_id, []).append(loading.label(row, known))
    return {pk: _first_few(said) for pk, said in labels.items()}


def _first_few(labels: list[str]) -> str:
    more = len(labels) - NAMED_USES
    return "; ".join([*labels[:NAMED_USES], *([f"and {more} more"] if more > 0 else [])])


@require_GET
@page("ledger.view_account")
def export_accounts(request: HttpRequest, book_id: int, form: str) -> HttpResponseBase:
    """The accounts of the list, as it is searched."""
    book = get_object_or_404(Book, pk=book_id)
    wanted = request.GET.get("q", "").strip()
    rows = _searched(book, wanted)
    return download(request.user, AccountResource(), rows, form=form, about=book, book=book.name, search=wanted)


@page("ledger.delete_account")
def delete_account(request: HttpRequest, book_id: int, account_id: int) -> HttpResponse:
    """First what will happen, then the button that does it."""
    account = get_object_or_404(Account, pk=account_id, book=book_id, deleted_at=None)
    used = used_by(account.book, [account.pk]).get(account.pk, "")
    if request.method == "POST":
        _deleted(request, account, used)
        return redirect("mappings:accounts", book_id)
    context = page_context(request, title="Delete an account", book=account.book, account=account, used=used)
    return render(request, "admin/mappings/delete_account.html", context)


def _deleted(request: HttpRequest, account: Account, used: str) -> None:
    try:
        charts.delete_account(account, actor=request.user, used_by=used)
    except DaybookError as refused:
        messages.error(request, refused.sentence)
        return
    messages.success(request, f"{account} is off the list. The next import brings it back.")


@page("mappings.view_mapping")
def configuration(request: HttpRequest, book_id: int, changed: Changed) -> HttpResponse:
    """The switches and the mapping. A POST saves the whole mapping, or nothing and says what is wrong where.

    Asked for a preview it says what would change, and saves nothing.
    """
    book = get_object_or_404(Book, pk=book_id)
    form = MappingForm(book, request.POST if request.method == "POST" else None)
    if request.method == "POST":
        if not may_for_all(request.user, "mappings.change_mapping"):
            raise PermissionDenied
        if form.is_valid and "preview" not in request.POST:
            _save(request, form, changed)
            return redirect("mappings:configuration", book.pk)
        if not form.is_valid:
            messages.error(request, "Nothing was saved: some rows below need another account.")
    context = page_context(request, title="Financial", book=book, tab="configuration", form=form)
    context |= {
        "switches": SwitchForm(instance=book),
        "effect": _effect(request, form),
        "has_accounts": form.has_accounts,
        "zone": zone_of_book(book),
        "narrowed": narrowed_rows(book),
        "may_map": may_for_all(request.user, "mappings.change_mapping"),
        "may_switch": may_for_all(request.user, "ledger.change_book"),
    }
    return render(request, "admin/mappings/configuration.html", context, status=200 if form.is_valid else 422)


def _effect(request: HttpRequest, form: MappingForm) -> effects.Effect | None:
    """What the form would do, when that was asked and nothing in it is refused."""
    if "preview" not in request.POST or not form.is_valid:
        return None
    return effects.effect(form.book, effects.of_form(form.book, form.changes))


def narrowed_rows(book: Book) -> list[tuple[Mapping, str]]:
    """The rows that the form does not edit, each in words."""
    rows = editing.narrowed(book)
    known = Known(book, rows=rows, accounts=False) if rows else None
    return [(row, loading.label(row, known)) for row in rows if known]


def _save(request: HttpRequest, form: MappingForm, changed: Changed) -> None:
    count = editing.save(form.book, form.changes, actor=request.user)
    if not count:
        messages.warning(request, "Nothing was changed: every row has the account that it had.")
        return
    changed(form.book)
    then = "What waited for it is sent by itself." if form.book.syncing else "It is used from Start Sync on."
    messages.success(request, f"Saved, {count} changed. {then}")


@page("ledger.change_book")
def switch(request: HttpRequest, book_id: int, changed: Changed) -> HttpResponse:
    """Turn the financial system, or cost and inventory, on or off."""
    book = get_object_or_404(Book, pk=book_id)
    if request.method == "POST":
        before = {name: getattr(book, name) for name in SwitchForm.Meta.fields}
        form = SwitchForm(request.POST, instance=book)
        with transaction.atomic():
            form.save()
            after = {name: form.cleaned_data[name] for name in SwitchForm.Meta.fields}
            note(request.user, "changed the settings of", book, before=before, after=after)
            orders.requeue_unmapped(book)
        changed(book)
        messages.success(request, "Saved.")
    return redirect("mappings:configuration", book.pk)
