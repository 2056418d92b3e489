"""Steps 4 to 6 of the way: what is ordered becomes sealed entries, or an error that says what is missing."""

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from ledger.clock import database_now
from ledger.journal import booking, orders
from ledger.models import Book, JournalEntry, Store
from ledger.terms import DeliveryState, Outcome, Side, SyncState
from ledger.values import EventFacts, ItemFact, TaxFact, TenderFact
from mappings.models import Mapping
from tests.office import Office
from tests.trade import item, paid, sale, tax, ticket


@pytest.fixture
def soon(office: Office) -> datetime:
    """A time after the start: what is completed then is ordered by itself."""
    return database_now() + timedelta(hours=1)


def entered(office: Office, *lines: ItemFact | TaxFact | TenderFact, **header: Any) -> EventFacts:
    facts = ticket(*lines, at=database_now() + timedelta(hours=1), **header)
    office.record(facts)
    office.enter()
    return facts


def accounts(entry: JournalEntry) -> set[tuple[str, Side, Decimal]]:
    lines = entry.lines.select_related("account")
    return {
        (line.account.full_name, Side.DEBIT if line.debit else Side.CREDIT, line.debit or line.credit) for line in lines
    }


def test_a_sale_becomes_a_sealed_entry_ready_to_go(office: Office) -> None:
    facts = entered(office, item("20.00"), tax("1.78"), paid("30.00"), paid("-8.22"))
    entry = office.entry(facts)
    assert (entry.sealed, entry.state, entry.total) == (True, DeliveryState.READY, Decimal("38.00"))
    assert entry.posting_date == facts.header.business_date
    assert entry.reference == f"HR-T{facts.header.external_id}"
    assert entry.memo.startswith(f"[Daybook {entry.reference}]")


def test_each_line_goes_to_the_account_that_the_mapping_names(office: Office) -> None:
    facts = entered(office, item("20.00", kind="3"), tax("1.90", place="2"), paid("21.90", by="4"), store="100002")
    assert accounts(office.entry(facts)) == {
        ("Card Clearing:American Express", Side.DEBIT, Decimal("21.90")),
        ("Sales:Candles and Lights", Side.CREDIT, Decimal("20.00")),
        ("Sales Tax Collected:Los Angeles", Side.CREDIT, Decimal("1.90")),
        ("Cost of Goods Sold:Candles and Lights", Side.DEBIT, Decimal("8.00")),
        ("Inventory Asset:Candles and Lights", Side.CREDIT, Decimal("8.00")),
    }


def test_cash_goes_to_the_stores_own_account(office: Office) -> None:
    chicago = entered(office, item("20.00"), paid("20.00"), store="100003")
    assert ("Cash on Hand:Chicago", Side.DEBIT, Decimal("20.00")) in accounts(office.entry(chicago))


def test_a_line_keeps_why_it_went_where_it_went(office: Office) -> None:
    facts = entered(office, item("20.00"), paid("20.00"))
    line = office.entry(facts).lines.get(role="tender")
    assert line.why == "Mapping Payment account (Cash, Main Street) to Cash on Hand:Main Street"
    assert line.text == "Payment account: Cash"


def test_a_zero_sale_is_synced_with_nothing_to_post(office: Office) -> None:
    facts = entered(office, item("0.00", tracked=False))
    posting = office.posting(facts)
    assert (posting.state, posting.outcome, posting.entry) == (SyncState.SYNCED, Outcome.NOTHING_TO_POST, None)


def test_a_free_item_still_costs(office: Office) -> None:
    facts = entered(office, item("0.00", cost="4.25"))
    assert office.entry(facts).total == Decimal("4.25")


def test_a_book_that_posts_no_cost_has_none_in_its_entries(office: Office) -> None:
    Book.objects.filter(pk=office.book.pk).update(post_cost=False)
    facts = entered(office, item("20.00"), paid("20.00"))
    assert set(office.entry(facts).lines.values_list("role", flat=True)) == {"tender", "sales"}


