"""Every ticket of the shop is whole: its lines, its tax and its payments agree to the cent."""

from collections import Counter
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path

import pytest

from sandbox.shop import build_shop, items_of
from sandbox.shop_documents import Document
from sandbox.shop_rules import (
    CASH,
    STORE_BY_ID,
    cash_with_change,
    class_of,
    cost_of,
    is_tracked,
    refund_of,
    store_of,
    tenders_of,
)
from sandbox.shop_sales import highest_prices, month

CENT = Decimal("0.01")
TICKETS = build_shop().tickets


def values(ticket: Document, kind: str) -> Decimal:
    return sum((line["value"] for line in ticket.lines if line["type"] == kind), Decimal(0))


def test_ids_run_in_order_of_time_and_number() -> None:
    assert [ticket.id for ticket in TICKETS] == list(range(100001, 101946))
    assert [ticket.header["public_id"] for ticket in TICKETS] == [sale.number for sale in month().tickets]


def test_the_total_is_the_sum_of_the_lines_and_of_the_payments() -> None:
    for ticket in TICKETS:
        header = ticket.header
        assert header["total"] == sum(line["value"] for line in ticket.lines)
        assert header["total"] == header["total_paid"] == sum(row["amount"] for row in ticket.payments)
        assert header["balance"] == 0
        assert header["total"] == header["subtotal"] + header["total_tax"]


def test_seventy_tickets_have_a_total_of_zero_and_no_payment() -> None:
    free = [ticket for ticket in TICKETS if ticket.header["total"] == 0]
    assert len(free) == 70 and not any(ticket.payments for ticket in free)


def test_a_line_is_worth_quantity_times_price_and_nothing_below_a_cent() -> None:
    for line in (line for ticket in TICKETS for line in ticket.lines):
        assert line["value"] == line["value"].quantize(CENT)
        if "unit_price" in line:
            assert line["value"] == line["qty"] * line["unit_price"]


def test_tax_is_one_line_half_up_on_the_item_lines_of_the_store() -> None:
    for ticket in TICKETS:
        store = STORE_BY_ID[ticket.header["source_location_id"]]
        tax = (values(ticket, "ItemLine") * store.rate).quantize(CENT, rounding=ROUND_HALF_UP)
        lines = [line for line in ticket.lines if line["type"] == "TaxLine"]
        assert ticket.header["total_tax"] == tax == values(ticket, "TaxLine")
        assert len(lines) == (1 if tax else 0)
        assert all(line["tax_jurisdiction_id"] == store.jurisdiction_id for line in lines)


def test_every_kind_of_line_is_there() -> None:
    kinds = Counter(line["type"] for ticket in TICKETS for line in ticket.lines)
    assert kinds["ShippingLine"] == 69 + 54 + 10
    assert kinds["GiftCardLine"] == 2
    assert kinds["ItemLine"] == 42_481 - 70 - 10 - kinds["ShippingLine"] - kinds["GiftCardLine"]
    assert set(kinds) == {"ItemLine", "TaxLine", "ShippingLine", "GiftCardLine"}


def test_every_way_to_pay_is_there() -> None:
    used = Counter(row["payment_type_id"] for ticket in TICKETS for row in ticket.payments)
    assert set(used) == {1, 2, 3, 4, 5} and min(used.values()) > 50
    two = [t for t in TICKETS if len({row["payment_type_id"] for row in t.payments}) == 2]
    assert len(two) > 50


def test_change_is_a_cash_payment_of_its_own() -> None:
    changes = [t for t in TICKETS if t.header["type"] == "Ticket" and any(p["amount"] < 0 for p in t.payments)]
    assert len(changes) > 100
    for ticket in changes:
        received, change = ticket.payments
        assert received["payment_type_id"] == change["payment_type_id"] == CASH
        assert received["amount"] > ticket.header["total"] > 0 > change["amount"]


@pytest.mark.parametrize(
    ("total", "received", "change"),
    [("8.75", "10.00", "-1.25"), ("20.00", "20.00", None), ("20.01", "40.00", "-19.99")],
)
def test_cash_comes_in_notes(total: str, received: str, change: str | None) -> None:
    expected = [(CASH, Decimal(received))] + ([(CASH, Decimal(change))] if change else [])
    assert cash_with_change(Decimal(total)) == expected


