"""`python -m benchmarks.million --events 1000000 --on postgres`: past events ordered at once, however many.

Measures a hundredth, a tenth and all of that number, each in a process of its own on a fresh SQLite file or beside
DATABASE_URL: how long the order takes and how many statements, whether the progress on the page is right and what it
costs, what an event costs to book and mark at the head of that backlog and at its tail, how long a sale of now takes
into the books while a worker is at the backlog, what stopping and ordering again takes, and the memory. Each size is a
line of JSON on the standard output; the figures are left for `benchmarks.report`.
"""

# ruff: noqa: E402
import argparse
import json
import multiprocessing
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
os.environ.setdefault("LOG_LEVEL", "ERROR")
if "sqlite" in sys.argv:  # before Django reads which database it is
    os.environ.pop("DATABASE_URL", None)

import django

django.setup()

from django.db import connection, transaction

from benchmarks import results
from benchmarks.engine import Meter, mark_all, sale_of_six_lines, with_every_role
from benchmarks.figures import FIRST, company, fresh_database
from benchmarks.paper import running_books
from benchmarks.posting import connected
from integrations import tasks
from integrations.admin_views import progress
from integrations.models import Connection
from ledger import guards
from ledger.clock import database_now
from ledger.journal import orders
from ledger.models import EventRevision, FinancialEvent, JournalEntry, Posting
from ledger.terms import SyncState
from tests.office import Office

LAST = FIRST + timedelta(days=40)
SAMPLE, SAMPLES = 400, 4
"""So many events, so many times, are booked and marked at the head and at the tail; the ones in between are alike."""

SALES_OF_NOW, EVERY, TURN = 4, 1.2, 2.0
"""While a worker is at the backlog in turns of so many seconds, sales of now come in, one each 1.2 seconds."""

PATIENCE = 60.0

SMALLEST = 10_000
"""Fewer would be done before their tail can be measured."""

TARGET = 1.2


def measured(size: int) -> dict[str, Any]:
    office = company()
    with_every_role(office)
    told: dict[str, Any] = {"events": size, "fill s": timed(lambda: fill(office, size))}
    with running_books() as url:
        books = connected(office, url)
        meter = Meter()
        with meter.reading():
            told["order s"] = timed(lambda: orders.order_past(office.book, FIRST, LAST, actor=None))
        told["order statements"] = meter.statements
        told["head ms per event"] = per_event(office)
        told["progress ms"] = 1000 * timed(lambda: progress.runs(office.book))
        told["progress is right"] = progress_is_right(office)
        told |= beside_the_backlog(office, books)
    leave_only_the_tail(office)
    told["tail ms per event"] = per_event(office)
    told["stop s"], told["order again s"] = stopped_and_ordered_again(office)
    told["orderer's peak MB"] = _peak()
    return told


def timed(deed: Callable[[], object]) -> float:
    begun = time.perf_counter()
    deed()
    return time.perf_counter() - begun


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


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


def per_event(office: Office) -> float:
    """Milliseconds to book and mark one event of the backlog: the quickest of some samples."""
    return min(_sample(office) for _ in range(SAMPLES))


def _sample(office: Office) -> float:
    booked = 0
    begun = time.perf_counter()
    while booked < SAMPLE and (total := office.enter().total):
        booked += total
    mark_all(office)
    return 1000 * (time.perf_counter() - begun) / booked


def progress_is_right(office: Office) -> bool:
    """What the page tells of the order is what a count of all events says."""
    (run,) = progress.runs(office.book)
    rows = Posting.objects.filter(book=office.book, order=run.order)
    really = {state: rows.filter(state=state).count() for state in (SyncState.SYNCED, SyncState.NOT_SYNCED)}
    told = {SyncState.SYNCED: run.synced, SyncState.NOT_SYNCED: run.not_synced}
    return told == really and sum(told.values()) == run.order.events == rows.count() and run.synced > 0


# --- A worker at the backlog, and sales of now ----------------------------------------------------


