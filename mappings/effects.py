"""What a change of the mapping does, told before it is saved: what is sent, what stays, what will be missing."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db.models import Count
from django.db.models.fields.json import KT

from ledger.clock import database_now
from ledger.errors import UnmappedAccount
from ledger.models import Account, Book, JournalEntry, JournalLine
from ledger.terms import ROLES, DeliveryState, Dimension, Role
from mappings import coverage, editing, use
from mappings.coverage import Slot
from mappings.loading import Plan, key_of
from mappings.models import Mapping
from mappings.table import MappingTable
from mappings.use import Use, Value
from mappings.waiting import Held

MOST_ENTRIES = 10_000
"""Of so many of the latest entries it is told how many keep the old account."""


@dataclass
class Line:
    """One place: the row as it will be, or the one that goes when `after` is None. `kept`: entries posted before."""

    label: str
    row: Mapping
    before: Account | None
    after: Account | None
    kept: int = 0


@dataclass(frozen=True)
class Lacking:
    """A place that would have no account any more, and what bore it in the last 90 days."""

    label: str
    use: Use


@dataclass(frozen=True)
class Effect:
    """`sent`: events in Error that get what they wait for. Not `is_all`: there are more. `of_latest`: entries read."""

    lines: Sequence[Line]
    sent: Held
    is_all: bool
    lacking: Sequence[Lacking]
    of_latest: int = 0


def of_form(book: Book, changes: Iterable[editing.Change]) -> list[Line]:
    """The lines of a filled-in form; rows that stay as they are say nothing."""
    return [
        Line(c.place.label, editing.row_of(book, c.place, account), c.place.account, c.account)
        for c in editing.real(changes)
        if (account := c.account or c.place.account)
    ]


def of_plan(made: Plan) -> list[Line]:
    """The lines of a file, a template or another book's mapping."""
    return [Line(change.label, change.wanted, change.before, change.wanted.account) for change in made.changes]


def effect(book: Book, lines: Sequence[Line]) -> Effect:
    """What these lines would do as things stand now. Writes nothing; a few queries, whatever their number."""
    standing = {key_of(row): row for row in Mapping.objects.filter(book=book).select_related("account")}
    now, then = MappingTable(book, standing.values()), MappingTable(book, _rows_then(standing, lines))
    told = editing.figures(book)
    held = told.waiting
    sent = [held.by[place] for place in held.by if not _serves(now, *place) and _serves(then, *place)]
    latest = _count_kept(book, lines)
    return Effect(lines, sum(sent, Held()), held.is_all, _lacking(book, told, now, then), latest)


def _rows_then(standing: dict[tuple[object, ...], Mapping], lines: Iterable[Line]) -> list[Mapping]:
    rows = dict(standing)
    for line in lines:
        if line.after is None:
            rows.pop(key_of(line.row), None)
        else:
            rows[key_of(line.row)] = line.row
    return list(rows.values())


def _serves(table: MappingTable, value: Value, store: str) -> bool:
    role = Role(value[0])
    required = ROLES[role].required
    try:
        table.resolve(role, {Dimension.STORE: store, **({required: value[1]} if required else {})})
    except UnmappedAccount:
        return False
    return True


def _lacking(book: Book, told: editing.Figures, now: MappingTable, then: MappingTable) -> list[Lacking]:
    """What lacks an account then and not now."""
    wanted = editing.wanted(book, told, now.names)
    before = {gap.slot for gap in coverage.missing(book, among=wanted, table=now)}
    after = [gap.slot for gap in coverage.missing(book, among=wanted, table=then) if gap.slot not in before]
    return [Lacking(_label(slot), told.uses.of(slot.role, slot.value)) for slot in after]


def _label(slot: Slot) -> str:
    return f"{slot.label}: {slot.name}" if slot.name else slot.label


# --- What is posted already -----------------------------------------------------------------------


def _count_kept(book: Book, lines: Sequence[Line]) -> int:
    """Count for each line the entries that keep its old account; returns of how many, if not of all of 90 days.

    The days are those of the uses, by the date in the books.
    """
    before, last = {line.before.pk for line in lines if line.before}, use.last_day(book, database_now())
    if not before or last is None:
        return 0
    days = (last - timedelta(days=use.DAYS - 1), last)
    posted = JournalEntry.objects.filter(book=book, state=DeliveryState.POSTED, posting_date__range=days)
    latest = posted.order_by("-posting_date", "-pk").values("pk")[:MOST_ENTRIES]
    told_apart = {by for line in lines for by in line.row.selectors()} - {Dimension.STORE}
    on: dict[tuple[int, str], list[dict[str, Any]]] = defaultdict(list)
    for row in _on(before, JournalLine.objects.filter(entry__in=latest), told_apart):
        on[row["account_id"], row["role"]].append(row)
    for line in lines:
        rows = on[line.before.pk, line.row.role] if line.before else []
        line.kept = sum(row["entries"] for row in rows if _is_of(line.row, row))
    return MOST_ENTRIES if latest.count() == MOST_ENTRIES else 0


def _on(accounts: Iterable[int], lines: Any, told_apart: Iterable[Dimension]) -> Any:
    """By account, role, what tells the lines apart, and store: an entry has one store, so these can be added."""
    told = {f"by_{by}": KT(f"dimensions__{by}") for by in told_apart}
    some = lines.filter(account__in=accounts).order_by().annotate(**told)
    keys = ("account_id", "role", "entry__store_id", *told)
    return some.values(*keys).annotate(entries=Count("entry", distinct=True))


def _is_of(place: Mapping, row: dict[str, Any]) -> bool:
    if place.store_id not in (None, row["entry__store_id"]):
        return False
    return all(row[f"by_{by}"] == code for by, code in place.selectors().items() if by is not Dimension.STORE)
