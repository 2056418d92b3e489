"""`python -m benchmarks.limits --workers 1 4`: how much of what the vendor permits is used, and is it ever exceeded?

A backlog of entries goes to the sandbox, which enforces the vendor's limits and answers after 300 ms, from one worker
process and from four, on a fresh SQLite file or beside DATABASE_URL. The clock runs from the first entry that was
posted to the first one after so many whole minutes' worth, so a burst at the beginning flatters nobody. A worker does
what a task does, but all work on one connection at the same time. `--margin` tries another one than `windows` has.
"""

# ruff: noqa: E402
import argparse
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
os.environ.setdefault("LOG_LEVEL", "ERROR")
os.environ.setdefault("VENDOR_SETTLE_SECONDS", "150")

import django

django.setup()

from django.conf import settings
from django.contrib.auth.models import User
from django.db import connection as database

from benchmarks.figures import fresh_database
from integrations import connecting, pipeline, vendors, windows
from integrations.models import Connection
from ledger.clock import database_now
from ledger.journal import charts, orders
from ledger.models import Account, Attempt, Book, Feed, JournalEntry, Source, Store
from ledger.terms import AccountType, DeliveryState
from mappings.models import Mapping
from tests.office import Office
from tests.sandbox_fixture import ROOT, Sandbox, running_sandbox
from tests.trade import sale

LATENCY = 0.3
"""Seconds."""
PAGE = 100
NEEDED = {
    "sales": AccountType.INCOME,
    "tender": AccountType.BANK,
    "cogs": AccountType.COST_OF_GOODS_SOLD,
    "inventory_on_hand": AccountType.CURRENT_ASSET,
}
"""The accounts of a cash sale."""
KEYS = {"client_id": "sandbox-quickbooks-client", "client_secret": "sandbox-quickbooks-secret"}


@dataclass(frozen=True)
class Case:
    """What one run showed. `calls`: all that arrived; `throttled`: those answered with 429."""

    workers: int
    minutes: float
    entries: int
    permitted: int
    calls: int
    throttled: int
    put_off: int

    @property
    def row(self) -> str:
        posted = self.entries / self.minutes
        cells = [database.vendor, self.workers, f"{windows.MARGIN} ms", f"{self.minutes:.2f}", f"{self.permitted:,}"]
        cells += [f"{posted:,.0f}", f"{posted / self.permitted:.1%}", self.calls, self.throttled, self.put_off]
        return f"| {' | '.join(map(str, cells))} |"


HEAD = (
    "| database | workers | margin | minutes | permitted/min | posted/min | share | calls | 429s | tries put off |\n"
    "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |"
)


