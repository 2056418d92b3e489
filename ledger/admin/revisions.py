"""What changed in a document from one revision to the next, in words. Reads facts, knows no table."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import tzinfo
from decimal import Decimal

from ledger import money
from ledger.admin.changes import Change, only_different
from ledger.terms import Dimension
from ledger.values import EventFacts, ItemFact

Names = Mapping[tuple[str, str], str]
Value = tuple[str, str]
"""What something is, and its value in words."""


def differences(before: EventFacts, after: EventFacts, names: Names, *, zone: tzinfo, costs: bool) -> list[Change]:
    """Rows such as "Tender Cash: 10.00 USD, 12.00 USD", for what is not the same; `costs`: of the goods too."""
    was = dict(_numbered(_values(before, names, zone, costs=costs)))
    became = dict(_numbered(_values(after, names, zone, costs=costs)))
    order = dict.fromkeys([*was, *became])
    return only_different(Change(what, was.get(what, "-"), became.get(what, "-")) for what in order)


def _numbered(values: Iterable[Value]) -> Iterator[Value]:
    """Two lamps on one receipt are told apart by their place."""
    seen: Counter[str] = Counter()
    for what, said in values:
        seen[what] += 1
        yield (what if seen[what] == 1 else f"{what} ({seen[what]})"), said


def _values(facts: EventFacts, names: Names, zone: tzinfo, *, costs: bool) -> Iterator[Value]:
    header = facts.header
    yield "Number", header.number
    yield "Store id", header.store_external_id or "-"
    yield "Business date", f"{header.business_date:%b %-d, %Y}" if header.business_date else "-"
    completed = header.completed_at.astimezone(zone) if header.completed_at else None
    yield "Completed", f"{completed:%b %-d, %Y, %H:%M:%S}" if completed else "-"
    yield "Currency", facts.currency
    yield "Total", _money(facts, facts.total)
    yield "Voided", "yes" if facts.voided else "no"
    yield "Refers to document", facts.original_external_id or "-"
    yield "Balance", _money(facts, facts.balance)
    yield from (_item(item, facts, names, costs=costs) for item in facts.items)
    for tax in facts.taxes:
        yield _named("Sales tax", Dimension.TAX_JURISDICTION, tax.jurisdiction, names), _money(facts, tax.value)
    yield from _amounts("Shipping", facts.shipping, facts)
    yield from _amounts("Gift card sold", facts.gift_cards, facts)
    yield from _amounts("Tip", facts.tips, facts)
    for tender in facts.tenders:
        what = _named("Tender", Dimension.TENDER, tender.tender, names)
        yield what, _money(facts, tender.amount) + (", deposit" if tender.deposit else "")


def _item(item: ItemFact, facts: EventFacts, names: Names, *, costs: bool) -> Value:
    said = [f"{item.quantity.normalize():f} for {_money(facts, item.value)}"]
    said.append(f"in {names.get((Dimension.ITEM_CLASS, item.item_class), item.item_class)}")
    if costs and item.unit_cost is not None:
        said.append(f"cost {money.price(item.unit_cost)} each")
    if costs and not item.tracked:
        said.append("not kept in stock")
    if item.category:
        said.append(f"category {item.category}")
    return f"Item {item.name}".strip(), ", ".join(said)


def _amounts(what: str, amounts: Sequence[Decimal], facts: EventFacts) -> Iterator[Value]:
    return ((what, _money(facts, amount)) for amount in amounts)


def _named(what: str, dimension: Dimension, code: str, names: Names) -> str:
    name = names.get((dimension, code), code)
    return f"{what} {name}" if name else what


def _money(facts: EventFacts, amount: Decimal | None) -> str:
    return "-" if amount is None else money.shown(amount, currency=facts.currency)
