"""The facts of an event as JSON and back, and their hash. Pure. Amounts are text, so that nothing is rounded."""

import hashlib
import json
from dataclasses import is_dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from ledger.terms import EventKind
from ledger.values import EventFacts, EventHeader, ItemFact, TaxFact, TenderFact


def to_json(facts: EventFacts) -> dict[str, Any]:
    """A plain dictionary of text, lists, booleans and null."""
    plain: dict[str, Any] = json.loads(json.dumps(vars(facts), default=_as_text))
    return plain


def facts_hash(plain: dict[str, Any]) -> str:
    """The hash that tells a changed document from one that was merely touched; an item's name is no money."""
    plain = {
        **plain,
        "items": [{k: v for k, v in item.items() if k != "name"} for item in plain.get("items", [])],
    }
    return hashlib.sha256(json.dumps(plain, sort_keys=True).encode()).hexdigest()


def from_json(plain: dict[str, Any]) -> EventFacts:
    """The facts that `to_json` wrote."""
    header = plain["header"]
    return EventFacts(
        header=EventHeader(
            kind=EventKind(header["kind"]),
            external_id=header["external_id"],
            number=header["number"],
            store_external_id=header["store_external_id"],
            business_date=_date(header["business_date"]),
            completed_at=_moment(header["completed_at"]),
            total=_amount(header["total"]),
        ),
        currency=plain["currency"],
        total=Decimal(plain["total"]),
        items=tuple(_item(item) for item in plain["items"]),
        taxes=tuple(TaxFact(tax["jurisdiction"], Decimal(tax["value"])) for tax in plain["taxes"]),
        shipping=tuple(Decimal(value) for value in plain["shipping"]),
        gift_cards=tuple(Decimal(value) for value in plain["gift_cards"]),
        gift_card_tender=plain["gift_card_tender"],
        tips=tuple(Decimal(value) for value in plain["tips"]),
        tenders=tuple(TenderFact(t["tender"], Decimal(t["amount"]), t["deposit"]) for t in plain["tenders"]),
        balance=_amount(plain["balance"]),
        voided=plain["voided"],
        original_external_id=plain["original_external_id"],
    )


def _item(item: dict[str, Any]) -> ItemFact:
    return ItemFact(
        item_class=item["item_class"],
        quantity=Decimal(item["quantity"]),
        value=Decimal(item["value"]),
        tracked=item["tracked"],
        name=item["name"],
        unit_cost=_amount(item["unit_cost"]),
        category=item["category"],
    )


def _as_text(value: object) -> str | dict[str, Any]:
    if is_dataclass(value):
        return vars(value)
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, date | datetime):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} has no place among facts")


def _amount(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)


def _date(text: str | None) -> date | None:
    return None if text is None else date.fromisoformat(text)


def _moment(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)
