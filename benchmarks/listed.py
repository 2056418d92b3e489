"""The book that `benchmarks.lists` reads: 200 stores over two years, and a small book of fifty events beside it."""

# ruff: noqa: E402
import os
import sys
import time
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import islice
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
django.setup()

from django.core.management import call_command
from django.db import connection, transaction

from ledger import guards
from ledger.journal import figures
from ledger.models import Book, Feed, JournalEntry, Posting, Source, Store, SyncOrder

NAME, SMALL, FEW = "Benchmark", "Benchmark of fifty", 50
FIRST_DAY, DAYS, STORES = date(2024, 1, 1), 730, 200
SOON = datetime(2026, 1, 1, tzinfo=UTC)


def prepared(events: int) -> Book:
    """The filled book; what an earlier run left is taken as it is."""

    call_command("migrate", verbosity=0)
    if Book.objects.exclude(name__in=[NAME, SMALL]).exists():
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
            few = _small_book(source)
            ids = range(events + 3, events + 3 + FEW)
            copy("ledger_financialevent", EVENT, (event_row(n, source.pk, stores) for n in ids))
            copy("ledger_posting", POSTING, (synced_row(n, few.pk, stores) for n in ids))
    finally:
        guards.install(connection)
    with connection.cursor() as cursor:
        # As autovacuum leaves a table: without it no index answers alone.
        cursor.execute("VACUUM ANALYZE" if connection.vendor == "postgresql" else "ANALYZE")
    for filled in Book.objects.all():
        figures.rebuild(filled)
    return book


def _small_book(source: Source) -> Book:
    book = Book.objects.create(name=SMALL, uses_financials=True)
    Feed.objects.create(source=source, book=book)
    return book


def synced_row(n: int, book: int, stores: list[Any]) -> tuple[Any, ...]:
    row = dict(zip(POSTING, posting_row(n, book, 0, 0, stores), strict=True))
    row |= {"state": "synced", "outcome": "posted", "order_id": None, "entry_id": None}
    row |= {"error_code": "", "cause": "", "error": ""}
    return tuple(row.values())


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


def clear() -> None:
    """Empty what was filled, in the order in which the rows point at each other."""
    guards.drop(connection)
    try:
        call_command("flush", verbosity=0, interactive=False)
    finally:
        guards.install(connection)
