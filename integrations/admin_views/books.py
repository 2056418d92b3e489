"""Integrations > an accounting system: the Status tab and its buttons."""

from dataclasses import asdict
from datetime import tzinfo
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.db import transaction
from django.db.models import Model
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_POST

from integrations import connecting, patience, tasks, vendors
from integrations.admin_forms import KeysForm, LimitsForm, NewBookForm, PastForm
from integrations.admin_views import diagnosis, health, progress, ranges
from integrations.admin_views.access import address_of, answer, deed, page
from integrations.admin_views.filtering import offered_counts, to_retry
from integrations.admin_views.words import counted
from integrations.models import Connection
from ledger.admin.base import page_context
from ledger.admin.scoping import is_store_manager, may_for_all
from ledger.audit import note
from ledger.journal import orders
from ledger.models import Book, Posting, SyncOrder
from ledger.moments import zone_of_book
from ledger.terms import SyncState

OPERATE, CONFIGURE = "integrations.operate_sync", "integrations.change_connection"


def books_connection(connection_id: int) -> Connection:
    """The connection of a book, or 404."""
    return get_object_or_404(vendors.books_connections(), pk=connection_id)


def book_of(connection: Connection) -> Book:
    """The book that a connection serves."""
    if connection.book is None:
        raise ValueError(f"{connection} serves no book")
    return connection.book


def status(request: HttpRequest, vendor: str) -> HttpResponse:
    """The page of one connection of a vendor; without one, the form that creates it."""
    mine = vendors.books_connections().filter(vendor=vendor).select_related("book", "connected_by").order_by("pk")
    connection = chosen(request, list(mine))
    title = vendors.VENDORS[vendor].label
    if connection is None:
        context = page_context(request, title=title, form=NewBookForm(), vendor=vendor)
        return render(request, "admin/integrations/new_book.html", context)
    context = page_context(request, title=title, connection=connection, others=list(mine), tab="status")
    context |= _status_context(request, connection)
    return render(request, "admin/integrations/status.html", context)


def chosen(request: HttpRequest, mine: list[Connection]) -> Connection | None:
    """The connection that the address names, else the first."""
    wanted = request.GET.get("connection", "")
    return next((c for c in mine if str(c.pk) == wanted), mine[0] if mine else None)


def _status_context(request: HttpRequest, connection: Connection) -> dict[str, Any]:
    book, so_far = book_of(connection), health.mapped(book_of(connection))
    limited = is_store_manager(request.user)
    latest, running = _runs(request, connection)
    counts = offered_counts(book, person=request.user)
    zone = zone_of_book(book)
    past = PastForm(request.GET if "first" in request.GET else None)
    return {
        "book": book,
        "zone": zone,
        "limited": limited,
        "diagnosis": None if limited else _diagnosis(connection, book, counts, zone),
        "health": health.health(connection, person=request.user),
        "counts": counts,
        "next_button": health.next_button(connection, so_far=so_far),
        "mapped": so_far,
        "latest_import": connection.imports.first(),
        "accounts": book.accounts.filter(deleted_at=None).count(),
        "keys": KeysForm(connection),
        "limits": LimitsForm(connection),
        "another": NewBookForm(auto_id="another_%s"),
        "has_keys": connecting_is_possible(connection),
        "past": past,
        "figures": _figures(book, past) if past.is_bound and not limited else None,
        "runs": latest,
        "running": running,
        "patience": patience.table(connection),
        "needed_accounts": vendors.VENDORS[connection.vendor].needed_accounts,
        "stamp": health.stamp(connection, person=request.user, latest=latest, running=running),
        "may_operate": may_for_all(request.user, OPERATE),
        "may_configure": may_for_all(request.user, CONFIGURE),
        "failed": to_retry(book, person=request.user),
    }


def _diagnosis(connection: Connection, book: Book, counts: list[dict[str, Any]], zone: tzinfo) -> diagnosis.Diagnosis:
    number = {row["state"]: row["count"] for row in counts}
    waiting = number[SyncState.NOT_SYNCED] + number[SyncState.PROCESSING]
    return diagnosis.diagnosis(connection, book, waiting=waiting, failed=number[SyncState.ERROR], zone=zone)


