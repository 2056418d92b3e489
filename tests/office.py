"""The journal of one book as its users work with it: record, book, claim, answer; and a clock to put forward."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from django.db.models import DateTimeField, ExpressionWrapper, F

from ledger.errors import DaybookError
from ledger.journal import booking, delivery, marking, recording
from ledger.journal.delivery import Claim
from ledger.journal.readings import Reading
from ledger.models import Book, JournalEntry, Posting, Source
from ledger.terms import SyncState
from ledger.values import Delivered, EventFacts
from mappings.table import MappingTable
from tests.trade import reading

SETTLE = timedelta(seconds=150)
LEASE = timedelta(seconds=120)


@dataclass
class Office:
    """One source that feeds one book."""

    source: Source
    book: Book

    def record(self, *documents: EventFacts | Reading) -> recording.Recorded:
        readings = [d if isinstance(d, Reading) else reading(d) for d in documents]
        return recording.record(self.source, readings)

    def enter(self) -> booking.Booked:
        """Book everything that is ordered."""
        self.book.refresh_from_db()
        return booking.book_next(self.book, MappingTable(self.book))

    def posting(self, facts: EventFacts) -> Posting:
        rows = Posting.objects.select_related("entry", "event")
        return rows.get(book=self.book, event__external_id=facts.header.external_id)

    def entry(self, facts: EventFacts) -> JournalEntry:
        """The entry that carries a ticket now."""
        entry = self.posting(facts).entry
        assert entry is not None
        return entry

    def claim(self, *, limit: int = 30) -> Claim | None:
        return delivery.claim(self.book, limit=limit, lease=LEASE, settle=SETTLE)

    def sent(self, *, limit: int = 30) -> Claim:
        """Claim, and record the attempt: the entries are on their way."""
        claim = self.claim(limit=limit)
        assert claim is not None
        begin(claim, claim.entries)
        return claim

    def answer(self, claim: Claim, *, error: DaybookError | None = None) -> None:
        """The same answer for every entry of a claim: posted, or an error."""
        results = [_result(entry, error) for entry in claim.entries]
        marking.finish(claim, results, {})

    def post(self) -> None:
        """Everything that is ordered goes out and is taken."""
        self.enter()
        while claim := self.claim():
            begin(claim, claim.entries)
            self.answer(claim)

    def later(self, seconds: float) -> None:
        put_forward(seconds, entries=JournalEntry.objects.filter(book=self.book))

    def states(self, facts: Sequence[EventFacts]) -> list[str]:
        return [self.posting(one).state for one in facts]


def begin(claim: Claim, entries: Sequence[JournalEntry], *, batch_key: str = "") -> list[JournalEntry]:
    """Record the attempt to send these, with a text that stands for what leaves."""
    bodies = {entry.reference: f"the body of {entry.reference}" for entry in entries}
    return delivery.begin(claim, entries, bodies=bodies, batch_key=batch_key)


def put_forward(seconds: float, *, entries: Iterable[JournalEntry]) -> None:
    """Let time pass: every time that these entries wait for moves into the past by so much."""
    ids = [entry.pk for entry in entries]
    earlier = {
        name: ExpressionWrapper(F(name) - timedelta(seconds=seconds), output_field=DateTimeField())
        for name in ("lease_until", "sent_at", "next_attempt_at")
    }
    JournalEntry.objects.filter(pk__in=ids).update(**earlier)


def _result(entry: JournalEntry, error: DaybookError | None) -> Delivered:
    return Delivered(entry.reference, remote_id="" if error else f"there-{entry.pk}", error=error)


SYNCED, WAITING = SyncState.SYNCED, SyncState.NOT_SYNCED
