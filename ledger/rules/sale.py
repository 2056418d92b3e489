"""Sales, returns and exchanges: heartland contract 3.2, rows 1a to 1l, 2 and 3b.

The sign of each line decides its side, never the ticket's type: one ticket can mix sales and returns.
"""

from collections.abc import Iterator
from decimal import Decimal

from ledger.errors import Flaw, Unreadable
from ledger.money import ROUNDING_LIMIT, ZERO, cents, shown
from ledger.rules.lines import credit, debit, dims, merged
from ledger.terms import Role
from ledger.values import DraftLine, EventFacts, ItemFact


def draft(facts: EventFacts, *, post_cost: bool) -> list[DraftLine]:
    """Money in and out, then income, then cost. Raises Unreadable when the parts contradict the total."""
    if facts.voided:
        return []
    unpaid, rounding = _unpaid(facts), _rounding(facts)
    lines = [*_tenders(facts), debit(Role.CUSTOMER_BALANCE_CLEARING, unpaid), *_income(facts)]
    lines.append(credit(Role.ROUNDING, rounding))
    if post_cost:
        lines.extend(line for item in facts.items for line in _cost(facts, item))
    return merged(lines)


def _tenders(facts: EventFacts) -> Iterator[DraftLine]:
    """Cash received and change given are two lines (1g); a deposit taken before is relieved (3b)."""
    for tender in facts.tenders:
        role = Role.TENDER_DEPOSIT if tender.deposit else Role.TENDER
        yield debit(role, tender.amount, by=dims(tender=tender.tender))


def _income(facts: EventFacts) -> Iterator[DraftLine]:
    for item in facts.items:
        role = Role.SALES if item.value >= 0 else Role.SALES_RETURNS
        yield credit(role, item.value, by=dims(item_class=item.item_class, category=item.category))
    for tax in facts.taxes:
        yield credit(Role.TAX_PAYABLE, tax.value, by=dims(tax_jurisdiction=tax.jurisdiction))
    for value in facts.shipping:
        yield credit(Role.SHIPPING_INCOME, value)
    for value in facts.gift_cards:
        yield credit(Role.GIFT_CARD_LIABILITY, value, by=dims(tender=facts.gift_card_tender))
    for value in facts.tips:
        yield credit(Role.TIPS_PAYABLE, value)


def _cost(facts: EventFacts, item: ItemFact) -> Iterator[DraftLine]:
    """Quantity times unit cost, half up to the cent; a return brings the goods back (1c, 2)."""
    if not item.tracked or not item.quantity:
        return
    if item.unit_cost is None:
        what = f"no unit cost on item {item.name}. Enter its cost in Heartland; nothing was posted."
        raise _unreadable(facts, what, flaw=Flaw.COST)
    cost = cents(item.quantity * item.unit_cost)
    by = dims(item_class=item.item_class, category=item.category)
    yield debit(Role.COGS, cost, by=by)
    yield credit(Role.INVENTORY_ON_HAND, cost, by=by)


def _unpaid(facts: EventFacts) -> Decimal:
    """What the customer still owes (1l); the document's own balance where it states one."""
    if facts.balance is not None:
        return facts.balance
    difference = facts.total - _paid(facts)
    return ZERO if abs(difference) <= ROUNDING_LIMIT else difference


def _rounding(facts: EventFacts) -> Decimal:
    """What is left when everything is added up; more than the limit is no rounding."""
    parts = _parts(facts)
    if abs(facts.total - parts) > ROUNDING_LIMIT:
        raise _unreadable(
            facts,
            f"its total {shown(facts.total, currency=facts.currency)} is not the sum of its parts "
            f"{shown(parts, currency=facts.currency)}. Correct it in Heartland; nothing was posted.",
            flaw=Flaw.TOTAL,
        )
    rounding = _paid(facts) + cents(_unpaid(facts)) - parts
    if abs(rounding) > ROUNDING_LIMIT:
        raise _unreadable(
            facts,
            f"its payments and balance {shown(parts + rounding, currency=facts.currency)} do not make up its total "
            f"{shown(facts.total, currency=facts.currency)}. Correct it in Heartland; nothing was posted.",
            flaw=Flaw.PAYMENTS,
        )
    return rounding


def _paid(facts: EventFacts) -> Decimal:
    return sum((cents(tender.amount) for tender in facts.tenders), ZERO)


def _parts(facts: EventFacts) -> Decimal:
    values = [item.value for item in facts.items] + [tax.value for tax in facts.taxes]
    return sum((cents(value) for value in [*values, *facts.shipping, *facts.gift_cards, *facts.tips]), ZERO)


def _unreadable(facts: EventFacts, what: str, *, flaw: Flaw) -> Unreadable:
    return Unreadable(f"Ticket {facts.header.number}", what, header=facts.header, flaw=flaw)