def connecting_is_possible(connection: Connection) -> bool:
    """Whether the keys of the OAuth client are there, without which Connect has nothing to show."""
    return bool(connection.credentials.get("client_id") and connection.credentials.get("client_secret"))


def failed_of(book: Book) -> Any:
    """The postings of a book that wait for a person."""
    return Posting.objects.filter(book=book, state=SyncState.ERROR)


@require_GET
@page("integrations.view_connection", store_managers=True)
def status_json(request: HttpRequest, connection_id: int) -> HttpResponse:
    """What an open Status tab asks for every few seconds."""
    connection = books_connection(connection_id)
    latest, running = _runs(request, connection)
    book = book_of(connection)
    counts = {row["state"]: row["shown"] for row in offered_counts(book, person=request.user)}
    counts["retry"] = to_retry(book, person=request.user)["shown"]
    told = {one.name: one.told() for one in running}
    seen = health.stamp(connection, person=request.user, latest=latest, running=running)
    detail = health.health(connection, person=request.user).detail
    return JsonResponse({"stamp": seen, "counts": counts, "progress": told, "detail": detail})


def _runs(request: HttpRequest, connection: Connection) -> tuple[list[progress.Run], list[progress.Progress]]:
    """The latest orders of past events, and what runs now. They are the whole company's, so no manager of stores."""
    if is_store_manager(request.user):
        return [], []
    book = book_of(connection)
    latest = progress.runs(book)
    return latest, progress.all_of(connection, book, latest=latest)


@require_GET
@page(OPERATE)
def range_json(request: HttpRequest, connection_id: int) -> HttpResponse:
    """What a range of dates holds, as the person changes the dates."""
    form = PastForm(request.GET)
    return JsonResponse(_figures(book_of(books_connection(connection_id)), form))


def _figures(book: Book, form: PastForm) -> dict[str, Any]:
    """The number of events and the money in a range, or what is wrong with its dates."""
    if not form.is_valid():
        return {"problem": form.sentence(), "figures": "", "parts": [], "sends": False, "closed": ""}
    first, last = form.cleaned_data["first"], form.cleaned_data["last"]
    found = ranges.figures(book, first, last)
    said = asdict(found)
    return {"problem": "", "figures": said.pop("words"), **said}


@deed(OPERATE)
def start(request: HttpRequest, connection: Connection) -> str:
    orders.start_sync(book_of(connection), actor=request.user)
    tasks.wake(connection.pk)
    return "The sync is on. What is sold from now on is sent by itself; earlier events are yours to order below."


@deed(OPERATE)
def stop(request: HttpRequest, connection: Connection) -> str:
    orders.stop_sync(book_of(connection), actor=request.user)
    return "The sync is off. What was ordered waits, and so do new events, until Start Sync."


@deed(OPERATE)
def past(request: HttpRequest, connection: Connection) -> str:
    form = PastForm(request.POST)
    if not form.is_valid():
        raise orders.Refused(form.sentence())
    first, last = form.cleaned_data["first"], form.cleaned_data["last"]
    if nothing := ranges.nothing_to_order(book_of(connection), first, last):
        raise orders.Refused(nothing)
    order = orders.order_past(book_of(connection), first, last, actor=request.user)
    tasks.wake(connection.pk)
    return f"Ordered: {counted(order.events, 'event')}. They are sent by themselves; this page shows how far they are."


@require_POST
@page(OPERATE)
def stop_past(request: HttpRequest, order_id: int) -> HttpResponse:
    """Call an order of past events back."""
    order = get_object_or_404(SyncOrder.objects.select_related("book__connection"), pk=order_id, kind="past")
    answer(request, lambda: _stop_past(request, order))
    return redirect(f"{address_of(order.book.connection)}#past")


