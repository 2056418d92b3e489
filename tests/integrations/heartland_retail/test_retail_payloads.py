"""Reading a ticket: what becomes a fact, and what is refused with a sentence."""

from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any

import pytest

from integrations.heartland_retail.payloads import gift_card_tender, read_name, read_store, read_ticket, was_completed
from ledger.errors import Flaw, Unreadable
from ledger.terms import DEFAULT_CLASS, Dimension
from ledger.values import DimensionName, EventFacts, RemoteStore, TaxFact, TenderFact
from sandbox.shop import build_shop
from sandbox.shop_cruel import cruel_tickets
from tests.integrations.heartland_retail.samples import (
    CARD,
    Json,
    item,
    item_line,
    kept,
    payment,
    tax_line,
    ticket,
)


def read(document: Json, **how: Any) -> EventFacts:
    facts = read_ticket(kept(document, **how))
    assert facts is not None
    return facts


def refusal(document: Json, **how: Any) -> Unreadable:
    with pytest.raises(Unreadable) as refused:
        read_ticket(kept(document, **how))
    return refused.value


def test_a_sale_becomes_its_facts() -> None:
    facts = read(ticket())
    assert facts.header.external_id == "100001"
    assert facts.header.number == "536365"
    assert facts.header.store_external_id == "100003"
    assert facts.header.completed_at == datetime(2010, 12, 1, 14, 26, tzinfo=UTC)
    assert facts.total == Decimal("21.25")
    assert facts.taxes == (TaxFact("3", Decimal("1.25")),)
    assert facts.tenders == (TenderFact("1", Decimal("30.00")), TenderFact("1", Decimal("-8.75")))
    assert facts.balance == 0
    assert not facts.voided


def test_an_item_carries_class_category_and_cost() -> None:
    (sold,) = read(ticket()).items
    assert (sold.item_class, sold.category, sold.name) == ("3", "Town", "Wicker star")
    assert (sold.quantity, sold.value, sold.unit_cost) == (Decimal(1), Decimal("20.00"), Decimal(8))
    assert sold.tracked


def test_an_item_without_class_belongs_to_the_default_class() -> None:
    (sold,) = read(ticket(), known=item(financial_class_id=None, custom=None)).items
    assert (sold.item_class, sold.category) == (DEFAULT_CLASS, "")


@pytest.mark.parametrize(("flag", "tracked"), [(True, True), (False, False), (None, True)])
def test_only_a_plain_no_makes_an_item_untracked(flag: bool | None, tracked: bool) -> None:
    (sold,) = read(ticket(), known=item(**{"track_inventory?": flag})).items
    assert sold.tracked is tracked


def test_a_tracked_item_without_cost_is_left_to_the_rules() -> None:
    (sold,) = read(ticket(lines=[item_line(unit_cost=None), tax_line()])).items
    assert sold.unit_cost is None


def test_amounts_as_text_and_as_numbers_are_the_same_facts() -> None:
    lines = [item_line(value="20.00", qty="1.0", unit_cost="8.00"), tax_line(value="1.250")]
    paid = [payment(amount="30"), payment(id=12, amount="-8.75")]
    as_text = ticket(total="21.25", total_paid="21.25", balance="0.00", lines=lines, payments=paid)
    assert read(as_text) == read(ticket())
    assert repr(read(as_text)) == repr(read(ticket()))


def test_the_order_and_repetition_of_rows_do_not_matter() -> None:
    shuffled = ticket(lines=[tax_line(), item_line(), tax_line()], payments=[payment(id=12, amount=-8.75), payment()])
    assert kept(shuffled) == kept(ticket())


@pytest.mark.parametrize("status", ["complete", "Complete", "COMPLETE"])
def test_the_case_of_the_status_does_not_matter(status: str) -> None:
    assert read(ticket(status=status)) == read(ticket())


