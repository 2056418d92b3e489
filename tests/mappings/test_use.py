"""What the events of 90 days bear, by role and value: counted from their facts, and again when these change."""

from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from integrations import counting, schedules
from integrations.models import Connection
from ledger.clock import database_now
from ledger.models import Book, Posting
from mappings import use
from mappings.models import DayUse
from mappings.use import Use
from tests.admin.conftest import connection as connection
from tests.office import Office
from tests.trade import changed, item, paid, tax, ticket

DAY = date(2010, 12, 14)


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Let the clock of the figures go forward."""

    def forward(**by: float) -> None:
        now: datetime = database_now() + timedelta(**by)
        monkeypatch.setattr(use, "database_now", lambda: now)

    return forward


def of(book: Book, role: str, value: str = "") -> Use:
    return use.read(book).of(role, value)


def test_events_and_money_are_counted_by_role_and_value(office: Office) -> None:
    office.record(
        ticket(item("20.00"), item("5.00", kind="2"), tax("2.00"), paid("30.00"), paid("-3.00")),
        ticket(item("10.00"), paid("10.00", by="2")),
    )
    assert use.refresh(office.book) == 1
    assert of(office.book, "tender", "1") == Use(1, Decimal("27.00"))  # taken, less the change given
    assert of(office.book, "tender", "2") == Use(1, Decimal("10.00"))
    assert of(office.book, "sales", "1") == Use(2, Decimal("30.00"))
    assert of(office.book, "sales", "2") == Use(1, Decimal("5.00"))
    assert of(office.book, "cogs", "1") == Use(2, Decimal("16.00")) == of(office.book, "inventory_on_hand", "1")
    assert of(office.book, "tax_payable", "1") == Use(1, Decimal("2.00"))


def test_a_return_counts_against_what_was_paid(office: Office) -> None:
    office.record(ticket(item("-20.00", qty="-1"), paid("-20.00", by="2")))
    use.refresh(office.book)
    assert of(office.book, "tender", "2") == Use(1, Decimal("-20.00"))
    assert of(office.book, "sales_returns", "1") == Use(1, Decimal("20.00"))


def test_an_event_whose_cost_is_missing_bears_its_payment_all_the_same(office: Office) -> None:
    office.record(ticket(item("20.00", cost=None), paid("20.00")), ticket(item("9.00"), paid("9.00"), voided=True))
    use.refresh(office.book)
    assert of(office.book, "tender", "1") == Use(1, Decimal("20.00")) and of(office.book, "cogs", "1") == Use()


def test_a_day_is_counted_again_when_one_of_its_events_has_changed(office: Office, later: Any) -> None:
    facts = ticket(item("20.00"), paid("20.00"))
    office.record(facts)
    use.refresh(office.book)
    office.record(changed(facts, item("25.00"), paid("25.00", by="2")))
    assert use.refresh(office.book) == 0  # at most every ten minutes
    later(minutes=11)
    assert use.refresh(office.book) == 1
    assert of(office.book, "tender", "1") == Use() and of(office.book, "tender", "2") == Use(1, Decimal("25.00"))


def test_only_the_days_that_changed_are_counted_again(office: Office, later: Any) -> None:
    for ago in range(3):
        office.record(ticket(item("20.00"), paid("20.00"), day=DAY - timedelta(days=ago)))
    assert use.refresh(office.book) == 3
    office.record(ticket(item("20.00"), paid("20.00"), day=DAY - timedelta(days=2)))
    later(minutes=11)
    assert use.refresh(office.book) == 2  # that day, and the latest, which bears the time
    assert of(office.book, "tender", "1").events == 4


def test_what_lies_more_than_90_days_back_is_left_out_and_goes(office: Office, later: Any) -> None:
    office.record(ticket(item("20.00"), paid("20.00", by="3"), day=DAY - timedelta(days=89)))
    office.record(ticket(item("20.00"), paid("20.00", by="4"), day=DAY - timedelta(days=90)))
    office.record(ticket(item("20.00"), paid("20.00"), day=DAY))
    use.refresh(office.book)
    assert of(office.book, "tender", "3").events == 1 and of(office.book, "tender", "4") == Use()
    office.record(ticket(item("20.00"), paid("20.00"), day=DAY + timedelta(days=1)))
    later(minutes=11)
    use.refresh(office.book)
    assert of(office.book, "tender", "3") == Use() and of(office.book, "tender", "1").events == 2
    uses = use.read(office.book)
    assert (uses.first, uses.last) == (DAY - timedelta(days=88), DAY + timedelta(days=1))


def test_a_date_from_the_future_does_not_hide_the_real_days(office: Office) -> None:
    office.record(ticket(item("20.00"), paid("20.00")), ticket(item("20.00"), paid("20.00"), day=date(2099, 1, 1)))
    use.refresh(office.book)
    assert use.read(office.book).last == DAY and of(office.book, "tender", "1").events == 1


def test_what_the_time_does_not_reach_is_counted_by_the_next_call(office: Office) -> None:
    office.record(ticket(item("20.00"), paid("20.00")))
    assert use.refresh(office.book, until=0) == 0 and use.read(office.book).at is None
    assert use.refresh(office.book) == 1


def test_a_book_without_an_event_has_no_figures(book: Book) -> None:
    assert use.refresh(book) == 0 and use.read(book) == use.Uses()


def test_the_queue_counts_every_book_that_is_connected(office: Office, connection: Connection) -> None:
    office.record(ticket(item("20.00"), paid("20.00")))
    assert schedules.EVERY_MINUTE["count"] == f"{counting.__name__}.{counting.count.__name__}"
    assert counting.count() == "1 days counted."
    assert DayUse.objects.get(book=office.book).events == Posting.objects.count() == 1
