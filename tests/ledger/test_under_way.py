"""What is asked again and again while entries are sent reads what is under way, however many entries the book has."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection as database
from django.test.utils import CaptureQueriesContext

from ledger.journal import delivery
from ledger.models import Book, Posting
from ledger.terms import SyncState
from tests.office import Office
from tests.trade import sale

MINUTE = timedelta(minutes=1)
ASKED: dict[str, Callable[[Book], Any]] = {
    "claim": lambda book: delivery.claim(book, limit=30, lease=MINUTE, settle=MINUTE),
    "expire": delivery.expire,
    "next_due": lambda book: delivery.next_due(book, settle=MINUTE),
}


@pytest.mark.skipif(database.vendor != "sqlite", reason="PostgreSQL chooses by how many rows it has counted")
@pytest.mark.parametrize("name", list(ASKED))
def test_the_index_of_what_is_under_way_is_used(office: Office, name: str) -> None:
    office.record(sale(external_id="1"), sale(external_id="2"))
    Posting.objects.update(state=SyncState.NOT_SYNCED)
    office.enter()
    with CaptureQueriesContext(database) as seen:
        ASKED[name](office.book)
    of_the_book = [one["sql"] for one in seen if '"ledger_journalentry"."book_id"' in one["sql"]]
    plans = [plan(statement) for statement in of_the_book if statement.startswith("SELECT")]
    assert plans and all("entry_to_send" in one for one in plans), plans


def plan(statement: str) -> str:
    with database.cursor() as cursor:
        cursor.execute(f"EXPLAIN QUERY PLAN {statement}")
        return "\n".join(str(row) for row in cursor.fetchall())