@pytest.mark.parametrize(
    "changes",
    [
        {"status": "incomplete", "completed?": False, "completed_at": None},
        {"status": None, "completed?": False},
        {"status": "incomplete", "completed?": False},
        {"status": "incomplete", "completed?": False, "completed_at": None, "voided?": True},
    ],
)
def test_a_ticket_that_is_not_complete_is_not_financial(changes: Json) -> None:
    assert read_ticket(kept(ticket(**changes))) is None


@pytest.mark.parametrize("changes", [{"voided?": True}, {"status": "voided"}, {"status": "VOID"}])
def test_a_voided_ticket_says_so(changes: Json) -> None:
    assert read(ticket(**changes)).voided


def test_a_voided_payment_is_left_out() -> None:
    paid = [payment(amount=21.25), payment(id=12, amount=21.25, status="Voided")]
    assert read(ticket(payments=paid)).tenders == (TenderFact("1", Decimal("21.25")),)


def test_a_deposit_taken_before_is_marked() -> None:
    paid = [payment(amount=21.25, deposit=True)]
    assert read(ticket(payments=paid)).tenders == (TenderFact("1", Decimal("21.25"), deposit=True),)


def test_each_line_keeps_its_own_sign_whatever_the_type_of_the_ticket() -> None:
    lines = [item_line(), item_line(id=3, qty=-1, value=-5)]
    facts = read(ticket(type="Return", total=15, total_paid=15, lines=lines, payments=[payment(amount=15)]))
    assert [sold.value for sold in facts.items] == [Decimal(20), Decimal(-5)]
    assert [sold.quantity for sold in facts.items] == [Decimal(1), Decimal(-1)]


def test_shipping_and_gift_cards_stand_apart_from_items() -> None:
    lines = [
        {"id": 1, "type": "ShippingLine", "description": "Postage", "value": 4.5},
        {"id": 2, "type": "GiftCardLine", "qty": 1, "unit_price": 50, "value": 50, "number": "GC0012345678"},
    ]
    facts = read(ticket(total=54.5, lines=lines, payments=[payment(amount=54.5)]))
    assert (facts.items, facts.shipping, facts.gift_cards) == ((), (Decimal("4.50"),), (Decimal("50.00"),))
    assert facts.gift_card_tender == "5"


def test_a_tax_line_without_jurisdiction_has_an_empty_code() -> None:
    line = tax_line()
    del line["tax_jurisdiction_id"]
    assert read(ticket(lines=[item_line(), line])).taxes[0].jurisdiction == ""


def test_a_return_names_the_sale_it_takes_back() -> None:
    assert read(ticket(parent_transaction_id=100007)).original_external_id == "100007"


def test_an_absent_balance_stays_unknown() -> None:
    assert read(ticket(balance=None)).balance is None


def test_the_business_date_is_the_stores_own_even_when_utc_is_a_day_further() -> None:
    late = ticket(completed_at="2010-12-02T04:30:00+00:00", local_completed_at="2010-12-01T22:30:00-06:00")
    assert read(late).header.business_date == date(2010, 12, 1)


@pytest.mark.parametrize("local", [None, "", "sometime"])
def test_without_a_local_time_the_time_zone_of_the_store_decides(local: str | None) -> None:
    late = ticket(completed_at="2010-12-02T04:30:00Z", local_completed_at=local)
    assert read(late).header.business_date == date(2010, 12, 1)


def test_a_local_time_without_offset_is_enough() -> None:
    facts = read(ticket(completed_at=None, local_completed_at="2010-12-01T22:30:00"))
    assert facts.header.completed_at == datetime(2010, 12, 2, 4, 30, tzinfo=UTC)


