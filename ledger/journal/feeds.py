"""After a feed was changed: known events join the book, leave it, or come back to it."""

from dataclasses import dataclass

from django.db import connection, transaction
from django.db.models import Q, QuerySet

from ledger.clock import database_now
from ledger.journal.saying import NOTHING_SAID, put
from ledger.journal.sources import Known, look
from ledger.journal.states import NOT_FED, NOT_YET_SENT, new_posting, returned
from ledger.locks import locked
from ledger.models import Book, FinancialEvent, JournalEntry, Posting, Source
from ledger.terms import DeliveryState, SyncState

UNSENT = [SyncState.NEVER_SYNCED, SyncState.NOT_SYNCED, SyncState.ERROR]


@dataclass(frozen=True)
class Followed:
    """How many known events joined or came back to the book, and how many were set aside in it."""

    joined: int
    left: int


def follow(book: Book, source: Source) -> Followed:
    """Bring the postings of a book in line with its feed, in blocks: there may be millions."""
    left = _leave(book, source)
    joined = _come_back(book, source)
    while block := _join(book, source):
        joined += block
    return Followed(joined, left)


def _fed(known: Known, book: Book) -> Q | None:
    """The condition on events that the book is fed with; None without a feed."""
    for feed, chosen in known.feeds:
        if feed.book_id == book.pk:
            return Q() if feed.all_stores else Q(store__in=chosen) | Q(store=None)
    return None


def _leave(book: Book, source: Source) -> int:
    """What was not sent yet of stores that feed the book no more is set aside; what was sent stays."""
    with transaction.atomic():
        fed = _fed(look(source), book)
        mine = Posting.objects.filter(book=book, event__source=source, state__in=UNSENT, set_aside_reason="")
        gone = mine if fed is None else mine.exclude(pk__in=mine.filter(fed))
        JournalEntry.objects.filter(postings__in=gone, state__in=NOT_YET_SENT).update(state=DeliveryState.DISCARDED)
        free = gone.filter(Q(entry=None) | Q(entry__state=DeliveryState.DISCARDED))
        aside = {"state": SyncState.NEVER_SYNCED, "entry": None, "set_aside_reason": NOT_FED, **NOTHING_SAID}
        return free.update(updated_at=database_now(), **aside)


def _come_back(book: Book, source: Source) -> int:
    with transaction.atomic():
        known = look(source)
        fed = _fed(known, book)
        if fed is None:
            return 0
        away = Posting.objects.filter(fed, book=book, event__source=source, set_aside_reason=NOT_FED)
        back = list(locked(away).select_related("event", "book").order_by("pk"))
        for posting in back:
            put(posting, set_aside_reason="", updated_at=known.now, **returned(posting))
        columns = ["set_aside_reason", "updated_at", "state", *NOTHING_SAID]
        Posting.objects.bulk_update(back, columns, batch_size=200)
    return len(back)


def _join(book: Book, source: Source) -> int:
    """The next block of events that have no posting in the book yet; they wait as Never Synced."""
    with transaction.atomic():
        known = look(source)
        fed = _fed(known, book)
        if fed is None:
            return 0
        missing = _missing(book, source).filter(fed).order_by("pk")
        size = 2000 if connection.vendor == "postgresql" else 200
        block = [new_posting(event, book, known.now, history=True) for event in missing[:size]]
        return len(Posting.objects.bulk_create(block))


def _missing(book: Book, source: Source) -> QuerySet[FinancialEvent]:
    there = Posting.objects.filter(book=book).values("event")
    return FinancialEvent.objects.filter(source=source).exclude(pk__in=there)
