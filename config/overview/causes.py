"""What needs a person, by cause: what holds up a whole book first, then the open alerts, each with its cure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, tzinfo
from decimal import Decimal

from config.overview.sums import Tally
from integrations import remedies
from integrations.admin_views import alerts
from integrations.admin_views.access import address_of
from integrations.admin_views.health import events_address
from integrations.admin_views.standing import Trouble, standing, till_problem
from integrations.models import Connection
from ledger.admin.scoping import Person, is_store_manager, may
from ledger.money import ZERO
from ledger.terms import SyncState

SHOWN = 12
DEEDS = ("ledger.retry_posting", "mappings.change_mapping", "integrations.operate_sync")
"""Who may do one of these reads of a cure as a button; who only reads is led to the events."""


@dataclass(frozen=True)
class Cause:
    """One problem, however many events it holds up."""

    sentence: str
    place: str
    book_id: int | None
    is_error: bool
    events: int = 0
    events_link: str = ""
    amount: Decimal = ZERO
    currency: str = "USD"
    since: datetime | None = None
    link: str = ""
    cure: str = ""
    cure_link: str = ""
    who_has_it: str = ""
    is_a_stores: bool = False
    """Whether the store itself mends it, at the till."""
    zone: tzinfo = UTC


@dataclass(frozen=True)
class Causes:
    """The first of them, and how much all of them hold up."""

    shown: tuple[Cause, ...]
    all: int

    @property
    def more(self) -> int:
        return self.all - len(self.shown)


def causes(connections: Sequence[Connection], tills: Sequence[Connection], *, person: Person) -> list[Cause]:
    """Every one, the gravest first. A manager of some stores reads of these alone, what they can mend first."""
    acts = any(may(person, deed) for deed in DEEDS)
    lines = alerts.lines(person)
    found = [_of_an_alert(line, acts) for line in lines]
    if is_store_manager(person):
        return sorted(_alike_once(found, connections), key=lambda cause: (not cause.is_a_stores, *_gravity(cause)))
    told = {line.alert.connection_id for line in lines}
    found += [_of_a_till(till, problem, acts) for till in tills if till.pk not in told and (problem := _unread(till))]
    found += [_of_a_book(c, one, acts) for c in connections for one in standing(c, waiting="")]
    return sorted(found, key=_gravity)


def _unread(till: Connection) -> str:
    """Why no sale arrives from a till that feeds a book. Asked now: a worker that hangs opens no alert."""
    return till_problem(till) if till.source and till.source.feeds.exists() else ""


def _alike_once(found: Sequence[Cause], connections: Sequence[Connection]) -> list[Cause]:
    """What a store reads in the same words is one row: its own document for all books, the accountant's for each."""
    alike: dict[tuple[str, int | None], list[Cause]] = {}
    for cause in found:
        alike.setdefault((cause.sentence, None if cause.is_a_stores else cause.book_id), []).append(cause)
    doors = {connection.book_id: connection for connection in connections}
    return [_together(causes, doors.get(causes[0].book_id)) for causes in alike.values()]


def _together(alike: Sequence[Cause], door: Connection | None) -> Cause:
    if alike[0].is_a_stores:
        # The same document waits in each book, and is mended once.
        return replace(max(alike, key=lambda cause: cause.events), place="")
    if len(alike) == 1 or door is None:
        return alike[0]
    return replace(
        alike[0],
        events=sum(cause.events for cause in alike),
        amount=sum((cause.amount for cause in alike), ZERO),
        since=min((cause.since for cause in alike if cause.since), default=None),
        events_link=events_address(door, state=SyncState.ERROR.value),
        link="",
    )


def _gravity(cause: Cause) -> tuple[bool, bool, Decimal]:
    """Errors before warnings, what holds up everything before what holds up some events, most money first."""
    return not cause.is_error, cause.events > 0, -abs(cause.amount)


def first_of(found: Sequence[Cause], zones: Mapping[int, tzinfo], house: tzinfo) -> Causes:
    """As many as a first page has room for, each in the time of its book."""
    shown = (replace(cause, zone=zones.get(cause.book_id or 0, house)) for cause in found[:SHOWN])
    return Causes(tuple(shown), len(found))


def held_up(found: Sequence[Cause]) -> dict[int, Tally]:
    """The events in Error of each book, and their money."""
    books: dict[int, Tally] = {}
    for cause in found:
        if cause.is_error and cause.book_id:
            books[cause.book_id] = books.get(cause.book_id, Tally()) + Tally(cause.events, cause.amount)
    return books


def since(found: Sequence[Cause]) -> dict[int, datetime]:
    """Since when each book has been red, where an alert tells it."""
    begun: dict[int, datetime] = {}
    for cause in found:
        if cause.is_error and cause.book_id and cause.since:
            begun[cause.book_id] = min(cause.since, begun.get(cause.book_id, cause.since))
    return begun


def _of_a_till(till: Connection, problem: str, acts: bool) -> Cause:
    cure, link = ("Open the till's page", address_of(till)) if acts else ("", "")
    return Cause(problem, str(till.source), None, True, cure=cure, cure_link=link)


def _of_a_book(connection: Connection, trouble: Trouble, acts: bool) -> Cause:
    cure, link = (trouble.cure, trouble.cure_link) if acts else ("", "")
    place = str(connection.book)
    return Cause(trouble.sentence, place, connection.book_id, trouble.is_error, cure=cure, cure_link=link)


def _of_an_alert(line: alerts.Line, acts: bool) -> Cause:
    alert = line.alert
    return Cause(
        sentence=line.what,
        place=line.place,
        book_id=alert.book_id or (alert.connection.book_id if alert.connection else None),
        is_error=line.is_error,
        events=line.events,
        events_link=line.events_link,
        amount=line.amount,
        currency=line.currency,
        since=alert.first_seen_at,
        link=line.link,
        cure=line.cure if acts else "",
        cure_link=line.cure_link if acts else "",
        who_has_it=str(alert.assigned_to or ""),
        is_a_stores=remedies.is_a_stores(alert.cause),
    )