def test_a_day_that_starts_later_moves_the_small_hours_to_the_day_before() -> None:
    raw = kept(ticket(local_completed_at="2010-12-02T03:59:00-06:00"))
    early = read_ticket(raw, day_starts={"100003": time(4)})
    other_store = read_ticket(raw, day_starts={"100001": time(4)})
    assert early is not None and early.header.business_date == date(2010, 12, 1)
    assert other_store is not None and other_store.header.business_date == date(2010, 12, 2)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"lines": [item_line(), tax_line(type="DiscountLine")]}, "type 'DiscountLine', not known"),
        ({"lines": [item_line(), tax_line(type=None)]}, "type missing, not known"),
        ({"lines": None}, "its lines are missing"),
        ({"lines": ["row"]}, "its lines are missing"),
        ({"payments": None}, "its payments are missing"),
        ({"lines": [item_line(value="twenty")]}, "the value of the line Wicker star is 'twenty'"),
        ({"lines": [item_line(value=None)]}, "the value of the line Wicker star is missing"),
        ({"lines": [item_line(value=True)]}, "which is not an amount"),
        ({"lines": [item_line(qty="one")]}, "the quantity of Wicker star is 'one'"),
        ({"lines": [item_line(unit_cost="n/a")]}, "the cost of Wicker star is 'n/a'"),
        ({"lines": [item_line(item_id=100999)]}, "its item 100999 (Wicker star) cannot be found"),
        ({"lines": [item_line(item_id=None)]}, "its item ? (Wicker star) cannot be found"),
        ({"lines": [tax_line(value="NaN")]}, "is 'NaN', which is not an amount"),
        ({"payments": [payment(amount="cash")]}, "the amount of a payment is 'cash'"),
        ({"payments": [payment(payment_type_id=None)]}, "a payment names no payment type"),
        ({"payments": [payment(status="pending")]}, "the status of a payment, 'pending', is not known"),
        ({"total": None}, "its total is missing"),
        ({"total": "1e999"}, "its total is '1e999'"),
        ({"balance": "none"}, "its balance is 'none'"),
        ({"source_location_id": None}, "it names no store"),
        ({"completed_at": None, "local_completed_at": None}, "does not say when it was completed"),
        ({"completed_at": "0001-01-01T00:00:00Z", "local_completed_at": None}, "does not say when it was completed"),
        ({"completed_at": None, "local_completed_at": "9999-12-31T23:59:59"}, "does not say when it was completed"),
        ({"lines": [item_line(type=["ItemLine"])]}, "a line of the type"),
        ({"lines": [item_line(type="ItemLine ")]}, "a line of the type"),
        ({"lines": [item_line(), tax_line(tax_jurisdiction_id=[3])]}, "the jurisdiction of a tax line is '[3]'"),
        ({"payments": [payment(payment_type_id={"id": 1})]}, "the payment type of a payment is"),
        ({"total": "1e9999999"}, "its total is '1e9999999'"),
        ({"total": "1e99999999999999999999"}, "its total is '1e99999999999999999999'"),
        ({"type": "Invoice"}, "its type 'Invoice' is not known"),
    ],
)
def test_what_cannot_be_read_is_refused_by_name(changes: Json, words: str) -> None:
    sentence = str(refusal(ticket(**changes)))
    assert sentence.startswith("Ticket 536365: ")
    assert words in sentence


@pytest.mark.parametrize(
    ("changes", "flaw"),
    [
        ({"type": "Invoice"}, Flaw.TYPE),
        ({"lines": [item_line(type="LoyaltyLine")]}, Flaw.LINE),
        ({"lines": None}, Flaw.PARTS),
        ({"payments": None}, Flaw.PARTS),
        ({"lines": [item_line(item_id=999)]}, Flaw.ITEM),
        ({"lines": [item_line(), tax_line(tax_jurisdiction_id=[3])]}, Flaw.ID),
        ({"source_location_id": None}, Flaw.NO_STORE),
        ({"completed_at": None, "local_completed_at": None}, Flaw.TIME),
        ({"payments": [payment(status="pending")]}, Flaw.TENDER),
        ({"payments": [payment(payment_type_id=None)]}, Flaw.TENDER),
        ({"payments": [payment(amount="?")]}, Flaw.AMOUNT),
        ({"total": None}, Flaw.AMOUNT),
        ({"balance": "none"}, Flaw.AMOUNT),
    ],
)
def test_each_kind_of_refusal_has_a_cause_of_its_own(changes: Json, flaw: Flaw) -> None:
    assert refusal(ticket(**changes)).cause == f"unreadable:{flaw.value}"


