"""What the queue runs: ids in, a call of the pipeline, a sentence out. A message is a wake-up; the truth is the row.

Every task may run twice, late, or never. `sweep` wakes what a lost message left lying.
"""

import time
from collections.abc import Iterable, Iterator
from datetime import timedelta
from functools import partial

from integrations import (
    accounts_creating,
    alerts,
    bulk,
    capturing,
    companies,
    leases,
    leaving,
    machines,
    notices,
    pipeline,
    telling,
    vendors,
)
from integrations.models import AccountCreation, AccountImport, BulkDeed, Connection
from integrations.waking import (
    wake,
    wake_capture,
    wake_creation,
    wake_deed,
    wake_import,
    wake_reread,
    wake_telling,
)
from ledger.clock import database_now
from ledger.errors import DaybookError, RateLimited, Unreachable
from ledger.journal import charts, delivery, figures
from ledger.models import FinancialEvent
from ledger.values import RemoteAccount

BUDGET = 45.0
"""Seconds that one task works before it hands over to the next wake-up: far below the queue's timeout."""

LOOK_SECONDS = 5.0
"""While waiting, look this often for what came in meanwhile, and keep the lease."""

COUNTED_EVERY = 100

SHORT_WAIT = 40.0
"""A due time within so many seconds is waited for, inside the budget; a later one is the sweep's."""


def work(connection_id: int) -> str:
    """Book and post what is due, until nothing is or the time is up."""
    connection = vendors.books_connections().get(pk=connection_id)
    with leases.held(f"work:{connection_id}") as lease:
        if lease is None:
            return "Another worker is at it."
        done = _drain(connection, lease)
    _take_figures(connection)
    if connection.book:
        alerts.refresh(connection)
        wake_telling()
    # What was ordered between the last look and the end had its wake-up turned away; what is due soon goes on soon.
    if _is_due_soon(connection):
        wake(connection_id)
    return f"{done} entries handled."


def _drain(connection: Connection, lease: leases.Held) -> int:
    until, done, taken = time.monotonic() + BUDGET, 0, time.monotonic()
    while time.monotonic() < until and not leaving.is_leaving() and lease.renew():
        if time.monotonic() > taken + LOOK_SECONDS:
            _take_figures(connection)
            taken = time.monotonic()
        booked = pipeline.book(connection)
        posted = pipeline.post(connection)
        done += posted
        if booked or posted:
            continue
        wait = _wait(connection)
        if wait is None or time.monotonic() + wait > until:
            break
        time.sleep(max(0.05, min(wait, LOOK_SECONDS)))
    return done


def _take_figures(connection: Connection) -> None:
    """Sum the days that have changed, for the first page."""
    if connection.book:
        figures.refresh(connection.book)


def _wait(connection: Connection) -> float | None:
    """Seconds until the next entry is due, when that is soon."""
    due = pipeline.next_due(connection) if pipeline.may_run(connection) else None
    if due is None:
        return None
    wait = (due - database_now()).total_seconds()
    return wait if wait <= SHORT_WAIT else None


def _is_due_soon(connection: Connection) -> bool:
    return pipeline.is_due(connection) or _wait(connection) is not None


def capture(connection_id: int, *, follow_always: bool = True) -> str:
    """Read the till's changes, then wake the books they feed.

    `follow_always`: figures and alerts are brought in line even if nothing changed and nothing is wrong.
    """
    connection = vendors.till_connections().get(pk=connection_id)
    with leases.held(f"capture:{connection_id}") as lease:
        if lease is None:
            return "Another worker is at it."
        outcome = pipeline.capture(connection, until=time.monotonic() + BUDGET, keep=partial(_keep, lease))
    if follow_always or outcome.changed or outcome.problem:
        _follow_capture(connection, changed=bool(outcome.changed))
    if outcome.more or leaving.is_leaving():
        wake_capture(connection_id)
    return outcome.sentence


def _follow_capture(connection: Connection, *, changed: bool) -> None:
    alerts.refresh(connection)
    for book_connection in vendors.books_connections().filter(book__feeds__source=connection.source_id):
        _take_figures(book_connection)
        alerts.refresh(book_connection)
        if changed:
            wake(book_connection.pk)
    wake_telling()


def _keep(lease: leases.Held) -> None:
    """Each page is recorded before this is asked. Raises LeaseLost to end the walk here."""
    if leaving.is_leaving():
        raise leases.LeaseLost(lease.name)
    lease.keep()


def reread(connection_id: int, event_ids: list[int]) -> str:
    """Read some documents again that could not be read."""
    connection = vendors.till_connections().get(pk=connection_id)
    done = capturing.reread(connection, list(FinancialEvent.objects.filter(pk__in=event_ids, source=connection.source)))
    for book_connection in vendors.books_connections().filter(book__feeds__source=connection.source_id):
        _take_figures(book_connection)
        alerts.refresh(book_connection)
        wake(book_connection.pk)
    return f"{done} documents read again."


