"""How a posting comes into the world, and what it becomes when its event can be read again."""

from dataclasses import dataclass
from datetime import datetime

from ledger.errors import Unreadable
from ledger.models import Book, FinancialEvent, Posting
from ledger.terms import SyncState


@dataclass(frozen=True)
class Birth:
    state: SyncState
    error_code: str = ""
    error: str = ""


def born(event: FinancialEvent, book: Book, *, history: bool = False) -> Birth:
    """Error when it cannot be read; ordered when completed after Start Sync; else it waits for a decision."""
    if event.problem:
        return Birth(SyncState.ERROR, Unreadable.code, event.problem)
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
        state=birth.state,
        error_code=birth.error_code,
        cause=birth.error_code,
        error=birth.error,
        number=event.number,
        store=event.store,
        business_date=event.business_date,
        amount=event.amount,
        updated_at=now,
    )
