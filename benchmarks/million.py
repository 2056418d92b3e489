"""`python -m benchmarks.million --sizes 10000 100000 1000000`: past events ordered at once, by their number.

For each size, in a process of its own on a fresh SQLite file or beside DATABASE_URL: how long the order takes and how
many statements, what the figures on the page cost, what an event costs to book and mark at the head of that backlog and
at its tail, whether a sale of today waits behind it, what stopping and ordering again takes, and the peak memory.
"""

# ruff: noqa: E402
import argparse
import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
os.environ.setdefault("LOG_LEVEL", "WARNING")

import django

django.setup()

from django.db import connection, transaction

from benchmarks.engine import Meter, mark_all, sale_of_six_lines, with_every_role
from benchmarks.figures import FIRST, company, fresh_database
from integrations.admin_views import progress
from integrations.models import Connection
from ledger import guards
from ledger.clock import database_now
from ledger.journal import orders
from ledger.models import EventRevision, FinancialEvent, Posting
from ledger.terms import SyncState
from tests.office import Office

LAST = FIRST + timedelta(days=40)
SAMPLE = 1000
"""So many events are booked and marked at the head and at the tail; the ones in between are alike."""


def measured(size: int) -> dict[str, Any]:
    office = company()
    with_every_role(office)
    Connection.objects.create(vendor="quickbooks", book=office.book, state=Connection.State.CONNECTED)
    fill(office, size)
    told: dict[str, Any] = {"events": size}
    meter = Meter()
    with meter.reading():
        told["order s"] = timed(lambda: orders.order_past(office.book, FIRST, LAST, actor=None))
    told["order statements"] = meter.statements
    told["progress ms"] = 1000 * timed(lambda: progress.runs(office.book))
    told["today waits behind"] = waits_behind(office)
    told["head ms per event"] = per_event(office)
    leave_only_the_tail(office)
    told["tail ms per event"] = per_event(office)
    told["stop s"], told["order again s"] = stopped_and_ordered_again(office)
    told["peak MB"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return told


def timed(deed: Callable[[], object]) -> float:
    begun = time.perf_counter()
    deed()
    return time.perf_counter() - begun


def fill(office: Office, size: int) -> None:
    """One page of real sales, and copies of it up to the size, by the database itself."""
    page = [sale_of_six_lines(number) for number in range(100)]
    office.record(*page)
    guards.drop(connection)
    try:
        with transaction.atomic():
            for model in (FinancialEvent, EventRevision, Posting):
                _multiply(model._meta.db_table, [str(f.column) for f in model._meta.concrete_fields], size)
    finally:
        guards.install(connection)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


def _multiply(table: str, columns: list[str], size: int) -> None:
    """Copies under new ids: each hundred follows the one before, an event's id being that of its rows."""
    shifted = {"id": "id + copy * 100", "event_id": "event_id + copy * 100", "external_id": "'C' || (id + copy * 100)"}
    values = ", ".join(shifted.get(column, column) for column in columns)
    copies = f"SELECT 1 UNION ALL SELECT copy + 1 FROM copies WHERE copy < {size // 100 - 1}"
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {table} ({', '.join(columns)}) WITH RECURSIVE copies (copy) AS ({copies}) "
            f"SELECT {values} FROM {table}, copies WHERE id <= 100"
        )
        if connection.vendor == "postgresql":
            cursor.execute(f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), (SELECT max(id) FROM {table}))")


def waits_behind(office: Office) -> bool:
    """A sale of now, recorded after the order: is it in the next block that is booked?"""
    now = sale_of_six_lines(0, at=database_now() + timedelta(minutes=1))
    office.record(now)
    office.enter()
    return office.posting(now).entry is None


def per_event(office: Office) -> float:
    """Milliseconds to book and mark one event of the backlog."""
    before = Posting.objects.filter(book=office.book, state=SyncState.SYNCED).count()

    def work() -> None:
        booked = 0
        while booked < SAMPLE and (total := office.enter().total):
            booked += total
        mark_all(office)

    seconds = timed(work)
    done = Posting.objects.filter(book=office.book, state=SyncState.SYNCED).count() - before
    return 1000 * seconds / done


def leave_only_the_tail(office: Office) -> None:
    """What lies between head and tail is marked as done by one statement, as if it had been posted."""
    waiting = Posting.objects.filter(book=office.book, state=SyncState.NOT_SYNCED)
    if waiting.count() > 4 * SAMPLE:
        from_here = waiting.order_by("-id").values_list("id", flat=True)[3 * SAMPLE]
        waiting.filter(id__lt=from_here).update(state=SyncState.SYNCED, outcome="posted")


def stopped_and_ordered_again(office: Office) -> tuple[float, float]:
    """The whole size once more: everything not begun is called back, and ordered again."""
    rest = Posting.objects.filter(book=office.book, state=SyncState.SYNCED, entry=None)
    order = office.book.orders.filter(kind="past").latest("id")
    rest.update(state=SyncState.NOT_SYNCED, outcome="", order=order)
    stop = timed(lambda: orders.stop_past(order, actor=None))
    return stop, timed(lambda: orders.order_past(office.book, FIRST, LAST, actor=None))


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.million", description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=[10_000, 100_000])
    parser.add_argument("--one", type=int, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.one:
        with fresh_database():
            print(json.dumps(measured(given.one)))
        return 0
    for number, size in enumerate(given.sizes):
        command = [sys.executable, "-m", "benchmarks.million", "--one", str(size)]
        told = json.loads(subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True).stdout)
        if not number:
            print(f"| database | {' | '.join(told)} |\n| --- |{' ---: |' * len(told)}")
        print(f"| {connection.vendor} | {' | '.join(map(_shown, told.values()))} |", flush=True)
    return 0


def _shown(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:,.2f}" if isinstance(value, float) else f"{value:,}"


if __name__ == "__main__":
    sys.exit(main())
