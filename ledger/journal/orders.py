"""What people decide: start and stop the sync, order past events, retry, set aside, adopt. Each deed is audited."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.db import transaction
from django.db.models import Count, Q, QuerySet, Sum

from ledger.audit import Actor, note, person
from ledger.clock import database_now
from ledger.errors import Refused, UnmappedAccount
from ledger.journal.marking import adopt as mark_adopted
from ledger.journal.saying import NOTHING_SAID, put
from ledger.journal.states import NOT_YET_SENT, returned
from ledger.locks import locked
from ledger.models import Book, JournalEntry, Posting, SyncOrder
from ledger.terms import DeliveryState, Priority, SyncState
from ledger.values import RemoteEntry


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
        ordered = {"from": first.isoformat(), "to": last.isoformat(), "events": figures.events}
        note(actor, "ordered past events", held, after=ordered)
    return order


def _never_synced(book: Book, first: date, last: date) -> QuerySet[Posting]:
    never = Posting.objects.filter(book=book, state=SyncState.NEVER_SYNCED, set_aside_reason="")
    return never.filter(business_date__range=(first, last))


def retry(postings: QuerySet[Posting], *, actor: Actor) -> int:
    """Put failed postings of one book back in the queue; what was refused is booked anew. Returns how many."""
    with transaction.atomic():
        failed = postings.filter(state=SyncState.ERROR)
        one = failed.select_related("book").order_by("pk").first()
        if one is None:
            return 0
        causes = list(failed.order_by().values_list("cause", flat=True).distinct()[:20])
        order = SyncOrder.objects.create(book=one.book, kind=SyncOrder.Kind.RETRY, ordered_by=person(actor))
        count = _requeue(failed, order=order)
        SyncOrder.objects.filter(pk=order.pk).update(events=count)
        after = {"events": count, "causes": sorted(causes)}
        note(actor, "retried failed events", one if count == 1 else one.book, after=after)
    return count


def requeue_unmapped(book: Book) -> int:
    """After a change of the mapping or the accounts: what failed for want of an account is tried again by itself."""
    with transaction.atomic():
        return _requeue(Posting.objects.filter(book=book, state=SyncState.ERROR, error_code=UnmappedAccount.code))


def _requeue(failed: QuerySet[Posting], **also: SyncOrder) -> int:
    """Two statements, whatever their number; entries before postings, in the order of a claim."""
    entries = JournalEntry.objects.filter(postings__in=failed, state=DeliveryState.REJECTED)
    entries.update(state=DeliveryState.DISCARDED)
    # What fails just now keeps its refused entry and is left for the next time.
    waiting = failed.exclude(entry__state=DeliveryState.REJECTED)
    return waiting.update(state=SyncState.NOT_SYNCED, entry=None, updated_at=database_now(), **NOTHING_SAID, **also)


def set_aside(posting: Posting, reason: str, *, actor: Actor) -> None:
    """Take one event out of the queue with a reason: it is Never Synced again and ranges pass it by."""
    if not reason.strip():
        raise Refused("Say why this event is set aside; the reason stands in the audit.")
    with transaction.atomic():
        # The entry before the posting, in the order of a claim; what is refused below is rolled back.
        waiting = JournalEntry.objects.filter(postings=posting.pk, state__in=NOT_YET_SENT)
        waiting.update(state=DeliveryState.DISCARDED)
        held = _held(posting)
        if held.state == SyncState.SYNCED:
            raise Refused("This event is synced; it cannot be set aside.")
        if held.entry and held.entry.state != DeliveryState.DISCARDED:
            raise Refused("This event is being sent now. Wait until its outcome is known.")
        before = {"state": held.state, "error": held.error}
        put(held, state=SyncState.NEVER_SYNCED, entry=None, **NOTHING_SAID)
        put(held, set_aside_reason=reason.strip()[:300], updated_at=database_now())
        held.save()
        note(actor, "set aside an event", held, before=before, after={"reason": held.set_aside_reason})
    posting.refresh_from_db()


def take_back(posting: Posting, *, actor: Actor) -> None:
    """Undo setting aside: what was ordered is ordered again, what was not waits for a range."""
    with transaction.atomic():
        held = _held(posting)
        if not held.set_aside_reason:
            raise Refused("This event is not set aside.")
        if not _feeds(held):
            raise Refused(f"The store {held.store} does not feed {held.book}; change the feed of the till first.")
        before = {"reason": held.set_aside_reason}
        put(held, set_aside_reason="", updated_at=database_now(), **returned(held))
        held.save()
        note(actor, "took back an event that was set aside", held, before=before, after={"state": held.state})
    posting.refresh_from_db()


def _feeds(posting: Posting) -> bool:
    """Whether the posting's store still feeds its book."""
    feeds = posting.book.feeds.filter(source=posting.event.source_id)
    return feeds.filter(Q(all_stores=True) | Q(stores=posting.store_id)).exists()


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
    posting.refresh_from_db()


def _held(posting: Posting) -> Posting:
    return locked(Posting.objects.all()).select_related("entry", "book", "event", "store").get(pk=posting.pk)
