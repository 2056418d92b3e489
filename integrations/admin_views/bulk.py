"""One deed on many events: first the page that says what it would touch, then the deed, then how far it is."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import Count, F, Min, QuerySet, Sum
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from integrations import bulk, vendors
from integrations.admin_views import health
from integrations.admin_views.access import answer, page
from integrations.admin_views.books import book_of, books_connection
from integrations.admin_views.events import ROWS, begin
from integrations.admin_views.filtering import EventFilter, narrowed
from integrations.admin_views.progress import of_deed
from integrations.admin_views.words import counted
from integrations.bulk_deeds import DEEDS, Deed
from integrations.models import BulkDeed, BulkItem, Connection
from ledger import money
from ledger.admin.base import LARGEST_COUNT, page_context
from ledger.admin.scoping import is_store_manager, may, visible
from ledger.errors import DaybookError
from ledger.models import Book, Posting

SHOWN = 12
"""So many causes, stores and reasons stand on the page; the rest is one line."""


@dataclass(frozen=True)
class Choice:
    """What a person chose in the list: rows by their boxes, or everything that matches the filter."""

    rows: QuerySet[Posting]
    query: dict[str, Any]
    words: dict[str, str]
    form: EventFilter
    is_all: bool


@dataclass(frozen=True)
class Line:
    """A part of what is touched, or of what is not: in words, with its number and its money."""

    words: str
    events: int
    amount: Any = None
    link: str = ""

    @property
    def shown(self) -> str:
        return f"{LARGEST_COUNT:,}+" if self.events > LARGEST_COUNT else f"{self.events:,}"


@page("ledger.view_posting", store_managers=True)
def many(request: HttpRequest, connection_id: int) -> HttpResponse:
    """GET says what the deed would touch and leaves everything as it is; POST, from that page, does it."""
    connection = books_connection(connection_id)
    deed = DEEDS.get(request.GET.get("deed", ""))
    if deed is None:
        raise Http404("There is no such deed.")
    if not may(request.user, deed.permission):
        raise PermissionDenied
    choice = _choice(request, book_of(connection))
    if choice is None:
        messages.error(request, "Choose at least one event, or all that match the filter.")
        return redirect(_list(request, connection))
    if request.method == "POST" and (row := _ordered(request, connection, deed, choice)):
        return redirect(_after(request, row, connection))
    return _preview(request, connection, deed, choice)


def _choice(request: HttpRequest, book: Book) -> Choice | None:
    """None when nothing was chosen. A filter that cannot be read chooses nothing: it might mean anything."""
    form = EventFilter(request.GET, book=book, person=request.user)
    query = {"deed": request.GET["deed"], **form.query}
    if "all" in request.GET:
        if form.errors:
            return None
        rows = narrowed(book, form, person=request.user)
        return Choice(rows, query | {"all": "1"}, form.in_words() or {"All": "events of the book"}, form, True)
    ids = [int(one) for one in request.GET.getlist("chosen") if one.isdecimal() and len(one) < 18][: 4 * ROWS]
    rows = visible(Posting.objects.filter(book=book, pk__in=ids), to=request.user)
    words = {"By hand": counted(len(ids), "event")}
    return Choice(rows, query | {"chosen": ids}, words, form, False) if ids else None


def _list(request: HttpRequest, connection: Connection) -> str:
    """The list as it was when the deed was chosen."""
    apart = {"deed", "all", "chosen"}
    query = urlencode({name: value for name, value in request.GET.items() if value and name not in apart})
    address = reverse("integrations:events", args=[connection.pk])
    return f"{address}?{query}" if query else address


def _preview(request: HttpRequest, connection: Connection, deed: Deed, choice: Choice) -> HttpResponse:
    book = book_of(connection)
    touched = deed.touches(choice.rows, book)
    size = bulk.size(touched)
    label = vendors.VENDORS[connection.vendor].label
    context = page_context(request, title=f"{deed.label}: what it will touch", connection=connection, book=book)
    context |= {
        "deed": deed,
        "choice": choice,
        "size": size,
        "too_many": size.events > bulk.LARGEST,
        "largest": bulk.LARGEST,
        "seen": size.seen,
        "label": label,
        "back": _list(request, connection),
        "reason": request.POST.get("reason", ""),
        "by_worker": size.events > bulk.AT_ONCE or deed.asks_the_books,
    }
    if 0 < size.events <= bulk.LARGEST:
        context |= {"causes": _by_cause(touched, connection), "stores": _by_store(touched)}
        context |= _looked_up(connection, deed, touched, size)
    context["left"] = [line for line in (_bounded(*one) for one in deed.passes(choice.rows, book)) if line.events]
    return render(request, "admin/integrations/bulk.html", context)


def _by_cause(rows: QuerySet[Posting], connection: Connection) -> list[Line]:
    found = rows.order_by().values("cause").annotate(n=Count("pk"), sum=Sum("amount"), said=Min("error"))
    return _lines(
        Line(
            row["said"] or "Not in Error",
            row["n"],
            row["sum"],
            health.events_address(connection, cause=row["cause"]) if row["cause"] else "",
        )
        for row in found.order_by("-n", "cause")
    )


def _by_store(rows: QuerySet[Posting]) -> list[Line]:
    found = rows.order_by().values(name=F("store__name")).annotate(n=Count("pk"), sum=Sum("amount"))
    return _lines(Line(row["name"] or "No store", row["n"], row["sum"]) for row in found.order_by("-n", "name"))


def _lines(lines: Any) -> list[Line]:
    """The largest ones, and the rest as one line."""
    found = list(lines)
    rest = found[SHOWN:]
    if not rest:
        return found
    events, amount = sum(line.events for line in rest), sum(line.amount or 0 for line in rest)
    return [*found[:SHOWN], Line(f"{len(rest):,} others", events, amount)]


def _bounded(words: str, rows: QuerySet[Posting]) -> Line:
    return Line(words, rows.order_by()[: LARGEST_COUNT + 1].count())


def _looked_up(connection: Connection, deed: Deed, touched: QuerySet[Posting], size: bulk.Size) -> dict[str, Any]:
    """For a few events what the books say of each already; of more, the worker asks."""
    if not deed.asks_the_books or size.events > bulk.LOOKED_UP:
        return {}
    rows = touched.select_related("book", "entry").order_by("pk")
    try:
        return {"verdicts": bulk.look_up(connection, list(rows))}
    except DaybookError as problem:
        return {"problem": problem.sentence}


def _ordered(request: HttpRequest, connection: Connection, deed: Deed, choice: Choice) -> BulkDeed | None:
    """The deed, begun; None when it was refused, which the page then says."""
    book = book_of(connection)
    reason, seen = request.POST.get("reason", ""), request.POST.get("seen", "")
    try:
        row = bulk.order(book, deed, choice.rows, actor=request.user, narrowed=choice.words, reason=reason, seen=seen)
    except DaybookError as refused:
        messages.error(request, refused.sentence)
        return None
    answer(request, lambda: begin(row))
    return row


def _after(request: HttpRequest, row: BulkDeed, connection: Connection) -> str:
    """A deed that left something, or goes on, has its own page; after another one the list is what one wants to see."""
    row.refresh_from_db()
    if row.ended_at and not bulk.progress(row)["left"]:
        return _list(request, connection)
    return reverse("integrations:deed", args=[row.pk])


@require_GET
@page("ledger.view_posting", store_managers=True)
def deed(request: HttpRequest, deed_id: int) -> HttpResponse:
    """How far a deed is, and what was left with which reason."""
    row = _deed_of(request, deed_id)
    now = of_deed(row)
    so_far = bulk.progress(row)
    stamp = f"{row.ended_at} {row.problem} {so_far['left']}"
    if "watch" in request.GET:
        return JsonResponse({"stamp": stamp, "progress": {now.name: now.told()}})
    connection = row.book.connection
    left = visible(row.items.filter(outcome=BulkItem.Outcome.LEFT), to=request.user, store="posting__store")
    context = page_context(request, title=f"{row.get_kind_display()}: {counted(row.events, 'event')}", row=row)
    context |= {
        "deed": DEEDS[row.kind],
        "now": now,
        "so_far": so_far,
        "stamp": stamp,
        "amount": money.shown(row.amount, currency=row.book.currency),
        "left": left.select_related("posting__store").order_by("pk")[:200],
        "events": reverse("integrations:events", args=[connection.pk]),
        "may_stop": row.ended_at is None and may(request.user, DEEDS[row.kind].permission),
    }
    return render(request, "admin/integrations/deed.html", context)


def _deed_of(request: HttpRequest, deed_id: int) -> BulkDeed:
    """A manager of some stores sees the own deeds only: another one's count tells of other stores."""
    rows = BulkDeed.objects.select_related("book__connection", "ordered_by")
    if is_store_manager(request.user):
        rows = rows.filter(ordered_by=request.user.pk)
    return get_object_or_404(rows, pk=deed_id)


@require_POST
@page("ledger.view_posting", store_managers=True)
def stop_deed(request: HttpRequest, deed_id: int) -> HttpResponse:
    """Do no more of a deed: what waits is left as it is."""
    row = _deed_of(request, deed_id)
    if not may(request.user, DEEDS[row.kind].permission):
        raise PermissionDenied
    answer(request, lambda: _stop(request, row))
    return redirect("integrations:deed", row.pk)


def _stop(request: HttpRequest, row: BulkDeed) -> str:
    count = bulk.call_back(row, actor=request.user)
    return f"Stopped: {counted(count, 'event')} left as {'it was' if count == 1 else 'they were'}."
