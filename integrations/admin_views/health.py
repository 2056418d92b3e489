"""What the Status tab says: how a connection stands, what is wrong with it, and which button comes next."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from django.db.models import Count, Max, Min, QuerySet
from django.urls import reverse

from integrations import alerts, remedies
from integrations.admin_views.progress import Progress, Run
from integrations.admin_views.standing import Trouble, read_up_to, standing, till_troubles
from integrations.admin_views.words import counted
from integrations.models import Alert, Connection
from integrations.seeing import CHANGED_SINCE, OUTCOME_UNKNOWN, UNREACHABLE
from ledger.admin.base import LARGEST_COUNT
from ledger.admin.scoping import Person, is_store_manager, visible
from ledger.models import Book, Posting
from ledger.terms import SyncState
from mappings import coverage, editing
from mappings.table import MappingTable


@dataclass(frozen=True)
class Health:
    """The one big sentence, its colour, and what it rests on."""

    colour: str
    headline: str
    detail: str
    troubles: tuple[Trouble, ...]

    @property
    def is_good(self) -> bool:
        return self.colour == "green"


def health(connection: Connection, *, person: Person) -> Health:
    """How a book stands, as far as this person may see it."""
    found = tuple(troubles(connection, person=person))
    book = connection.book
    errors = [trouble for trouble in found if trouble.is_error]
    if errors:
        noun = "problem needs" if len(errors) == 1 else "problems need"
        return Health("red", "Action Required", f"{len(errors)} {noun} a person.", found)
    if connection.state != Connection.State.CONNECTED:
        return Health("grey", "Not connected", "Connect to begin, or to go on where it stopped.", found)
    if book is None or book.sync_started_at is None:
        return Health("grey", "Not started yet", "Nothing is sent before Start Sync.", found)
    if not book.syncing:
        return Health("grey", "The sync is stopped", "What was ordered waits until Start Sync.", found)
    waiting = _waiting(connection, person=person) or "Nothing is waiting."
    return Health("green", "Things are good", f"{waiting} {read_up_to(book)}".strip(), found)


def _waiting(connection: Connection, *, person: Person) -> str:
    """How many events wait for their turn, in words; empty when none does."""
    if connection.book is None:
        return ""
    counts = {row["state"]: row["count"] for row in open_counts(connection.book, person=person)}
    waiting = counts[SyncState.NOT_SYNCED] + counts[SyncState.PROCESSING]
    return f"{counted(waiting, 'event')} waiting." if waiting else ""


def troubles(connection: Connection, *, person: Person) -> Iterable[Trouble]:
    """What is wrong now. A store manager reads of the own stores' events only."""
    if is_store_manager(person):
        yield from _own_troubles(connection, person=person)
        return
    yield from standing(connection, waiting=_waiting(connection, person=person))
    for alert in alerts.open_alerts(connection):
        yield _trouble(connection, alert.cause, alert.sentence, alert.events, alert.first_seen_at, alert.severity)
    yield from till_troubles(connection)


def _own_troubles(connection: Connection, *, person: Person) -> Iterable[Trouble]:
    """A store manager mends documents at the till; what concerns accounts and periods is the accountant's."""
    failed = visible(Posting.objects.filter(book=connection.book, state=SyncState.ERROR), to=person)
    begun = {alert.cause: alert.first_seen_at for alert in alerts.open_alerts(connection)}
    causes = failed.values("cause").annotate(events=Count("pk"), first=Min("error"), last=Max("error"))
    others = 0
    for row in causes.order_by("cause"):
        if not remedies.is_a_stores(row["cause"]):
            others += row["events"]
            continue
        said = alerts.about(row["first"], row["last"], row["events"])
        since = begun.get(row["cause"])
        yield _trouble(connection, row["cause"], said, row["events"], since, Alert.Severity.ERROR)
    if others:
        said = f"{counted(others, 'event')} of your stores cannot be booked until your accountant has acted."
        yield Trouble(said, others, None, True, events_address(connection, state=SyncState.ERROR))


