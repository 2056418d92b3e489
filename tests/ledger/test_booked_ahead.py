"""Past events are booked a little ahead of the sending and no further; a live one is booked whatever waits."""

from datetime import date

import pytest

from ledger.journal import booking, orders
from ledger.models import JournalEntry, Posting
from ledger.terms import Priority, SyncState
from tests.office import Office
from tests.trade import sale


@pytest.fixture
def backlog(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    """Five past events are ordered, of which two may be booked ahead, one a block."""
    monkeypatch.setattr(booking, "AHEAD", 2)
    monkeypatch.setattr(booking, "block_size", lambda: 1)
    office.record(*(sale(external_id=f"{number}") for number in range(5)))
    orders.order_past(office.book, date(2000, 1, 1), date(2100, 1, 1), actor=None)
    assert Posting.objects.filter(state=SyncState.NOT_SYNCED, priority=Priority.BACKLOG).count() == 5


def book_all(office: Office) -> int:
    booked = 0
    while total := office.enter().total:
        booked += total
    return booked


def test_no_more_than_that_is_booked_before_it_is_sent(office: Office, backlog: None) -> None:
    assert book_all(office) == 2
    assert not booking.to_book(office.book).exists()


def test_what_was_sent_makes_room_until_all_of_it_is_booked(office: Office, backlog: None) -> None:
    for _ in range(5):
        book_all(office)
        office.post()
    assert JournalEntry.objects.filter(state="posted").count() == 5


def test_a_sale_of_now_does_not_wait_for_room(office: Office, backlog: None) -> None:
    book_all(office)
    office.record(sale(external_id="9"))
    Posting.objects.filter(number="T9").update(state=SyncState.NOT_SYNCED, priority=Priority.LIVE)
    assert booking.to_book(office.book).exists()
    assert book_all(office) == 1
    assert Posting.objects.get(number="T9").entry is not None
