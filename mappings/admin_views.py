"""Settings > Financial: the accounts of a book, its switches, and the account mapping."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db import transaction
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render

from ledger.admin.base import page_context
from ledger.admin.scoping import may_for_all
from ledger.audit import note
from ledger.errors import DaybookError
from ledger.journal import charts, orders
from ledger.models import Account, Book
from ledger.terms import AccountType
from mappings import coverage, editing
from mappings.admin_forms import MappingForm, SwitchForm
from mappings.models import Mapping

View = Callable[..., HttpResponse]
Changed = Callable[[Book], None]
"""Called after a change that may let waiting events go on: the room above wakes its worker."""

ACCOUNTS_PER_PAGE = 100


def allowed(permission: str) -> Callable[[View], View]:
    """For who has the permission; never for a manager of some stores: a book is the company's."""

    def guard(view: View) -> View:
        @wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            if not may_for_all(request.user, permission):
                raise PermissionDenied
            return view(request, *args, **kwargs)

        return guarded

    return guard


@allowed("ledger.view_account")
def financial(request: HttpRequest) -> HttpResponse:
    """The only book's accounts, or the choice between several."""
    books = list(Book.objects.all())
    if len(books) == 1:
        return redirect("mappings:accounts", books[0].pk)
    context = page_context(request, title="Financial", books=books)
    return render(request, "admin/mappings/books.html", context)


@allowed("ledger.view_account")
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
    """The mapping rows that use each of these accounts, in words."""
    names: dict[int, list[str]] = {}
    for place in editing.places(book):
        if place.account and place.account.pk in accounts:
            names.setdefault(place.account.pk, []).append(place.label)
    for row in Mapping.objects.filter(book=book, account__in=accounts).exclude(reason="", category=""):
        names.setdefault(row.account_id, []).append(str(row))
    return {pk: "; ".join(labels) for pk, labels in names.items()}


@allowed("ledger.delete_account")
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


@allowed("mappings.view_mapping")
def configuration(request: HttpRequest, book_id: int, changed: Changed) -> HttpResponse:
    """The switches and the mapping. A POST saves the whole mapping, or nothing and says what is wrong where."""
    book = get_object_or_404(Book, pk=book_id)
    form = MappingForm(book, request.POST if request.method == "POST" else None)
    if request.method == "POST":
        if not may_for_all(request.user, "mappings.change_mapping"):
            raise PermissionDenied
        if form.is_valid:
            _save(request, form, changed)
            return redirect("mappings:configuration", book.pk)
        messages.error(request, "Nothing was saved: some rows below need another account.")
    context = page_context(request, title="Financial", book=book, tab="configuration", form=form)
    context |= {
        "switches": SwitchForm(instance=book),
        "missing": len(coverage.missing(book)),
        "needed": len(list(coverage.slots(book))),
        "has_accounts": bool(form.accounts),
        "may_map": may_for_all(request.user, "mappings.change_mapping"),
        "may_switch": may_for_all(request.user, "ledger.change_book"),
    }
    return render(request, "admin/mappings/configuration.html", context, status=200 if form.is_valid else 422)


def _save(request: HttpRequest, form: MappingForm, changed: Changed) -> None:
    count = editing.save(form.book, form.changes, actor=request.user)
    if not count:
        messages.warning(request, "Nothing was changed: every row has the account that it had.")
        return
    changed(form.book)
    then = "What waited for it is sent by itself." if form.book.syncing else "It is used from Start Sync on."
    messages.success(request, f"Saved, {count} changed. {then}")


@allowed("ledger.change_book")
def switch(request: HttpRequest, book_id: int, changed: Changed) -> HttpResponse:
    """Turn the financial system, or cost and inventory, on or off."""
    book = get_object_or_404(Book, pk=book_id)
    if request.method == "POST":
        before = {name: getattr(book, name) for name in SwitchForm.Meta.fields}
        form = SwitchForm(request.POST, instance=book)
        with transaction.atomic():
            form.save()
            after = {name: form.cleaned_data[name] for name in SwitchForm.Meta.fields}
            note(request.user, "changed the switches of", book, before=before, after=after)
            orders.requeue_unmapped(book)
        changed(book)
        messages.success(request, "Saved.")
    return redirect("mappings:configuration", book.pk)
