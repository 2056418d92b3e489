"""Answers a parsed query from the books: filters, sorts, pages."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sandbox.faults import Fault
from sandbox.quickbooks import clock, refusals
from sandbox.quickbooks.books import Books
from sandbox.quickbooks.company import company_info, preferences
from sandbox.quickbooks.query import Condition, Query, parse
from sandbox.quickbooks.validation import number

Row = Mapping[str, Any]
MOST_LAG = 3.0

_TIMES = {"MetaData.CreateTime": "time", "MetaData.LastUpdatedTime": "time"}
_NAMED = {"Id": "id", "Name": "text", "FullyQualifiedName": "text", "Active": "truth", **_TIMES}
_PARTY = {"Id": "id", "DisplayName": "text", "Active": "truth", **_TIMES}


@dataclass(frozen=True)
class Entity:
    """`filterable`: the properties that may stand in WHERE and ORDERBY, with the kind of their values."""

    name: str
    filterable: Mapping[str, str]
    properties: tuple[str, ...] = ()


ENTITIES = {
    entity.name.lower(): entity
    for entity in (
        Entity(
            "Account",
            {
                **_NAMED,
                **dict.fromkeys(("AccountType", "AccountSubType", "Classification", "AcctNum"), "text"),
                "SubAccount": "truth",
                "CurrentBalance": "number",
            },
            ("ParentRef", "Description", "CurrencyRef", "CurrentBalanceWithSubAccounts", "SyncToken"),
        ),
        Entity(
            "JournalEntry",
            {"Id": "id", "DocNumber": "text", "TxnDate": "date", **_TIMES},
            ("PrivateNote", "Line", "CurrencyRef", "Adjustment", "TotalAmt", "SyncToken"),
        ),
        Entity("CompanyInfo", {"Id": "id", **_TIMES}, ("CompanyName", "LegalName", "Country")),
        Entity("Preferences", {"Id": "id", **_TIMES}),
        Entity("Class", _NAMED),
        Entity("Department", _NAMED),
        Entity("Customer", _PARTY),
        Entity("Vendor", _PARTY),
        Entity("TaxCode", _NAMED),
    )
}


def select(text: str, *, books: Books, lag: Fault | None = None) -> dict[str, Any]:
    """The answer to a query, without its time. Raises Refused. `lag` hides what is too young."""
    query = parse(text)
    entity = ENTITIES.get(query.entity.lower())
    if entity is None:
        raise refusals.query_invalid(f"Entity {query.entity} not found")
    with books.lock:
        rows = _filtered(query, entity, _source(query, entity, books=books, lag=lag))
        if query.count:
            return {"QueryResponse": {"totalCount": len(rows)}}
        page = _sorted(query, entity, rows)[query.start - 1 :][: query.limit]
        shown = [_shown(row, entity, books=books) for row in page]
    return {"QueryResponse": _page(shown, query, entity, total=len(rows))}


def _page(shown: list[Row], query: Query, entity: Entity, *, total: int) -> dict[str, Any]:
    if not shown:
        return {}
    page: dict[str, Any] = {entity.name: shown, "startPosition": query.start, "maxResults": len(shown)}
    # Seen in some recorded answers only: where everything fits on the first page.
    return {**page, "totalCount": total} if total == len(shown) else page


def _source(query: Query, entity: Entity, *, books: Books, lag: Fault | None) -> Iterable[Row]:
    if entity.name == "Account":
        asked = any(condition.field == "Active" for condition in query.conditions)
        return [row for row in books.shown_accounts() if asked or row["Active"]]
    if entity.name == "JournalEntry":
        return _entries(query, books=books, lag=lag)
    if entity.name == "CompanyInfo":
        return [company_info(books.settings)]
    if entity.name == "Preferences":
        return [preferences(books.settings)]
    return []


def _entries(query: Query, *, books: Books, lag: Fault | None) -> Iterable[Row]:
    numbers = next(
        (it.values for it in query.conditions if it.field == "DocNumber" and it.operator in ("=", "IN")), None
    )
    found = books.journal if numbers is None else books.journal.numbered(dict.fromkeys(numbers))
    newest = time.time() - min(lag.number("seconds", 2), MOST_LAG) if lag else None
    return [entry.body for entry in found if newest is None or entry.saved <= newest]


def _shown(row: Row, entity: Entity, *, books: Books) -> Row:
    if entity.name != "JournalEntry":
        return row
    return books.shown(books.entry(row["Id"]))


def _filtered(query: Query, entity: Entity, rows: Iterable[Row]) -> list[Row]:
    tests = [_test(condition, entity) for condition in query.conditions]
    return [row for row in rows if all(test(row) for test in tests)]


def _test(condition: Condition, entity: Entity) -> Callable[[Row], bool]:
    read = _reader(condition.field, entity)
    if condition.operator == "LIKE":
        pattern = re.compile(".*".join(re.escape(part) for part in condition.values[0].split("%")), re.DOTALL)
        return lambda row: (text := _held(row, condition.field)) is not None and bool(pattern.fullmatch(str(text)))
    wanted = [_converted(value, condition.field, entity) for value in condition.values]
    compare = _COMPARISONS[condition.operator]
    return lambda row: (value := read(row)) is not None and compare(value, wanted)


_COMPARISONS: dict[str, Callable[[Any, list[Any]], bool]] = {
    "=": lambda value, wanted: value == wanted[0],
    "<": lambda value, wanted: value < wanted[0],
    ">": lambda value, wanted: value > wanted[0],
    "<=": lambda value, wanted: value <= wanted[0],
    ">=": lambda value, wanted: value >= wanted[0],
    "IN": lambda value, wanted: value in wanted,
}


def _sorted(query: Query, entity: Entity, rows: list[Row]) -> list[Row]:
    if not query.order:
        # Without ORDERBY transactions come newest first and accounts by name: not in the order of their ids.
        key = "Name" if entity.name == "Account" else "Id"
        return sorted(rows, key=_sort_key(key, entity), reverse=entity.name == "JournalEntry")
    for field, descending in reversed(query.order):
        rows = sorted(rows, key=_sort_key(field, entity), reverse=descending)
    return rows


def _sort_key(field: str, entity: Entity) -> Callable[[Row], tuple[bool, Any]]:
    read = _reader(field, entity)
    return lambda row: (read(row) is not None, read(row))


def _reader(field: str, entity: Entity) -> Callable[[Row], Any]:
    if field not in entity.filterable:
        if field in entity.properties:
            raise refusals.query_invalid(f"property '{field}' is not queryable")
        raise refusals.query_invalid(f"Property {field} not found for Entity {entity.name}")

    def read(row: Row) -> Any:
        value = _held(row, field)
        return None if value is None else _converted(value, field, entity)

    return read


def _held(row: Row, field: str) -> Any:
    value: Any = row
    for part in field.split("."):
        value = value.get(part) if value else None
    return value


def _converted(value: Any, field: str, entity: Entity) -> Any:
    try:
        return _KINDS[entity.filterable[field]](value)
    except (ValueError, ArithmeticError) as error:
        raise refusals.query_invalid(f"Invalid value '{value}' for property {field}") from error


def _truth(value: Any) -> bool:
    if str(value).lower() not in ("true", "false"):
        raise ValueError(value)
    return str(value).lower() == "true"


def _day(value: Any) -> str:
    return clock.parsed(str(value)).date().isoformat()


def _number(value: Any) -> Decimal:
    amount = number(value)
    if amount is None:
        raise ValueError(value)
    return amount


_KINDS: dict[str, Callable[[Any], Any]] = {
    "id": lambda value: int(str(value)),
    "text": str,
    "truth": _truth,
    "number": _number,
    "date": _day,
    "time": lambda value: clock.parsed(str(value)),
}
