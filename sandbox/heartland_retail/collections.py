"""Collections: filter, sort, page, select, and the envelope around the rows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sandbox.heartland_retail.filters import Fields, field_of, predicate_of, row_moment
from sandbox.heartland_retail.refusals import bad_query
from sandbox.shop_documents import Row

Query = Mapping[str, list[str]]
DEFAULT_PER_PAGE = 20
MAX_PER_PAGE = 1000
_ALWAYS = (
    "page",
    "per_page",
    "sort",
    "sort[]",
    "_filter",
    "_filter[]",
    "_only[]",
    "_include[]",
    "_only",
    "_include",
)
# Harmless there, without effect here.
_IGNORED = ("include_links",)


@dataclass(frozen=True)
class Page:
    """One page of a filtered, sorted collection; `rows` are the collection's own, not copies."""

    total: int
    pages: int
    rows: list[Row]


def page_of(rows: Sequence[Row], *, query: Query, fields: Fields) -> Page:
    """Raises Refused for what Heartland (or this reading of it) does not accept."""
    _refuse_unknown(query, fields=fields)
    test = predicate_of(query, fields=fields)
    found = _sorted([row for row in rows if test(row)], query=query, fields=fields)
    number, size = _whole(query, "page", default=1), _per_page(query, total=len(found))
    pages = max(1, -(-len(found) // size))
    return Page(len(found), pages, found[(number - 1) * size : number * size])


def _refuse_unknown(query: Query, *, fields: Fields) -> None:
    for key in query:
        if not (key in _ALWAYS or key in _IGNORED or key in fields.plain or key.startswith("~")):
            raise bad_query(f"unknown parameter {key}", field=key)


def _whole(query: Query, name: str, *, default: int) -> int:
    text = query.get(name, [str(default)])[-1]
    if not text.isdigit() or int(text) < 1:
        raise bad_query(f"{name} must be a whole number above zero", field=name)
    return int(text)


def _per_page(query: Query, *, total: int) -> int:
    if query.get("per_page", [""])[-1] != "all":
        return min(_whole(query, "per_page", default=DEFAULT_PER_PAGE), MAX_PER_PAGE)
    if total > MAX_PER_PAGE:
        raise bad_query("the collection is too large for per_page=all", field="per_page")
    return max(total, 1)


def _sorted(rows: list[Row], *, query: Query, fields: Fields) -> list[Row]:
    orders = query.get("sort[]") or query.get("sort") or ["id"]
    for order in reversed(orders):
        name, _, direction = order.partition(",")
        fields.check(name)
        if direction not in ("", "asc", "desc"):
            raise bad_query(f"unknown direction {direction}", field="sort")
        rows = sorted(rows, key=lambda row: _sort_key(name, row), reverse=direction == "desc")
    return rows


def _sort_key(name: str, row: Row) -> tuple[int, Any]:
    value = field_of(row, name)
    if value is None:
        return (0, 0)
    if name.endswith("_at") and (moment := row_moment(name, value)):
        return (1, moment)
    if isinstance(value, (int, Decimal)):
        return (2, value)
    return (3, str(value))


def included(query: Query) -> frozenset[str]:
    return frozenset(query.get("_include[]", []) + query.get("_include", []))


def selected(row: Row, *, query: Query) -> Row:
    names = query.get("_only[]", []) + query.get("_only", [])
    return {name: row[name] for name in names if name in row} if names else row


def envelope(page: Page, *, rows: Sequence[Row], empty_pages: int = 1) -> Row:
    return {"total": page.total, "pages": page.pages if page.total else empty_pages, "results": list(rows)}
