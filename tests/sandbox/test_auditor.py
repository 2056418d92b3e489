"""The auditor finds every way in which the books can disagree with the till."""

import datetime
import json
import re
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from sandbox import auditor
from sandbox.auditor_http import AuditFailed
from tests.sandbox.auditor_vendors import (
    CARD,
    CASH,
    COGS,
    GOLDEN,
    SALES,
    STOCK,
    TAX,
    Vendors,
    cruel_data,
    item,
    pay,
    sell_golden,
    serve,
    tax,
)

ONE_SALE = ("Debit", CASH, "1.00"), ("Credit", SALES, "1.00")


@pytest.fixture
def vendors() -> Iterator[Vendors]:
    with serve() as both:
        yield both


def agrees(vendors: Vendors, **options: Any) -> dict[str, Any]:
    result = auditor.audit(vendors.url, **options)
    assert result["ok"] and result["differences"] == 0, result["examples"]
    return result


def complains(vendors: Vendors, *sentences: str, **options: Any) -> dict[str, Any]:
    """Each sentence is found, and there are no more differences than that."""
    result = auditor.audit(vendors.url, **options)
    assert not result["ok"]
    for sentence in sentences:
        found = any(re.search(sentence, example) for example in result["examples"])
        assert found, (sentence, result["examples"])
    assert result["differences"] == len(sentences), result["examples"]
    return result


def test_agrees_on_the_worked_example_with_cash_and_change(vendors: Vendors) -> None:
    vendors.post(sell_golden(vendors), *GOLDEN)
    result = agrees(vendors)
    assert (result["events"], result["entries"], result["nothing_to_post"]) == (1, 1, 0)
    assert (result["debits"], result["credits"]) == ("38.00", "38.00")


def test_a_return_swaps_the_sides(vendors: Vendors) -> None:
    refund = vendors.sell(item("-20.00", qty="-1"), tax("-1.25"), pay=[pay("-21.25", by=2)], type="Return")
    vendors.post(refund, ("Credit", CARD, "21.25"), ("Debit", SALES, "20.00"), ("Debit", TAX, "1.25"),
                 ("Credit", COGS, "8.00"), ("Debit", STOCK, "8.00"))  # fmt: skip
    agrees(vendors)


def test_an_exchange_shows_both_sides_and_nets_nothing(vendors: Vendors) -> None:
    lines = item("20.00"), item("-12.00", qty="-2", cost="2.125")
    ticket = vendors.sell(*lines, pay=[pay("8.00", by=3)])
    sold = ("Debit", COGS, "8.00"), ("Credit", STOCK, "8.00")
    cost = *sold, ("Credit", COGS, "4.25"), ("Debit", STOCK, "4.25")
    both = ("Credit", SALES, "20.00"), ("Debit", SALES, "12.00")
    vendors.post(ticket, ("Debit", CARD, "8.00"), *both, *cost)
    agrees(vendors)
    vendors.entries.clear()
    vendors.post(ticket, ("Debit", CARD, "8.00"), ("Credit", SALES, "8.00"), *cost)
    assert auditor.audit(vendors.url)["differences"] == 4  # two sides in the ticket, two in the day's sums


def test_a_deposit_paid_before_is_relieved(vendors: Vendors) -> None:
    paid = [pay("75.00", by=2), pay("25.00", by=2, deposit=True)]
    ticket = vendors.sell(item("100.00", cost="40"), pay=paid)
    goods = ("Credit", SALES, "100.00"), ("Debit", COGS, "40.00"), ("Credit", STOCK, "40.00")
    vendors.post(ticket, ("Debit", CARD, "75.00"), ("Debit", "Customer Deposits", "25.00"), *goods)
    agrees(vendors)


def test_gift_cards_shipping_and_untracked_items(vendors: Vendors) -> None:
    card = {"type": "GiftCardLine", "value": Decimal("25.00")}
    post = {"type": "ShippingLine", "value": Decimal("5.00")}
    odd = item("7.00", item_id=12, cost=None)
    ticket = vendors.sell(card, post, odd, pay=[pay("30.00", by=4), pay("7.00", by=5)])
    vendors.post(ticket, ("Debit", "Card Clearing:American Express", "30.00"),
                 ("Debit", "Gift Cards Outstanding", "7.00"), ("Credit", "Gift Cards Outstanding", "25.00"),
                 ("Credit", "Shipping Income", "5.00"), ("Credit", "Sales:Other", "7.00"))  # fmt: skip
    agrees(vendors)


def test_cost_is_rounded_half_up_per_line_both_ways(vendors: Vendors) -> None:
    ticket = vendors.sell(item("1.00", cost="0.125"), item("-1.00", qty="-1", cost="0.125"), pay=[])
    vendors.post(ticket, ("Credit", SALES, "1.00"), ("Debit", SALES, "1.00"), ("Debit", COGS, "0.13"),
                 ("Credit", COGS, "0.13"), ("Debit", STOCK, "0.13"), ("Credit", STOCK, "0.13"))  # fmt: skip
    agrees(vendors)