def _stop_past(request: HttpRequest, order: SyncOrder) -> str:
    count = orders.stop_past(order, actor=request.user)
    return f"Stopped: {counted(count, 'event')} had not begun, and {'is' if count == 1 else 'are'} Never Synced again."


@require_POST
@page(OPERATE)
def preview(request: HttpRequest, connection_id: int) -> HttpResponse:
    """The figures of a range without a script: the page again, with the dates in its address."""
    dates = urlencode({name: request.POST.get(name, "") for name in ("first", "last")})
    return redirect(f"{address_of(books_connection(connection_id))}&{dates}#past")


@deed(OPERATE)
def import_accounts(request: HttpRequest, connection: Connection) -> str:
    if connection.imports.filter(ended_at=None).exists():
        return "An import is running already."
    connecting.order_import(connection, request.user)
    return "The import has begun."


@deed(CONFIGURE)
def save_keys(request: HttpRequest, connection: Connection) -> str:
    """Address and keys of any connection, books or till."""
    form = KeysForm(connection, request.POST)
    if not form.is_valid():
        said = [f"{form.fields[name].label}: {' '.join(map(str, errors))}" for name, errors in form.errors.items()]
        raise orders.Refused(" ".join(said))
    _save_address(connection, form, request)
    connecting.save_keys(connection, form.keys(), request.user)
    return "Saved."


def _save_address(connection: Connection, form: KeysForm, request: HttpRequest) -> None:
    names = [name for name in ("base_url", "settle_seconds") if name in form.fields]
    before = {name: getattr(connection, name) for name in names}
    after = {name: form.cleaned_data[name] for name in names}
    if after == before:
        return
    with transaction.atomic():
        Connection.objects.filter(pk=connection.pk).update(**after)
        note(request.user, "changed the address of", connection, before=before, after=after)
    connection.refresh_from_db()


@page(CONFIGURE)
def disconnect(request: HttpRequest, connection_id: int) -> HttpResponse:
    """First what will happen, then the button that does it."""
    connection = get_object_or_404(Connection.objects.select_related("book", "source"), pk=connection_id)
    if request.method == "POST":
        answer(request, lambda: _let_go(request, connection))
        return redirect(address_of(connection))
    counts = health.open_counts(connection.book, person=request.user) if connection.book else []
    waiting = [row for row in counts if row["state"] in {SyncState.NOT_SYNCED, SyncState.PROCESSING}]
    context = page_context(request, title="Disconnect", connection=connection, waiting=waiting)
    context["back"] = address_of(connection)
    return render(request, "admin/integrations/disconnect.html", context)


def _let_go(request: HttpRequest, connection: Connection) -> str:
    connecting.disconnect(connection, request.user)
    return "Disconnected. Accounts, mapping, events and history are kept; connect again to go on."


@deed(CONFIGURE)
def test(request: HttpRequest, connection: Connection) -> str:
    return connecting.test(connection, request.user)


@require_POST
@page(CONFIGURE)
def new_book(request: HttpRequest, vendor: str) -> HttpResponse:
    """Create a book and its connection; nothing is contacted yet."""
    form = NewBookForm(request.POST)
    if not form.is_valid():
        context = page_context(request, title=vendors.VENDORS[vendor].label, form=form, vendor=vendor)
        return render(request, "admin/integrations/new_book.html", context, status=422)
    with transaction.atomic():
        book = Book.objects.create(name=form.cleaned_data["name"])
        connection = created(request, Connection(vendor=vendor, book=book), subject=book)
    return redirect(address_of(connection))


def created(request: HttpRequest, connection: Connection, *, subject: Model) -> Connection:
    """Keep a new connection, with an audit record of what it serves."""
    connection.save()
    note(request.user, "set up", subject, after={"vendor": connection.vendor})
    messages.success(request, f"{subject} is set up. Enter the keys, then connect.")
    return connection


def wake_book(book: Book) -> None:
    """Let a worker look at a book after its mapping was changed."""
    for connection in vendors.books_connections().filter(book=book):
        tasks.wake(connection.pk)
