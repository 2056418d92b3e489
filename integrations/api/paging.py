"""Lists in pages: each page begins below the last row of the one before, so that the database reads one page alone.

Newest first is by id: ids never change and are never used twice, so that rows which arrive or change between two pages
neither move a row out of sight nor show it twice. A list that is narrowed by date or amount is in that order, along
the index that finds it.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

from django.db.models import Model, Q, QuerySet
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from integrations.api.fields import AMOUNT, Id, Strict

ROWS, MOST_ROWS = 50, 200
CURSOR = r"^([0-9.-]{1,20}~)?[0-9]{1,18}$"


@dataclass(frozen=True)
class Order:
    """What a list is in the order of, the highest first: a column that is never empty in it, then the id."""

    column: str
    read: Callable[[str], Any]


def by_date(column: str) -> Order:
    return Order(column, date.fromisoformat)


def by_amount(column: str) -> Order:
    return Order(column, _amount)


def _amount(text: str) -> Decimal:
    if not re.fullmatch(AMOUNT, text):
        raise ValueError(text)
    return Decimal(text)


def _nothing(text: str) -> None:
    if text:
        raise ValueError(text)


BY_ID = Order("", _nothing)


class Paged(Strict):
    """The two filters that every list has."""

    cursor = serializers.RegexField(
        CURSOR, required=False, help_text="Where the next page begins: `next_cursor` of the page before."
    )
    limit = Id(
        required=False, max_value=MOST_ROWS, help_text=f"Rows of a page: {ROWS} unless said, at most {MOST_ROWS}."
    )


class Page(serializers.Serializer):
    """One page of a list; `results` is declared by each list."""

    next = serializers.CharField(allow_null=True, help_text="The address of the next page; null on the last one.")
    next_cursor = serializers.CharField(allow_null=True, help_text="The same as a value for `cursor`.")


def page(
    request: Request,
    rows: QuerySet[Any],
    asked: dict[str, Any],
    shown: Callable[[Sequence[Any]], Any],
    *,
    order: Order = BY_ID,
) -> Response:
    """The page that was asked for: `shown` makes its rows readable."""
    limit = asked.get("limit", ROWS)
    if "cursor" in asked:
        rows = rows.filter(_below(asked["cursor"], order))
    columns = [f"-{order.column}", "-pk"] if order.column else ["-pk"]
    found: list[Model] = list(rows.order_by(*columns)[: limit + 1])
    cursor = _cursor_of(found[limit - 1], order) if len(found) > limit else None
    answer = {"next": _address(request, cursor), "next_cursor": cursor, "results": shown(found[:limit])}
    return Response(answer)


def _below(cursor: str, order: Order) -> Q:
    """What comes after the row that a cursor names."""
    written, _, pk = cursor.rpartition("~")
    try:
        value = order.read(written)
    except ValueError:
        raise ValidationError({"cursor": ["It belongs to a list in another order. Follow its `next`."]}) from None
    if not order.column:
        return Q(pk__lt=int(pk))
    same = Q(**{order.column: value}, pk__lt=int(pk))
    return Q(**{f"{order.column}__lte": value}) & (Q(**{f"{order.column}__lt": value}) | same)


def _cursor_of(row: Model, order: Order) -> str:
    return f"{getattr(row, order.column)}~{row.pk}" if order.column else str(row.pk)


def _address(request: Request, cursor: str | None) -> str | None:
    if cursor is None:
        return None
    query = urlencode({**request.query_params.dict(), "cursor": cursor})
    return request.build_absolute_uri(f"{request.path}?{query}")
