"""How a posting comes into the world, and what it becomes when its event can be read again."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import OuterRef, Subquery

from ledger.errors import Unreadable
from ledger.journal.saying import NOTHING_SAID
from ledger.models import Book, FinancialEvent, Posting
from ledger.terms import DeliveryState, SyncState
from ledger.trace import trace_of

NOT_YET_SENT = (DeliveryState.READY, DeliveryState.REJECTED)
"""Entries that are surely not over there: they may be discarded."""

NOT_FED = "Its store does not feed this book."
"""Why an event is set aside by itself; it comes back by itself when its store feeds the book again."""


@dataclass(frozen=True)
class Birth:
    """The state of a posting that begins, or begins again, and why it cannot be read, if so."""

    state: SyncState
    error: str = ""
    cause: str = ""

    @property
    def columns(self) -> dict[str, Any]:
        code = Unreadable.code if self.error else ""
        said = {"error_code": code, "cause": self.cause or code, "error": self.error}
        return {"state": self.state, **NOTHING_SAID, **said}


def born(event: FinancialEvent, book: Book, *, history: bool = False) -> Birth:
    """Error when it cannot be read; ordered when completed after Start Sync; else it waits for a decision."""
    if event.problem:
        return Birth(SyncState.ERROR, event.problem, event.problem_cause)
    started = book.sync_started_at
    if history or started is None or event.completed_at is None or event.completed_at < started:
        return Birth(SyncState.NEVER_SYNCED)
    return Birth(SyncState.NOT_SYNCED)


def new_posting(event: FinancialEvent, book: Book, now: datetime, *, history: bool = False) -> Posting:
    """Where a new event stands in a book; `history`: it was known before this book was."""
    birth = born(event, book, history=history)
    return Posting(
        event=event,
        book=book,
        kind=event.kind,
        number=event.number,
        store=event.store,
        business_date=event.business_date,
        amount=event.amount,
        updated_at=now,
        **birth.columns,
    )


def trace(posting: Posting) -> str:
    """The id under which the log speaks of a posting."""
    event = posting.event
    return trace_of(event.source.code, event.kind, event.external_id)


def returned(posting: Posting) -> dict[str, Any]:
    """The columns of a posting that comes back from being set aside: as it was born, or ordered if it had been."""
    birth = born(posting.event, posting.book)
    ordered = posting.order_id is not None and not birth.error
    return (Birth(SyncState.NOT_SYNCED) if ordered else birth).columns


def latest_revision() -> Subquery:
    """The latest revision of a posting's event, for use in an update or a filter of postings."""
    return Subquery(FinancialEvent.objects.filter(pk=OuterRef("event_id")).values("revision")[:1])