def test_tenders_add_up_for_any_total() -> None:
    for cents in range(1, 40_000, 37):
        total = Decimal(cents) / 100
        assert sum(amount for _, amount in tenders_of(f"{cents}", total=total)) == total
        assert sum(amount for _, amount in refund_of(f"C{cents}", total=-total)) == -total


def test_a_refund_goes_back_to_the_way_the_sale_was_paid() -> None:
    by_id = {ticket.id: ticket for ticket in TICKETS}
    with_sale = [t for t in TICKETS if t.header["parent_transaction_id"]]
    assert len(with_sale) == 151
    for ticket in with_sale:
        sale = by_id[ticket.header["parent_transaction_id"]]
        assert sale.id < ticket.id and sale.header["type"] == "Ticket"
        if sale.payments and ticket.payments:
            assert ticket.payments[0]["payment_type_id"] == sale.payments[0]["payment_type_id"]


def test_cancellations_are_returns() -> None:
    returns = [ticket for ticket in TICKETS if ticket.header["type"] == "Return"]
    assert len(returns) == 318
    assert all(ticket.header["public_id"].startswith("C") and ticket.header["total"] < 0 for ticket in returns)


def test_local_time_is_the_store_and_utc_may_be_another_day() -> None:
    late = [t for t in TICKETS if t.header["local_completed_at"][:10] != t.header["completed_at"][:10]]
    assert late and {t.header["source_location_id"] for t in late} >= {100002}
    first = TICKETS[0].header
    sale = month().tickets[0]
    assert first["local_completed_at"][:19] == sale.at.isoformat()


def test_tracked_items_have_cost_and_class_and_others_have_neither() -> None:
    items = {row["id"]: row for row in build_shop().items.values()}
    for line in (line for t in TICKETS for line in t.lines if line["type"] == "ItemLine"):
        item = items[line["item_id"]]
        assert item["track_inventory?"] is is_tracked(item["public_id"])
        assert (line["unit_cost"] is not None) is item["track_inventory?"]
        assert (item["financial_class_id"] in range(1, 6)) is item["track_inventory?"]


def test_cost_is_fifty_five_percent_of_the_highest_price_or_one() -> None:
    assert cost_of(Decimal("2.95")) == Decimal("1.62")
    assert cost_of(Decimal("0.10")) == Decimal("0.06")
    assert cost_of(Decimal("0.00")) == Decimal("1.00")
    items, prices = items_of(month().lines), highest_prices(month().lines)
    assert items["22423"]["cost"] == cost_of(prices["22423"])


@pytest.mark.parametrize(
    ("description", "number"),
    [
        ("RED COAT RACK PARIS FASHION", 1),
        ("REGENCY CAKESTAND 3 TIER", 2),
        ("WHITE HANGING HEART T-LIGHT HOLDER", 3),
        ("PACK OF 6 BIRDY GIFT TAGS", 4),
        ("JUMBO BAG RED RETROSPOT", 5),
    ],
)
def test_words_of_the_description_decide_the_class(description: str, number: int) -> None:
    assert class_of(description) == number


def test_every_store_sells_and_a_number_always_has_the_same_store() -> None:
    sold = Counter(ticket.header["source_location_id"] for ticket in TICKETS)
    assert set(sold) == set(STORE_BY_ID) and min(sold.values()) > 500
    assert [store_of(number).id for number in ("536365", "536420", "C536379")] == [
        next(t.header["source_location_id"] for t in TICKETS if t.header["public_id"] == number)
        for number in ("536365", "536420", "C536379")
    ]


def test_ids_of_lines_and_payments_are_unique() -> None:
    for rows in ([t.lines for t in TICKETS], [t.payments for t in TICKETS]):
        ids = [row["id"] for part in rows for row in part]
        assert len(ids) == len(set(ids))


def test_discounts_are_adjusted_prices() -> None:
    for ticket in TICKETS:
        header = ticket.header
        assert header["original_subtotal"] - header["total_discounts"] == header["subtotal"]
    cheaper = [line for t in TICKETS for line in t.lines if line.get("adjusted_unit_price") is not None]
    assert cheaper and all(line["adjusted_unit_price"] == line["unit_price"] for line in cheaper)


def test_the_committed_data_stays_small() -> None:
    data = Path(__file__).parents[2] / "sandbox" / "data"
    assert sum(path.stat().st_size for path in data.iterdir()) < 2_000_000
