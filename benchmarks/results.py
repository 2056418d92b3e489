"""Where a benchmark leaves its figures for the report: one JSON file for each, in a folder that git ignores.

A file holds `title`, `command`, `machine`, `rows` (each by column) and `notes` (sentences below the table).
"""

import json
import os
import platform
import sqlite3
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import django
from django.db import connection

FOLDER = Path(__file__).resolve().parent / "results"

Row = dict[str, Any]


def note(name: str, *, title: str, rows: Iterable[Row], notes: Sequence[str] = (), program: str = "") -> None:
    """Leave the rows of one benchmark on the database in use; what an earlier run left is replaced.

    `program`: what was started, where it was not this process.
    """
    FOLDER.mkdir(exist_ok=True)
    left = {
        "title": title,
        "command": _command(program or Path(sys.argv[0]).stem),
        "machine": machine(),
        "rows": list(rows),
        "notes": list(notes),
    }
    (FOLDER / f"{name}-{connection.vendor}.json").write_text(json.dumps(left, indent=1) + "\n")


def markdown(rows: Sequence[Row]) -> str:
    """A table with the columns of the first row."""
    columns = list(rows[0])
    lines = [f"| {' | '.join(columns)} |", f"| {' | '.join(_edge(rows[0][name]) for name in columns)} |"]
    lines += [f"| {' | '.join(shown(row.get(name, '')) for name in columns)} |" for row in rows]
    return "\n".join(lines)


def shown(value: object) -> str:
    """A figure for people: three digits that count."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:,.0f}" if abs(value) >= 100 else f"{value:,.1f}" if abs(value) >= 10 else f"{value:,.3f}"
    return f"{value:,}" if isinstance(value, int) else str(value)


def _edge(value: object) -> str:
    return "---:" if isinstance(value, int | float) and not isinstance(value, bool) else "---"


def machine() -> str:
    """Cores, memory and versions; no name and no path."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    parts = [f"{os.cpu_count()} cores", f"{memory:.0f} GB", f"{platform.system()} {platform.machine()}"]
    parts += [f"Python {platform.python_version()}", f"Django {django.get_version()}", _database()]
    return ", ".join(parts)


def _database() -> str:
    if connection.vendor == "sqlite":
        return f"SQLite {sqlite3.sqlite_version}"
    with connection.cursor() as cursor:
        cursor.execute("SHOW server_version")
        return f"PostgreSQL {cursor.fetchone()[0].split()[0]}"


def _command(program: str) -> str:
    """What was typed; the address of a database is its owner's business."""
    on = "DATABASE_URL=... " if connection.vendor == "postgresql" else ""
    return f"{on}python -m benchmarks.{program} {' '.join(sys.argv[1:])}".strip()
