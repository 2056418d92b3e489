"""The cruel documents are what their list says they are."""

from collections import Counter
from decimal import Decimal

from sandbox.shop import build_shop
from sandbox.shop_cruel import cruel_tickets, expected_outcomes
from sandbox.shop_documents import Document

BY_ID = {ticket.id: ticket for ticket in cruel_tickets(build_shop())}


def gap(ticket: Document) -> Decimal:
    total: Decimal = ticket.header["total"] - sum(line["value"] for line in ticket.lines)
    return total


def test_every_listed_document_exists_under_its_number() -> None:
    real = {ticket.id: ticket for ticket in build_shop().tickets}
    for listed in expected_outcomes():
        ticket = BY_ID.get(listed["id"]) or real[listed["id"]]
        assert ticket.header["public_id"] == listed["number"]
    assert set(BY_ID) <= {listed["id"] for listed in expected_outcomes()}


def test_outcomes_are_known_words_and_errors_have_a_reason() -> None:
    outcomes = Counter(listed["outcome"] for listed in expected_outcomes())
    assert outcomes == {"error": 7, "synced": 8, "absent": 2, "nothing_to_post": 1}
    reasons = Counter(listed["reason"] for listed in expected_outcomes() if listed["outcome"] == "error")
    assert reasons == {"unreadable": 4, "unmapped": 1, "period_closed": 1, "foreign_entry": 1}


def test_all_but_one_are_dated_inside_the_month() -> None:
    days = {id: (ticket.header["local_completed_at"] or "")[:10] for id, ticket in BY_ID.items()}
    assert days.pop(900006) == "2010-11-29"
    assert days.pop(900014) == ""
    assert all("2010-12-01" <= day <= "2010-12-23" for day in days.values())


def test_the_unreadable_ones_cannot_be_booked() -> None:
    assert BY_ID[900001].lines[0]["type"] == "LoyaltyLine"
    assert BY_ID[900002].lines[0]["value"] == "twelve"
    assert gap(BY_ID[900003]) == Decimal("0.50")
    assert BY_ID[900004].lines[0]["unit_cost"] is None
    assert BY_ID[900005].payments[0]["payment_type_id"] == 9


def test_the_rounding_is_within_five_cents() -> None:
    ticket = BY_ID[900007]
    assert gap(ticket) == Decimal("0.03")
    assert ticket.header["total_paid"] == ticket.header["total"] == ticket.payments[0]["amount"]


def test_the_unpaid_balance_is_said_in_the_header() -> None:
    header = BY_ID[900008].header
    assert header["balance"] == Decimal("10.00")
    assert header["total_paid"] + 10 == header["total"]


def test_the_exchange_sells_and_takes_back() -> None:
    values = [line["value"] for line in BY_ID[900010].lines if line["type"] == "ItemLine"]
    assert min(values) < 0 < max(values)


def test_the_deposit_and_the_rest_pay_the_ticket() -> None:
    ticket = BY_ID[900011]
    assert [row["deposit"] for row in ticket.payments] == [True, False]
    assert sum(row["amount"] for row in ticket.payments) == ticket.header["total"]


def test_the_gift_card_sale_has_nothing_else() -> None:
    ticket = BY_ID[900012]
    assert [line["type"] for line in ticket.lines] == ["GiftCardLine"]
    assert ticket.header["total"] == Decimal("50.00")


def test_voided_incomplete_and_free_ones() -> None:
    assert BY_ID[900013].header["voided?"] is True
    assert BY_ID[900014].header["completed?"] is False
    free = BY_ID[900015]
    assert free.header["total"] == 0 and not free.payments and free.lines[0]["unit_cost"] is None


def test_amounts_as_text_leave_no_number_behind() -> None:
    ticket = BY_ID[900016]
    rows = [ticket.header, *ticket.lines, *ticket.payments]
    assert not any(isinstance(value, Decimal) for row in rows for value in row.values())
    assert ticket.header["total"] == "26.73"
