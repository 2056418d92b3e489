"""`python -m benchmarks.engine --sizes 1000 10000 100000`: what an event costs on its way, beside the least it could.

Captures, books, posts and marks so many sales, each an entry of six lines, on a fresh SQLite file or beside
DATABASE_URL; each size in a process of its own, so that its peak memory is its own. Up to 3,000 of them are posted, to
books on HTTP that do no work (`benchmarks.paper`) and with no limit; the others are marked: claim, attempt and outcome,
with no network in between. The ceilings of capture, book and mark are explained in `benchmarks.ceilings`; that of post
is the same calls with nothing around them. The figures are left for `benchmarks.report`.
"""

# ruff: noqa: E402
import argparse
import json
import math
import multiprocessing
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any, Protocol, cast

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
os.environ.setdefault("LOG_LEVEL", "WARNING")

import django

django.setup()

from django.db import connection

from benchmarks import results
from benchmarks.ceilings import Ceiling
from benchmarks.figures import FIRST, company, fresh_database
from benchmarks.paper import PaperTill, running_books
from benchmarks.posting import Calls, connected, post_all
from integrations.capturing import Captured, Walk
from integrations.heartland_retail.adapter import HeartlandRetailAdapter
from integrations.heartland_retail.client import Client as TillClient
from integrations.models import Capture, Connection
from ledger import bulk
from ledger.clock import database_now
from ledger.journal import booking, orders
from ledger.models import Account, JournalEntry, Posting, StaleDay
from ledger.terms import AccountType, DeliveryState, Priority
from ledger.values import EventFacts
from mappings.models import Mapping
from tests.office import Office, begin
from tests.trade import item, paid, tax, ticket

CLAIMED = 500
"""Entries of one claim when marking. A vendor's batch may be smaller (30 at QuickBooks), as when posting."""

POSTED_AT_MOST = 3000
PAGE = 200

ENTRY, POSTING, ATTEMPT = "ledger_journalentry", "ledger_posting", "ledger_attempt"
RECORDED = ("ledger_financialevent", "ledger_eventrevision", "ledger_rawdocument", POSTING)
BOOKED = (ENTRY, "ledger_journalline")
MARKED = (ATTEMPT,)
OWED = {
    "book": (ENTRY, POSTING),
    "mark": (ENTRY, POSTING, ENTRY, ATTEMPT, ENTRY, POSTING),
}
"""Updates of a block: booking seals and links. Marking claims entry and posting, writes what leaves before the call,
and the outcome of attempt, entry and posting after it."""


class Costing(Protocol):
    def rate(self, events: int, *, among: str = "") -> float: ...


@dataclass(frozen=True)
class Step:
    """One step of the way at one size; rates in events a second, `statements` and `cpu_ms` for each event."""

    database: str
    events: int
    name: str
    rate: float
    bare: float
    same_writes: float
    statements: float
    cpu_ms: float
    peak_mb: float

    def row(self) -> results.Row:
        return {
            "database": self.database,
            "events": self.events,
            "step": self.name,
            "events/s": self.rate,
            "bare/s": self.bare,
            "of bare": f"{self.rate / self.bare:.0%}",
            "same writes/s": self.same_writes,
            "of same writes": f"{self.rate / self.same_writes:.0%}",
            "SQL per event": self.statements,
            "CPU ms per event": self.cpu_ms,
            "peak MB": self.peak_mb,
        }


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
    steps = [_step("capture", events, lambda: _capture(office, events), Ceiling(PAGE, RECORDED))]
    orders.order_past(office.book, FIRST, FIRST + timedelta(days=40), actor=None)
    # As sales of now: past ones are booked only a little ahead of the sending.
    Posting.objects.update(priority=Priority.LIVE)
    StaleDay.objects.all().delete()
    bare = Ceiling(booking.block_size(), BOOKED, updates=(POSTING,))
    steps.append(_step("book", events, lambda: _book(office), bare))
    with running_books() as url:
        books, posted = connected(office, url), min(events // 2, POSTED_AT_MOST)
        steps.append(_step("post", posted, lambda: post_all(books, posted), Calls(url, office.book.pk)))
    last = JournalEntry.objects.filter(state=DeliveryState.POSTED).latest("pk").pk
    done = JournalEntry.objects.filter(state=DeliveryState.POSTED).count()
    bare = Ceiling(CLAIMED, MARKED, updates=(ENTRY, POSTING))
    steps.append(_step("mark", events - done, lambda: mark_all(office), bare, among=f"id > {last}"))
    return steps


def _step(name: str, events: int, deed: Callable[[], None], bare: Costing, *, among: str = "") -> Step:
    meter, cpu, begun = Meter(), time.process_time(), time.perf_counter()
    with meter.reading():
        deed()
    took, used = time.perf_counter() - begun, time.process_time() - cpu
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    ceiling = _apart(bare, events, among)
    owed = bare
    if isinstance(bare, Ceiling):
        owed = Ceiling(bare.block, bare.tables, updates=OWED.get(name, ()), foreign_keys=True)
    same = ceiling if owed is bare else _apart(owed, events, among)
    each = meter.statements / events, 1000 * used / events
    return Step(connection.vendor, events, name, events / took, ceiling, same, *each, peak)


def _apart(costing: Costing, events: int, among: str) -> float:
    """In a child: all rows at once in memory would be the peak of the next step."""
    connection.close()
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("fork")) as child:
        return child.submit(costing.rate, events, among=among).result()


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


def _capture(office: Office, events: int) -> None:
    """A whole history, page by page, as after the first connection; only the wire is of paper."""
    till = Connection.objects.create(vendor="heartland_retail", source=office.source)
    now = database_now()
    progress = Capture.objects.create(connection=till, live_since=now, history_until=now)
    shown = HeartlandRetailAdapter(cast(TillClient, PaperTill(events)))
    Walk(shown, office.source, progress, Captured(), keep=lambda: None).history(until=math.inf)


def _book(office: Office) -> None:
    while office.enter().total:
        pass


def mark_all(office: Office) -> None:
    while claim := office.claim(limit=CLAIMED):
        begin(claim, claim.entries)
        office.answer(claim)


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
    rows = [step.row() for events in given.sizes for step in apart(events)]
    results.note("engine", title="What an event costs on its way", rows=rows)
    print(results.markdown(rows))
    return 0


if __name__ == "__main__":
    sys.exit(main())
