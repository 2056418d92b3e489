"""The way of the data as four functions: capture, book, post, reconcile. It wires the rooms and decides no more."""

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from integrations import vendors
from integrations.models import Capture, Connection
from integrations.sending import send
from ledger import reconcile as comparing
from ledger.clock import database_now
from ledger.errors import AuthExpired, DaybookError, Unreadable
from ledger.journal import booking, delivery, recording
from ledger.journal.readings import Reading
from ledger.models import Attempt, Book, Discrepancy, FinancialEvent, JournalEntry, Posting, ReconciliationRun
from ledger.ports import PointOfSale
from ledger.terms import DeliveryState, EventKind, SyncState
from ledger.values import Cursor, Document
from mappings.table import MappingTable

OVERLAP = timedelta(minutes=2)
"""How far the live walk looks back each time: documents may become visible later than their time of change."""


@dataclass
class Captured:
    """What one run of the capture found; `more`: it stopped at its time limit."""

    documents: int = 0
    changed: int = 0
    more: bool = False
    problem: str = ""

    @property
    def sentence(self) -> str:
        return self.problem or f"{self.documents} documents read, {self.changed} new or changed."


def capture(connection: Connection, *, until: float, keep: Callable[[], None]) -> Captured:
    """Steps 1 to 3: walk the till's changes, live ones first, then its history. `until`: on the monotonic clock."""
    outcome = Captured()
    progress = Capture.objects.get(connection=connection)
    try:
        till = vendors.point_of_sale(connection)
        _walk_live(till, connection, progress, outcome, keep)
        _walk_history(till, connection, progress, outcome, keep, until)
    except DaybookError as error:
        outcome.problem = error.sentence
        _note_failure(connection, error)
    fields = {"last_run_at": database_now(), "problem": outcome.problem}
    Capture.objects.filter(pk=progress.pk).update(**fields)
    return outcome


def book(connection: Connection) -> int:
    """Steps 3 to 6 for the next block of what is ordered: drafts, accounts, sealed entries. Returns how many."""
    if not _may_run(connection):
        return 0
    accounts = _book(connection)
    return booking.book_next(accounts, MappingTable(accounts)).total


def post(connection: Connection) -> int:
    """Steps 7 and 8 for the next few entries: claim, look up, send, mark. Returns how many were handled."""
    if not _may_run(connection):
        return 0
    delivery.expire(_book(connection))
    try:
        return send(connection, vendors.accounting(connection))
    except AuthExpired as error:
        _note_failure(connection, error)
        return 0


def reconcile(connection: Connection, *, first: date, last: date) -> ReconciliationRun:
    """Step 9: compare what we posted in a range of posting dates with what the books show."""
    ours = JournalEntry.objects.filter(
        book=connection.book, state=DeliveryState.POSTED, posting_date__range=(first, last)
    )
    entries = list(delivery.outgoing(list(ours)).values())
    adopted = ours.filter(attempts__result=Attempt.Result.ADOPTED).values_list("reference", "remote_id")
    theirs = list(vendors.accounting(connection).between(first, last))
    run = ReconciliationRun.objects.create(
        book=_book(connection),
        first_date=first,
        last_date=last,
        entries_ours=len(entries),
        entries_theirs=len(theirs),
    )
    Discrepancy.objects.bulk_create(
        Discrepancy(run=run, reference=d.reference, kind=d.kind, sentence=d.sentence, ours=d.ours, theirs=d.theirs)
        for d in comparing.reconcile(entries, theirs, adopted=dict(adopted))
    )
    return run


def reread(connection: Connection, events: Sequence[FinancialEvent]) -> int:
    """Fetch documents again that could not be read; what cannot be fetched is read from what is kept."""
    till = vendors.point_of_sale(connection)
    documents = [_fetch(till, event) for event in events]
    _record(connection, till, documents)
    return len(documents)


def is_due(connection: Connection) -> bool:
    """Whether there is something to book or to send now."""
    if not _may_run(connection):
        return False
    waiting = Posting.objects.filter(book=connection.book, state=SyncState.NOT_SYNCED, entry=None)
    due = next_due(connection)
    return waiting.exists() or (due is not None and due <= database_now())


def next_due(connection: Connection) -> datetime | None:
    """When the next entry may be tried."""
    return delivery.next_due(_book(connection), settle=vendors.settle(connection)) if connection.book_id else None


def _may_run(connection: Connection) -> bool:
    """Books that are switched on, started and connected; anything else leaves its orders waiting."""
    connection.refresh_from_db()
    accounts = connection.book
    if accounts is None or connection.state != Connection.State.CONNECTED:
        return False
    accounts.refresh_from_db()
    return accounts.syncing and accounts.uses_financials


def _book(connection: Connection) -> Book:
    if connection.book is None:
        raise ValueError(f"{connection} serves no book")
    return connection.book


def _walk_live(
    till: PointOfSale, connection: Connection, progress: Capture, outcome: Captured, keep: Callable[[], None]
) -> None:
    cursor, more = Cursor(since=progress.live_since - OVERLAP), True
    while more:
        page = till.walk(cursor)
        _take(connection, till, page.documents, outcome)
        cursor, more = page.cursor, page.more
        if cursor.since and cursor.since > progress.live_since:
            progress.live_since = cursor.since
            progress.save(update_fields=["live_since"])
        keep()


def _walk_history(
    till: PointOfSale,
    connection: Connection,
    progress: Capture,
    outcome: Captured,
    keep: Callable[[], None],
    until: float,
) -> None:
    while not progress.history_done:
        if time.monotonic() > until:
            outcome.more = True
            return
        page = till.walk(Cursor(progress.history_since, progress.history_after_id))
        _take(connection, till, page.documents, outcome)
        progress.history_since, progress.history_after_id = page.cursor.since, page.cursor.after_id
        reached = page.cursor.since is not None and page.cursor.since > progress.history_until
        progress.history_done = reached or not page.more
        progress.save(update_fields=["history_since", "history_after_id", "history_done"])
        keep()


def _take(connection: Connection, till: PointOfSale, documents: Iterable[Document], outcome: Captured) -> None:
    read = list(documents)
    recorded = _record(connection, till, read)
    outcome.documents += len(read)
    outcome.changed += recorded.new + recorded.changed


def _record(connection: Connection, till: PointOfSale, documents: Sequence[Document]) -> recording.Recorded:
    if connection.source is None:
        raise ValueError(f"{connection} serves no source")
    return recording.record(connection.source, [_read(till, document) for document in documents])


def _read(till: PointOfSale, document: Document) -> Reading:
    try:
        return Reading(document, facts=till.read(document))
    except Unreadable as problem:
        return Reading(document, problem=problem)


def _fetch(till: PointOfSale, event: FinancialEvent) -> Document:
    try:
        return till.document(event.external_id)
    except DaybookError:
        raw = event.raw
        kept = Document(EventKind(event.kind), event.external_id, raw.updated_at, raw.text.encode())
        return replace(kept)


def _note_failure(connection: Connection, error: DaybookError) -> None:
    """A connection that a person must renew pauses: one problem, not a thousand."""
    if isinstance(error, AuthExpired):
        Connection.objects.filter(pk=connection.pk, state=Connection.State.CONNECTED).update(
            state=Connection.State.ACTION_REQUIRED, problem=error.sentence
        )
