"""A ticket as it is kept: self-contained, without card numbers, written the same way each time. Pure.

What it means is read in `payloads`; this module makes sure that it can be read again without a call.
"""

import json
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from ledger import money
from ledger.masking import mask_cards

Json = dict[str, Any]

PARTS = ("lines", "payments")

YEARS = range(1900, 2201)
"""Other years are no times: systems write 0001-01-01 for none, and near both ends reckoning with them fails."""

_IDENTIFIES = re.compile(r"^id$|_id$|_at$")
_AMOUNTS = re.compile(r"value|amount|qty|price|cost|balance")
_LONG_NUMBER = re.compile(r"\d{4,}(?=\d{4})")


def parse(raw: bytes) -> Json:
    """The JSON object that was kept, amounts as Decimal. Raises ValueError when it is none."""
    try:
        found = json.loads(raw, parse_float=Decimal, parse_constant=str)
    except (ArithmeticError, RecursionError):
        raise ValueError("a number or a depth beyond all measure") from None
    if not isinstance(found, dict):
        raise ValueError("a ticket is a JSON object")
    return found


def canonical(value: object) -> str:
    """JSON with sorted keys and exact decimals: the same content is the same text."""
    if isinstance(value, Mapping):
        pairs = (f"{json.dumps(str(key))}:{canonical(value[key])}" for key in sorted(value))
        return "{" + ",".join(pairs) + "}"
    if isinstance(value, list | tuple):
        return "[" + ",".join(map(canonical, value)) + "]"
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, float):
        # Only NaN and Infinity come as float; as text they stay what they are, unreadable as an amount.
        return json.dumps(str(value))
    return json.dumps(value)


def assemble(ticket: Json, *, items: Mapping[str, Json], time_zone: str, gift_card_tender: str) -> bytes:
    """The ticket with all that reading it needs: items, the store's time zone, the gift card tender."""
    needed = {str(line.get("item_id")) for line in rows(ticket.get("lines"))}
    whole: Json = {
        **ticket,
        **{part: in_order(ticket[part]) for part in PARTS if isinstance(ticket.get(part), list)},
        "_items": {key: _item(items[key]) for key in needed if key in items},
        "_store": {"time_zone": time_zone},
        "_gift_card_tender": gift_card_tender,
    }
    return canonical(masked(whole, gift_card_tender=gift_card_tender)).encode()


def missing_parts(ticket: Json) -> tuple[str, ...]:
    """Which of `lines` and `payments` are absent or visibly cut short, and so must be read on their own."""
    lines, payments = ticket.get("lines"), ticket.get("payments")
    total = amount_or_none(ticket.get("total"))
    whole_lines = bool(lines) and _agree(_sum(lines, key="value"), total, by=money.ROUNDING_LIMIT)
    standing = [payment for payment in rows(payments) if not voided(payment)]
    paid = _sum(standing, key="amount")
    whole_payments = isinstance(payments, list) and _agree(paid, _paid(ticket), by=money.ZERO)
    return tuple(part for part, whole in zip(PARTS, (whole_lines, whole_payments), strict=True) if not whole)


def rows(value: object) -> list[Json]:
    """The objects in a list; an empty list for anything else."""
    return [row for row in value if isinstance(row, dict)] if isinstance(value, list) else []


def in_order(found: Sequence[object]) -> list[Any]:
    """Rows without repetition and by id, so that the order of an answer is no change of the document."""
    known: dict[int, object] = {}
    for row in found:
        if not isinstance(row, dict) or not isinstance(row.get("id"), int):
            return list(found)
        known[row["id"]] = row
    return [known[key] for key in sorted(known)]


def voided(row: Json) -> bool:
    """Whether a ticket or payment was voided: by its flag, or by its status in any case."""
    return row.get("voided?") is True or lowered(row.get("status")) in {"void", "voided"}


def lowered(value: object) -> str:
    return value.strip().casefold() if isinstance(value, str) else ""


def moment(value: object) -> datetime | None:
    """A point of time in ISO 8601, naive where it names no offset; None when unreadable or out of all YEARS."""
    if not isinstance(value, str):
        return None
    try:
        found = datetime.fromisoformat(value.strip())
    except ValueError:
        return None
    return found if found.year in YEARS else None


def aware(value: object) -> datetime | None:
    """The same for fields that are UTC unless they name an offset."""
    found = moment(value)
    return found.replace(tzinfo=UTC) if found and found.tzinfo is None else found


def amount(value: object) -> Decimal:
    """An amount as Heartland writes it. Raises NotAnAmount, for exponents that arithmetic refuses too."""
    try:
        return money.parse(value)
    except ArithmeticError:
        raise money.NotAnAmount(f"{value!r} is not an amount that can be booked") from None


def amount_or_none(value: object) -> Decimal | None:
    """The same where it is only compared or shown: the reading itself refuses what is no amount."""
    try:
        return amount(value)
    except money.NotAnAmount:
        return None


def masked(value: Any, *, key: str = "", gift: bool = False, gift_card_tender: str = "") -> Any:
    """The value without card numbers at any depth; gift card numbers keep their last four.

    Ids are left alone: they are numbers of the vendor's own.
    """
    if isinstance(value, Mapping):
        gift = gift or _is_gift_card(value, key=key, tender=gift_card_tender)
        return {
            name: masked(inner, key=name, gift=gift, gift_card_tender=gift_card_tender) for name, inner in value.items()
        }
    if isinstance(value, list):
        return [masked(inner, key=key, gift=gift, gift_card_tender=gift_card_tender) for inner in value]
    if isinstance(value, bool) or not isinstance(value, int | str) or _IDENTIFIES.search(key):
        return value
    text = str(value)
    safe = mask_cards(_last_four(text, key=key) if gift or key == "gift_card_number" else text)
    return value if safe == text else safe


def _is_gift_card(row: Mapping[str, Any], *, key: str, tender: str) -> bool:
    paid_by_gift_card = bool(tender) and str(row.get("payment_type_id")) == tender
    return key == "gift_card" or row.get("type") == "GiftCardLine" or paid_by_gift_card


def _last_four(text: str, *, key: str) -> str:
    """A gift card number is alphanumeric under a name of its own, and digits where it stands in a text."""
    if "number" in key and len(text) > 4:
        return "****" + text[-4:]
    return text if _AMOUNTS.search(key) else _LONG_NUMBER.sub("****", text)


def _item(item: Json) -> Json:
    custom = item.get("custom")
    return {
        "description": item.get("description"),
        "financial_class_id": item.get("financial_class_id"),
        "track_inventory?": item.get("track_inventory?"),
        "category": custom.get("category") if isinstance(custom, dict) else None,
    }


def _paid(ticket: Json) -> Decimal | None:
    """What the ticket says was paid; where it does not say, what its total and balance leave."""
    if ticket.get("total_paid") is not None:
        return amount_or_none(ticket["total_paid"])
    total, balance = amount_or_none(ticket.get("total")), ticket.get("balance")
    owed = money.ZERO if balance is None else amount_or_none(balance)
    return None if total is None or owed is None else total - owed


def _sum(found: object, *, key: str) -> Decimal | None:
    amounts = [amount_or_none(row.get(key)) for row in rows(found)]
    readable = [one for one in amounts if one is not None]
    return sum(readable, money.ZERO) if len(readable) == len(amounts) else None


def _agree(one: Decimal | None, other: Decimal | None, *, by: Decimal) -> bool:
    return one is not None and other is not None and abs(one - other) <= by
