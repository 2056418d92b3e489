"""The Financial Events tab: the postings of a book, newest first, fifty at a time, never counted as a whole."""

import hashlib
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

from django.db.models import Count, QuerySet, Sum
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from integrations import bulk, tasks, vendors
from integrations.admin_views import health
from integrations.admin_views.access import answer, page
from integrations.admin_views.books import book_of, books_connection, failed_of
from integrations.admin_views.filtering import (
    OLDEST,
    EventFilter,
    bounded,
    in_order,
    narrowed,
    offered_counts,
    to_retry,
)
from integrations.admin_views.words import counted
from integrations.bulk_deeds import DEEDS, deed_of, deeds_of
from integrations.models import BulkDeed, Connection
from integrations.retrying import Tried, tried_again
from ledger import money
from ledger.admin import upstairs
from ledger.admin.base import LARGEST_COUNT, page_context
from ledger.admin.posting_page import can_retry
from ledger.admin.scoping import Person, is_store_manager, may, visible
from ledger.models import Book, Posting
from ledger.moments import zone_of_book
from ledger.terms import Outcome, SyncState

ROWS = 50
DEEPEST_PAGE = 2_000
"""Beyond it a page costs more than it helps: the dates lead there at once."""


@dataclass(frozen=True)
class Row:
    """A posting with its words. `booked`: it has an entry, and the reader keeps the books."""

    posting: Posting
    state: SyncState
    outcome: str
    booked: bool
    problem: str
    can_retry: bool
    can_choose: bool
    tried: Tried | None


@require_GET
@page("ledger.view_posting", store_managers=True)
def events(request: HttpRequest, connection_id: int) -> HttpResponse:
    """The tab; with `watch` in its address only what an open tab asks for every few seconds."""
    connection = books_connection(connection_id)
    book = book_of(connection)
    form = EventFilter(request.GET, book=book, person=request.user)
    counts = [] if form.errors else offered_counts(book, person=request.user)
    failed = to_retry(book, person=request.user) if counts else {"count": 0, "shown": ""}
    rows, number = narrowed(book, form, person=request.user), _page_number(request)
    found = page_of(in_order(rows, form), number=number)
    stamp = _stamp(found, [*counts, {"state": "retry", **failed}])
    if "watch" in request.GET:
        shown = {row["state"]: row["shown"] for row in counts}
        return JsonResponse({"stamp": stamp, "counts": shown | {"retry": failed["shown"]}})
    context = _page_context(request, connection, form=form.for_the_screen(counts), counts=counts, found=found[:ROWS])
    context |= {"stamp": stamp, "failed": failed, **_ways(form, number=number, more=len(found) > ROWS)}
    context |= {"matches": _matches(rows, currency=book.currency)}
    return render(request, "admin/integrations/events.html", context)


def page_of(ordered: QuerySet[Posting], *, number: int) -> list[Posting]:
    """A page and one row more, which tells whether another page follows.

    The ids come from the index alone; what belongs to the rows is joined to these few, not to all that are passed by.
    """
    ids = list(ordered.values_list("pk", flat=True)[(number - 1) * ROWS : number * ROWS + 1])
    rows = Posting.objects.filter(pk__in=ids).select_related("store", "entry", "event", "order")
    found = {posting.pk: posting for posting in rows.defer("entry__sent_body", "error_detail")}
    return [found[pk] for pk in ids if pk in found]


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
    rows = _rows(found, request.user)
    return context | {
        "form": form,
        "chips": [] if form.errors else form.chips(),
        "counts": counts,
        "rows": rows,
        "zone": zone_of_book(book_of(connection)),
        "held_up_by": _held_up_by(found, request.user) if "cause" in form.chosen else "",
        "oldest_first": form.is_oldest_first,
        "may_retry": may(request.user, "ledger.retry_posting"),
        "deeds": deeds_of(request.user) if any(row.can_choose for row in rows) else [],
        "query": form.query,
        "watch": f"?{urlencode({**request.GET.dict(), 'watch': 1})}",
    }


def _stamp(found: list[Posting], counts: list[dict[str, Any]]) -> str:
    """Changes when the rows of this page would look different."""
    shown = [(p.pk, p.state, p.error, p.changed_since, p.set_aside_reason, p.entry_id, p.amount) for p in found]
    offered = [row["state"] for row in counts if row["count"]]
    return hashlib.sha256(repr([shown, offered]).encode()).hexdigest()[:16]


