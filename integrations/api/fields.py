"""What callers send: fields that take exactly what the description says, and refuse names that nobody knows."""

import re
from datetime import date
from decimal import Decimal
from typing import Any

from django.db.models import Model
from django.http import QueryDict
from django.urls import reverse
from drf_spectacular.extensions import OpenApiSerializerExtension
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

LARGEST_ID = 2**63 - 1
DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
AMOUNT = r"^-?[0-9]{1,12}(\.[0-9]{1,2})?$"


class Strict(serializers.Serializer):
    """A mistyped name must not be taken for nothing: an order without its filter would be an order for everything."""

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, dict):
            unknown = {name: ["There is no such field."] for name in data if name not in self.fields}
            if unknown:
                raise serializers.ValidationError(unknown)
        return super().to_internal_value(data)


class StrictInTheDescription(OpenApiSerializerExtension):
    """The description says too that other names are refused."""

    target_class = "integrations.api.fields.Strict"
    match_subclasses = True

    def map_serializer(self, auto_schema: Any, direction: str) -> dict[str, Any]:
        described: dict[str, Any] = auto_schema._map_basic_serializer(self.target, direction)
        return {**described, "additionalProperties": False, **getattr(self.target, "also_described", {})}


def asked(filters: type[Strict], query: QueryDict) -> dict[str, Any]:
    """The filters of an address, each given once."""
    twice = {name: ["Give it once only."] for name, values in query.lists() if len(values) > 1}
    if twice:
        raise serializers.ValidationError(twice)
    return valid(filters(data=query.dict()))


def valid(form: serializers.BaseSerializer) -> dict[str, Any]:
    """What was sent, read; 400 with what is wrong."""
    form.is_valid(raise_exception=True)
    return dict(form.validated_data)


class Day(serializers.DateField):
    """A date as 2010-12-24 and in no other form."""

    def to_internal_value(self, value: Any) -> date:
        if not isinstance(value, str) or not DAY.fullmatch(value):
            self.fail("invalid", format="YYYY-MM-DD")
        return super().to_internal_value(value)


class Id(serializers.IntegerField):
    """An id in an address."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"min_value": 1, "max_value": LARGEST_ID, **kwargs})

    def to_internal_value(self, data: Any) -> int:
        if not (isinstance(data, str) and data.isascii() and data.isdigit()):
            self.fail("invalid")
        return super().to_internal_value(data)


class IdInBody(serializers.IntegerField):
    """An id in a body: a number, not a text."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"min_value": 1, "max_value": LARGEST_ID, **kwargs})

    def to_internal_value(self, data: Any) -> int:
        if isinstance(data, bool) or not isinstance(data, int):
            self.fail("invalid")
        return int(data)


class Text(serializers.CharField):
    """Text as it is; a number is none."""

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        return str(super().to_internal_value(data))


@extend_schema_field({"type": "boolean", "enum": [True]})
class Yes(serializers.BooleanField):
    """True, or left out."""

    default_error_messages = {"invalid": "Say true, or leave it out."}

    def to_internal_value(self, data: Any) -> bool:
        if data is not True:
            self.fail("invalid")
        return True


@extend_schema_field({"type": "string", "pattern": AMOUNT, "example": "96310.55"})
class AmountAsked(serializers.RegexField):
    """An amount as text with at most two decimals."""

    default_error_messages = {"invalid": "Write an amount such as 96310.55."}

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(AMOUNT, **kwargs)

    def to_internal_value(self, data: Any) -> str:
        return str(super().to_internal_value(data))


def amount(text: str) -> Decimal:
    """The amount that an `AmountAsked` let through."""
    return Decimal(text)


@extend_schema_field({"type": "string", "pattern": r"^-?[0-9]+\.[0-9]{2}$", "example": "96310.55"})
class Amount(serializers.DecimalField):
    """An amount in an answer: text with two decimals, so that no program reads it as a float."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_digits=19, decimal_places=2, **kwargs)


@extend_schema_field({"type": "string"})
class PageInDaybook(serializers.ReadOnlyField):
    """The address of a row's page; `name` is that of the page."""

    def __init__(self, name: str) -> None:
        super().__init__(source="*", help_text="Its page in Daybook.")
        self.name = name

    def to_representation(self, row: Model) -> str:
        return str(self.context["request"].build_absolute_uri(reverse(self.name, args=[row.pk])))
