"""What a bookkeeper expects of one ticket: amounts by account name and side, worked out from the document.

Pure: no HTTP, no clock. Amounts on the two sides of one account are never netted, because cash received and
change given both reach the books.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from pathlib import Path
from typing import Any

DEBIT, CREDIT = "debit", "credit"
CENT = Decimal("0.01")
ZERO = Decimal("0.00")
LARGEST_ROUNDING = Decimal("0.05")

Document = Mapping[str, Any]
Amounts = dict[tuple[str, str], Decimal]  # (account, side) -> a positive amount


class Unbookable(Exception):
    """The ticket cannot become an entry; the message says why."""


@dataclass(frozen=True)
class Item:
    item_class: str | None
    tracked: bool


@dataclass(frozen=True)
class Plan:
    """Which account each part of a ticket belongs to, by full name (data/expected_accounts.json)."""

    names: Mapping[str, Any]

    @classmethod
    def read(cls, path: Path) -> "Plan":
        return cls(json.loads(path.read_text(encoding="utf-8")))

    def tender(self, payment_type: str, *, store: str) -> str:
        if payment_type == self.names["cash_payment_type"]:
            return self._of("cash_by_store", store, what="the cash of store")
        return self._of("tender_by_payment_type", payment_type, what="payment type")

    def tax(self, jurisdiction: str) -> str:
        return self._of("sales_tax_by_jurisdiction", jurisdiction, what="tax jurisdiction")

    def item(self, part: str, *, item_class: str | None) -> str:
        """`part` is sales, cost or inventory; what a class lacks, the default class provides."""
        own = self.names["item_classes"].get(item_class, {}) if item_class else {}
        name = own.get(part) or self.names["default_class"].get(part)
        if not name:
            raise Unbookable(f"no {part} account for item class {item_class or 'default'}")
        return str(name)

    def one(self, name: str) -> str:
        return str(self.names[name])

    def accounts(self) -> frozenset[str]:
        """Every account name in the plan."""
        return frozenset(_texts(self.names)) - {self.names["cash_payment_type"]}

    def _of(self, table: str, key: str, *, what: str) -> str:
        try:
            return str(self.names[table][key])
        except KeyError:
            raise Unbookable(f"no account for {what} {key}") from None


@dataclass
class Tally:
    """Collects signed amounts; the sign of each line decides its side, zero lines leave no trace."""

    amounts: Amounts = field(default_factory=dict)

    def debit(self, account: str, amount: Decimal) -> None:
        if amount:
            key = (account, DEBIT if amount > 0 else CREDIT)
            self.amounts[key] = self.amounts.get(key, ZERO) + abs(amount)

    def credit(self, account: str, amount: Decimal) -> None:
        self.debit(account, -amount)


def expected_amounts(ticket: Document, *, items: Mapping[str, Item], plan: Plan) -> Amounts:
    """The amounts the books should show for a completed ticket; raises Unbookable."""
    tally = Tally()
    sold = sum((_line(line, tally, items=items, plan=plan) for line in ticket["lines"]), ZERO)
    total = money(ticket.get("total"), "the ticket's total")
    if abs(total - sold) > LARGEST_ROUNDING:
        raise Unbookable(f"its total {total} is not the sum of its lines {sold}")
    store = text(ticket.get("source_location_id"), "its store")
    paid = sum((_payment(one, tally, store=store, plan=plan) for one in ticket["payments"]), ZERO)
    unpaid = unpaid_balance(ticket)
    tally.debit(plan.one("customer_balance"), unpaid)
    _round(sold - paid - unpaid, tally, plan=plan)
    return tally.amounts


def unpaid_balance(ticket: Document) -> Decimal:
    if ticket.get("balance") is not None:
        return money(ticket["balance"], "the ticket's balance")
    if ticket.get("total_paid") is not None:
        paid = money(ticket["total_paid"], "the amount paid")
        return money(ticket.get("total"), "the ticket's total") - paid
    return ZERO


def counts(payment: Document) -> bool:
    """Only completed payments moved money."""
    return str(payment.get("status") or "complete").casefold() == "complete"


def _line(line: Document, tally: Tally, *, items: Mapping[str, Item], plan: Plan) -> Decimal:
    kind = line.get("type")
    value = money(line.get("value"), f"the value of a {kind}")
    if kind == "ItemLine":
        _item(line, value, tally, items=items, plan=plan)
    elif kind == "TaxLine":
        tally.credit(plan.tax(text(line.get("tax_jurisdiction_id"), "the jurisdiction of its tax")), value)
    elif kind == "ShippingLine":
        tally.credit(plan.one("shipping"), value)
    elif kind == "GiftCardLine":
        tally.credit(plan.one("gift_cards"), value)
    else:
        raise Unbookable(f"a line of unknown type {kind!r}")
    return value


def _item(line: Document, value: Decimal, tally: Tally, *, items: Mapping[str, Item], plan: Plan) -> None:
    item = items.get(str(line.get("item_id")))
    if item is None:
        raise Unbookable(f"item {line.get('item_id')} is not known at the till")
    tally.credit(plan.item("sales", item_class=item.item_class), value)
    if not item.tracked:
        return
    quantity = number(line.get("qty"), "a quantity")
    cost = cents(quantity * number(line.get("unit_cost"), "the unit cost of an item"))
    if cost:
        tally.debit(plan.item("cost", item_class=item.item_class), cost)
        tally.credit(plan.item("inventory", item_class=item.item_class), cost)


def _payment(payment: Document, tally: Tally, *, store: str, plan: Plan) -> Decimal:
    if not counts(payment):
        return ZERO
    amount = money(payment.get("amount"), "the amount of a payment")
    tender = plan.tender(text(payment.get("payment_type_id"), "the type of a payment"), store=store)
    tally.debit(plan.one("deposit") if payment.get("deposit") else tender, amount)
    return amount


def _round(rest: Decimal, tally: Tally, *, plan: Plan) -> None:
    if abs(rest) > LARGEST_ROUNDING:
        raise Unbookable(f"lines and payments differ by {rest}")
    tally.debit(plan.one("rounding"), rest)


def number(value: object, what: str) -> Decimal:
    """An exact number from a JSON number or text; never from a float."""
    if isinstance(value, bool) or not isinstance(value, (int, str, Decimal)):
        raise Unbookable(f"{what} is missing or not a number: {value!r}")
    try:
        found = Decimal(value)
    except InvalidOperation:
        raise Unbookable(f"{what} is not a number: {value!r}") from None
    if not found.is_finite():
        raise Unbookable(f"{what} is not a number: {value!r}")
    return found


def money(value: object, what: str) -> Decimal:
    return cents(number(value, what))


def cents(value: Decimal) -> Decimal:
    return value.quantize(CENT, rounding=ROUND_HALF_UP)


def text(value: object, what: str) -> str:
    if value is None or value == "":
        raise Unbookable(f"{what} is missing")
    return str(value)


def _texts(value: object) -> Iterable[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for part in value.values():
            yield from _texts(part)
