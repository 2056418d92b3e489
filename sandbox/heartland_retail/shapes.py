"""How rows are shown: embedding on request, and the faults that bend the shape of an answer."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from sandbox.faults import Faults
from sandbox.shop_documents import Document, Row
from sandbox.shop_rules import ZERO

# What the contract does not promise, or what nobody needs to book a document.
OPTIONAL = frozenset(
    {
        "created_at",
        "custom",
        "customer_id",
        "customer_name",
        "description",
        "item_description",
        "long_description",
        "metadata",
        "note",
        "original_subtotal",
        "original_unit_price",
        "price_adjustments",
        "sales_rep",
        "station_id",
        "total_discounts",
    }
)
SHORT_LINES = 2


def shown(document: Document, *, include: frozenset[str], faults: Faults | None) -> Row:
    """A document's header with what was asked to be embedded. `faults` None: as it is."""
    row = dict(document.header)
    if faults and faults.hit("heartland.no_embedding"):
        return row
    if "lines" in include:
        row["lines"] = _embedded_lines(document, faults=faults)
    if "payments" in include:
        row["payments"] = document.payments
    if "tax_total" in include:
        row["tax_total"] = row.get("total_tax")
    return row


def _embedded_lines(document: Document, *, faults: Faults | None) -> list[Row]:
    """All lines, or a part whose sum is visibly not the total, so that a careful client can tell."""
    cut = document.lines[SHORT_LINES:]
    if not cut or not _is_missed(cut) or not (faults and faults.hit("heartland.short_embedding")):
        return document.lines
    return document.lines[:SHORT_LINES]


def _is_missed(lines: Sequence[Row]) -> bool:
    values = [line.get("value") for line in lines]
    return sum((value for value in values if isinstance(value, Decimal)), ZERO) != 0


def bent_page(rows: list[Row], *, faults: Faults) -> list[Row]:
    """The faults that concern the order and number of rows of a page."""
    if rows and faults.hit("heartland.duplicate_rows"):
        rows = [*rows, rows[len(rows) // 2]]
    if faults.hit("heartland.shuffled"):
        rows = rows[1::2] + rows[::2][::-1]
    return rows


def bent(value: Any, *, faults: Faults) -> Any:
    """The faults that concern the values of an answer, each asked once for the whole answer."""
    if faults.hit("heartland.capital_status"):
        value = _each_field(value, _capital)
    if faults.hit("heartland.nulls"):
        value = _each_field(value, _null)
    if faults.hit("heartland.amounts_as_text"):
        value = _each_field(value, _text)
    return value


def _each_field(value: Any, change: Any, name: str = "") -> Any:
    if isinstance(value, dict):
        value = {key: _each_field(part, change, key) for key, part in value.items()}
    elif isinstance(value, list):
        value = [_each_field(part, change) for part in value]
    return change(name, value)


def _capital(name: str, value: Any) -> Any:
    return value.capitalize() if name == "status" and isinstance(value, str) else value


def _null(name: str, value: Any) -> Any:
    return None if name in OPTIONAL else value


def _text(name: str, value: Any) -> Any:
    return f"{value:f}" if isinstance(value, Decimal) else value
