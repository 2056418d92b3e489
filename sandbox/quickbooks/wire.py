"""How answers look on a bad day: amounts as text, nulls, capitals, references without names."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from sandbox.faults import Faults

_OPTIONAL = {
    "JournalEntry": ("DocNumber", "PrivateNote", "ExchangeRate", "RecurDataRef"),
    "Account": ("ParentRef", "AcctNum", "Description", "TaxCodeRef"),
}


def disfigured(value: Any, *, faults: Faults) -> Any:
    """The answer as the switches in force would have it, or unchanged."""
    changes = {
        "quickbooks.amounts_as_text": _amount_as_text,
        "quickbooks.nulls": _with_nulls,
        "quickbooks.capital_refs": _in_capitals,
        "quickbooks.no_ref_names": _without_names,
    }
    for name, change in changes.items():
        if faults.hit(name):
            value = _walked(value, change)
    return value


def _walked(value: Any, change: Callable[[Any], Any]) -> Any:
    if isinstance(value, dict):
        return change({key: _walked(each, change) for key, each in value.items()})
    if isinstance(value, list):
        return [_walked(each, change) for each in value]
    return change(value)


def _amount_as_text(value: Any) -> Any:
    return f"{value:f}" if isinstance(value, Decimal) else value


def _with_nulls(value: Any) -> Any:
    if not isinstance(value, dict) or "SyncToken" not in value:
        return value
    optional = _OPTIONAL["JournalEntry" if "Line" in value else "Account"]
    return {**value, **{key: None for key in optional if key not in value}}


def _in_capitals(value: Any) -> Any:
    if isinstance(value, dict) and "PostingType" in value:
        return {**value, "PostingType": value["PostingType"].upper()}
    return value


def _without_names(value: Any) -> Any:
    if isinstance(value, dict) and value.keys() == {"name", "value"}:
        return {"value": value["value"]}
    return value
