"""How the core keeps its values in columns: amounts exactly, closed vocabularies as text with choices."""

from decimal import Decimal
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from django.core.exceptions import ValidationError
from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models.expressions import OrderBy
from django.db.models.indexes import IndexExpression
from django.db.models.sql.compiler import SQLCompiler
from django.utils.deconstruct import deconstructible

from ledger import money

if TYPE_CHECKING:
    _WholeNumbers = models.BigIntegerField[Decimal | int | None, Any]
else:
    _WholeNumbers = models.BigIntegerField


class AmountField(_WholeNumbers):
    """A Decimal in Python, whole hundredths in the database: SQLite would keep a Decimal as a float."""

    description = "Amount of money, in whole hundredths"

    def from_db_value(self, value: int | None, *_: object) -> Decimal | None:
        return None if value is None else Decimal(value).scaleb(-2)

    def get_prep_value(self, value: object) -> int | None:
        if value is None:
            return None
        amount = money.parse(value)
        try:
            return money.to_minor(amount, currency="USD")
        except ValueError as too_fine:
            raise ValidationError(str(too_fine)) from None

    def to_python(self, value: object) -> Decimal | None:
        if value is None:
            return None
        try:
            return money.parse(value)
        except money.NotAnAmount as problem:
            raise ValidationError(str(problem)) from None


def choices(words: type[StrEnum]) -> list[tuple[str, str]]:
    """The choices of a closed vocabulary, with its own labels where it has some."""
    return [(word.value, getattr(word, "label", word.value.replace("_", " ").capitalize())) for word in words]


def is_one_of(column: str, words: type[StrEnum], *, name: str) -> models.CheckConstraint:
    """The database refuses a word outside the vocabulary."""
    return models.CheckConstraint(condition=models.Q(**{f"{column}__in": [w.value for w in words]}), name=name)


@deconstructible(path="ledger.models.fields.NewestFirst")
class NewestFirst(OrderBy):
    """Newest first, what has no date behind everything else, on both databases; reversed, in the reverse order.

    SQLite sorts so by itself and refuses to hear it in an index; PostgreSQL must be told, there too.
    """

    def __init__(self, column: str) -> None:
        super().__init__(models.F(column), descending=True, nulls_last=True)

    def as_sqlite(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper) -> Any:
        plain = OrderBy(self.get_source_expressions()[0], descending=self.descending)
        return plain.as_sql(compiler, connection)


IndexExpression.register_wrappers(*IndexExpression.wrapper_classes, NewestFirst)
