"""Step 7 of the way: entries are claimed under a lease, and every attempt is recorded before the call.

Only entries are claimed; the states of their postings follow in the same transaction. Every write after the claim
names its owner, so that a worker that lost its claim changes nothing. Times are the database's.
"""

import hashlib
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import cast

import structlog
from django.db import transaction
from django.db.models import Count, F, Min, Q, QuerySet

from ledger import bulk
from ledger.clock import database_now
from ledger.entries import merged_for_sending
from ledger.journal.booking import new_key
from ledger.locks import locked
from ledger.models import Attempt, Batch, Book, JournalEntry, JournalLine, Posting
from ledger.models.entries import under_way
from ledger.terms import DeliveryState, Side, SyncState
from ledger.values import OutgoingEntry, OutgoingLine

log = structlog.get_logger(__name__)

LineColumns = tuple[int, str, Decimal, Decimal, str]

SENT_TWICE = 2
LOOKED_AT = 200


@dataclass(frozen=True)
class Claim:
    """Entries that this worker alone may send until `until`, with their content."""

    owner: str
    entries: tuple[JournalEntry, ...]
    outgoing: dict[str, OutgoingEntry]
    lease: timedelta


def claim(book: Book, *, limit: int, lease: timedelta, settle: timedelta) -> Claim | None:
    """Claim what is due: entries ready to go, and entries of unknown outcome whose time to settle has passed."""
    with transaction.atomic():
        now = database_now()
        due = locked(_due(book, now=now, settle=settle), skip_locked=True)
        entries = list(due.order_by("priority", "id")[:limit])
        if not entries:
            return None
        owner = str(uuid.uuid4())
        _renew_worn_keys(entries)
        ids = [entry.pk for entry in entries]
        JournalEntry.objects.filter(pk__in=ids).update(
            state=DeliveryState.SENDING, owner=owner, lease_until=now + lease
        )
        Posting.objects.filter(entry__in=ids).update(state=SyncState.PROCESSING, updated_at=now)
    log.info("claimed", book=book.pk, owner=owner, traces=[entry.reference for entry in entries])
    return Claim(owner, tuple(entries), outgoing(entries), lease)


def _due(book: Book, *, now: datetime, settle: timedelta) -> QuerySet[JournalEntry]:
    rested = Q(next_attempt_at=None) | Q(next_attempt_at__lte=now)
    ready = Q(state=DeliveryState.READY)
    settled = Q(state=DeliveryState.UNKNOWN, sent_at__lte=now - settle)
    original_is_there = Q(reverses=None) | Q(reverses__state=DeliveryState.POSTED)
    return under_way(book).filter(ready | settled, rested, original_is_there, sealed=True)


def _renew_worn_keys(entries: Iterable[JournalEntry]) -> None:
    """A key keeps over a lost answer; one that lost two may replay a stored failure for ever.

    Safe only because such an entry is looked up, after its time to settle, before anything is sent again.
    """
    worn = [e for e in entries if e.attempts_made and e.attempts_made % SENT_TWICE == 0]
    for entry in worn:
        entry.request_key = new_key()
    bulk.update_rows(worn, ["request_key"])


def outgoing(entries: Sequence[JournalEntry]) -> dict[str, OutgoingEntry]:
    """What is sent of these entries, by reference: their lines merged by account, side and text."""
    lines: dict[int, list[OutgoingLine]] = {entry.pk: [] for entry in entries}
    rows = JournalLine.objects.filter(entry__in=lines).order_by("id")
    # Plain values: a row for each line, and its account, would be most of the work of a claim.
    columns = rows.values_list("entry_id", "account__external_id", "debit", "credit", "text")
    for entry, account, debit, credit, text in cast("Iterable[LineColumns]", columns):
        lines[entry].append(OutgoingLine(account, Side.DEBIT if debit else Side.CREDIT, debit or credit, text))
    return {
        entry.reference: OutgoingEntry(
            reference=entry.reference,
            request_key=entry.request_key,
            posting_date=entry.posting_date,
            currency=entry.currency,
            memo=entry.memo,
            lines=merged_for_sending(lines[entry.pk]),
        )
        for entry in entries
    }


