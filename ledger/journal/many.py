"""What becomes of events that a person retries, sets aside or takes back: the rules, for a block of them or for one.

The decision is ordered and audited where the events are chosen; here each event is looked at again under its lock, and
what can no longer be done to it is left, with the reason. `orders` does the same to a block of one, and audits that.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import structlog
from django.db import transaction
from django.db.models import Q, Value
from django.db.models.functions import Coalesce

from ledger.clock import database_now
from ledger.errors import Unreadable
from ledger.journal.saying import NOTHING_SAID
from ledger.journal.states import NOT_YET_SENT, returned, trace
from ledger.locks import locked
from ledger.models import Book, JournalEntry, Posting, SyncOrder
from ledger.terms import DeliveryState, SyncState

log = structlog.get_logger(__name__)

IS_SYNCED = "It is Synced: that is final."
IS_LEAVING = "It is being sent now. Wait until its outcome is known."
IS_ASIDE = "It is set aside already."
IS_NOT_ASIDE = "It is not set aside."
IS_NOT_FAILED = "It did not fail, or waits its turn again already."
IS_NOT_FED = "Its store does not feed this book; change the feed of the till first."


@dataclass
class Block:
    """What became of a block: the postings that were changed, and why the others were left."""

    done: list[int] = field(default_factory=list)
    left: dict[int, str] = field(default_factory=dict)
    unread: list[tuple[int, int]] = field(default_factory=list)
    """Source and event of documents that could not be read: they must be fetched again."""
    traces: list[str] = field(default_factory=list)

    def do(self, posting: Posting) -> None:
        self.done.append(posting.pk)
        self.traces.append(trace(posting))

    def say(self, what: str, **facts: object) -> None:
        """The block in the log, in the same words as for one event."""
        if self.traces:
            log.info(what, traces=self.traces, **facts)


def retry(ids: Sequence[int], *, order: SyncOrder) -> Block:
    """Put failed postings back in the queue; what was refused is booked anew."""
    block = Block()
    with transaction.atomic():
        held_entries(ids, DeliveryState.REJECTED)
        for posting in _held(ids):
            if posting.state != SyncState.ERROR:
                block.left[posting.pk] = IS_NOT_FAILED
                continue
            block.do(posting)
            if posting.error_code == Unreadable.code:
                block.unread.append((posting.event.source_id, posting.event_id))
        _discard(block.done, DeliveryState.REJECTED)
        _put(block.done, **queued_again(), order=of_its_own(order))
    block.say("retried", order=order.pk)
    return block


def queued_again() -> dict[str, object]:
    """The columns of what failed and waits its turn again: booked anew, for its entry was refused."""
    return {"state": SyncState.NOT_SYNCED, "entry": None, **NOTHING_SAID}


def of_its_own(order: SyncOrder) -> Coalesce:
    """What was ordered before stays in that order, which ends when all of it is Synced; the rest joins this one."""
    return Coalesce("order_id", Value(order.pk))


def set_aside(ids: Sequence[int], *, reason: str) -> Block:
    """Take postings out of the queue: they are Never Synced again and ranges pass them by."""
    block = Block()
    with transaction.atomic():
        free = held_entries(ids, *NOT_YET_SENT)
        for posting in _held(ids):
            why = _why_not_aside(posting, free)
            if why:
                block.left[posting.pk] = why
            else:
                block.do(posting)
        _discard(block.done, *NOT_YET_SENT)
        _put(block.done, state=SyncState.NEVER_SYNCED, entry=None, set_aside_reason=reason[:300], **NOTHING_SAID)
    block.say("set aside")
    return block


def _why_not_aside(posting: Posting, free: set[int]) -> str:
    """`free`: the entries that are held here, so that no worker can claim them."""
    if posting.state == SyncState.SYNCED:
        return IS_SYNCED
    if posting.set_aside_reason:
        return IS_ASIDE
    return IS_LEAVING if posting.entry_id and posting.entry_id not in free else ""


def take_back(ids: Sequence[int], *, book: Book) -> Block:
    """Undo setting aside: what was ordered is ordered again, what was not waits for a range."""
    block = Block()
    with transaction.atomic():
        fed = set(Posting.objects.filter(fed_by(book), pk__in=ids).values_list("pk", flat=True))
        alike: dict[tuple[tuple[str, object], ...], list[int]] = {}
        for posting in _held(ids):
            if not posting.set_aside_reason:
                block.left[posting.pk] = IS_NOT_ASIDE
            elif posting.pk not in fed:
                block.left[posting.pk] = IS_NOT_FED
            else:
                block.do(posting)
                alike.setdefault(tuple(returned(posting).items()), []).append(posting.pk)
        for columns, group in alike.items():
            _put(group, set_aside_reason="", **dict(columns))
    block.say("taken back")
    return block


def fed_by(book: Book) -> Q:
    """The condition on postings that their store feeds the book."""
    every = book.feeds.filter(all_stores=True).values("source")
    chosen = book.feeds.filter(all_stores=False, stores__isnull=False).values("stores")
    return Q(event__source__in=every) | Q(store__in=chosen)


def held_entries(ids: Iterable[int], *states: DeliveryState) -> set[int]:
    """The entries of a block that may be discarded, locked: they come before their postings, as in a claim."""
    rows = locked(JournalEntry.objects.filter(postings__in=ids, state__in=states))
    return {entry.pk for entry in rows.only("pk").order_by("pk")}


def _held(ids: Iterable[int]) -> list[Posting]:
    rows = locked(Posting.objects.filter(pk__in=ids)).select_related("entry", "event__source", "book")
    return list(rows.order_by("pk"))


def _discard(ids: Sequence[int], *states: DeliveryState) -> None:
    JournalEntry.objects.filter(postings__in=ids, state__in=states).update(state=DeliveryState.DISCARDED)


def _put(ids: Sequence[int], **columns: object) -> None:
    Posting.objects.filter(pk__in=ids).update(updated_at=database_now(), **columns)
