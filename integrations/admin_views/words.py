"""Words of the integration pages: counts, and which accounts a retailer needs before the mapping can begin."""

from dataclasses import dataclass


def counted(number: int, noun: str) -> str:
    """A number with its noun: `1 event`, `1,204 events`."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


@dataclass(frozen=True)
class NeededAccount:
    """One kind of account that journal entries of sales go to."""

    purpose: str
    type: str
    detail: str
    why: str


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