def import_accounts(import_id: int) -> str:
    """Mirror the chart of accounts."""
    order = AccountImport.objects.select_related("connection__book").get(pk=import_id)
    book = order.connection.book
    if order.ended_at or book is None:
        return "Nothing to do."
    AccountImport.objects.filter(pk=import_id).update(started_at=database_now())
    problem, count = "", 0
    try:
        companies.read(order.connection)
        accounts = _counting(vendors.accounting(order.connection).accounts(), import_id)
        count = charts.import_accounts(book, accounts)
    except (Unreachable, RateLimited):
        label = vendors.VENDORS[order.connection.vendor].label
        problem = f"{label} did not answer. Nothing was changed; press Import Accounts again."
    except DaybookError as error:
        problem = error.sentence
    AccountImport.objects.filter(pk=import_id).update(ended_at=database_now(), accounts=count, problem=problem)
    wake(order.connection_id)
    return problem or f"{count} accounts imported."


def create_accounts(creation_id: int) -> str:
    """Create the accounts that a person ordered, then import the chart and fill the mapping."""
    order = AccountCreation.objects.select_related("connection__book", "ordered_by").get(pk=creation_id)
    with leases.held(f"accounts:{order.connection_id}", lasts=_longer_than_a_call(order.connection)) as lease:
        order.refresh_from_db()
        if lease is None or order.ended_at:
            return "Nothing to do, or another worker is at it."
        try:
            done = accounts_creating.run(order, keep=lease.keep)
        except leases.LeaseLost:
            return "Another worker is at it."
        except (Unreachable, RateLimited) as error:  # the sweep wakes it again
            return error.sentence
    if done:
        wake(order.connection_id)
    return "Done." if done else "Some accounts are looked up later."


def _longer_than_a_call(connection: Connection) -> timedelta:
    """How long a lease lasts under which that system is asked: no call of its holder outlasts it."""
    try:
        return max(leases.LASTS, vendors.lease(connection))
    except DaybookError:  # its address cannot be used: the work itself says so
        return leases.LASTS


def _counting(accounts: Iterable[RemoteAccount], import_id: int) -> Iterator[RemoteAccount]:
    """The same accounts; how many came so far is written down now and then, for who watches the import."""
    for number, account in enumerate(accounts, start=1):
        if number % COUNTED_EVERY == 0:
            AccountImport.objects.filter(pk=import_id).update(accounts=number)
        yield account


def deed(deed_id: int) -> str:
    """Do a deed on many events, or the next part of it."""
    row = BulkDeed.objects.select_related("book__connection", "ordered_by", "order").get(pk=deed_id)
    until = time.monotonic() + BUDGET
    with leases.held(f"deed:{deed_id}", lasts=_longer_than_a_call(row.book.connection)) as lease:
        if lease is None or row.ended_at:
            return "Nothing to do, or another worker is at it."

        def go_on() -> bool:
            return time.monotonic() < until and not leaving.is_leaving() and lease.renew()

        try:
            done = bulk.run(row, go_on=go_on)
        except DaybookError as error:  # the books did not answer: the sweep wakes it again
            BulkDeed.objects.filter(pk=deed_id).update(problem=error.sentence)
            return error.sentence
    _follow(row, done)
    return "Done." if done.ended else "Its time was up."


def _follow(row: BulkDeed, done: bulk.Done) -> None:
    """What a deed, or a part of it, wakes."""
    for till in Connection.objects.filter(source__in=done.unread):
        wake_reread(till.pk, done.unread[till.source_id or 0])
    connection = row.book.connection
    alerts.refresh(connection)
    wake_telling()
    wake(connection.pk)
    if not done.ended:
        wake_deed(row.pk)


def tell() -> str:
    """Send the messages that are due, until none is or the time is up."""
    until, sent = time.monotonic() + BUDGET, 0
    while time.monotonic() < until and not leaving.is_leaving() and telling.send_next():
        sent += 1
    return f"{sent} messages handled."


def _look_after_messages() -> None:
    """Digests whose hour has come, channels that deliver nothing, and whatever is due to be sent."""
    with leases.held("messages") as lease:
        if lease:
            notices.plan_digests(database_now())
            alerts.refresh_daybook()
    wake_telling()


def sweep() -> str:
    """Put back what dead workers held, and wake whatever is due."""
    woken = 0
    for connection in vendors.books_connections():
        if connection.book:
            delivery.expire(connection.book)
            figures.refresh(connection.book)
        alerts.refresh(connection)
        if _is_due_soon(connection):  # what is due before the next sweep would wait for it
            wake(connection.pk)
            woken += 1
    for till in vendors.till_connections():
        alerts.refresh(till)
    for row in bulk.unfinished():
        wake_deed(row.pk)
    for order in AccountImport.objects.filter(ended_at=None, ordered_at__gt=database_now() - timedelta(days=1)):
        wake_import(order.pk)
    for creation in AccountCreation.objects.filter(ended_at=None):
        wake_creation(creation.pk)
    machines.forget_lost()
    _look_after_messages()
    return f"{woken} books woken."


def capture_all() -> str:
    """Wake the capture of every connected till."""
    connected = vendors.till_connections().filter(state=Connection.State.CONNECTED)
    for connection in connected:
        wake_capture(connection.pk)
    return f"{len(connected)} tills woken."


def heartbeat(tree: str) -> str:
    """Proof for a watchdog that tasks run in its tree of processes."""
    return machines.beat(tree).isoformat()