def measured(sandbox: Sandbox, *, workers: int, minutes: int) -> Case:
    """One run, on a database of its own."""
    connection = connected(sandbox)
    permitted = permitted_entries(connection)
    wanted = permitted * minutes
    backlog(connection, wanted + 40 * permitted // 60 + workers * 60)
    sandbox.control("quickbooks", {"limits": True})
    before = sandbox.control("quickbooks/stats")
    with sandbox.fault("quickbooks.slow", always=True, seconds=LATENCY):
        processes = [worker(sandbox, connection) for _ in range(workers)]
        try:
            times = until_posted(wanted + 1, seconds=minutes * 90 + 60)
        finally:
            for process in processes:
                process.terminate()
                process.wait(timeout=30)
    after = sandbox.control("quickbooks/stats")
    took = (times[-1] - times[0]).total_seconds() / 60
    calls, throttled = (after[name] - before[name] for name in ("requests", "throttled"))
    put_off = Attempt.objects.filter(result=Attempt.Result.NOT_SENT).count()
    return Case(workers, took, len(times) - 1, permitted, calls, throttled, put_off)


def permitted_entries(connection: Connection) -> int:
    """In a minute, all in batches."""
    limits = vendors.limits(connection)
    return (limits.batches_per_minute or 0) * (limits.items_per_batch or 0)


def connected(sandbox: Sandbox) -> Connection:
    """A company with its books in the sandbox, connected, mapped and started."""
    person = User.objects.create_superuser("bench", password="never-used-to-sign-in")
    source = Source.objects.create(code="HR", name="The till")
    Store.objects.create(source=source, external_id="100001", name="Main Street", time_zone="America/New_York")
    book = Book.objects.create(name="The books", uses_financials=True)
    Feed.objects.create(source=source, book=book)
    connection = Connection.objects.create(vendor="quickbooks", book=book)
    connecting.save_keys(connection, KEYS, person)
    address = connecting.begin(connection, person, "http://127.0.0.1:9/admin/callback")
    connection = connecting.complete(sandbox.callback(address), person)
    charts.import_accounts(book, vendors.accounting(connection).accounts())
    for role, kind in NEEDED.items():
        account = Account.objects.filter(book=book, type=kind).order_by("pk")[0]
        column = "tender" if role == "tender" else "item_class"
        Mapping.objects.create(book=book, role=role, account=account, **{column: "1"})
    orders.start_sync(book, actor=None)
    connection.refresh_from_db()
    return connection


def backlog(connection: Connection, entries: int) -> None:
    """So many entries, ready to leave."""
    assert connection.book is not None
    office = Office(Source.objects.get(), connection.book)
    later = database_now() + timedelta(hours=1)
    for _ in range(0, entries, PAGE):
        office.record(*[sale(at=later) for _ in range(PAGE)])
    while office.enter().total:
        pass


def until_posted(count: int, *, seconds: float) -> Sequence[datetime]:
    """When the first so many entries were posted, in order."""
    posted = JournalEntry.objects.filter(state=DeliveryState.POSTED)
    deadline = time.monotonic() + seconds
    while posted.count() < count:
        if time.monotonic() > deadline:
            raise SystemExit(f"After {seconds:.0f} s only {posted.count():,} of {count:,} entries were posted.")
        time.sleep(1)
    return [moment for moment in posted.order_by("posted_at").values_list("posted_at", flat=True)[:count] if moment]


# --- A worker is a process of its own -------------------------------------------------------------


def worker(sandbox: Sandbox, connection: Connection) -> "subprocess.Popen[bytes]":
    name = str(database.settings_dict["NAME"])
    server = os.environ["DATABASE_URL"].rsplit("/", 1)[0]
    url = f"sqlite:///{name}" if database.vendor == "sqlite" else f"{server}/{name}"
    own = {"DATABASE_URL": url, "QUICKBOOKS_URL": sandbox.quickbooks, "INSTALLATION_ID": settings.INSTALLATION_ID}
    command = [sys.executable, "-m", "benchmarks.limits", "--margin", str(windows.MARGIN), "--post", str(connection.pk)]
    return subprocess.Popen(command, cwd=ROOT, env={**os.environ, **own})


def post(connection_id: int) -> None:
    """Post what is due until somebody ends this process; between, sleep as a task does."""
    connection = vendors.books_connections().get(pk=connection_id)
    while True:
        if pipeline.post(connection):
            continue
        due = pipeline.next_due(connection)
        wait = (due - database_now()).total_seconds() if due else 1.0
        time.sleep(max(0.05, min(wait, 5.0)))


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.limits", description=__doc__)
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 4])
    parser.add_argument("--minutes", type=int, default=3)
    parser.add_argument("--margin", type=int, default=windows.MARGIN, help="milliseconds")
    parser.add_argument("--post", type=int, help=argparse.SUPPRESS)
    given = parser.parse_args()
    windows.MARGIN = given.margin
    if given.post:
        post(given.post)
    print(HEAD, flush=True)
    for workers in given.workers:
        with running_sandbox() as sandbox, fresh_database():
            settings.VENDOR_URLS = {**settings.VENDOR_URLS, "quickbooks": sandbox.quickbooks}
            print(measured(sandbox, workers=workers, minutes=given.minutes).row, flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
