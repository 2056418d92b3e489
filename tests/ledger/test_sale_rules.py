"""Sales, returns and exchanges as an accountant reviews them: a ticket in, a table of debits and credits out.

Heartland contract 3.2 rows 1a to 1l, 2 and 3b, the decisions below that table, and worked examples 1 and 2 of 3.5.
"""

from dataclasses import replace
from decimal import Decimal

import pytest

from ledger import rules
from ledger.errors import Unreadable
from ledger.terms import EventKind
from tests.trade import booked, item, paid, table, tax, ticket

D = Decimal
CASH, VISA, GIFT_CARD = "1", "2", "5"

# --- Worked examples ------------------------------------------------------------------------------


def test_worked_example_1_a_marked_down_item_paid_in_cash_with_change() -> None:
    """One item of 25.00 sold at 20.00, cost 8.00, tax 1.25, cash 30.00, change 8.75."""
    sold = ticket(item("20.00", cost="8.00"), tax("1.25"), paid("30.00", by=CASH), paid("-8.75", by=CASH))
    assert booked(sold) == table("""
        Dr tender 1              30.00
        Cr tender 1               8.75
        Cr sales 1               20.00
        Cr tax_payable 1          1.25
        Dr cogs 1                 8.00
        Cr inventory_on_hand 1    8.00
    """)


def test_worked_example_2_a_layaway_is_picked_up() -> None:
    """100.00, of which 25.00 was taken as a deposit by card; 75.00 by card now, plus the cost lines."""
    picked_up = ticket(item("100.00", cost="40.00"), paid("25.00", by=VISA, deposit=True), paid("75.00", by=VISA))
    assert booked(picked_up) == table("""
        Dr tender 2              75.00
        Dr tender_deposit 2      25.00
        Cr sales 1              100.00
        Dr cogs 1                40.00
        Cr inventory_on_hand 1   40.00
    """)


# --- Row by row -----------------------------------------------------------------------------------


def test_1a_each_payment_is_debited_and_each_class_credited_after_discounts() -> None:
    sold = ticket(item("20.00", kind="1"), item("5.50", kind="2"), paid("15.50", by=CASH), paid("10.00", by=VISA))
    assert booked(sold, post_cost=False) == table("""
        Dr tender 1   15.50
        Dr tender 2   10.00
        Cr sales 1    20.00
        Cr sales 2     5.50
    """)


def test_1b_each_tax_line_is_credited_to_its_jurisdiction() -> None:
    sold = ticket(item("20.00"), tax("1.00", place="1"), tax("0.60", place="2"), paid("21.60"))
    assert booked(sold, post_cost=False) == table("""
        Dr tender 1        21.60
        Cr sales 1         20.00
        Cr tax_payable 1    1.00
        Cr tax_payable 2    0.60
    """)


def test_1c_cost_is_quantity_times_unit_cost() -> None:
    sold = ticket(item("60.00", qty="3", cost="8.25"), paid("60.00"))
    assert booked(sold) == table("""
        Dr tender 1              60.00
        Cr sales 1               60.00
        Dr cogs 1                24.75
        Cr inventory_on_hand 1   24.75
    """)


def test_1d_shipping_charged_is_income_of_its_own() -> None:
    sold = ticket(item("20.00"), paid("27.95"), shipping=(D("7.95"),))
    assert booked(sold, post_cost=False) == table("""
        Dr tender 1        27.95
        Cr sales 1         20.00
        Cr shipping_income  7.95
    """)


def test_1e_a_gift_card_sold_is_owed_to_its_bearer() -> None:
    sold = ticket(paid("50.00", by=VISA), gift_cards=(D("50.00"),))
    assert booked(sold) == table("""
        Dr tender 2               50.00
        Cr gift_card_liability 5  50.00
    """)


def test_1f_a_gift_card_redeemed_is_a_tender_like_any_other() -> None:
    sold = ticket(item("20.00"), paid("20.00", by=GIFT_CARD))
    assert booked(sold, post_cost=False) == table("""
        Dr tender 5  20.00
        Cr sales 1   20.00
    """)


def test_1g_cash_received_and_change_given_are_two_lines() -> None:
    sold = ticket(item("7.30"), paid("10.00"), paid("-2.70"))
    assert booked(sold, post_cost=False) == table("""
        Dr tender 1  10.00
        Cr tender 1   2.70
        Cr sales 1    7.30
    """)


