"""Sentences that are made of parts read like sentences, whichever the parts are."""

import pytest

from ledger.errors import UnmappedAccount
from ledger.terms import ROLES, Role

WHAT_IS_MISSING = {
    Role.SALES: "No account is mapped for sales of item class 'Candles'",
    Role.SALES_RETURNS: "No account is mapped for sales returns of item class 'Candles'",
    Role.SHIPPING_INCOME: "No account is mapped for shipping income of this book",
    Role.TIPS_PAYABLE: "No account is mapped for tips payable of this book",
    Role.ROUNDING: "No account is mapped for rounding differences of this book",
    Role.CUSTOMER_BALANCE_CLEARING: "No account is mapped for unpaid customer balance of this book",
    Role.TAX_PAYABLE: "No account is mapped for sales tax of tax jurisdiction 'Candles'",
    Role.TENDER: "No payment account is mapped for tender 'Candles'",
    Role.TENDER_DEPOSIT: "No deposit account is mapped for tender 'Candles'",
    Role.GIFT_CARD_LIABILITY: "No account is mapped for gift card liability of this book",
    Role.COGS: "No account is mapped for cost of goods sold of item class 'Candles'",
    Role.INVENTORY_ON_HAND: "No account is mapped for inventory on hand of item class 'Candles'",
    Role.DISCOUNTS: "No account is mapped for discounts of item class 'Candles'",
}


@pytest.mark.parametrize("role", Role)
def test_what_is_not_mapped_is_named_so_that_one_can_read_it(role: Role) -> None:
    needs = ROLES[role]
    missing = UnmappedAccount(role, {needs.required: "3"} if needs.required else {}, value_name="Candles")
    assert missing.sentence.startswith(f"{WHAT_IS_MISSING[role]}. Choose an account under Settings")
    assert missing.cause == f"unmapped:{role}:{'3' if needs.required else ''}"