def _trouble(
    connection: Connection, cause: str, sentence: str, events: int, since: datetime | None, severity: str
) -> Trouble:
    link = events_address(connection, cause=cause) if events else ""
    cure = remedies.remedy(remedies.Where(cause, connection.book, connection))
    shown = {} if cure.cure_link == link else {"cure_link": cure.cure_link, "cure": cure.cure}
    return Trouble(sentence, events, since, severity == Alert.Severity.ERROR, link, **shown)


def events_address(connection: Connection, **chosen: str) -> str:
    """The Financial Events tab with a filter set. What changed after it was posted has no error to filter by."""
    if chosen.get("cause") == CHANGED_SINCE:
        chosen = {"state": "changed"}
    if chosen.get("cause") == OUTCOME_UNKNOWN:
        chosen = {"state": "unanswered"}
    if chosen.get("cause") == UNREACHABLE:
        chosen = {"state": "open"}
    query = urlencode(chosen)
    address = reverse("integrations:events", args=[connection.pk])
    return f"{address}?{query}" if query else address


def open_counts(book: Book, *, person: Person) -> list[dict[str, Any]]:
    """Every state but Synced with its number of events, none counted further than 10,001."""
    rows = visible(Posting.objects.filter(book=book), to=person)
    return [_counted(rows, state) for state in reversed(SyncState) if state is not SyncState.SYNCED]


def _counted(rows: QuerySet[Posting], state: SyncState) -> dict[str, Any]:
    count = rows.filter(state=state).order_by()[: LARGEST_COUNT + 1].count()
    shown = f"{LARGEST_COUNT:,}+" if count > LARGEST_COUNT else f"{count:,}"
    return {"state": state, "label": state.label, "count": count, "shown": shown}


@dataclass(frozen=True)
class Mapped:
    """How many places of the mapping are filled."""

    filled: int
    all: int

    @property
    def missing(self) -> int:
        return self.all - self.filled

    @property
    def is_complete(self) -> bool:
        return not self.missing


def mapped(book: Book) -> Mapped:
    """The places of the mapping screen that must have an account, and how many have a usable one."""
    table = MappingTable(book)
    wanted = editing.wanted(book, editing.figures(book), table.names)
    return Mapped(len(wanted) - len(coverage.missing(book, among=wanted, table=table)), len(wanted))


def next_button(connection: Connection, *, so_far: Mapped) -> str:
    """The one step of the first set-up that is sensible now; empty when there is none."""
    book = connection.book
    if connection.state != Connection.State.CONNECTED:
        return "connect"
    if book is None or not book.accounts.exists():
        return "import"
    if _stopped(book):
        return "start"
    if not book.uses_financials or not so_far.is_complete:
        return "map"
    return "" if book.syncing else "start"


def _stopped(book: Book) -> bool:
    """Started once, and ready to go on: what is not mapped holds up only the events that need it."""
    return book.sync_started_at is not None and not book.syncing and book.uses_financials


def stamp(connection: Connection, *, person: Person, latest: Sequence[Run], running: Sequence[Progress]) -> str:
    """Changes when the page would look different; the page then renews itself."""
    imported = connection.imports.first()
    book = connection.book
    parts: list[object] = [connection.state, connection.connected_at, connection.problem]
    parts += [imported.pk, imported.ended_at] if imported else []
    parts += [book.syncing, book.uses_financials] if book else []
    parts += [trouble.sentence for trouble in troubles(connection, person=person)]
    parts += [
        f"{run.order.pk} {run.waiting > 0} {run.failed} {run.failed_in_range} {run.aside} {run.order.stopped_events}"
        for run in latest
    ]
    parts += [progress.name for progress in running]
    return hashlib.sha256(repr([str(part) for part in parts]).encode()).hexdigest()[:16]