def test_a_missing_account_is_named_and_the_rest_is_booked(office: Office, soon: datetime) -> None:
    lost, good = ticket(item("20.00", kind="9"), paid("20.00"), at=soon), sale(at=soon)
    office.record(lost, good)
    booked = office.enter()
    assert (booked.errors, booked.entries) == (1, 1)
    posting = office.posting(lost)
    assert (posting.state, posting.error_code, posting.cause) == (SyncState.ERROR, "unmapped", "unmapped:sales:9")
    assert posting.error.startswith("No account is mapped for sales of item class 'item class 9'.")
    assert not JournalEntry.objects.filter(sealed=False).exists()


def test_a_missing_cost_names_the_item(office: Office) -> None:
    facts = entered(office, item("20.00", cost=None, name="Wicker star"), paid("20.00"))
    posting = office.posting(facts)
    assert posting.state == SyncState.ERROR
    assert "no unit cost on item Wicker star" in posting.error


def test_another_currency_than_the_books_is_an_error(office: Office) -> None:
    facts = entered(office, item("20.00"), paid("20.00"), currency="CAD")
    assert office.posting(facts).error_code == "unsupported"
    assert "is in CAD, the book in USD" in office.posting(facts).error


def test_a_document_id_that_fits_no_reference_is_an_error(office: Office) -> None:
    facts = entered(office, item("20.00"), paid("20.00"), external_id="x-1")
    assert office.posting(facts).error_code == "unsupported"


def test_a_lines_text_is_named_by_its_own_dimension(office: Office, stores: dict[str, Store]) -> None:
    """Tender 1 is Cash and class 1 is Home: the same code in two dimensions."""
    facts = entered(office, item("20.00"), tax("1.00"), paid("21.00"))
    texts = dict(office.entry(facts).lines.values_list("role", "text"))
    assert texts["sales"] == "Sales: Home"
    assert texts["tax_payable"] == "Sales tax: New York"
    assert texts["tender"] == "Payment account: Cash"


def test_a_block_leaves_the_rest_for_the_next(office: Office, soon: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(booking, "block_size", lambda: 2)
    office.record(*(sale(at=soon) for _ in range(5)))
    assert [office.enter().total for _ in range(4)] == [2, 2, 1, 0]


def test_an_entry_keeps_the_accounts_it_was_entered_with(office: Office) -> None:
    facts = entered(office, item("20.00"), paid("20.00"))
    before = accounts(office.entry(facts))
    other = Mapping.objects.get(book=office.book, role="sales", item_class="2").account
    Mapping.objects.filter(book=office.book, role="sales", item_class="1").update(account=other)
    office.post()
    assert accounts(office.entry(facts)) == before


def test_booking_twice_books_nothing_twice(office: Office) -> None:
    facts = entered(office, item("20.00"), paid("20.00"))
    assert office.enter().total == 0
    assert JournalEntry.objects.filter(reference=office.entry(facts).reference).count() == 1


def test_a_return_goes_to_the_sales_account_while_returns_have_none_of_their_own(office: Office) -> None:
    facts = entered(office, item("-20.00", qty="-1"), paid("-20.00"))
    assert ("Sales:Home and Decor", Side.DEBIT, Decimal("20.00")) in accounts(office.entry(facts))


def test_an_exchange_of_equal_worth_is_an_entry_of_its_own(office: Office) -> None:
    facts = entered(office, item("-20.00", qty="-1"), item("20.00", kind="2"))
    assert len(accounts(office.entry(facts))) == 6


def test_a_live_event_is_entered_before_the_backlog(office: Office, soon: datetime) -> None:
    past, now = sale(), sale(at=soon)
    office.record(past, now)
    day = past.header.business_date
    assert day is not None
    orders.order_past(office.book, day, day, actor=None)
    office.enter()
    claim = office.claim(limit=1)
    assert claim is not None and claim.entries[0].reference == office.entry(now).reference


def test_an_event_without_a_business_date_is_an_error_not_a_guess(office: Office, soon: datetime) -> None:
    facts = sale(at=soon)
    office.record(replace(facts, header=replace(facts.header, business_date=None)))
    office.enter()
    assert office.posting(facts).state == SyncState.ERROR
