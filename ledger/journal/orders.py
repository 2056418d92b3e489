"""What people decide: start and stop the sync, order past events, retry, set aside, adopt. Each deed is audited."""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

import structlog
from django.db import transaction
from django.db.models import Count, QuerySet, Sum

from ledger.audit import Actor, note, person
from ledger.clock import database_now
from ledger.errors import Refused, UnmappedAccount
from ledger.journal import many
from ledger.journal.marking import adopt as mark_adopted
from ledger.journal.saying import NOTHING_SAID
from ledger.journal.states import NOT_YET_SENT, trace
from ledger.locks import locked
from ledger.masking import mask_cards
from ledger.models import Book, JournalEntry, Posting, SyncOrder
from ledger.terms import DeliveryState, Priority, SyncState
from ledger.values import RemoteEntry

log = structlog.get_logger(__name__)

BLOCK = 2000
"""So many ids stand in one statement: SQLite takes no list of any length."""


@dataclass(frozen=True)
class Range:
    """What a range of business dates holds: what an order would take, and the money in it."""

    events: int
    amount: Decimal


def start_sync(book: Book, *, actor: Actor) -> SyncOrder:
    """Turn the sync on. Events completed from now on are sent by themselves; started again, the first start counts."""
    with transaction.atomic():
        held = locked(Book.objects.all()).get(pk=book.pk)
        if not held.uses_financials:
            raise Refused("Turn on 'Use the financial system' under Settings > Financial > Configuration first.")
        before = {"syncing": held.syncing}
        held.sync_started_at = held.sync_started_at or database_now()
        held.syncing = True
        held.save(update_fields=["sync_started_at", "syncing"])
        note(actor, "started the sync", held, before=before, after={"syncing": True})
        order = SyncOrder.objects.create(book=held, kind=SyncOrder.Kind.START, ordered_by=person(actor))
    book.refresh_from_db()
    return order


def stop_sync(book: Book, *, actor: Actor) -> None:
    """Turn the sync off. What was ordered waits; events that occur meanwhile are ordered too."""
    with transaction.atomic():
        held = locked(Book.objects.all()).get(pk=book.pk)
        note(actor, "stopped the sync", held, before={"syncing": held.syncing}, after={"syncing": False})
        held.syncing = False
        held.save(update_fields=["syncing"])
        SyncOrder.objects.create(book=held, kind=SyncOrder.Kind.STOP, ordered_by=person(actor))
    book.refresh_from_db()


def past_range(book: Book, first: date, last: date) -> Range:
    """What Sync Past Events would take in a range of business dates, both ends included."""
    figures = _never_synced(book, first, last).aggregate(events=Count("pk"), amount=Sum("amount"))
    return Range(figures["events"], figures["amount"] or Decimal(0))


def order_past(book: Book, first: date, last: date, *, actor: Actor) -> SyncOrder:
    """Order every event of the range that was never synced and not set aside: one statement, whatever its size."""
    if first > last:
        raise Refused("The start date lies after the end date. Choose a start date on or before the end date.")
    with transaction.atomic():
        held = locked(Book.objects.all()).get(pk=book.pk)
        if held.sync_started_at is None:
            raise Refused("Press Start Sync first; past events can be ordered after it.")
        figures = past_range(held, first, last)
        order = SyncOrder.objects.create(
            book=held,
            kind=SyncOrder.Kind.PAST,
            first_date=first,
            last_date=last,
            events=figures.events,
            amount=figures.amount,
            ordered_by=person(actor),
        )
        _never_synced(held, first, last).update(
            state=SyncState.NOT_SYNCED, order=order, priority=Priority.BACKLOG, updated_at=database_now()
        )
        ordered = {"from": first.isoformat(), "to": last.isoformat(), "events": figures.events, "order": order.pk}
        note(actor, "ordered past events", held, after=ordered)
    log.info("past events ordered", book=book.pk, order=order.pk, events=figures.events)
    return order


def stop_past(order: SyncOrder, *, actor: Actor) -> int:
    """Call an order of past events back: what has not begun is Never Synced again. Returns how many.

    What is being sent, or may be over there, stays in the order and goes on; so does what failed, for a person. An
    entry that was only made ready is discarded: surely it is not over there.
    """
    with transaction.atomic():
        held = locked(SyncOrder.objects.filter(kind=SyncOrder.Kind.PAST)).get(pk=order.pk)
        now = database_now()
        count = _call_back(Posting.objects.filter(order=held, state=SyncState.NOT_SYNCED), now=now)
        if not count:
            raise Refused("Nothing of this order waits any more: what is left of it is being sent now.")
        held.stopped_at, held.stopped_events = now, held.stopped_events + count
        held.save(update_fields=["stopped_at", "stopped_events"])
        after = {"events": count, "from": str(held.first_date), "to": str(held.last_date)}
        note(actor, "stopped an order of past events", held.book, after=after)
    order.refresh_from_db()
    return count


