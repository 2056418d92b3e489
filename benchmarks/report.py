"""`python -m benchmarks.report`: one Markdown file of everything that the benchmarks left, benchmarks/RESULTS.md.

Reads the JSON files of the results folder (`benchmarks.results` says their form), the engine first, and says of each
target whether it was met. A missed target is said as missed; its reason stands in REASONS.
"""

import json
import os
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")

import django

django.setup()

from benchmarks.results import FOLDER, Row, markdown  # noqa: E402

TARGET = Path(__file__).resolve().parent / "RESULTS.md"
ORDER = ("engine", "million", "lists", "latency", "limits", "chaos", "figures")
SHARE, CPU_MS, STATEMENTS = 0.6, 1.0, 0.05

HEAD = """# Results

Measured, not estimated: each table stands below the command that made it. `python -m benchmarks.report` writes this
file from what the benchmarks left. A missed target is said as missed.
"""

REASONS = {
    "share": (
        "The ceiling does the writes alone. A step also reads the facts, drafts and balances the lines, finds each "
        "account and says why, in Python: some 0.3 to 0.6 ms an event, longer than the database takes to write the "
        "rows. To come near would mean to do that work in the database or in another language. What the accounting "
        "system admits (some 1,200 entries a minute at QuickBooks) is far below either."
    ),
    "CPU": "All of it is Python: reading, thinking, building rows.",
    "SQL": "More statements than one in twenty events.",
}


def main() -> int:
    left = sorted(FOLDER.glob("*.json"), key=_place)
    if not left:
        sys.exit("There are no results yet. Run the benchmarks first, for instance python -m benchmarks.engine.")
    tables = [json.loads(path.read_text()) for path in left]
    TARGET.write_text("\n".join([HEAD, *_sections(tables)]))
    print(f"{len(tables)} tables in {TARGET.name}")
    return 0


def _place(path: Path) -> tuple[int, str]:
    name = path.stem.rpartition("-")[0]
    return (ORDER.index(name) if name in ORDER else len(ORDER)), path.stem


def _sections(tables: Iterable[dict[str, Any]]) -> Iterator[str]:
    title = ""
    for table in tables:
        if table["title"] != title:
            title = table["title"]
            yield f"## {title}\n"
        yield f"```\n{table['command']}\n```\n\n{table['machine']}.\n"
        if table["rows"]:
            yield f"{markdown(table['rows'])}\n"
        notes = [*table["notes"], *_verdicts(table["rows"])]
        if notes:
            yield "\n".join(f"- {note}" for note in notes) + "\n"


def _verdicts(rows: list[Row]) -> Iterator[str]:
    """The targets of the engine: its share of the ceiling, CPU and statements of book and mark."""
    engine = [row for row in rows if row.get("step") in {"book", "mark"}]
    for row in engine:
        missed = list(_missed(row))
        what = f"{row['step']} at {row['events']:,}"
        yield f"{what}: missed {', '.join(missed)}." if missed else f"{what}: every target met."
    for name in sorted({name for row in engine for name in _names(row)}):
        yield f"Why {name}: {REASONS[name]}"


def _missed(row: Row) -> Iterator[str]:
    share = row["events/s"] / row["bare/s"]
    if share < SHARE:
        same = row["events/s"] / row["same writes/s"]
        yield f"the share of the ceiling ({share:.0%} of bare, {same:.0%} of the same writes; target {SHARE:.0%})"
    if row["CPU ms per event"] >= CPU_MS:
        yield f"CPU ({row['CPU ms per event']:.2f} ms; target under {CPU_MS:.0f} ms)"
    if row["database"] == "postgresql" and row["SQL per event"] >= STATEMENTS:
        yield f"SQL ({row['SQL per event']:.3f}; target under {STATEMENTS})"


def _names(row: Row) -> Iterator[str]:
    said = " ".join(_missed(row))
    yield from (name for name in REASONS if name in said)


if __name__ == "__main__":
    sys.exit(main())
