"""How quick the list of financial events is over a million of them: first page, each filter, exact search, last page.

    DATABASE_URL=... python -m benchmarks.lists [--events 1000000] [--keep]

Fills one book of 200 stores over two years in a database of its own (empty before, and emptied afterwards unless
--keep), then asks for each page as the screen does. Each time stands beside a ceiling, the same fifty rows fetched by
their primary keys: a ratio holds on a slow machine too. The best of five, after one to warm up.
"""

import argparse
import os
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import islice
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
django.setup()

from django.contrib.auth.models import User  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.db import connection, transaction  # noqa: E402

from integrations.admin_views import events as tab  # noqa: E402
from integrations.admin_views.filtering import EventFilter, in_order, narrowed  # noqa: E402
from ledger import guards  # noqa: E402
from ledger.models import Book, Feed, JournalEntry, Posting, Source, Store, SyncOrder  # noqa: E402

NAME = "Benchmark"
FIRST_DAY, DAYS, STORES = date(2024, 1, 1), 730, 200
ROUNDS = 5
SOON = datetime(2026, 1, 1, tzinfo=UTC)
GOAL_MS = 200.0

FILTERS: dict[str, dict[str, str]] = {
    "first page": {},
    "first page, oldest first": {"sort": "oldest"},
    "state Synced (97 of 100)": {"state": "synced"},
    "state Error (1 of 100)": {"state": "error"},
    "state Processing (none)": {"state": "processing"},
    "anything but Synced": {"state": "open"},
    "no answer for a while (none)": {"state": "unanswered"},
    "changed since (1 of 5,000)": {"state": "changed"},
    "set aside (1 of 1,000)": {"state": "set_aside"},
    "never synced and not set aside": {"state": "never_synced"},
    "kind": {"kind": "ticket"},
    "store": {"store": "STORE"},
    "store and state Error": {"store": "STORE", "state": "error"},
    "a month": {"first": "2025-03-01", "last": "2025-03-31"},
    "a day of a store": {"first": "2025-03-01", "last": "2025-03-01", "store": "STORE"},
    "amounts, wide (half of all)": {"least": "10", "most": "500"},
    "amounts, narrow (1 of 1,000)": {"least": "500", "most": "501"},
    "one amount": {"least": "321.09", "most": "321.09"},
    "amounts above all": {"least": "5000"},
    "one cause": {"cause": "unmapped:tender:3"},
    "a cause that is gone": {"cause": "unmapped:tender:gone"},
    "exact number": {"number": "T500000"},
    "number of an entry": {"number": "HR-T500001"},
    "a number that is not there": {"number": "T99999999"},
    "order of past events, in Error": {"order": "ORDER", "state": "error"},
    "last page that can be reached": {"page": "2000"},
    "last page, a state": {"page": "2000", "state": "synced"},
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--keep", action="store_true", help="leave the filled database as it is for the next time")
    chosen = parser.parse_args()
    book = prepared(chosen.events)
    measure(book)
    if not chosen.keep:
        clear()


def prepared(events: int) -> Book:
    """The filled book; what an earlier run left is taken as it is."""

    call_command("migrate", verbosity=0)
    if Book.objects.exclude(name=NAME).exists():
        sys.exit("This database holds books. Name an empty one in DATABASE_URL.")
    book = Book.objects.filter(name=NAME).first()
    if book and Posting.objects.order_by("-id").values_list("id", flat=True).first():
        return book
    began = time.monotonic()
    book = fill(events)
    print(f"{events:,} events filled in {time.monotonic() - began:.0f} s")
    return book


def fill(events: int) -> Book:
    """Raw rows; the guards that write for each posting stand aside meanwhile, as while Django migrates."""

    source = Source.objects.create(code="HR", name="Heartland Retail")
    stores = [
        Store(source=source, external_id=str(n), name=f"Store {n:03} with a name of some length") for n in range(STORES)
    ]
    stores = Store.objects.bulk_create(stores)
    book = Book.objects.create(name=NAME, uses_financials=True)
    Feed.objects.create(source=source, book=book)
    order = SyncOrder.objects.create(
        book=book, kind="past", first_date=FIRST_DAY, last_date=FIRST_DAY + timedelta(days=DAYS), events=events
    )
    entry = JournalEntry.objects.create(
        book=book,
        reference="HR-T500001",
        posting_date=FIRST_DAY,
        currency="USD",
        memo="[Daybook HR-T500001]",
        total=Decimal(1),
        created_at=SOON,
    )
    guards.drop(connection)
    try:
        with transaction.atomic():
            copy("ledger_financialevent", EVENT, (event_row(n, source.pk, stores) for n in range(1, events + 1)))
            shared = (book.pk, order.pk, entry.pk)
            copy("ledger_posting", POSTING, (posting_row(n, *shared, stores) for n in range(1, events + 1)))
    finally:
        guards.install(connection)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    return book


EVENT = (
    *("id", "source_id", "kind", "external_id", "number", "store_id", "business_date", "amount", "currency"),
    *("revision", "facts_hash", "problem", "problem_cause", "voided", "captured_at"),
)
POSTING = (
    *("id", "event_id", "book_id", "state", "outcome", "error_code", "cause", "error", "error_detail", "priority"),
    *("order_id", "entry_id", "booked_revision", "changed_since", "set_aside_reason", "kind", "number", "store_id"),
    *("business_date", "amount", "updated_at"),
)


def event_row(n: int, source: int, stores: list[Any]) -> tuple[Any, ...]:
    store, day, amount = where(n, stores)
    return (n, source, "ticket", str(n), f"T{n}", store, day, amount, "USD", 1, "", "", "", False, SOON)


def posting_row(n: int, book: int, order: int, entry: int, stores: list[Any]) -> tuple[Any, ...]:
    """97 of 100 are Synced, one is in Error, one Never Synced, one waits; a hundredth of all came by an order."""
    store, day, amount = where(n, stores)
    state = {0: "error", 1: "never_synced", 2: "not_synced"}.get(n % 100, "synced")
    cause = f"unmapped:tender:{n % 7}" if state == "error" else ""
    said = f"The tender {n % 7} has no payment account. Choose one under Account Mapping." if cause else ""
    outcome = "posted" if state == "synced" else ""
    aside = "Training" if n % 1000 == 1 else ""
    ids = (n, n, book)
    marks = (order if n % 3 == 0 else None, entry if n == 500_001 else None, 1, n % 5000 == 7, aside)
    date_or_none = None if n % 10_000 == 0 else day
    words = (state, outcome, "unmapped" if cause else "", cause, said, "", 0)
    return (*ids, *words, *marks, "ticket", f"T{n}", store, date_or_none, amount, SOON)


def where(n: int, stores: list[Any]) -> tuple[int, date, int]:
    """The store, the day and the amount in hundredths: spread evenly, the days with the ids."""
    return stores[(n * 7919) % STORES].pk, FIRST_DAY + timedelta(days=n * DAYS // 1_000_000), (n * 104_729) % 100_000


def copy(table: str, columns: tuple[str, ...], rows: Iterator[tuple[Any, ...]]) -> None:
    """COPY on PostgreSQL, executemany on SQLite."""

    names = ", ".join(columns)
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            with cursor.copy(f"COPY {table} ({names}) FROM STDIN") as into:
                for row in rows:
                    into.write_row(row)
            return
        places = ", ".join(["%s"] * len(columns))
        while block := list(islice(rows, 10_000)):
            plain = [[value.isoformat() if isinstance(value, date) else value for value in row] for row in block]
            cursor.executemany(f"INSERT INTO {table} ({names}) VALUES ({places})", plain)


def measure(book: Book) -> None:
    """Each page beside its ceiling."""

    print(f"\n{connection.vendor}, {ROUNDS} rounds, milliseconds; the goal is {GOAL_MS:.0f} for each")
    print(f"{'':34}{'page':>8}{'ceiling':>9}{'ratio':>7}{'count':>8}{'rows':>6}")
    slow = [name for name, chosen in FILTERS.items() if measured(book, name, chosen) > GOAL_MS]
    print(f"slower than the goal: {', '.join(slow) or 'none'}")


def measured(book: Book, name: str, chosen: dict[str, str]) -> float:

    person, chosen = _person(), _with_ids(chosen, book)
    number = int(chosen.pop("page", "1"))

    def form() -> EventFilter:

        return EventFilter(chosen, book=book, person=person)

    def page() -> list[Posting]:
        asked = form()
        return tab.page_of(in_order(narrowed(book, asked, person=person), asked), number=number)

    found = page()
    ids = [posting.pk for posting in found]
    took = best(page)
    ceiling = best(lambda: _by_key(ids))
    counted = best(lambda: tab._matches(narrowed(book, form(), person=person), currency="USD"))
    print(f"{name:34}{took:8.1f}{ceiling:9.1f}{took / ceiling:7.1f}{counted:8.1f}{len(ids):6}")
    return took + counted


def _person() -> Any:

    return User(is_superuser=True)


def _with_ids(chosen: dict[str, str], book: Book) -> dict[str, str]:

    store = Store.objects.order_by("pk").values_list("pk", flat=True)[17]
    order = SyncOrder.objects.filter(book=book).latest("pk").pk
    known = {"STORE": str(store), "ORDER": str(order)}
    return {name: known.get(value, value) for name, value in chosen.items()}


def _by_key(ids: list[int]) -> list[Posting]:

    rows = Posting.objects.filter(pk__in=ids).select_related("store", "entry", "event", "order")
    return list(rows.defer("entry__sent_body", "error_detail"))


def best(work: Callable[[], object]) -> float:
    """Milliseconds of the quickest round."""
    times = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        work()
        times.append(time.perf_counter() - began)
    return min(times) * 1000


def clear() -> None:
    """Empty what was filled, in the order in which the rows point at each other."""
    guards.drop(connection)
    try:
        call_command("flush", verbosity=0, interactive=False)
    finally:
        guards.install(connection)


if __name__ == "__main__":
    main()