def _call_back(waiting: QuerySet[Posting], *, now: datetime) -> int:
    """Entries before postings, in the order of a claim: what a worker takes just now is not ready any more.

    No join in the updates: on PostgreSQL a row that changed meanwhile is looked at again, what it is joined to is not.
    """
    ready = JournalEntry.objects.filter(postings__in=waiting, state=DeliveryState.READY, sent_at=None)
    ids = [entry.pk for entry in locked(ready).only("pk").order_by("pk")]
    aside = {"state": SyncState.NEVER_SYNCED, "entry": None, "order": None, "updated_at": now, **NOTHING_SAID}
    count = waiting.filter(entry=None).update(**aside)
    for start in range(0, len(ids), BLOCK):
        block = ids[start : start + BLOCK]
        JournalEntry.objects.filter(pk__in=block).update(state=DeliveryState.DISCARDED)
        count += waiting.filter(entry__in=block).update(**aside)
    return count


def _never_synced(book: Book, first: date, last: date) -> QuerySet[Posting]:
    never = Posting.objects.filter(book=book, state=SyncState.NEVER_SYNCED, set_aside_reason="")
    return never.filter(business_date__range=(first, last))


def retry(postings: QuerySet[Posting], *, actor: Actor) -> int:
    """Put failed postings of one book back in the queue; what was refused is booked anew. Returns how many."""
    with transaction.atomic():
        failed = postings.filter(state=SyncState.ERROR)
        one = failed.select_related("book", "event__source").order_by("pk").first()
        if one is None:
            return 0
        causes = list(failed.order_by().values_list("cause", flat=True).distinct()[:20])
        order = SyncOrder.objects.create(book=one.book, kind=SyncOrder.Kind.RETRY, ordered_by=person(actor))
        count = _requeue(failed, order=many.of_its_own(order))
        SyncOrder.objects.filter(pk=order.pk).update(events=count)
        after = {"events": count, "causes": sorted(causes), "order": order.pk}
        note(actor, "retried failed events", one if count == 1 else one.book, after=after)
    # Of many, the audit says how many; an event that was ordered before stays in its order, the others bear this one.
    traces = {"traces": [trace(one)]} if count == 1 else {}
    log.info("retried", book=one.book_id, order=order.pk, events=count, **traces)
    return count


def requeue_unmapped(book: Book) -> int:
    """After a change of the mapping or the accounts: what failed for want of an account is tried again by itself."""
    with transaction.atomic():
        return _requeue(Posting.objects.filter(book=book, state=SyncState.ERROR, error_code=UnmappedAccount.code))


def _requeue(failed: QuerySet[Posting], **also: object) -> int:
    """Two statements, whatever their number; entries before postings, in the order of a claim."""
    entries = JournalEntry.objects.filter(postings__in=failed, state=DeliveryState.REJECTED)
    entries.update(state=DeliveryState.DISCARDED)
    # What fails just now keeps its refused entry and is left for the next time.
    waiting = failed.exclude(entry__state=DeliveryState.REJECTED)
    return waiting.update(updated_at=database_now(), **many.queued_again(), **also)


def set_aside(posting: Posting, reason: str, *, actor: Actor) -> None:
    """Take one event out of the queue with a reason: it is Never Synced again and ranges pass it by."""
    if not reason.strip():
        raise Refused("Say why this event is set aside; the reason stands in the audit.")
    with transaction.atomic():
        many.held_entries([posting.pk], *NOT_YET_SENT)  # before the posting, in the order of a claim
        held = _held(posting)
        before = {"state": held.state, "error": held.error}
        _done(many.set_aside([held.pk], reason=mask_cards(reason.strip())))
        held.refresh_from_db()
        note(actor, "set aside an event", held, before=before, after={"reason": held.set_aside_reason})
    posting.refresh_from_db()


def take_back(posting: Posting, *, actor: Actor) -> None:
    """Undo setting aside: what was ordered is ordered again, what was not waits for a range."""
    with transaction.atomic():
        held = _held(posting)
        before = {"reason": held.set_aside_reason}
        _done(many.take_back([held.pk], book=held.book))
        held.refresh_from_db()
        note(actor, "took back an event that was set aside", held, before=before, after={"state": held.state})
    posting.refresh_from_db()


def _done(block: many.Block) -> None:
    """One event is done, or refused with the reason that it would be left with among many."""
    for why in block.left.values():
        raise Refused(why)


def adopt(posting: Posting, remote: RemoteEntry, *, link: str, actor: Actor, reason: str = "") -> None:
    """Take the entry that stands in the accounting system as this event's, on a person's word."""
    with transaction.atomic():
        list(locked(JournalEntry.objects.filter(postings=posting.pk)))
        held = _held(posting)
        if held.entry is None or held.entry.state != DeliveryState.REJECTED:
            raise Refused("There is nothing to adopt: the entry of this event is not waiting for a decision.")
        mark_adopted(held, remote, link=link)
        lines = [{"account": line.account, "side": line.side, "amount": str(line.amount)} for line in remote.lines]
        after = {
            "entry": remote.remote_id,
            "memo": remote.memo,
            "date": remote.posting_date.isoformat(),
            "lines": lines,
            "reason": reason,
        }
        note(actor, "adopted an entry", held, before={"error": held.error}, after=after)
    log.info("adopted", book=held.book_id, remote_ids=[remote.remote_id], traces=[trace(held)])
    posting.refresh_from_db()


def _held(posting: Posting) -> Posting:
    related = locked(Posting.objects.all()).select_related("entry", "book", "event__source", "store")
    return related.get(pk=posting.pk)