def _held_up_by(found: list[Posting], person: Person) -> str:
    """The sentence of one cause. What several events say of themselves is an example."""
    said = sorted({upstairs.problem_of(posting, person) for posting in found})
    return said[0] if len(said) == 1 else f"for example, {said[0]}" if said else ""


def _page_number(request: HttpRequest) -> int:
    wanted = request.GET.get("page", "1")
    return min(max(1, int(wanted)), DEEPEST_PAGE) if wanted.isdecimal() and len(wanted) < 9 else 1


def _matches(rows: QuerySet[Posting], *, currency: str) -> dict[str, Any]:
    """How many events the filter leaves and the money in them; of more than are counted, no money."""
    found = bounded(rows)
    if found["count"] > LARGEST_COUNT:
        return found | {"money": "narrow the filter to see their money"}
    if not found["count"]:
        return found | {"money": money.shown(Decimal(0), currency=currency)}
    sums = rows.order_by().aggregate(sum=Sum("amount"), known=Count("amount"))
    amount = money.shown(sums["sum"] or Decimal(0), currency=currency)
    unknown = found["count"] - sums["known"]
    return found | {"money": f"{amount}, {unknown:,} without a readable amount" if unknown else amount}


def _rows(found: list[Posting], person: Person) -> list[Row]:
    tried = tried_again(found)
    limited = is_store_manager(person)
    return [_row(posting, person, limited=limited, tried=tried.get(posting.pk)) for posting in found]


def _row(posting: Posting, person: Person, *, limited: bool, tried: Tried | None) -> Row:
    again = can_retry(posting, person)
    return Row(
        posting=posting,
        state=SyncState(posting.state),
        outcome=Outcome(posting.outcome).label if posting.outcome and not limited else "",
        booked=posting.entry is not None and not limited,
        problem=upstairs.problem_of(posting, person),
        can_retry=again,
        can_choose=again or not limited,
        tried=tried,
    )


def _ways(form: EventFilter, *, number: int, more: bool) -> dict[str, str | int]:
    """The addresses of the pages around this one, and of the other order."""
    turned = {"sort": OLDEST} if form.is_oldest_first else {}

    def address(**changed: str | int) -> str:
        return f"?{urlencode(form.query | turned | changed)}"

    return {
        "page_number": number,
        "previous": address(page=number - 1) if number > 1 else "",
        "next": address(page=number + 1) if more and number < DEEPEST_PAGE else "",
        "newest": f"?{urlencode(form.query)}",
        "oldest": f"?{urlencode({**form.query, 'sort': OLDEST})}",
    }


@require_POST
@page("ledger.retry_posting", store_managers=True)
def retry_failed(request: HttpRequest, connection_id: int) -> HttpResponse:
    """Everything of this book that this person may retry; the preview's button without its page."""
    connection = books_connection(connection_id)
    answer(request, lambda: _retry_failed(request, book_of(connection)))
    return redirect(health.events_address(connection, state="open"))


def _retry_failed(request: HttpRequest, book: Book) -> str:
    deed, seen = deed_of(BulkDeed.Kind.RETRY, request.user), visible(failed_of(book), to=request.user)
    if not deed.touches(seen, book).exists():
        return "Nothing that Retry could help is in Error."
    return begin(bulk.order(book, deed, seen, actor=request.user, narrowed={"State": SyncState.ERROR.label}))


def begin(row: BulkDeed) -> str:
    """Do a few at once; many are a worker's, and the deed's own page shows how far it is."""
    if row.events > bulk.AT_ONCE or DEEDS[row.kind].asks_the_books:
        tasks.wake_deed(row.pk)
        return f"Ordered for {counted(row.events, 'event')}; a worker does it, and this page shows how far it is."
    tasks.deed(row.pk)
    so_far = bulk.progress(row)
    left = f" {counted(so_far['left'], 'event')} left as it was." if so_far["left"] == 1 else ""
    left = left or (f" {so_far['left']:,} events left as they were." if so_far["left"] else "")
    done = DEEDS[row.kind].done
    return f"{done.capitalize()}: {counted(so_far['done'], 'event')}.{left}"
