"""The accounts that a book needs for what its tills tell apart, with those that it has already. Names no vendor."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from ledger.models import Account, Book
from ledger.terms import DEFAULT_CLASS, AccountType, Dimension, Role
from mappings import coverage
from mappings.coverage import Slot
from mappings.loading import refusal
from mappings.models import Mapping
from mappings.table import unusable

LONGEST_NAME = 100
CASH = re.compile(r"\bcash\b", re.IGNORECASE)
OWED = re.compile(r"gift|store credit|credit note|voucher|loyalty", re.IGNORECASE)
"""Tenders that are money owed to a customer and not money received."""

WHY = {
    Role.SALES: "What was sold, less returns",
    Role.SHIPPING_INCOME: "What customers pay for delivery",
    Role.TENDER: "Waits here until the processor pays out; must return to zero",
    Role.TENDER_DEPOSIT: "Money taken before the sale is complete; needed even when deposits are not used",
    Role.TAX_PAYABLE: "Collected and not yet paid; not an account of the accounting system's own sales tax centre",
    Role.COGS: "What the goods had cost, moved when they are sold",
    Role.INVENTORY_ON_HAND: "What the goods in stock have cost",
    Role.ROUNDING: "Cents that a ticket leaves over",
    Role.CUSTOMER_BALANCE_CLEARING: "What a customer still owes on a ticket",
    Role.TIPS_PAYABLE: "Needed as soon as a ticket holds a tip",
}
FIXED = {
    Role.TENDER_DEPOSIT: ("Customer Deposits", AccountType.CURRENT_LIABILITY),
    Role.COGS: ("Cost of Goods Sold", AccountType.COST_OF_GOODS_SOLD),
    Role.INVENTORY_ON_HAND: ("Inventory Asset", AccountType.CURRENT_ASSET),
    Role.SHIPPING_INCOME: ("Shipping Income", AccountType.INCOME),
    Role.ROUNDING: ("Cash Over and Short", AccountType.EXPENSE),
    Role.CUSTOMER_BALANCE_CLEARING: ("Customer Balance Clearing", AccountType.CURRENT_ASSET),
    Role.TIPS_PAYABLE: ("Tips Payable", AccountType.CURRENT_LIABILITY),
}
"""One account serves every value of these roles."""


@dataclass
class Suggested:
    """One account: for which places of the mapping, and whether the book has it. `open`: places without an account."""

    name: str
    type: AccountType
    role: Role
    why: str
    places: list[Slot] = field(default_factory=list)
    open: list[Slot] = field(default_factory=list)
    found: Account | None = None
    optional: bool = False

    @property
    def key(self) -> str:
        return f"{self.role.value}:{self.places[0].value}"

    @property
    def purpose(self) -> str:
        """`Payment account: Visa, Mastercard`; of many values the first few."""
        names = [slot.name for slot in self.places if slot.name]
        more = f" and {len(names) - 4} more" if len(names) > 4 else ""
        return f"{self.places[0].label}: {', '.join(names[:4])}{more}" if names else self.places[0].label

    @property
    def is_mapped(self) -> bool:
        return not self.open

    @property
    def is_missing(self) -> bool:
        """Neither mapped nor in the chart: it must be created or chosen."""
        return self.found is None and bool(self.open)


def suggestions(book: Book) -> list[Suggested]:
    """The accounts for every place of the mapping, in the order of its screen."""
    gaps = {(gap.slot.role, gap.slot.value) for gap in coverage.missing(book)}
    found: dict[tuple[str, Role], Suggested] = {}
    for slot in [*coverage.slots(book), Slot(Role.TIPS_PAYABLE, None, "", "")]:
        name, kind, why = _for(slot)
        one = found.setdefault((name.casefold(), slot.role), Suggested(name, kind, slot.role, why))
        one.places.append(slot)
        one.optional = slot.role is Role.TIPS_PAYABLE
        if (slot.role, slot.value) in gaps or one.optional:
            one.open.append(slot)
    told = list(found.values())
    _keep_apart(told)
    _recognise(book, told)
    return told


def _for(slot: Slot) -> tuple[str, AccountType, str]:
    """Name, type and purpose of the account for one place."""
    why = WHY[slot.role]
    if slot.role in FIXED:
        return *FIXED[slot.role], why
    called = _clean(slot.name or slot.value)
    if slot.role is Role.TENDER:
        return _tender(called)
    if slot.role is Role.TAX_PAYABLE:
        return _short(f"Sales Tax Collected - {called}"), AccountType.CURRENT_LIABILITY, why
    return _short(f"Sales - {'Other' if slot.value == DEFAULT_CLASS else called}"), AccountType.INCOME, why


def _tender(called: str) -> tuple[str, AccountType, str]:
    if OWED.search(called):
        return _short(f"{called} Outstanding"), AccountType.CURRENT_LIABILITY, "Sold or given and not yet redeemed"
    if CASH.search(called):
        return "Cash on Hand", AccountType.BANK, "Cash in the drawer until it is taken to the bank"
    return _short(f"{called} Clearing"), AccountType.CURRENT_ASSET, WHY[Role.TENDER]


def _clean(name: str) -> str:
    """Without what separates accounts from their parents, or text from text, in accounting systems."""
    return " ".join(re.sub(r'[":\t\r\n]', " ", name).split())


def _short(name: str) -> str:
    return name[:LONGEST_NAME].rstrip()


def _keep_apart(told: Iterable[Suggested]) -> None:
    """Two roles never share an account by an accident of names."""
    seen: set[str] = set()
    for one in told:
        if one.name.casefold() in seen:
            one.name = _short(f"{one.name[:70]} - {one.places[0].label}")
        seen.add(one.name.casefold())


def _recognise(book: Book, told: Iterable[Suggested]) -> None:
    """What is mapped already, else what the chart has under that name; its separators may be others."""
    mapped = _mapped(book)
    named: dict[str, list[Account]] = {}
    for account in Account.objects.filter(book=book, deleted_at=None, active=True):
        for name in {account.full_name, account.name}:
            named.setdefault(_bare(name), []).append(account)
    for one in told:
        places = [mapped.get((slot.role.value, slot.value)) for slot in one.places]
        standing = next((account for account in places if account), None)
        if one.optional and standing:
            one.open = []
        fitting = [a for a in named.get(_bare(one.name), []) if not (refusal(one.role, a) or unusable(a))]
        fitting.sort(key=lambda account: (account.full_name.casefold() != one.name.casefold(), account.full_name))
        one.found = standing or (fitting[0] if fitting and one.open else None)


def _mapped(book: Book) -> dict[tuple[str, str], Account]:
    """The accounts of the rows for every store, by role and value."""
    rows = Mapping.objects.filter(book=book, store=None).select_related("account")
    required = {slot.role.value: slot.dimension for slot in coverage.slots(book)}
    own: dict[str, Dimension | None] = {**required, Role.TIPS_PAYABLE.value: None}
    plain = [row for row in rows if row.role in own and not row.further()]
    return {(row.role, getattr(row, own[row.role] or "", "")): row.account for row in plain}


def _bare(name: str) -> str:
    return " ".join(re.sub(r"\W+", " ", name.casefold()).split())
