"""Accounts to be created in QuickBooks Online: the names it takes, its words for type and detail type, the JSON,
and which ones a retailer needs. Pure.

Source: Intuit's API reference (Account), minor version 75, and its schema of account types and sub-types.
"""

import re

from integrations.quickbooks.payloads import ACCOUNT_TYPES, json_text
from ledger.errors import Unsupported
from ledger.terms import AccountType, Role
from ledger.values import NeededAccount, NewAccount, RemoteAccount

NAME_LENGTH = 100
NUMBER_LENGTH = 7
"""AcctNum in the United States, the United Kingdom and India; other countries take 20."""

TYPE_NAMES = {
    AccountType.BANK: "Bank",
    AccountType.CURRENT_ASSET: "Other Current Asset",
    AccountType.CURRENT_LIABILITY: "Other Current Liability",
    AccountType.INCOME: "Income",
    AccountType.COST_OF_GOODS_SOLD: "Cost of Goods Sold",
    AccountType.EXPENSE: "Expense",
}
"""The types that Daybook creates, as QuickBooks writes them."""

DETAILS = {
    AccountType.BANK: "CashOnHand",
    AccountType.CURRENT_ASSET: "OtherCurrentAssets",
    AccountType.CURRENT_LIABILITY: "OtherCurrentLiabilities",
    AccountType.INCOME: "SalesOfProductIncome",
    AccountType.COST_OF_GOODS_SOLD: "SuppliesMaterialsCogs",
    AccountType.EXPENSE: "OtherMiscellaneousServiceCost",
}
"""The sub-type of each, unless the role has one of its own. The sales tax agency's are never used: see payloads."""

DETAILS_BY_ROLE = {
    Role.SHIPPING_INCOME: "ServiceFeeIncome",
    Role.SALES_RETURNS: "DiscountsRefundsGiven",
    Role.DISCOUNTS: "DiscountsRefundsGiven",
    Role.INVENTORY_ON_HAND: "Inventory",
}

NEEDED_ACCOUNTS = (
    NeededAccount("Sales, one for each item class", "Income", "Sales of Product Income", "What was sold, less returns"),
    NeededAccount("Shipping income", "Income", "Service/Fee Income", "What customers pay for delivery"),
    NeededAccount(
        "Payment account of each payment type",
        "Bank or Other Current Asset",
        "Cash on Hand, Other Current Assets",
        "Cash in the drawer, and cards until the processor pays out",
    ),
    NeededAccount(
        "Deposit account of each payment type",
        "Other Current Liability",
        "Other Current Liabilities",
        "Money taken before the sale is complete; needed even when deposits are not used",
    ),
    NeededAccount("Gift cards", "Other Current Liability", "Other Current Liabilities", "Sold and not yet redeemed"),
    NeededAccount(
        "Sales tax, one for each jurisdiction or one for all",
        "Other Current Liability",
        "Other Current Liabilities",
        "Collected and not yet paid; not an account of QuickBooks' own sales tax centre",
    ),
    NeededAccount(
        "Cost of goods sold and inventory, by item class or one default",
        "Cost of Goods Sold; Other Current Asset",
        "Supplies & Materials - COGS; Inventory",
        "What the goods had cost, moved when they are sold",
    ),
    NeededAccount(
        "Rounding differences; unpaid customer balance",
        "Expense; Other Current Asset",
        "Other Miscellaneous Service Cost; Other Current Assets",
        "Cents that a ticket leaves over; what a customer still owes on it",
    ),
)
"""What a retailer creates before the first import, in QuickBooks' words."""


def kind(wanted: NewAccount) -> tuple[str, str]:
    """AccountType and AccountSubType of an account to be created. Raises Unsupported for a type we do not create."""
    name = TYPE_NAMES.get(wanted.type)
    if name is None:
        raise Unsupported(f"Daybook does not create accounts of type {wanted.type.replace('_', ' ')} in QuickBooks.")
    return name, DETAILS_BY_ROLE.get(wanted.role) or DETAILS[wanted.type]


def checked_kind(wanted: NewAccount) -> tuple[str, str]:
    """The same of an account whose name and number QuickBooks would take. Raises Unsupported."""
    if problem := refused_name(wanted.name) or refused_number(wanted.number):
        raise Unsupported(problem)
    return kind(wanted)


def account_json(wanted: NewAccount) -> str:
    """The JSON of an Account to create. Raises Unsupported for what QuickBooks cannot take; nothing has been sent."""
    type_name, detail = checked_kind(wanted)
    number = {"AcctNum": wanted.number} if wanted.number else {}
    return json_text({"Name": wanted.name, **number, "AccountType": type_name, "AccountSubType": detail})


def refused_name(name: str) -> str:
    """Why QuickBooks would not take a name; empty when it would."""
    if not name.strip():
        return "An account needs a name."
    if len(name) > NAME_LENGTH:
        return f"QuickBooks takes names of at most {NAME_LENGTH} characters; this one has {len(name)}."
    if re.search(r'[":\t\r\n]', name):
        return f"QuickBooks takes no quotation mark, colon or line break in the name of an account: {name!r}."
    return ""


def refused_number(number: str) -> str:
    """Why QuickBooks would not take an account number; empty when it would, or when there is none."""
    if len(number) > NUMBER_LENGTH or ":" in number:
        return f"QuickBooks takes account numbers of at most {NUMBER_LENGTH} characters without a colon: {number!r}."
    return ""


def is_wanted(found: RemoteAccount, wanted: NewAccount) -> bool:
    """Whether an account of theirs is the one that was to be created: the same name at the top, type, and active."""
    same_name = found.full_name.casefold() == wanted.name.strip().casefold()
    return same_name and found.active and found.type == ACCOUNT_TYPES[kind(wanted)[0].lower()]
