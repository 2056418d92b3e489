"""The way of the data as four functions: capture, book, post, reconcile. It wires the rooms and decides no more."""

from collections.abc import Callable
from datetime import date, datetime

from integrations import vendors
from integrations.capturing import Captured, Walk, source_of
from integrations.leases import LeaseLost
from integrations.models import Capture, Connection
from integrations.sending import note_answer, send
from ledger import reconcile as comparing
from ledger.clock import database_now
from ledger.errors import AuthExpired, DaybookError
from ledger.journal import booking, delivery
from ledger.models import Attempt, Book, Discrepancy, JournalEntry, ReconciliationRun
from ledger.terms import DeliveryState
from mappings.table import MappingTable


def capture(connection: Connection, *, until: float, keep: Callable[[], None]) -> Captured:
    """Steps 1 to 3: walk the till's changes, live ones first, then its history. `until`: on the monotonic clock.

    `keep` keeps the lease after each page; when it raises LeaseLost, the walk is over.
    """
    outcome = Captured()
    progress = Capture.objects.get(connection=connection)
    try:
        walk = Walk(vendors.point_of_sale(connection), source_of(connection), progress, outcome, keep=keep)
        walk.live()
        walk.history(until=until)
        walk.names()
    except LeaseLost:  # another worker walks on; what was recorded here stays recorded
        return outcome
    except DaybookError as error:
        outcome.problem = error.sentence
        _note_failure(connection, error)
    if not outcome.problem:
        note_answer(connection)
    fields = {"last_run_at": database_now(), "problem": outcome.problem}
    Capture.objects.filter(pk=progress.pk).update(**fields)
    return outcome


def book(connection: Connection) -> int:
    """Steps 3 to 6 for the next block of what is ordered: drafts, accounts, sealed entries. Returns how many."""
    if not may_run(connection):
        return 0
    accounts = _book(connection)
    return booking.book_next(accounts, MappingTable(accounts)).total


def post(connection: Connection) -> int:
    """Steps 7 and 8 for the next few entries: claim, look up, send, mark. Returns how many were handled."""
    if not may_run(connection):
        return 0
    delivery.expire(_book(connection))
    if vendors.waits_until(connection):
        return 0
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


def is_due(connection: Connection) -> bool:
    """Whether there is something to book or to send now."""
    if not may_run(connection):
        return False
    due = next_due(connection)
    return booking.to_book(_book(connection)).exists() or (due is not None and due <= database_now())


def next_due(connection: Connection) -> datetime | None:
    """When the next entry may be tried: not before a pause or a rest ends."""
    due = delivery.next_due(_book(connection), settle=vendors.settle(connection)) if connection.book_id else None
    wait = vendors.waits_until(connection)
    return max(due, wait) if due and wait else due


def may_run(connection: Connection) -> bool:
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


def _note_failure(connection: Connection, error: DaybookError) -> None:
    """A connection that a person must renew pauses: one problem, not a thousand."""
    if isinstance(error, AuthExpired):
        Connection.objects.filter(pk=connection.pk, state=Connection.State.CONNECTED).update(
            state=Connection.State.ACTION_REQUIRED, problem=error.sentence
        )
