"""The Financial Events tab: the postings of a book, newest first, fifty at a time, never counted as a whole."""

import hashlib
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from integrations import vendors
from integrations.admin_forms import EventFilter
from integrations.admin_views import health
from integrations.admin_views.access import answer, page
from integrations.admin_views.books import book_of, books_connection, failed_of
from integrations.admin_views.postings import retry_all
from integrations.models import Connection
from ledger.admin.base import page_context
from ledger.admin.scoping import may, visible
from ledger.models import Book, Posting
from ledger.terms import Outcome, SyncState

ROWS = 50
DEEPEST_PAGE = 2_000
"""Beyond it a page costs more than it helps: the dates lead there at once."""


@dataclass(frozen=True)
class Row:
    """A posting with its words."""

    posting: Posting
    state: SyncState
    outcome: str


@require_GET
@page("ledger.view_posting", store_managers=True)
def events(request: HttpRequest, connection_id: int) -> HttpResponse:
    """The tab; with `watch` in its address only what an open tab asks for every few seconds."""
    connection = books_connection(connection_id)
    counts = health.open_counts(book_of(connection), person=request.user)
    form = EventFilter(request.GET, counts=counts)
    number = _page_number(request)
    found = list(_chosen(book_of(connection), form, request)[(number - 1) * ROWS : number * ROWS + 1])
    stamp = _stamp(found, counts)
    if "watch" in request.GET:
        return JsonResponse({"stamp": stamp, "counts": {row["state"]: row["shown"] for row in counts}})
    context = _page_context(request, connection, form=form, counts=counts, found=found[:ROWS])
    context |= {"stamp": stamp, **_ways(request, number=number, more=len(found) > ROWS)}
    return render(request, "admin/integrations/events.html", context)


def _page_context(
    request: HttpRequest,
    connection: Connection,
    *,
    form: EventFilter,
    counts: list[dict[str, Any]],
    found: list[Posting],
) -> dict[str, Any]:
    label = vendors.VENDORS[connection.vendor].label
    context = page_context(request, title=label, connection=connection, book=book_of(connection), tab="events")
    return context | {
        "form": form,
        "filtered": any(form.data.get(name) for name in ("state", "first", "last", "number", "cause")),
        "counts": counts,
        "rows": [_row(posting) for posting in found],
        "held_up_by": _held_up_by(found) if form.data.get("cause") else "",
        "oldest_first": form.data.get("sort") == "oldest",
        "failed": next(row for row in counts if row["state"] == SyncState.ERROR),
        "may_retry": may(request.user, "ledger.retry_posting"),
        "watch": f"?{urlencode({**request.GET.dict(), 'watch': 1})}",
    }


def _stamp(found: list[Posting], counts: list[dict[str, Any]]) -> str:
    """Changes when the rows of this page would look different."""
    shown = [(p.pk, p.state, p.error, p.changed_since, p.set_aside_reason, p.entry_id, p.amount) for p in found]
    offered = [row["state"] for row in counts if row["count"]]
    return hashlib.sha256(repr([shown, offered]).encode()).hexdigest()[:16]


def _held_up_by(found: list[Posting]) -> str:
    """The sentence of one cause. What several events say of themselves is an example."""
    said = sorted({posting.error for posting in found})
    return said[0] if len(said) == 1 else f"for example, {said[0]}" if said else ""


def _page_number(request: HttpRequest) -> int:
    wanted = request.GET.get("page", "1")
    return min(max(1, int(wanted)), DEEPEST_PAGE) if wanted.isdecimal() and len(wanted) < 9 else 1


def _chosen(book: Book, form: EventFilter, request: HttpRequest) -> QuerySet[Posting]:
    rows = visible(Posting.objects.filter(book=book), to=request.user)
    chosen = form.cleaned_data if form.is_valid() else {}
    rows = _narrowed(rows, chosen)
    oldest = form.data.get("sort") == "oldest"
    ordered = rows.order_by("business_date", "id") if oldest else rows.order_by("-business_date", "-id")
    return ordered.select_related("event", "store", "entry").defer("entry__sent_body", "error_detail")


def _narrowed(rows: QuerySet[Posting], chosen: dict[str, Any]) -> QuerySet[Posting]:
    state = chosen.get("state")
    if state == "open":
        rows = rows.exclude(state=SyncState.SYNCED)
    elif state == "changed":
        rows = rows.filter(changed_since=True)
    elif state:
        rows = rows.filter(state=state)
    if chosen.get("first"):
        rows = rows.filter(business_date__gte=chosen["first"])
    if chosen.get("last"):
        rows = rows.filter(business_date__lte=chosen["last"])
    if chosen.get("cause"):
        rows = rows.filter(state=SyncState.ERROR, cause=chosen["cause"])
    return _with_number(rows, chosen.get("number", "").strip())


def _with_number(rows: QuerySet[Posting], number: str) -> QuerySet[Posting]:
    """The exact number of the event, or of its entry."""
    if not number:
        return rows
    wanted = {number, number.upper()}
    return rows.filter(number__in=wanted) | rows.filter(entry__reference__in=wanted)


def _row(posting: Posting) -> Row:
    outcome = Outcome(posting.outcome).label if posting.outcome else ""
    return Row(posting, SyncState(posting.state), outcome)


def _ways(request: HttpRequest, *, number: int, more: bool) -> dict[str, str | int]:
    """The addresses of the pages around this one, and of the other order."""
    chosen = {key: value for key, value in request.GET.items() if value and key != "page"}

    def address(**changed: str | int) -> str:
        return f"?{urlencode({**chosen, **changed})}"

    turned = {key: value for key, value in chosen.items() if key != "sort"}
    return {
        "page_number": number,
        "previous": address(page=number - 1) if number > 1 else "",
        "next": address(page=number + 1) if more and number < DEEPEST_PAGE else "",
        "newest": f"?{urlencode(turned)}",
        "oldest": f"?{urlencode({**turned, 'sort': 'oldest'})}",
    }


@require_POST
@page("ledger.retry_posting", store_managers=True)
def retry_failed(request: HttpRequest, connection_id: int) -> HttpResponse:
    """Everything of this book that failed, as far as this person sees it."""
    connection = books_connection(connection_id)
    failed = visible(failed_of(book_of(connection)), to=request.user)
    answer(request, lambda: retry_all(failed, connection, actor=request.user))
    return redirect(health.events_address(connection, state="open"))