@pytest.mark.parametrize(("paid", "side"), [("9.97", "Debit"), ("10.03", "Credit")])
def test_three_cents_are_rounding(vendors: Vendors, paid: str, side: str) -> None:
    ticket = vendors.sell(item("10.00", item_id=12, cost=None), pay=[pay(paid)])
    vendors.post(ticket, ("Debit", CASH, paid), ("Credit", "Sales:Other", "10.00"),
                 (side, "Cash Over and Short", "0.03"))  # fmt: skip
    agrees(vendors)


def test_an_unpaid_balance_waits_in_its_clearing_account(vendors: Vendors) -> None:
    ticket = vendors.sell(item("30.00", item_id=12, cost=None), pay=[pay("20.00")], balance=Decimal("10.00"))
    vendors.post(ticket, ("Debit", CASH, "20.00"), ("Debit", "Customer Balance Clearing", "10.00"),
                 ("Credit", "Sales:Other", "30.00"))  # fmt: skip
    agrees(vendors)


def test_voided_incomplete_and_free_tickets_expect_no_entry(vendors: Vendors) -> None:
    sell_golden(vendors, **{"voided?": True})
    sell_golden(vendors, status="incomplete")
    vendors.sell(item("0.00", item_id=12, cost=None), pay=[pay("5.00", status="voided")], total_paid=0)
    result = agrees(vendors)
    assert (result["events"], result["nothing_to_post"], result["entries"]) == (1, 1, 0)


def test_somebody_elses_entry_is_not_counted(vendors: Vendors) -> None:
    vendors.post(sell_golden(vendors), *GOLDEN)
    vendors.post(100001, *ONE_SALE, PrivateNote="typed by hand")
    assert agrees(vendors)["entries"] == 1


def test_capitals_and_amounts_as_text_are_read(vendors: Vendors) -> None:
    ticket = sell_golden(vendors, status="Complete", total="21.25", total_paid="21.25", balance="0.00")
    for line in vendors.tickets[ticket]["lines"]:
        line["value"] = str(line["value"])
    vendors.post(ticket, *GOLDEN)
    agrees(vendors)


def test_lines_and_payments_are_fetched_when_not_embedded(vendors: Vendors) -> None:
    vendors.post(sell_golden(vendors), *GOLDEN)
    vendors.embeds = False
    agrees(vendors)


def test_a_wrong_account_is_found_in_the_ticket_and_in_the_sums(vendors: Vendors) -> None:
    other = "Sales:Kitchen and Dining"
    rest = (line for line in GOLDEN if line[1] != SALES)
    vendors.post(sell_golden(vendors), *rest, ("Credit", other, "20.00"))
    complains(vendors, f"Ticket 100001.*{SALES} is 0.00.*20.00 expected", f"Ticket 100001.*{other} is 20.00",
              f"Main Street.*{SALES} sums to 0.00", f"Main Street.*{other} sums to 20.00")  # fmt: skip


def test_a_cent_is_found_even_when_the_entry_balances(vendors: Vendors) -> None:
    wrong = ("Credit", SALES, "19.99"), ("Credit", TAX, "1.26")
    vendors.post(sell_golden(vendors), *(line for line in GOLDEN if line[1] not in (SALES, TAX)), *wrong)
    complains(vendors, f"Ticket.*{SALES} is 19.99", f"Ticket.*{TAX} is 1.26", "sums to 19.99", "sums to 1.26")


def test_an_entry_that_does_not_balance_is_found(vendors: Vendors) -> None:
    vendors.post(sell_golden(vendors), *GOLDEN[:-1], ("Credit", STOCK, "7.99"))
    complains(vendors, "does not balance: debits 38.00, credits 37.99", "Ticket.*is 7.99", "sums to 7.99")


def test_a_missing_entry_is_found(vendors: Vendors) -> None:
    sell_golden(vendors)
    complains(vendors, "Ticket 100001.*no entry in QuickBooks", *["sums to 0.00"] * 6)


def test_a_doubled_entry_is_found(vendors: Vendors) -> None:
    ticket = sell_golden(vendors)
    vendors.post(ticket, *GOLDEN)
    vendors.post(ticket, *GOLDEN)
    complains(vendors, "2 entries instead of one", *["sums to"] * 6)


def test_a_doubled_entry_under_a_longer_or_lost_number_is_found(vendors: Vendors) -> None:
    ticket = sell_golden(vendors)
    vendors.post(ticket, *GOLDEN)
    vendors.post(ticket, *GOLDEN, DocNumber="HR-T100001-2", PrivateNote="[Daybook HR-T100001-2]")
    complains(vendors, "2 entries instead of one", *["sums to"] * 6)
    vendors.entries[1].update(DocNumber=None, PrivateNote="[Daybook HR-T100001]")
    complains(vendors, "without number.*no ticket", "mark of another", *["unknown store.*sums to"] * 6)


def test_a_wrong_date_is_found(vendors: Vendors) -> None:
    vendors.post(sell_golden(vendors), *GOLDEN, TxnDate="2010-12-02")
    complains(vendors, "dated 2010-12-02, the business date is 2010-12-01", *["sums to"] * 12)


