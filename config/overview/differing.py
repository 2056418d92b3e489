"""Entries of the accounting system that were adopted with another amount: no sum of the page shows that difference."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from config.overview.sums import Tally
from ledger.admin.adopted import ADOPTED
from ledger.admin.scoping import Person, visible
from ledger.models import AuditRecord, Book, Posting
from ledger.terms import Outcome, Side

LOOKED_THROUGH = 500
"""The latest adoptions that are compared: a person does each of them, so there are few."""


@dataclass(frozen=True)
class Differing:
    """By book how many of the latest adoptions differ, and by how much: what stands there less what Daybook sums.

    `is_all`: whether every adoption was looked at.
    """

    books: dict[int, Tally]
    is_all: bool


def differing(books: Sequence[Book], *, person: Person) -> Differing:
    """As far as this person may see. No index tells outcomes apart; the audit has one of deeds."""
    deeds = AuditRecord.objects.filter(deed=ADOPTED, subject_kind=Posting._meta.label_lower).order_by("-pk")
    # The latest of an event stands for it: one that was adopted again is met first.
    latest: dict[int, Decimal | None] = {}
    read = list(deeds.values_list("subject_id", "after__lines")[: LOOKED_THROUGH + 1])
    for pk, lines in read[:LOOKED_THROUGH]:
        latest.setdefault(int(pk), _total(lines or []))
    return Differing(_compared(books, latest, person) if latest else {}, len(read) <= LOOKED_THROUGH)


def _compared(books: Sequence[Book], latest: dict[int, Decimal | None], person: Person) -> dict[int, Tally]:
    there = Posting.objects.filter(pk__in=list(latest), book__in=books, outcome=Outcome.ADOPTED, entry__isnull=False)
    found: dict[int, Tally] = {}
    for posting in visible(there, to=person).select_related("entry"):
        total = latest[posting.pk]
        if total is not None and posting.entry and (by := total - posting.entry.total):
            found[posting.book_id] = found.get(posting.book_id, Tally()) + Tally(1, by)
    return found


def _total(lines: Sequence[dict[str, str]]) -> Decimal | None:
    """Of the entry that stands there; None when its lines were not kept."""
    return sum((Decimal(line["amount"]) for line in lines if line["side"] == Side.DEBIT), Decimal(0)) if lines else None