def begin(
    claim: Claim, entries: Sequence[JournalEntry], *, bodies: Mapping[str, str], batch_key: str = ""
) -> list[JournalEntry]:
    """Record the attempt and what will leave, before the call, and renew the claim's lease.

    `bodies`: by reference, the text that is sent, kept as proof. Returns the entries that are still ours to send.
    """
    with transaction.atomic():
        now = database_now()
        ours = still_ours(claim, [entry.pk for entry in entries])
        kept = [entry for entry in entries if entry.pk in ours]
        batch = _batch(kept, batch_key, bodies, now) if batch_key and kept else None
        for entry in kept:
            entry.sent_body = bodies[entry.reference]
        bulk.update_rows(kept, ["sent_body"])
        JournalEntry.objects.filter(owner=claim.owner, state=DeliveryState.SENDING).update(
            lease_until=now + claim.lease
        )
        JournalEntry.objects.filter(pk__in=ours).update(sent_at=now, attempts_made=F("attempts_made") + 1, batch=batch)
        Attempt.objects.bulk_create(
            Attempt(
                entry=entry,
                batch=batch,
                owner=claim.owner,
                request_key=batch_key or entry.request_key,
                started_at=now,
            )
            for entry in kept
        )
    if kept:
        log.info("sending", owner=claim.owner, batch=batch_key, traces=[entry.reference for entry in kept])
    return kept


def _batch(entries: Sequence[JournalEntry], key: str, bodies: Mapping[str, str], now: datetime) -> Batch:
    content = [bodies[entry.reference] for entry in entries]
    return Batch.objects.create(
        book_id=entries[0].book_id,
        request_key=key,
        references=[entry.reference for entry in entries],
        sent_hash=hashlib.sha256("\n".join(content).encode()).hexdigest(),
        sent_at=now,
    )


def expire(book: Book) -> int:
    """Take back what a dead worker held: unsent claims are ready again, sent ones are of unknown outcome."""
    with transaction.atomic():
        now = database_now()
        lost = under_way(book).filter(state=DeliveryState.SENDING, lease_until__lt=now)
        rows = list(locked(lost).only("reference", "sent_at").order_by("pk"))
        not_begun = [entry for entry in rows if entry.sent_at is None]
        begun = [entry for entry in rows if entry.sent_at is not None]
        unsent, sent = [entry.pk for entry in not_begun], [entry.pk for entry in begun]
        JournalEntry.objects.filter(pk__in=unsent).update(state=DeliveryState.READY, owner="", lease_until=None)
        JournalEntry.objects.filter(pk__in=sent).update(state=DeliveryState.UNKNOWN, owner="", lease_until=None)
        Posting.objects.filter(entry__in=unsent).update(state=SyncState.NOT_SYNCED, updated_at=now)
        Attempt.objects.filter(entry__in=sent, result=Attempt.Result.SENDING).update(
            result=Attempt.Result.UNKNOWN, ended_at=now, message="The worker ended before an answer came."
        )
    for entries, state in ((not_begun, DeliveryState.READY), (begun, DeliveryState.UNKNOWN)):
        if entries:
            traces = [entry.reference for entry in entries]
            log.warning("taken back from a dead worker", book=book.pk, state=state.value, traces=traces)
    return len(unsent) + len(sent)


def next_due(book: Book, *, settle: timedelta) -> datetime | None:
    """When the next entry that waits may be tried; in the past when something is due now, None when nothing waits."""
    waiting = under_way(book).filter(sealed=True)
    ready = waiting.filter(state=DeliveryState.READY)
    now = database_now()
    if ready.filter(next_attempt_at=None).exists():
        return now
    times = [
        ready.aggregate(at=Min("next_attempt_at"))["at"],
        waiting.filter(state=DeliveryState.SENDING).aggregate(at=Min("lease_until"))["at"],
    ]
    unknown = waiting.filter(state=DeliveryState.UNKNOWN).values_list("sent_at", "next_attempt_at")
    times += [
        max(sent_at + settle, rest or sent_at) for sent_at, rest in unknown.order_by("sent_at")[:LOOKED_AT] if sent_at
    ]
    known = [time for time in times if time]
    return min(known) if known else None


def lost_answers(entries: Sequence[JournalEntry]) -> dict[int, int]:
    """How many attempts of each of these entries ended without a definite answer."""
    lost = Attempt.objects.filter(entry__in=entries, result=Attempt.Result.UNKNOWN).order_by()
    return dict(lost.values_list("entry").annotate(n=Count("pk")))


def still_ours(claim: Claim, ids: Iterable[int]) -> set[int]:
    """Locks and names those of the entries that this claim still holds."""
    ours = JournalEntry.objects.filter(pk__in=ids, owner=claim.owner, state=DeliveryState.SENDING)
    return {entry.pk for entry in locked(ours).only("pk").order_by("pk")}