def beside_the_backlog(office: Office, books: Connection) -> dict[str, Any]:
    """Seconds from recording a sale of now until it stands in the books, and what the worker needs and does."""
    begun, entered = time.perf_counter(), JournalEntry.objects.count()
    with working(books.pk) as worker:
        waits = [seconds_into_the_books(office) for _ in range(SALES_OF_NOW)]
    took = time.perf_counter() - begun
    done, peak = worker.recv()
    return {
        "today's sale s, slowest": max(waits),
        "worker booked/s": (JournalEntry.objects.count() - entered) / took,
        "worker posted/s": done / took,
        "worker's peak MB": peak,
    }


@contextmanager
def working(connection_id: int) -> Iterator[Any]:
    """What the queue runs, in a process of its own; afterwards the pipe holds how many entries and its peak in MB."""
    connection.close()
    begin = multiprocessing.get_context("fork")
    over, (ours, theirs) = begin.Event(), begin.Pipe()
    worker = begin.Process(target=work, args=(connection_id, over.is_set, theirs.send))
    worker.start()
    try:
        yield ours
    finally:
        over.set()
        worker.join()


def work(connection_id: int, over: Callable[[], bool], tell: Callable[[tuple[int, float]], None]) -> None:
    """Work in short turns, as the queue does, until it is over."""
    tasks.BUDGET, done = TURN, 0
    while not over():
        done += int(tasks.work(connection_id).split()[0])
    tell((done, _peak()))


def seconds_into_the_books(office: Office) -> float:
    time.sleep(EVERY)
    now = sale_of_six_lines(0, at=database_now() + timedelta(minutes=1))
    begun = time.perf_counter()
    office.record(now)
    while office.posting(now).state != SyncState.SYNCED:
        if time.perf_counter() - begun > PATIENCE:
            raise RuntimeError("A sale of now did not come into the books while the backlog stands.")
        time.sleep(0.05)
    return time.perf_counter() - begun


# --- The end of the backlog -----------------------------------------------------------------------


def leave_only_the_tail(office: Office) -> None:
    """What lies between head and tail is marked as done by one statement, as if it had been posted."""
    waiting = Posting.objects.filter(book=office.book, state=SyncState.NOT_SYNCED, entry=None)
    tail = SAMPLE * (SAMPLES + 1)
    if waiting.count() > tail:
        from_here = waiting.order_by("-id").values_list("id", flat=True)[tail]
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
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--on", choices=["sqlite", "postgres"], help="default: what DATABASE_URL names")
    parser.add_argument("--one", type=int, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.on == "postgres" and connection.vendor != "postgresql":
        sys.exit("Name a PostgreSQL in DATABASE_URL; a database of its own is made beside the one that it names.")
    if given.events < SMALLEST:
        sys.exit(f"Measure {SMALLEST:,} events at least.")
    if given.one:
        with fresh_database():
            print(json.dumps(measured(given.one)))
        return 0
    sizes = sorted({max(SMALLEST, given.events // part) for part in (100, 10, 1)})
    rows = [_apart(size) for size in sizes]
    results.note("million", title="A million past events at once", rows=rows, notes=list(_verdicts(rows)))
    return 0


def _apart(size: int) -> dict[str, Any]:
    command = [sys.executable, "-m", "benchmarks.million", "--one", str(size)]
    told = subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True).stdout.strip()
    print(told, flush=True)
    return {"database": connection.vendor, **json.loads(told)}


def _verdicts(rows: list[dict[str, Any]]) -> Iterator[str]:
    if len(rows) > 1:
        small, large = rows[-2], rows[-1]
        for where in ("head ms per event", "tail ms per event"):
            ratio = large[where] / small[where]
            said = "met" if ratio <= TARGET else "missed"
            sizes = f"at {large['events']:,} events {ratio:.2f} times that at {small['events']:,}"
            yield f"{where.capitalize()}: {sizes}; target {TARGET}, {said}."
    yield "A worker books a block of events for each batch of 30 that it posts, so that what is missing shows early."
    yield "On SQLite a process's memory counts up to 128 MB of the database file, which it maps and can give back."


if __name__ == "__main__":
    sys.exit(main())
