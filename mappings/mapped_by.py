"""Which deed gave a line its account: found in the audit by what the line keeps of its mapping in words.

The mapping of today is not asked: it may have changed since the line was booked.
"""

from collections.abc import Iterator, Sequence
from datetime import timedelta

from ledger.admin import upstairs
from ledger.deeds import DEEDS, MAPPING, stored
from ledger.models import AuditRecord, JournalEntry, JournalLine
from ledger.terms import ROLES, Role
from mappings.editing import EVERY_OTHER

MOST_RECORDS = 500

AHEAD = timedelta(seconds=10)
"""The audit has the time of this machine, an entry that of the database: so far apart they may be."""

BETWEEN = ") to "

Wanted = dict[str, str]
"""What the audit may call a row of the mapping, and the account that it led to under that name."""


def install() -> None:
    """Fill in what the pages of entries ask for. Called once, when the application starts."""
    upstairs.say_who_mapped_by(who_mapped)


def who_mapped(lines: Sequence[JournalLine], entry: JournalEntry) -> dict[int, AuditRecord]:
    """By the id of a line: the newest deed before the booking that gave its row this very account. One query.

    A line has none where no deed names both as they were called when it was booked: nobody is named by a guess.
    """
    missing = {line.pk: wanted for line in lines if (wanted := _wanted(line))}
    found = dict[int, AuditRecord]()
    for record in _records(entry) if missing else ():
        told = {pk: record for pk, wanted in missing.items() if _gave(record, wanted)}
        found |= told
        missing = {pk: wanted for pk, wanted in missing.items() if pk not in told}
        if not missing:
            break
    return found


def _records(entry: JournalEntry) -> Iterator[AuditRecord]:
    about = AuditRecord.objects.filter(subject_kind="ledger.book", subject_id=str(entry.book_id))
    then = about.filter(deed__in=stored(DEEDS[MAPPING]), at__lte=entry.created_at + AHEAD)
    yield from then.order_by("-id")[:MOST_RECORDS].iterator(chunk_size=20)


def _gave(record: AuditRecord, wanted: Wanted) -> bool:
    return any(str(record.after.get(name, "")) == account for name, account in wanted.items())


def _wanted(line: JournalLine) -> Wanted:
    """Read from words such as "Mapping Payment account (Cash, Main Street) to Checking"."""
    said, store = line.why.removeprefix("Mapping "), str(line.posting.store or "")
    found: Wanted = {}
    for label in _labels(Role(line.role)):
        if said.startswith(f"{label} to "):
            found |= dict.fromkeys((label, f"{label}: {EVERY_OTHER}"), said.removeprefix(f"{label} to "))
        for parts, account in _split(said.removeprefix(f"{label} (")) if said.startswith(f"{label} (") else ():
            found |= dict.fromkeys(_names(label, parts, store=store), account)
    return found


def _split(said: str) -> Iterator[tuple[str, str]]:
    """Every way to read it as parts and account: names may hold what stands between the two."""
    pieces = said.split(BETWEEN)
    for place in range(1, len(pieces)):
        yield BETWEEN.join(pieces[:place]), BETWEEN.join(pieces[place:])


def _labels(role: Role) -> Iterator[str]:
    """The row of a role that has none of its own is that of the role it falls back to."""
    yield ROLES[role].label
    if fallback := ROLES[role].falls_back_to:
        yield from _labels(fallback)


def _names(label: str, parts: str, *, store: str) -> frozenset[str]:
    """As `Place.label` and `loading.label` write the row: the store stands last, and apart."""
    if store and parts == store:
        return frozenset({f"{label}: {parts}", f"{label}, {store} only"})
    if store and parts.endswith(f", {store}"):
        return frozenset({f"{label}: {parts}", f"{label}: {parts.removesuffix(f', {store}')}, {store} only"})
    return frozenset({f"{label}: {parts}"})