def test_1h_a_custom_tender_has_an_account_of_its_own() -> None:
    sold = ticket(item("20.00"), paid("20.00", by="9"))
    assert booked(sold, post_cost=False) == table("""
        Dr tender 9  20.00
        Cr sales 1   20.00
    """)


def test_1i_a_discount_has_no_line_it_reduces_the_sale() -> None:
    """The extended price is what is left after the markdown: 25.00 less 20 %."""
    sold = ticket(item("20.00"), paid("20.00"))
    assert not any("discounts" in line for line in booked(sold))


def test_1j_a_tip_is_owed_to_who_earned_it() -> None:
    sold = ticket(item("20.00"), paid("23.00", by=VISA), tips=(D("3.00"),))
    assert booked(sold, post_cost=False) == table("""
        Dr tender 2      23.00
        Cr sales 1       20.00
        Cr tips_payable   3.00
    """)


def test_1k_a_difference_of_five_cents_is_rounding() -> None:
    """Cash is taken in steps of five cents: 19.95 for 20.00."""
    short = ticket(item("20.00"), paid("19.95"))
    assert booked(short, post_cost=False) == table("""
        Dr tender 1  19.95
        Dr rounding   0.05
        Cr sales 1   20.00
    """)


def test_1k_the_customer_may_round_up_too() -> None:
    over = ticket(item("20.00"), paid("20.05"), balance="0.00")
    assert booked(over, post_cost=False) == table("""
        Dr tender 1  20.05
        Cr rounding   0.05
        Cr sales 1   20.00
    """)


def test_1k_a_total_that_is_off_by_five_cents_is_rounding() -> None:
    off = ticket(item("20.00"), paid("20.05"), total="20.05")
    assert booked(off, post_cost=False) == table("""
        Dr tender 1  20.05
        Cr rounding   0.05
        Cr sales 1   20.00
    """)


@pytest.mark.parametrize("total", ["20.06", "19.94"])
def test_1k_a_total_that_is_off_by_six_cents_is_refused(total: str) -> None:
    with pytest.raises(Unreadable, match="is not the sum of its parts 20.00 USD"):
        booked(ticket(item("20.00"), paid(total), total=total))


def test_1k_payments_and_balance_that_are_off_by_six_cents_are_refused() -> None:
    with pytest.raises(Unreadable, match="do not make up its total"):
        booked(ticket(item("20.00"), paid("19.94"), balance="0.00"))


def test_1k_two_roundings_that_exceed_the_limit_only_together_are_refused() -> None:
    with pytest.raises(Unreadable, match="payments and balance"):
        rules.draft(ticket(item("20.00"), paid("19.94"), total="19.99"), post_cost=False)


def test_1l_what_the_customer_still_owes_is_cleared_and_not_receivable() -> None:
    sold = ticket(item("20.00"), paid("15.00"))
    assert booked(sold, post_cost=False) == table("""
        Dr tender 1                   15.00
        Dr customer_balance_clearing   5.00
        Cr sales 1                    20.00
    """)


def test_1l_the_documents_own_balance_counts_where_it_states_one() -> None:
    sold = ticket(item("20.00"), paid("15.00"), balance="5.00")
    assert "Dr customer_balance_clearing 5.00" in booked(sold)


def test_1l_a_balance_of_a_few_cents_is_owed_where_the_document_says_so() -> None:
    sold = ticket(item("20.00"), paid("19.97"), balance="0.03")
    assert "Dr customer_balance_clearing 0.03" in booked(sold)


def test_1l_what_was_paid_too_much_is_owed_to_the_customer() -> None:
    sold = ticket(item("20.00"), paid("25.00"))
    assert "Cr customer_balance_clearing 5.00" in booked(sold)


def test_2_a_return_is_the_mirror_of_a_sale() -> None:
    returned = ticket(item("-20.00", qty="-1"), tax("-1.25"), paid("-21.25", by=VISA))
    assert booked(returned) == table("""
        Dr sales_returns 1       20.00
        Dr tax_payable 1          1.25
        Cr tender 2              21.25
        Dr inventory_on_hand 1    8.00
        Cr cogs 1                 8.00
    """)


