"""`python -m benchmarks.engine --sizes 1000 10000`: what an event costs on its way, beside the least it could cost.

Records, books and marks so many sales, each an entry of six lines, on a fresh SQLite file or beside DATABASE_URL; each
size in a process of its own, so that its peak memory is its own. Each step stands beside its ceiling, measured in the
same process: the very rows that the step left, written once more into bare tables by COPY or executemany, in blocks of
the same size, with one update for each table and block that the step updates. The copies have the keys and checks of
the tables, but nothing points at others and no guard stands. `mark` is claim, attempt and outcome, against books that
answer at once: no network stands in between.
"""

# ruff: noqa: E402
import argparse
import json
import os
import re
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from collections.abc import Mapping as Mapped
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
os.environ.setdefault("LOG_LEVEL", "WARNING")

import django

django.setup()

from django.db import connection, transaction

from benchmarks.figures import FIRST, company, fresh_database
from ledger import bulk
from ledger.clock import database_now
from ledger.journal import booking, orders
from ledger.models import Account, StaleDay
from ledger.terms import AccountType
from ledger.values import EventFacts
from mappings.models import Mapping
from tests.office import Office, begin
from tests.trade import item, paid, tax, ticket

PAGE = 100
CLAIMED = 500
"""Entries of one claim. A vendor's batch may be smaller (30 at QuickBooks); a claim then costs the same more often."""

RECORDED = ("ledger_financialevent", "ledger_eventrevision", "ledger_rawdocument", "ledger_posting")
BOOKED = ("ledger_journalentry", "ledger_journalline")
MARKED = ("ledger_attempt",)

Rows = list[tuple[Any, ...]]


@dataclass(frozen=True)
class Step:
    """One step of the way at one size; rates in events a second, `statements` and `cpu_ms` for each event."""

    database: str
    events: int
    name: str
    rate: float
    ceiling: float
    statements: float
    cpu_ms: float
    peak_mb: float

    @property
    def row(self) -> str:
        share = f"{self.rate / self.ceiling:.0%}"
        cells = [f"{self.events:,}", self.name, f"{self.rate:,.0f}", f"{self.ceiling:,.0f}", share]
        cells += [f"{self.statements:.3f}", f"{self.cpu_ms:.2f}", f"{self.peak_mb:.0f}"]
        return f"| {self.database} | {' | '.join(cells)} |"


HEAD = (
    "| database | events | step | events/s | ceiling/s | share | SQL per event | CPU ms per event | peak MB |\n"
    "| --- | ---: | --- | ---: | ---: | ---: | ---: | ---: | ---: |"
)


@dataclass
class Meter:
    """Counts statements while it reads; COPY goes past Django's cursor, so the one of the lines is counted apart."""

    statements: int = 0

    def __call__(self, execute: Callable[..., Any], *arguments: Any) -> Any:
        self.statements += 1
        return execute(*arguments)

    @contextmanager
    def reading(self) -> Iterator[None]:
        insert = bulk.insert_lines

        def counted(rows: Sequence[bulk.LineRow]) -> None:
            self.statements += connection.vendor == "postgresql"
            insert(rows)

        bulk.insert_lines = counted
        try:
            with connection.execute_wrapper(self):
                yield
        finally:
            bulk.insert_lines = insert


def measured(events: int) -> list[Step]:
    """The steps at one size."""
    office = company()
    with_every_role(office)
    sales = [sale_of_six_lines(number) for number in range(events)]
    pages = [sales[start : start + PAGE] for start in range(0, events, PAGE)]
    steps = []

    def step(name: str, deed: Callable[[], None], bare: Bare) -> None:
        meter, cpu, begun = Meter(), time.process_time(), time.perf_counter()
        with meter.reading():
            deed()
        took, used = time.perf_counter() - begun, time.process_time() - cpu
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        write = bare.prepared()
        begun = time.perf_counter()
        write()
        ceiling = events / (time.perf_counter() - begun)
        each = meter.statements / events, 1000 * used / events
        steps.append(Step(connection.vendor, events, name, events / took, ceiling, *each, peak))

    step("record", lambda: _record(office, pages), Bare(PAGE, RECORDED))
    orders.order_past(office.book, FIRST, FIRST + timedelta(days=40), actor=None)
    StaleDay.objects.all().delete()
    step("book", lambda: _book(office), Bare(booking.block_size(), BOOKED, updates=("ledger_posting",)))
    step("mark", lambda: mark_all(office), Bare(CLAIMED, MARKED, updates=("ledger_journalentry", "ledger_posting")))
    return steps


def with_every_role(office: Office) -> None:
    """The accounts that a sale of six lines needs beside those of the company."""
    _also(office, "tax_payable", AccountType.CURRENT_LIABILITY, tax_jurisdiction="1")
    _also(office, "shipping_income", AccountType.INCOME)


