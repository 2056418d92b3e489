"""Masking card numbers in texts that are kept or told: people type them, and vendors' documents hold them. Pure."""

import re
from collections.abc import Collection, Mapping
from typing import Any

MASK = "[masked]"
_PERHAPS_CARD = re.compile(r"\d(?:[ -]?\d){12}")
_CARD_SHAPES = tuple(
    # Digits after a decimal point are no card number: vendors write 8.7900000000000009.
    re.compile(rf"(?<!\d)(?<!\d\.)(?:{shape})(?!\d)")
    for shape in (
        r"\d{13,19}",
        r"\d{4}[ -]\d{4}[ -]\d{4}[ -]\d{1,7}",
        r"\d{4}[ -]\d{6}[ -]\d{5}",
        r"\d(?:[ -]?\d){12,18}",
    )
)


def mask_cards(text: str) -> str:
    """The text with each run of 13 to 19 digits, also with spaces or hyphens, masked that passes the Luhn check."""
    if not _PERHAPS_CARD.search(text):
        return text
    for shape in _CARD_SHAPES:
        text = shape.sub(_mask, text)
    return text


def mask_cards_within(value: Any, *, but: Collection[str] = ()) -> Any:
    """The same for each text in a value of JSON, at any depth; what stands under one of the names of `but` stays."""
    if isinstance(value, str):
        return mask_cards(value)
    if isinstance(value, Mapping):
        return {name: inner if name in but else mask_cards_within(inner, but=but) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [mask_cards_within(inner, but=but) for inner in value]
    return value


def _mask(found: re.Match[str]) -> str:
    return MASK if _passes_luhn(re.sub(r"\D", "", found.group())) else found.group()


def _passes_luhn(digits: str) -> bool:
    """The check digit of payment cards (ISO/IEC 7812-1, annex B)."""
    doubled = [int(digit) * (2 if place % 2 else 1) for place, digit in enumerate(reversed(digits))]
    return sum(number - 9 if number > 9 else number for number in doubled) % 10 == 0