def test_2_a_refund_to_a_new_gift_card_is_owed_to_its_bearer() -> None:
    returned = ticket(item("-20.00", qty="-1"), gift_cards=(D("20.00"),))
    assert booked(returned, post_cost=False) == table("""
        Dr sales_returns 1        20.00
        Cr gift_card_liability 5  20.00
    """)


def test_3b_a_deposit_is_relieved_and_never_counted_as_tender_a_second_time() -> None:
    picked_up = ticket(item("100.00"), paid("100.00", by=VISA, deposit=True))
    assert booked(picked_up, post_cost=False) == table("""
        Dr tender_deposit 2  100.00
        Cr sales 1           100.00
    """)


# --- The decisions below the table ----------------------------------------------------------------


def test_the_sign_of_each_line_decides_its_side_so_a_ticket_may_mix_sales_and_returns() -> None:
    exchange = ticket(item("30.00", kind="2"), item("-20.00", qty="-1", kind="1"), tax("0.60"), paid("10.60"))
    assert booked(exchange) == table("""
        Dr tender 1             10.60
        Dr sales_returns 1      20.00
        Cr sales 2              30.00
        Cr tax_payable 1         0.60
        Dr cogs 2                8.00
        Cr inventory_on_hand 2   8.00
        Dr inventory_on_hand 1   8.00
        Cr cogs 1                8.00
    """)


@pytest.mark.parametrize(
    ("qty", "cost", "booked_as"), [("3", "0.335", "1.01"), ("1", "0.005", "0.01"), ("3", "0.3333", "1.00")]
)
def test_cost_is_rounded_half_up_per_line(qty: str, cost: str, booked_as: str) -> None:
    lines = booked(ticket(item("5.00", qty=qty, cost=cost), paid("5.00")))
    assert f"Dr cogs 1 {booked_as}" in lines


def test_cost_is_rounded_before_lines_are_added_up() -> None:
    twice = ticket(item("5.00", cost="0.005"), item("5.00", cost="0.005"), paid("10.00"))
    assert "Dr cogs 1 0.02" in booked(twice)


def test_the_cost_of_a_return_is_rounded_like_the_cost_of_the_sale() -> None:
    returned = ticket(item("-5.00", qty="-3", cost="0.335"), paid("-5.00"))
    assert "Cr cogs 1 1.01" in booked(returned)


def test_a_tracked_item_without_a_cost_is_an_error_that_names_it() -> None:
    with pytest.raises(Unreadable, match="no unit cost on item Wicker star"):
        booked(ticket(item("5.00", cost=None, name="Wicker star"), paid("5.00")))


def test_a_unit_cost_of_zero_is_a_cost() -> None:
    assert not any("cogs" in line for line in booked(ticket(item("5.00", cost="0"), paid("5.00"))))


def test_an_untracked_item_has_no_cost() -> None:
    sold = ticket(item("5.00", cost=None, tracked=False), paid("5.00"))
    assert booked(sold) == table("""
        Dr tender 1  5.00
        Cr sales 1   5.00
    """)


def test_a_book_that_posts_no_cost_asks_for_none() -> None:
    sold = ticket(item("5.00", cost=None), paid("5.00"))
    assert booked(sold, post_cost=False) == table("""
        Dr tender 1  5.00
        Cr sales 1   5.00
    """)


def test_a_voided_ticket_has_no_lines() -> None:
    assert booked(replace(ticket(item("5.00"), paid("5.00")), voided=True)) == []


def test_a_ticket_of_nothing_has_no_lines() -> None:
    assert booked(ticket(item("0.00", cost="0"))) == []


def test_lines_that_are_alike_are_one() -> None:
    sold = ticket(item("5.00"), item("2.50"), paid("4.00"), paid("3.50"))
    assert booked(sold) == table("""
        Dr tender 1              7.50
        Cr sales 1               7.50
        Dr cogs 1               16.00
        Cr inventory_on_hand 1  16.00
    """)


def test_the_categories_of_a_class_stay_apart() -> None:
    town, country = replace(item("5.00"), category="Town"), replace(item("2.50"), category="Country")
    lines = booked(ticket(town, country, paid("7.50")), post_cost=False)
    assert {"Cr sales 1 Town 5.00", "Cr sales 1 Country 2.50"} <= set(lines)


def test_a_rule_stands_for_every_kind_of_event() -> None:
    assert set(rules.RULES) == set(EventKind)
