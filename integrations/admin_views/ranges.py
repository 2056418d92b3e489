"""A range of past events in words: what an order would take, or why it would take nothing."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from django.db.models import Count, Q

from integrations.admin_views import health
from integrations.admin_views.filtering import ASIDE
from integrations.admin_views.words import counted
from ledger import money
from ledger.journal import orders
from ledger.models import Book, Posting
from ledger.terms import SyncState

PARTS = {
    SyncState.SYNCED: SyncState.SYNCED.label,
    SyncState.PROCESSING: SyncState.PROCESSING.label,
    SyncState.NOT_SYNCED: SyncState.NOT_SYNCED.label,
    SyncState.ERROR: "in Error",
    SyncState.NEVER_SYNCED: SyncState.NEVER_SYNCED.label,
    ASIDE: "set aside",
}
"""Where the events of a range can stand, each in one of them, and how their number is said."""


@dataclass(frozen=True)
class Part:
    """Some of the events of a range, in words, and the address of their list."""

    words: str
    link: str


@dataclass(frozen=True)
class Figures:
    """What is said of a range; the numbers of `parts` add up to the whole that `words` name.

    `sends`: whether an order would take any event. `closed`: what is said of dates in a closed period, empty of others.
    """

    words: str
    parts: tuple[Part, ...] = ()
    sends: bool = False
    closed: str = ""

    def __str__(self) -> str:
        said = ", ".join(part.words for part in self.parts)
        return f"{self.words} {said}." if said else self.words


def figures(book: Book, first: date, last: date) -> Figures:
    """The number of events that an order would take and the money in them; where there are none, why."""
    found = orders.past_range(book, first, last)
    if not found.events:
        return _nothing(book, first, last)
    amount = money.shown(found.amount, currency=book.currency)
    unread = Posting.objects.filter(book=book, state=SyncState.ERROR, business_date=None).count()
    more = f" {counted(unread, 'document')} without a readable date not counted." if unread else ""
    words = f"{counted(found.events, 'event')}, {amount}, {_range(first, last)}{'.' if more else ''}{more}"
    return Figures(words, sends=True, closed=_closed(book, first))


def _closed(book: Book, first: date) -> str:
    """What becomes of events in a period that is closed; empty for a range that begins after it."""
    if book.closed_through is None or first > book.closed_through:
        return ""
    return (
        f"Your books were closed through {book.closed_through:%b %-d, %Y} when Daybook last asked; what falls on or "
        "before that day is refused there and waits in Error."
    )


def nothing_to_order(book: Book, first: date, last: date) -> str:
    """Why a range holds nothing to send; empty when it does."""
    return "" if orders.past_range(book, first, last).events else str(_nothing(book, first, last))


def _nothing(book: Book, first: date, last: date) -> Figures:
    parts = tuple(_parts(book, first, last))
    if not parts:
        return Figures(f"Nothing to send: no event is known of {_range(first, last)}.")
    known = sum(number for number, _ in parts)
    which = f"The {counted(known, 'event')} of {_range(first, last)} {'is' if known == 1 else 'are'}:"
    return Figures(f"Nothing to send. {which}", tuple(part for _, part in parts))


def _parts(book: Book, first: date, last: date) -> Iterator[tuple[int, Part]]:
    """Where the events of a range stand, each in one part, with their number."""
    there = Posting.objects.filter(book=book, business_date__range=(first, last)).order_by()
    aside = Count("pk", filter=~Q(set_aside_reason=""))
    known = {state: (n, out) for state, n, out in there.values_list("state").annotate(n=Count("pk"), out=aside)}
    numbers = {state: n - out for state, (n, out) in known.items()} | {ASIDE: sum(out for _, out in known.values())}
    for state, words in PARTS.items():
        if number := numbers.get(state, 0):
            chosen = {"state": str(state), "first": first.isoformat(), "last": last.isoformat()}
            yield number, Part(f"{number:,} {words}", health.events_address(book.connection, **chosen))


def _range(first: date, last: date) -> str:
    return f"{first:%b %-d, %Y} to {last:%b %-d, %Y}"
