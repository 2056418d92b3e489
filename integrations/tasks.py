"""What the queue runs: ids in, a call of the pipeline, a sentence out. A message is a wake-up; the truth is the row.

Every task may run twice, late, or never. `sweep` wakes what a lost message left lying.
"""

import time
from collections.abc import Sequence
from datetime import timedelta
from functools import partial

from django.db import transaction
from django_q.tasks import async_task

from integrations import alerts, capturing, companies, leases, pipeline, vendors
from integrations.models import AccountImport, Connection, Heartbeat
from ledger.clock import database_now
from ledger.errors import DaybookError, RateLimited, Unreachable
from ledger.journal import charts, delivery
from ledger.models import FinancialEvent

BUDGET = 45.0
"""Seconds that one task works before it hands over to the next wake-up: far below the queue's timeout."""

LOOK_SECONDS = 5.0
"""While waiting, look this often for what came in meanwhile, and keep the lease."""

REREAD_AT_ONCE = 50

SHORT_WAIT = 40.0
"""A due time within so many seconds is waited for, inside the budget; a later one is the sweep's."""


def wake(connection_id: int) -> None:
    """After the commit, let a worker book and post what is due in this book."""
    transaction.on_commit(partial(async_task, "integrations.tasks.work", connection_id))


def wake_capture(connection_id: int) -> None:
    transaction.on_commit(partial(async_task, "integrations.tasks.capture", connection_id))


def wake_import(import_id: int) -> None:
    transaction.on_commit(partial(async_task, "integrations.tasks.import_accounts", import_id))


def wake_reread(connection_id: int, event_ids: Sequence[int]) -> None:
    """A message for each block of documents, so that none of them outlasts its time."""
    for start in range(0, len(event_ids), REREAD_AT_ONCE):
        block = list(event_ids[start : start + REREAD_AT_ONCE])
        transaction.on_commit(partial(async_task, "integrations.tasks.reread", connection_id, block))


def work(connection_id: int) -> str:
    """Book and post what is due, until nothing is or the time is up."""
    connection = vendors.books_connections().get(pk=connection_id)
    with leases.held(f"work:{connection_id}") as lease:
        if lease is None:
            return "Another worker is at it."
        done = _drain(connection, lease)
    if connection.book:
        alerts.refresh(connection)
    # What was ordered between the last look and the end of the lease had its wake-up turned away.
    if pipeline.is_due(connection):
        wake(connection_id)
    return f"{done} entries handled."


def _drain(connection: Connection, lease: leases.Held) -> int:
    until, done = time.monotonic() + BUDGET, 0
    while time.monotonic() < until:
        lease.renew()
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


def _wait(connection: Connection) -> float | None:
    """Seconds until the next entry is due, when that is soon."""
    due = pipeline.next_due(connection) if pipeline.may_run(connection) else None
    if due is None:
        return None
    wait = (due - database_now()).total_seconds()
    return wait if wait <= SHORT_WAIT else None


def capture(connection_id: int) -> str:
    """Read the till's changes, then wake the books they feed."""
    connection = vendors.till_connections().get(pk=connection_id)
    with leases.held(f"capture:{connection_id}") as lease:
        if lease is None:
            return "Another worker is at it."
        outcome = pipeline.capture(connection, until=time.monotonic() + BUDGET, keep=lease.renew)
    alerts.refresh(connection)
    for book_connection in vendors.books_connections().filter(book__feeds__source=connection.source_id):
        alerts.refresh(book_connection)
        if outcome.changed:
            wake(book_connection.pk)
    if outcome.more:
        wake_capture(connection_id)
    return outcome.sentence


def reread(connection_id: int, event_ids: list[int]) -> str:
    """Read some documents again that could not be read."""
    connection = vendors.till_connections().get(pk=connection_id)
    events = FinancialEvent.objects.filter(pk__in=event_ids, source=connection.source_id)
    done = capturing.reread(connection, list(events))
    for book_connection in vendors.books_connections().filter(book__feeds__source=connection.source_id):
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
        count = charts.import_accounts(book, vendors.accounting(order.connection).accounts())
    except (Unreachable, RateLimited):
        label = vendors.VENDORS[order.connection.vendor].label
        problem = f"{label} did not answer. Nothing was changed; press Import Accounts again."
    except DaybookError as error:
        problem = error.sentence
    AccountImport.objects.filter(pk=import_id).update(ended_at=database_now(), accounts=count, problem=problem)
    wake(order.connection_id)
    return problem or f"{count} accounts imported."


def sweep() -> str:
    """Put back what dead workers held, and wake whatever is due."""
    woken = 0
    for connection in vendors.books_connections():
        if connection.book:
            delivery.expire(connection.book)
        alerts.refresh(connection)
        if pipeline.is_due(connection):
            wake(connection.pk)
            woken += 1
    for till in vendors.till_connections():
        alerts.refresh(till)
    for order in AccountImport.objects.filter(ended_at=None, ordered_at__gt=database_now() - timedelta(days=1)):
        wake_import(order.pk)
    return f"{woken} books woken."


def capture_all() -> str:
    """Wake the capture of every connected till."""
    connected = vendors.till_connections().filter(state=Connection.State.CONNECTED)
    for connection in connected:
        wake_capture(connection.pk)
    return f"{len(connected)} tills woken."


def heartbeat() -> str:
    """Proof for the watchdog that tasks run."""
    now = database_now()
    Heartbeat.objects.update_or_create(name="worker", defaults={"at": now})
    return now.isoformat()