def test_the_business_date_is_the_stores_own(vendors: Vendors) -> None:
    late = {"completed_at": "2010-12-02T07:30:00+00:00", "source_location_id": 100002}
    lines = ("Debit", "Cash on Hand:Los Angeles", "5.00"), ("Credit", "Sales:Other", "5.00")
    for local in ("2010-12-01T23:30:00-08:00", None):
        ticket = vendors.sell(item("5.00", item_id=12), pay=[pay("5.00")], local_completed_at=local, **late)
        vendors.post(ticket, *lines)
    agrees(vendors)


def test_an_entry_of_an_unknown_or_voided_ticket_is_found(vendors: Vendors) -> None:
    vendors.post(999999, *ONE_SALE)
    complains(vendors, "HR-T999999.*no ticket", *["unknown store.*sums to 1.00"] * 2)
    vendors.entries.clear()
    vendors.post(sell_golden(vendors, **{"voided?": True}), *ONE_SALE)
    complains(vendors, "should not exist.*voided", *["Main Street.*sums to 1.00"] * 2)


def spoil_each_way(vendors: Vendors) -> None:
    ways: list[Callable[[dict[str, Any]], None]] = [
        lambda ticket: ticket["lines"].append({"id": 9, "type": "MysteryLine", "value": 0}),
        lambda ticket: ticket["lines"][0].update(value="a lot"),
        lambda ticket: ticket.update(total=Decimal("21.19")),
        lambda ticket: ticket["lines"][0].update(unit_cost=None),
        lambda ticket: ticket["payments"][0].update(payment_type_id=9),
        lambda ticket: ticket["payments"][0].update(amount="29.94"),
    ]
    for spoil in ways:
        spoil(vendors.tickets[sell_golden(vendors)])


def test_a_ticket_that_cannot_be_booked_is_a_difference_unless_expected(vendors: Vendors, tmp_path: Path) -> None:
    spoil_each_way(vendors)
    complains(vendors, "unknown type 'MysteryLine'", "'a lot'", "total 21.19", "unit cost.*None",
              "payment type 9", "differ by 0.06")  # fmt: skip
    data = cruel_data(tmp_path, dict.fromkeys(vendors.tickets, "error"))
    assert agrees(vendors, cruel=True, data=data)["expected_errors"] == list(vendors.tickets)


@pytest.mark.parametrize("outcome", ["error", "absent", "nothing_to_post"])
def test_an_entry_of_a_ticket_that_had_to_stay_out_is_found(vendors: Vendors, tmp_path: Path, outcome: str) -> None:
    vendors.post(ticket := sell_golden(vendors), *GOLDEN)
    result = auditor.audit(vendors.url, cruel=True, data=cruel_data(tmp_path, {ticket: outcome}))
    assert "was to stay out of the books" in result["examples"][0]


def test_a_cruel_document_that_is_not_there_is_found(vendors: Vendors, tmp_path: Path) -> None:
    data = cruel_data(tmp_path, {900001: "error"})
    complains(vendors, "900001 of the cruel documents is not at the till", cruel=True, data=data)


def test_only_the_days_asked_for_are_judged(vendors: Vendors) -> None:
    sell_golden(vendors)
    vendors.post(999999, *ONE_SALE)
    day = datetime.date(2010, 12, 1)
    assert agrees(vendors, first=day + datetime.timedelta(1))["events"] == 0
    assert agrees(vendors, last=day - datetime.timedelta(1))["events"] == 0
    assert auditor.audit(vendors.url, first=day, last=day)["events"] == 1


def test_what_is_sold_while_the_audit_runs_is_left_out(vendors: Vendors) -> None:
    sell_golden(vendors, completed_at="2999-01-01T00:00:00+00:00")
    assert agrees(vendors)["events"] == 0


def test_a_missing_account_is_found(vendors: Vendors) -> None:
    vendors.accounts = {key: name for key, name in vendors.accounts.items() if name != "Shipping Income"}
    complains(vendors, "0 accounts named 'Shipping Income'")


def test_bad_answers_are_tried_again(vendors: Vendors) -> None:
    vendors.post(sell_golden(vendors), *GOLDEN)
    vendors.bad_answers = [(502, b"<html>"), (200, b"<html>"), (429, b"{}"), (401, b"{}")]
    agrees(vendors)


def test_no_vendor_is_no_agreement(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("sandbox.auditor_http.time.sleep", lambda seconds: None)
    assert auditor.main(["--url", "http://127.0.0.1:1"]) == 1
    result = json.loads(capsys.readouterr().out)
    assert not result["ok"] and "/locations gave no usable answer" in result["examples"][0]
    with pytest.raises(AuditFailed):
        auditor.audit("nowhere")


def test_the_command_prints_one_line_of_json(vendors: Vendors, capsys: pytest.CaptureFixture[str]) -> None:
    vendors.post(sell_golden(vendors), *GOLDEN)
    assert auditor.main(["--url", vendors.url, "--from", "2010-12-01", "--to", "2010-12-31"]) == 0
    printed = capsys.readouterr()
    assert printed.out.count("\n") == 1
    assert json.loads(printed.out)["ok"]
    assert "The books agree with the till" in printed.err
