"""The journal entries that exist at the pretend vendor, in memory."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

Body = dict[str, Any]

FIRST_ID = 201


@dataclass(frozen=True)
class Entry:
    """One entry: its body without names in references, when it was first saved, and by which request."""

    body: Body
    saved: float
    request_id: str | None = None

    @property
    def id(self) -> str:
        return str(self.body["Id"])

    @property
    def number(self) -> str | None:
        return self.body.get("DocNumber")


class Journal:
    """Entries by id and by number. Numbers need not be unique, as at the vendor."""

    def __init__(self) -> None:
        self._entries: dict[str, Entry] = {}
        self._numbers: dict[str, dict[str, None]] = defaultdict(dict)
        self._deleted: set[str] = set()
        self._last = FIRST_ID - 1
        self.moved: dict[str, Decimal] = defaultdict(Decimal)

    def __iter__(self) -> Iterator[Entry]:
        return iter(list(self._entries.values()))

    def __len__(self) -> int:
        return len(self._entries)

    def next_id(self) -> str:
        return str(self._last + 1)

    def get(self, identifier: str) -> Entry | None:
        return self._entries.get(identifier)

    def was_deleted(self, identifier: str) -> bool:
        return identifier in self._deleted

    def numbered(self, numbers: Iterable[str]) -> list[Entry]:
        """All entries that bear one of these numbers."""
        return [self._entries[each] for number in numbers for each in self._numbers.get(number, ())]

    def put(self, entry: Entry) -> None:
        """Add an entry, or replace the one with its id."""
        self.remove(entry.id)
        self._deleted.discard(entry.id)
        self._entries[entry.id] = entry
        self._last = max(self._last, int(entry.id))
        self._move(entry, sign=1)
        if entry.number is not None:
            self._numbers[entry.number][entry.id] = None

    def remove(self, identifier: str) -> None:
        """Take an entry out; one that is not there leaves everything as it is."""
        entry = self._entries.pop(identifier, None)
        if entry is None:
            return
        self._deleted.add(identifier)
        self._move(entry, sign=-1)
        if entry.number is not None:
            self._numbers[entry.number].pop(identifier, None)

    def _move(self, entry: Entry, *, sign: int) -> None:
        for account, amount in signed_amounts(entry.body):
            self.moved[account] += sign * amount


def signed_amounts(body: Body) -> Iterator[tuple[str, Decimal]]:
    """Account id and amount of each line, debits positive."""
    for line in body["Line"]:
        detail = line.get("JournalEntryLineDetail")
        if detail:
            amount = line["Amount"]
            yield detail["AccountRef"]["value"], amount if detail["PostingType"] == "Debit" else -amount
