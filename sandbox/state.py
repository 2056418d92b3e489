"""What the pretend vendors remember: an append-only log in SQLite, read back at start.

The apps keep their books in memory and write every change here before they answer.
"""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Iterable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

Record = dict[str, Any]

_DECIMAL = "$decimal"
_TABLE = """
CREATE TABLE IF NOT EXISTS log (id INTEGER PRIMARY KEY, stream TEXT NOT NULL, record TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS log_by_stream ON log (stream, id);
"""


class State:
    """Append-only streams of JSON records. Decimal survives as text. Safe to use from several threads."""

    def __init__(self, path: Path | str) -> None:
        self._lock = threading.Lock()
        self._db = sqlite3.connect(str(path), isolation_level=None, check_same_thread=False)
        # WAL with NORMAL: an append outlives a killed process (not a lost machine) and costs no fsync.
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute("PRAGMA synchronous = NORMAL")
        self._db.executescript(_TABLE)

    def append(self, stream: str, record: Record) -> int:
        """Write one record and return its number, which grows over all streams."""
        with self._lock:
            cursor = self._db.execute("INSERT INTO log (stream, record) VALUES (?, ?)", (stream, _encode(record)))
            return int(cursor.lastrowid or 0)

    def append_many(self, stream: str, records: Iterable[Record]) -> None:
        """Write records in one transaction: all of them or none."""
        rows = [(stream, _encode(record)) for record in records]
        with self._lock:
            self._db.execute("BEGIN IMMEDIATE")
            try:
                self._db.executemany("INSERT INTO log (stream, record) VALUES (?, ?)", rows)
            except BaseException:
                self._db.execute("ROLLBACK")
                raise
            self._db.execute("COMMIT")

    def read(self, stream: str) -> Iterator[Record]:
        """The records of a stream in the order they were written, as of this call."""
        with self._lock:
            rows = self._db.execute("SELECT record FROM log WHERE stream = ? ORDER BY id", (stream,)).fetchall()
        return (json.loads(row[0], object_hook=_decode) for row in rows)

    def close(self) -> None:
        with self._lock:
            self._db.close()


def _encode(record: Record) -> str:
    return json.dumps(record, default=_as_text, separators=(",", ":"))


def _as_text(value: object) -> dict[str, str]:
    if isinstance(value, Decimal):
        return {_DECIMAL: str(value)}
    raise TypeError(f"cannot be kept: {value!r}")


def _decode(value: dict[str, Any]) -> Any:
    return Decimal(value[_DECIMAL]) if len(value) == 1 and _DECIMAL in value else value
