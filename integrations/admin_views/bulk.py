"""One deed on many events: first the page that says what it would touch, then the deed, then how far it is."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import Count, F, Max, Min, QuerySet, Sum
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from integrations import bulk, remedies, vendors
from integrations.admin_views import health
from integrations.admin_views.access import answer, page
from integrations.admin_views.books import book_of, books_connection
from integrations.admin_views.events import ROWS, begin
from integrations.admin_views.filtering import EventFilter, bounded, narrowed
from integrations.admin_views.progress import of_deed
from integrations.admin_views.words import counted
from integrations.bulk_deeds import DEEDS, Deed, deed_of
from integrations.models import BulkDeed, BulkItem, Connection
from ledger import money
from ledger.admin.base import page_context
from ledger.admin.scoping import Person, is_store_manager, may, visible
from ledger.errors import DaybookError
from ledger.models import Book, Posting
from ledger.moments import zone_of_book

Row = Mapping[str, Any]

SHOWN = 12
"""So many causes, stores and reasons stand on the page; the rest is one line."""


@dataclass(frozen=True)
class Choice:
    """What a person chose in the list: rows by their boxes, or everything that matches the filter."""

    rows: QuerySet[Posting]
    words: dict[str, str]


@dataclass(frozen=True)
class Line:
    """A part of what is touched, with its money, or of what is not. `mend`: the steps to take before a Retry."""

    words: str
    count: int
    shown: str
    amount: Any = None
    link: str = ""
    mend: tuple[str, ...] = ()


@page("ledger.view_posting", store_managers=True)
def many(request: HttpRequest, connection_id: int) -> HttpResponse:
    """GET says what the deed would touch and leaves everything as it is; POST, from that page, does it."""
    connection = books_connection(connection_id)
    kind = request.GET.get("deed", "")
    if kind not in DEEDS:
        raise Http404("There is no such deed.")
    deed = deed_of(kind, request.user)
    if not may(request.user, deed.permission):
        raise PermissionDenied
    choice = _choice(request, book_of(connection))
    if choice is None:
        messages.error(request, "Choose at least one event, or all that match a filter that can be read.")
        return redirect(_list(request, connection))
    if request.method == "POST" and (row := _ordered(request, connection, deed, choice)):
        return redirect(_after(request, row, connection))
    return _preview(request, connection, deed, choice)


def _choice(request: HttpRequest, book: Book) -> Choice | None:
    """None when nothing was chosen. A filter that cannot be read chooses nothing: it might mean anything."""
    form = EventFilter(request.GET, book=book, person=request.user)
    if form.errors:
        return None
    if "all" in request.GET:
        rows = narrowed(book, form, person=request.user)
        return Choice(rows, form.in_words() or {"All": "events of the book"})
    ids = [int(one) for one in request.GET.getlist("chosen") if one.isdecimal() and len(one) < 18][: 4 * ROWS]
    rows = visible(Posting.objects.filter(book=book, pk__in=ids), to=request.user)
    return Choice(rows, {"By hand": counted(len(ids), "event")}) if ids else None


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
        asked = _looked_up(connection, deed, touched, size)
        parts = _parts(touched, connection, deed, request.user) | {"stores": _by_store(touched)}
        # Of those that were looked up each says for itself what becomes of it.
        context |= asked if "verdicts" in asked else asked | parts
    left = [Line(words, **bounded(rows)) for words, rows in deed.passes(choice.rows, book)]
    context["left"] = [line for line in left if line.count]
    return render(request, "admin/integrations/bulk.html", context)


def _parts(rows: QuerySet[Posting], connection: Connection, deed: Deed, person: Person) -> dict[str, Any]:
    """What holds the events up; of those that were set aside, why they were."""
    if deed.kind == BulkDeed.Kind.TAKE_BACK:
        return {"causes_title": "By reason", "causes": _by_reason(rows)}
    return {"causes_title": "By cause", "causes": _by_cause(rows, connection, deed, person)}


def _by_reason(rows: QuerySet[Posting]) -> list[Line]:
    found = rows.order_by().values("set_aside_reason").annotate(n=Count("pk"), sum=Sum("amount"))
    told = list(found.order_by("-n", "set_aside_reason"))
    return _lines(told, lambda row: {"words": row["set_aside_reason"]}, noun="reason")


def _by_cause(rows: QuerySet[Posting], connection: Connection, deed: Deed, person: Person) -> list[Line]:
    found = rows.order_by().values("cause").annotate(n=Count("pk"), sum=Sum("amount"))
    told = found.annotate(first=Min("error"), last=Max("error")).order_by("-n", "cause")
    return _lines(list(told), partial(_of_cause, connection=connection, deed=deed, person=person), noun="cause")


def _of_cause(row: Row, *, connection: Connection, deed: Deed, person: Person) -> dict[str, Any]:
    """What one cause says: of several sentences one is an example. Before a Retry, what must be mended first."""
    if not row["cause"]:
        return {"words": "Not in Error"}
    said, cure = row["first"], remedies.remedy
    if is_store_manager(person):
        said, cure = remedies.words_of_a_store(row["cause"], said=said), remedies.remedy_of_a_store
    example = "" if row["first"] == row["last"] else "for example: "
    link = health.events_address(connection, cause=row["cause"])
    mend = cure(remedies.Where(row["cause"], connection.book, connection)).steps
    return {"words": f"{example}{said}", "link": link, "mend": mend if deed.kind == BulkDeed.Kind.RETRY else ()}


def _by_store(rows: QuerySet[Posting]) -> list[Line]:
    found = rows.order_by().values(name=F("store__name")).annotate(n=Count("pk"), sum=Sum("amount"))
    named = list(found.order_by("-n", "name"))
    return _lines(named, lambda row: {"words": row["name"] or "No store"}, noun="store")


def _lines(found: Sequence[Row], said: Callable[[Row], dict[str, Any]], *, noun: str) -> list[Line]:
    """The largest ones, and the rest as one line."""
    lines = [Line(count=row["n"], shown=f"{row['n']:,}", amount=row["sum"], **said(row)) for row in found[:SHOWN]]
    if rest := found[SHOWN:]:
        count, amount = sum(row["n"] for row in rest), sum(row["sum"] or 0 for row in rest)
        lines.append(Line(counted(len(rest), f"more {noun}"), count, f"{count:,}", amount))
    return lines


def _looked_up(connection: Connection, deed: Deed, touched: QuerySet[Posting], size: bulk.Size) -> dict[str, Any]:
    """For a few events what the books say of each already; of more, the worker asks."""
    if not deed.asks_the_books or size.events > bulk.LOOKED_UP:
        return {}
    rows = touched.select_related("book", "entry").order_by("pk")
    try:
        verdicts = bulk.look_up(connection, list(rows))
    except DaybookError as problem:
        return {"problem": problem.sentence}
    same = [posting.amount or 0 for posting, said in verdicts.items() if not said.why]
    return {"verdicts": verdicts, "size": replace(size, events=len(same), amount=sum(same))}


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
        "deed": deed_of(row.kind, request.user),
        "zone": zone_of_book(row.book),
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