def test_a_number_that_json_does_not_know_is_no_amount() -> None:
    assert "not an amount" in str(refusal(ticket(total=float("nan"))))


def test_an_absurd_quantity_is_kept_as_it_is() -> None:
    """A barcode scanned into the quantity: the rules judge what it comes to."""
    (sold,) = read(ticket(lines=[item_line(qty=5012345678900, unit_cost=55), tax_line()])).items
    assert (sold.quantity, sold.unit_cost) == (Decimal(5012345678900), Decimal(55))


def test_an_item_class_that_is_no_id_does_not_pass_for_none() -> None:
    assert "the item class of Wicker star is '[3]'" in str(refusal(ticket(), known=item(financial_class_id=[3])))


def test_a_refusal_keeps_what_could_be_read() -> None:
    header = refusal(ticket(lines=None)).header
    assert header is not None
    assert (header.number, header.store_external_id, header.total) == ("536365", "100003", Decimal("21.25"))
    assert header.business_date == date(2010, 12, 1)


def test_a_refusal_leaves_open_what_could_not_be_read() -> None:
    header = refusal(ticket(source_location_id=None, local_completed_at=None, total="?"), time_zone="").header
    assert header is not None
    assert (header.store_external_id, header.business_date, header.total) == (None, None, None)


def test_what_is_no_json_is_refused() -> None:
    with pytest.raises(Unreadable, match="no JSON object") as refused:
        read_ticket(b"<html>")
    assert refused.value.cause == "unreadable:json"


def test_a_card_number_in_a_name_or_sentence_is_masked() -> None:
    (sold,) = read(ticket(lines=[item_line(item_description=f"Paid {CARD}"), tax_line()])).items
    assert sold.name == "Paid [masked]"
    assert "4111" not in str(refusal(ticket(lines=[item_line(value=CARD)])))


def test_names_are_fit_for_any_database() -> None:
    (sold,) = read(ticket(lines=[item_line(item_description="Star\x00 \ud83d"), tax_line()])).items
    assert sold.name == "Star ?"


def test_a_location_is_a_store_whose_time_zone_may_be_unknown() -> None:
    row = {"id": 100002, "name": "Los Angeles", "active?": True, "time_zone": "America/Los_Angeles"}
    assert read_store(row) == RemoteStore("100002", "Los Angeles", "America/Los_Angeles", True)
    assert read_store({"id": 7, "name": None, "active?": False}) == RemoteStore("7", "7", "", False)


def test_payment_types_have_names_and_one_is_the_gift_card() -> None:
    types: list[Json] = [{"id": 1, "name": "Cash", "active?": True}, {"id": 5, "name": "Gift card"}]
    assert read_name(types[0], dimension=Dimension.TENDER) == DimensionName(Dimension.TENDER, "1", "Cash")
    assert gift_card_tender(types) == "5"
    assert gift_card_tender(types[:1]) == ""


def test_only_a_ticket_that_was_completed_is_handed_on() -> None:
    never = ticket(status="incomplete", completed_at=None, local_completed_at=None, **{"completed?": False})
    assert not was_completed(never)
    assert not was_completed(never | {"voided?": True, "completed_at": ""})
    assert was_completed(ticket(status="incomplete", **{"completed?": False}))
    assert was_completed(ticket())


def test_of_the_sandboxs_odd_tickets_only_the_unfinished_one_is_kept_back() -> None:
    assert [odd.id for odd in cruel_tickets(build_shop()) if not was_completed(odd.header)] == [900014]
