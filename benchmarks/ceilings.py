"""The least that a step could cost: the very rows that it left, written once more by COPY or executemany.

Two ceilings. `bare`: into tables with the keys, indexes and checks of ours, with one update for each table and block
that the step updates; nothing points at others. `same writes`: with the foreign keys too, and with every write that
the step owes to what it promises, each as one update of its block. No guard stands in either, and no event is thought
about: no mapping, no balance, no state.
"""

import json
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.db import connection, transaction

Rows = list[tuple[Any, ...]]

TOUCHED = {"ledger_attempt": "message = message || '.'"}
"""What an update writes; the priority of rows that have one."""


@dataclass(frozen=True)
class Ceiling:
    """The rows of `tables` that a step left, in blocks of so many events; `updates`: a table for each update."""

    block: int
    tables: tuple[str, ...]
    updates: tuple[str, ...] = ()
    foreign_keys: bool = False

    def rate(self, events: int, *, among: str = "") -> float:
        """Events a second. `among`: a condition on the entries, where the step touched only some of them."""
        write = self._prepared(among)
        begun = time.perf_counter()
        write(events)
        return events / (time.perf_counter() - begun)

    def _prepared(self, among: str) -> Callable[[int], None]:
        """Reads the rows before the clock runs; what is returned writes them."""
        rows = {table: rows_of(table, among=among) for table in self.tables}
        only_updated = sorted(set(self.updates) - set(self.tables))
        ids = {table: [row[0] for row in rows_of(table, columns="id", among=among)] for table in only_updated}
        ids |= {table: [row[0] for row in found] for table, found in rows.items()}
        for table in {*self.tables, *self.updates}:
            _copy_of(table, foreign_keys=self.foreign_keys)
        for table in only_updated:
            _statement(f"INSERT INTO bare_{table} SELECT * FROM {table}")
        return lambda events: self._write(rows, ids, events)

    def _write(self, rows: dict[str, Rows], ids: dict[str, list[Any]], events: int) -> None:
        """Each block is a transaction with its share of every table."""
        blocks = max(1, -(-events // self.block))
        for number in range(blocks):
            with transaction.atomic():
                for table, found in rows.items():
                    _insert(f"bare_{table}", _share(found, number, blocks))
                for table in self.updates:
                    _update(table, _share(ids[table], number, blocks))


def _copy_of(table: str, *, foreign_keys: bool) -> None:
    """An empty table with the columns, keys, indexes and checks of another, and what it points at if wanted."""
    _statement(f"DROP TABLE IF EXISTS bare_{table}")
    if connection.vendor == "postgresql":
        _statement(f"CREATE TABLE bare_{table} (LIKE {table} INCLUDING ALL)")
        for pointing in _pointing(table) if foreign_keys else ():
            _statement(f"ALTER TABLE bare_{table} ADD {pointing}")
        return
    with connection.cursor() as cursor:
        made = f"SELECT sql FROM sqlite_master WHERE tbl_name = '{table}' AND type IN ('table', 'index') AND sql > ''"
        cursor.execute(f"{made} ORDER BY type DESC")
        parts = [str(row[0]) for row in cursor.fetchall()]
    for part in parts:
        own = re.sub(r'^CREATE TABLE "|INDEX "|ON "', lambda found: f"{found[0]}bare_", part)
        pointing_at = r' REFERENCES "\w+" \("\w+"\)( DEFERRABLE INITIALLY DEFERRED)?'
        _statement(own if foreign_keys else re.sub(pointing_at, "", own))


def _pointing(table: str) -> list[str]:
    query = "SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE contype = 'f' AND conrelid = %s::regclass"
    with connection.cursor() as cursor:
        cursor.execute(query, [table])
        return [str(row[0]) for row in cursor.fetchall()]


def _share(rows: list[Any], number: int, blocks: int) -> list[Any]:
    return rows[number * len(rows) // blocks : (number + 1) * len(rows) // blocks]


def _statement(text: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(text)


def rows_of(table: str, *, columns: str = "*", among: str = "") -> Rows:
    """The rows of a table in the order of their ids; `among`: a condition on the entries that they belong to."""
    key = {"ledger_journalentry": "id"}.get(table, "entry_id")
    only = f"WHERE {key} IN (SELECT id FROM ledger_journalentry WHERE {among})" if among else ""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {columns} FROM {table} {only} ORDER BY id")
        return [tuple(map(_plain, row)) for row in cursor.fetchall()]


def _plain(value: Any) -> Any:
    return json.dumps(value) if isinstance(value, dict | list) else value


def _insert(table: str, rows: Rows) -> None:
    if not rows:
        return
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            with cursor.copy(f"COPY {table} FROM STDIN") as copy:
                for row in rows:
                    copy.write_row(row)
            return
        places = ", ".join(["%s"] * len(rows[0]))
        cursor.executemany(f"INSERT INTO {table} VALUES ({places})", rows)


def _update(table: str, ids: list[int]) -> None:
    if not ids:
        return
    written = TOUCHED.get(table, "priority = priority + 1")
    with connection.cursor() as cursor:
        cursor.execute(f"UPDATE bare_{table} SET {written} WHERE id BETWEEN %s AND %s", [ids[0], ids[-1]])