def sale_of_six_lines(number: int, **header: Any) -> EventFacts:
    """Two items, their tax and shipping, paid in cash: six lines with cost and inventory."""
    sold = (item("20.00"), item("30.00", cost="11.00"), tax("4.00"), paid("59.00"))
    return ticket(*sold, shipping=(Decimal("5.00"),), day=FIRST + timedelta(days=number % 30), **header)


def _also(office: Office, role: str, kind: AccountType, **selector: str) -> None:
    account = Account.objects.create(
        book=office.book, external_id=role, name=role, full_name=role, type=kind, imported_at=database_now()
    )
    Mapping.objects.create(book=office.book, role=role, account=account, **selector)


def _record(office: Office, pages: Sequence[Sequence[EventFacts]]) -> None:
    for page in pages:
        office.record(*page)


def _book(office: Office) -> None:
    while office.enter().total:
        pass


def mark_all(office: Office) -> None:
    while claim := office.claim(limit=CLAIMED):
        begin(claim, claim.entries)
        office.answer(claim)


# --- The least that it could cost -----------------------------------------------------------------


@dataclass(frozen=True)
class Bare:
    """The rows that a step left, written into bare tables; `updates` are tables with one update a block more."""

    block: int
    tables: tuple[str, ...]
    updates: tuple[str, ...] = ()

    def prepared(self) -> Callable[[], None]:
        """Reads the rows before the clock runs; what is returned writes them."""
        rows = {table: _rows(table) for table in self.tables}
        ids = {table: [row[0] for row in _rows(table, columns="id")] for table in self.updates}
        for table in {*self.tables, *self.updates}:
            _copy_of(table)
            if table in self.updates:
                _statement(f"INSERT INTO bare_{table} SELECT * FROM {table}")
        return lambda: self._write(rows, ids)

    def _write(self, rows: Mapped[str, Rows], ids: Mapped[str, list[Any]]) -> None:
        """Each block is a transaction with its share of every table."""
        events = len(next(iter(ids.values()))) if ids else max(map(len, rows.values()))
        blocks = max(1, -(-events // self.block))
        for number in range(blocks):
            with transaction.atomic():
                for table, found in rows.items():
                    _insert(f"bare_{table}", _share(found, number, blocks))
                for table, keys in ids.items():
                    _update(f"bare_{table}", _share(keys, number, blocks))


def _copy_of(table: str) -> None:
    """An empty table with the columns, keys, indexes and checks of another."""
    _statement(f"DROP TABLE IF EXISTS bare_{table}")
    if connection.vendor == "postgresql":
        _statement(f"CREATE TABLE bare_{table} (LIKE {table} INCLUDING ALL)")
        return
    with connection.cursor() as cursor:
        made = f"SELECT sql FROM sqlite_master WHERE tbl_name = '{table}' AND type IN ('table', 'index') AND sql > ''"
        cursor.execute(f"{made} ORDER BY type DESC")
        parts = [str(row[0]) for row in cursor.fetchall()]
    for part in parts:
        own = re.sub(r'^CREATE TABLE "|INDEX "|ON "', lambda found: f"{found[0]}bare_", part)
        _statement(re.sub(r' REFERENCES "\w+" \("\w+"\)( DEFERRABLE INITIALLY DEFERRED)?', "", own))


def _share(rows: list[Any], number: int, blocks: int) -> list[Any]:
    return rows[number * len(rows) // blocks : (number + 1) * len(rows) // blocks]


def _statement(text: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(text)


def _rows(table: str, *, columns: str = "*") -> Rows:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {columns} FROM {table} ORDER BY id")
        return [tuple(map(_plain, row)) for row in cursor.fetchall()]


def _plain(value: Any) -> Any:
    return json.dumps(value) if isinstance(value, dict | list) else value


def _insert(table: str, rows: Rows) -> None:
    if not rows:
        return
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            with cursor.copy(f"COPY {table} FROM STDIN") as copy:
                for row in rows:
                    copy.write_row(row)
            return
        places = ", ".join(["%s"] * len(rows[0]))
        cursor.executemany(f"INSERT INTO {table} VALUES ({places})", rows)


def _update(table: str, ids: list[int]) -> None:
    with connection.cursor() as cursor:
        first, last = ids[0], ids[-1]
        cursor.execute(f"UPDATE {table} SET priority = priority + 1 WHERE id BETWEEN %s AND %s", [first, last])


# --- One process for each size --------------------------------------------------------------------


def apart(events: int) -> list[Step]:
    command = [sys.executable, "-m", "benchmarks.engine", "--one", str(events)]
    answer = subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True)
    return [Step(**row) for row in json.loads(answer.stdout)]


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.engine", description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=[1000, 10_000])
    parser.add_argument("--one", type=int, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.one:
        with fresh_database():
            print(json.dumps([asdict(step) for step in measured(given.one)]))
        return 0
    print(HEAD)
    for events in given.sizes:
        for step in apart(events):
            print(step.row, flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
