"""What is known of an entry that came out wrong: our attempts, and when the vendor saved it."""

import json
import os
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing
from datetime import UTC, datetime

from ledger.models import Attempt, JournalEntry

MOST = 10
"""So many entries are told of; the others have as a rule gone the same way."""


def stories(references: Iterable[str]) -> list[str]:
    """In the order of time, a line for each thing that happened."""
    return [f"{name} {line}" for name in sorted(set(references))[:MOST] for line in sorted(_story(name))]


def _story(reference: str) -> Iterator[str]:
    yield from _saved(reference)
    for entry in JournalEntry.objects.filter(reference=reference):
        yield f"{entry.created_at:%H:%M:%S.%f} entered, now {entry.state}, sent at {entry.sent_at}"
        for one in Attempt.objects.filter(entry=entry).order_by("started_at"):
            ended = f"{one.ended_at:%H:%M:%S.%f}" if one.ended_at else "never"
            yield f"{one.started_at:%H:%M:%S.%f} attempt of {one.owner}, ended {ended}: {one.result} {one.message}"


def _saved(reference: str) -> Iterator[str]:
    """The sandbox's own log: no API of a vendor says it to a fraction of a second."""
    with closing(sqlite3.connect(os.environ["SANDBOX_STATE"])) as state:
        rows = state.execute("SELECT record FROM log WHERE stream = 'quickbooks.books' ORDER BY id").fetchall()
    for (text,) in rows:
        if reference in text and "entry" in (record := json.loads(text)):
            moment = datetime.fromtimestamp(record["saved"], UTC)
            if record["entry"].get("DocNumber") == reference:
                yield f"{moment:%H:%M:%S.%f} saved as {record['entry']['Id']} under {record['request_id']}"
