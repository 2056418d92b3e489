"""Columns that differ from row to row are written as Django would write them."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import DataError, connection
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from ledger import bulk
from ledger.clock import database_now
from ledger.models import Book, JournalEntry, Source, Store

COLUMNS = ["memo", "store", "posting_date", "total", "priority", "posted_at", "sent_body", "attempts_made"]

texts = st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]), max_size=30)
amounts = st.decimals(Decimal("-9999999.99"), Decimal("9999999.99"), places=2)
moments = st.none() | st.integers(0, 10**6).map(lambda n: timedelta(seconds=n))
days = st.dates(date(2000, 1, 1), date(2100, 1, 1))
rows = st.tuples(texts, st.booleans(), days, amounts, st.integers(-5, 5), moments, texts, st.integers(0, 9))


class AsDjangoWouldWriteThem(TestCase):
    @given(st.lists(rows, min_size=1, max_size=8))
    def test_each_row_gets_its_own_values(self, wanted: list[tuple[Any, ...]]) -> None:
        entries = _entries(len(wanted) + 1)
        for entry, (memo, stored, day, total, priority, after, body, made) in zip(entries, wanted, strict=False):
            entry.memo, entry.posting_date, entry.total = memo, day, total
            entry.store = entry.store if stored else None
            entry.posted_at = database_now() + after if after else None
            entry.priority, entry.sent_body, entry.attempts_made = priority, body, made
        bulk.update_rows(entries[:-1], COLUMNS)
        kept = JournalEntry.objects.in_bulk([entry.pk for entry in entries])
        for entry in entries:
            for name in COLUMNS:
                assert getattr(kept[entry.pk], name) == getattr(entry, name)
        assert kept[entries[-1].pk].memo == f"memo {len(entries) - 1}"


@pytest.mark.django_db
def test_no_rows_are_no_statement(django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(0):
        bulk.update_rows([], ["memo"])


@pytest.mark.django_db
@pytest.mark.skipif(connection.vendor == "sqlite", reason="SQLite keeps a text of any length")
def test_what_is_too_long_is_refused_and_not_cut() -> None:
    (entry,) = _entries(1)
    entry.currency = "DOLLARS"
    with pytest.raises(DataError):
        bulk.update_rows([entry], ["currency"])


def _entries(number: int) -> list[JournalEntry]:
    book, _ = Book.objects.get_or_create(name="Bulk")
    source, _ = Source.objects.get_or_create(code="BU")
    store, _ = Store.objects.get_or_create(source=source, external_id="1", defaults={"name": "One"})
    first = JournalEntry.objects.count()
    return JournalEntry.objects.bulk_create(
        JournalEntry(
            book=book,
            reference=f"BU-{first + n}",
            store=store,
            posting_date=date(2010, 12, 14),
            currency="USD",
            memo=f"memo {n}",
            total=Decimal(1),
            created_at=database_now(),
        )
        for n in range(number)
    )
