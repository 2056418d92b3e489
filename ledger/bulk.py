"""The fast way in for many rows, inside the caller's transaction: new lines, and columns that differ from row to row.

Measured with six lines an entry: model instances are four to ten times slower than COPY or executemany, and lines are
the bulk of the work. `bulk_update` of Django builds a CASE for each row and column: four fifths of the time of marking.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any, cast

from django.db import connection, models

from ledger import money
from ledger.terms import Role, Side

if TYPE_CHECKING:
    Column = models.Field[Any, Any]
else:
    Column = models.Field

_in_order = json.JSONEncoder(sort_keys=True).encode

COLUMNS = ("entry_id", "posting_id", "account_id", "role", "dimensions", "debit", "credit", "text", "why")


@dataclass(frozen=True)
class LineRow:
    """One journal line as a row: ids of what it points at, amount above zero and its side."""

    entry_id: int
    posting_id: int
    account_id: int
    role: Role
    dimensions: dict[str, str]
    side: Side
    amount: Decimal
    text: str
    why: str

    def values(self) -> tuple[int | str, ...]:
        units = money.to_minor(self.amount)
        debit, credit = (units, 0) if self.side is Side.DEBIT else (0, units)
        dimensions = _in_order(self.dimensions)
        ids = (self.entry_id, self.posting_id, self.account_id)
        return (*ids, self.role.value, dimensions, debit, credit, self.text[:200], self.why[:300])


def insert_lines(rows: Sequence[LineRow]) -> None:
    """Insert journal lines; the order of the rows becomes the order of their ids."""
    names = ", ".join(COLUMNS)
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            with cursor.copy(f"COPY ledger_journalline ({names}) FROM STDIN") as copy:
                for row in rows:
                    copy.write_row(row.values())
            return
        places = ", ".join(["%s"] * len(COLUMNS))
        statement = f"INSERT INTO ledger_journalline ({names}) VALUES ({places})"
        cursor.executemany(statement, [row.values() for row in rows])


def update_rows(rows: Sequence[models.Model], columns: Sequence[str]) -> None:
    """Write these columns of rows of one table, each with its own values. No signals, no default managers.

    One statement on PostgreSQL, which joins the values as a table; prepared once and run for each row on SQLite.
    """
    if not rows:
        return
    meta = rows[0]._meta
    fields = [cast("Column", meta.get_field(name)) for name in (*columns, meta.pk.name)]
    values = [[_stored(field, row) for row in rows] for field in fields]
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(_joined(meta.db_table, fields), values)
            return
        *places, key = (f"{field.column} = %s" for field in fields)
        statement = f"UPDATE {meta.db_table} SET {', '.join(places)} WHERE {key}"
        cursor.executemany(statement, list(zip(*values, strict=True)))


def _stored(field: Column, row: models.Model) -> object:
    return field.get_db_prep_save(getattr(row, field.attname), connection)


def _joined(table: str, fields: Sequence[Column]) -> str:
    """The last field is the key."""
    arrays = ", ".join(f"%s::{_any_length(field)}[]" for field in fields)
    names = [str(field.column) for field in fields]
    places = ", ".join(f"{name} = come.{name}" for name in names[:-1])
    come = f"unnest({arrays}) AS come ({', '.join(names)})"
    return f"UPDATE {table} SET {places} FROM {come} WHERE {table}.{names[-1]} = come.{names[-1]}"


def _any_length(field: Column) -> str:
    """A cast to a type with a length would cut a value short; without it the column refuses what is too long."""
    return str(field.rel_db_type(connection)).partition("(")[0]
