"""Heartland's filters: the JSON form once or repeated, the tilde form, plain equality; made one predicate.

Fields that Heartland refuses, and fields that no row has, are refused with `invalid_request`.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Any

from sandbox.heartland_retail.refusals import bad_query
from sandbox.shop_documents import Row

Predicate = Callable[[Row], bool]
_TILDE = re.compile(r"~\[([^\]]+)\](?:\[(\$\w+)\])?(\[\])?")
_OPERATORS = frozenset({"$eq", "$neq", "$gt", "$gte", "$lt", "$lte", "$in", "$nin", "$like"})


@dataclass(frozen=True)
class Fields:
    """What may be filtered by in one collection: the known fields, those refused, those with a plain form."""

    known: frozenset[str]
    refused: frozenset[str] = frozenset()
    plain: frozenset[str] = frozenset()

    def check(self, name: str) -> str:
        if name in self.refused or (name not in self.known and not name.startswith("custom@")):
            raise bad_query(f"cannot filter or sort by {name}", field=name)
        return name


def predicate_of(query: Mapping[str, list[str]], *, fields: Fields) -> Predicate:
    """All filters of a query, ANDed."""
    tests = [_compile(condition, fields=fields) for condition in _conditions(query, fields=fields)]
    return lambda row: all(test(row) for test in tests)


def _conditions(query: Mapping[str, list[str]], *, fields: Fields) -> Iterator[Row]:
    for key, values in query.items():
        if key in ("_filter", "_filter[]"):
            for text in values:
                yield from _from_json(text)
        elif key.startswith("~"):
            yield _from_tilde(key, values=values)
        elif key in fields.plain:
            yield {key: values[-1]}


def _from_json(text: str) -> list[Row]:
    try:
        found = json.loads(text, parse_float=Decimal)
    except ValueError:
        raise bad_query("_filter is not JSON", field="_filter") from None
    conditions = found if isinstance(found, list) else [found]
    if not all(isinstance(condition, dict) for condition in conditions):
        raise bad_query("_filter must be an object or a list of objects", field="_filter")
    return conditions


def _from_tilde(key: str, *, values: list[str]) -> Row:
    match = _TILDE.fullmatch(key)
    if match is None:
        raise bad_query(f"unreadable filter {key}", field=key)
    name, operator, many = match.groups()
    if operator in ("$in", "$nin") or many:
        wanted = values if many else values[-1].split(",")
        return {name: {operator or "$in": wanted}}
    return {name: {operator or "$eq": values[-1]}}


def _compile(condition: Row, *, fields: Fields) -> Predicate:
    tests = [_clause(name, value, fields=fields) for name, value in condition.items()]
    return lambda row: all(test(row) for test in tests)


def _clause(name: str, value: Any, *, fields: Fields) -> Predicate:
    if name in ("$and", "$or"):
        if not isinstance(value, list) or not all(isinstance(part, dict) for part in value):
            raise bad_query(f"{name} needs a list of conditions", field=name)
        parts = [_compile(part, fields=fields) for part in value]
        together = all if name == "$and" else any
        return lambda row: together(part(row) for part in parts)
    fields.check(name)
    operators = value if isinstance(value, dict) else {"$in" if isinstance(value, list) else "$eq": value}
    tests = [_test(name, operator, wanted) for operator, wanted in operators.items()]
    return lambda row: all(test(row) for test in tests)


def _test(name: str, operator: str, wanted: Any) -> Predicate:
    if operator not in _OPERATORS:
        raise bad_query(f"unknown operator {operator}", field=name)
    if operator in ("$in", "$nin"):
        if not isinstance(wanted, list):
            raise bad_query(f"{operator} needs a list", field=name)
        found = operator == "$in"
        among = _whole_numbers(wanted)
        if among is not None:  # by far the commonest: a few hundred ids, looked up in a set
            return lambda row: (_whole(field_of(row, name)) in among) is found
        return lambda row: any(_compare(name, row, one) == 0 for one in wanted) is found
    if operator == "$like":
        pattern = re.compile(".*".join(map(re.escape, str(wanted).split("*"))), re.IGNORECASE | re.DOTALL)
        return lambda row: pattern.fullmatch(str(field_of(row, name) or "")) is not None
    if name.endswith("_at") and wanted is not None:
        moment_of(name, wanted)  # an unreadable time is refused even where there is no row
    return _ordered(name, operator, wanted)


def _whole_numbers(wanted: list[Any]) -> frozenset[int] | None:
    """The wanted values when all of them are whole numbers, else None."""
    numbers = [_whole(one) for one in wanted]
    return None if None in numbers else frozenset(number for number in numbers if number is not None)


def _whole(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _ordered(name: str, operator: str, wanted: Any) -> Predicate:
    def test(row: Row) -> bool:
        order = _compare(name, row, wanted)
        if order is None:
            return operator == "$neq"
        return {
            "$eq": order == 0,
            "$neq": order != 0,
            "$gt": order > 0,
            "$gte": order >= 0,
            "$lt": order < 0,
            "$lte": order <= 0,
        }[operator]

    return test


def _compare(name: str, row: Row, wanted: Any) -> int | None:
    """-1, 0, 1: the row's value is below, equal to, above the wanted one. None: they cannot be compared."""
    value = field_of(row, name)
    if value is None or wanted is None:
        return 0 if value is wanted else None
    left, right = _alike(name, value, wanted)
    if type(left) is not type(right):
        return None
    return int(left > right) - int(left < right)


def _alike(name: str, value: Any, wanted: Any) -> tuple[Any, Any]:
    if name.endswith("_at"):
        return row_moment(name, value), moment_of(name, wanted)
    if isinstance(value, bool):
        return str(value).lower(), str(wanted).lower()
    if isinstance(value, (int, Decimal)):
        try:
            return Decimal(value), Decimal(str(wanted))
        except InvalidOperation:
            raise bad_query(f"{name} is a number", field=name) from None
    return str(value), str(wanted)


def field_of(row: Row, name: str) -> Any:
    if name.startswith("custom@"):
        return (row.get("custom") or {}).get(name.removeprefix("custom@"))
    return row.get(name)


def moment_of(name: str, value: Any) -> datetime:
    """A time to compare by: the wall clock of the store for `local_...`, else UTC. Raises Refused."""
    try:
        return _moment(str(value), name.startswith("local_"))
    except ValueError:
        raise bad_query(f"{name} is not a time: {value}", field=name) from None


def row_moment(name: str, value: Any) -> datetime | None:
    """The same for a value that a row has, which may be anything in a raw document."""
    try:
        return _moment(str(value), name.startswith("local_"))
    except ValueError:
        return None


@lru_cache(maxsize=50_000)
def _moment(text: str, local: bool) -> datetime:
    moment = datetime.fromisoformat(text)
    if local:
        return moment.replace(tzinfo=None)
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
