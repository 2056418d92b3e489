"""Step 8 of the way: what became of an entry that was claimed, in one transaction with its postings."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from random import uniform

import structlog
from django.db import transaction

from ledger import bulk
from ledger.clock import database_now
from ledger.errors import AuthExpired, DaybookError, OutcomeUnknown, RateLimited, Rejected
from ledger.journal.delivery import Claim, still_ours
from ledger.journal.saying import NOTHING_SAID, said
from ledger.journal.states import latest_revision
from ledger.journal.telling import needs_a_person, tell
from ledger.models import Attempt, JournalEntry, Posting
from ledger.terms import DeliveryState, Outcome, SyncState
from ledger.values import Delivered, RemoteEntry

log = structlog.get_logger(__name__)

LONGEST_PAUSE = 300.0
UNTOLD_PAUSE = 60.0
"""Seconds, where a vendor asks to slow down and does not say for how long."""


def found(claim: Claim, there: Mapping[str, tuple[RemoteEntry, str]]) -> None:
    """Mark entries that a look-up found there, equal to ours. `there`: entry and link by our number."""
    with transaction.atomic():
        now = database_now()
        entries = _ours(claim, there)
        for entry in entries:
            remote, link = there[entry.reference]
            entry.remote_id, entry.remote_link = remote.remote_id, link
        Attempt.objects.bulk_create(
            _closed_attempt(claim, entry, now, Attempt.Result.FOUND, "Looked up by its number and found.")
            for entry in entries
        )
        _mark_posted(entries, Outcome.POSTED, now)
    traces, remote_ids = [entry.reference for entry in entries], [entry.remote_id for entry in entries]
    if entries:
        log.info("found there", owner=claim.owner, traces=traces, remote_ids=remote_ids)


def finish(claim: Claim, results: Sequence[Delivered], links: dict[str, str]) -> None:
    """Mark what became of each entry of a call: posted, refused, to be sent later, or unknown."""
    with transaction.atomic():
        now = database_now()
        by_reference = {result.reference: result for result in results}
        entries = _ours(claim, by_reference)
        _close_attempts(claim, entries, by_reference, now)
        posted = [entry for entry in entries if by_reference[entry.reference].remote_id]
        for entry in posted:
            result = by_reference[entry.reference]
            entry.remote_id = result.remote_id
            entry.remote_link = links.get(entry.reference, "")
        _mark_posted(posted, Outcome.POSTED, now)
        _mark_all_failed(entries, by_reference, now)
    tell(claim, entries, by_reference)


def release(claim: Claim, error: DaybookError) -> None:
    """Nothing was sent in this claim of what is still claimed: it waits for a later time.

    What was of unknown outcome before, and was not begun anew, stays so: nobody has found out yet.
    """
    with transaction.atomic():
        now = database_now()
        held = _ours(claim, {entry.reference for entry in claim.entries})
        begun = _begun(claim)
        entries = [entry for entry in held if entry.pk in begun or entry.sent_at is None]
        unknown = [entry for entry in held if entry not in entries]
        _leave_unknown(unknown, error, now)
        results = {entry.reference: Delivered(entry.reference, error=error) for entry in entries}
        _close_attempts(claim, entries, results, now)
        _mark_all_failed(entries, results, now)
    tell(claim, entries, results)
    if unknown:
        log.warning("still unknown", owner=claim.owner, code=error.code, traces=[entry.reference for entry in unknown])


def refused_whole(claim: Claim, entries: Sequence[JournalEntry], error: DaybookError) -> None:
    """A batch refused as a whole booked nothing and blames nobody: its attempts end, its entries stay claimed."""
    with transaction.atomic():
        results = {entry.reference: Delivered(entry.reference, error=error) for entry in entries}
        _close_attempts(claim, entries, results, database_now())
    traces = [entry.reference for entry in entries]
    log.warning("batch refused as a whole", owner=claim.owner, code=error.code, traces=traces)


def refuse(claim: Claim, problems: dict[str, DaybookError]) -> None:
    """Entries that must not be sent, for instance because their number is taken: a person must act."""
    with transaction.atomic():
        now = database_now()
        entries = _ours(claim, problems)
        Attempt.objects.bulk_create(
            _closed_attempt(claim, entry, now, Attempt.Result.NOT_SENT, problems[entry.reference].sentence)
            for entry in entries
        )
        results = {reference: Delivered(reference, error=problem) for reference, problem in problems.items()}
        _mark_all_failed(entries, results, now)
    tell(claim, entries, results)


def adopt(posting: Posting, remote: RemoteEntry, *, link: str) -> None:
    """Take an entry that stands there as this posting's, on a person's word. The caller holds the row and audits."""
    now = database_now()
    entry = posting.entry
    if entry is None:
        raise ValueError("There is no entry of ours to adopt it for")
    entry.remote_id, entry.remote_link = remote.remote_id, link
    message = f"Entry {remote.remote_id} was adopted by a person."
    attempt = Attempt(entry=entry, request_key=entry.request_key, started_at=now, ended_at=now, message=message)
    attempt.result = Attempt.Result.ADOPTED
    attempt.save()
    _mark_posted([entry], Outcome.ADOPTED, now)


def _ours(claim: Claim, references: Iterable[str]) -> list[JournalEntry]:
    wanted = set(references)
    ours = still_ours(claim, [entry.pk for entry in claim.entries if entry.reference in wanted])
    return [entry for entry in claim.entries if entry.pk in ours]


def _begun(claim: Claim) -> set[int]:
    """The entries of a claim whose attempt was recorded and has no outcome yet."""
    mine = Attempt.objects.filter(owner=claim.owner, result=Attempt.Result.SENDING)
    return set(mine.values_list("entry_id", flat=True))


def _leave_unknown(entries: Sequence[JournalEntry], error: DaybookError, now: datetime) -> None:
    if not entries:
        return
    ids = [entry.pk for entry in entries]
    rest = now + _pause(entries[0], error)
    JournalEntry.objects.filter(pk__in=ids).update(
        state=DeliveryState.UNKNOWN, owner="", lease_until=None, next_attempt_at=rest
    )
    Posting.objects.filter(entry__in=ids).update(error_detail=str(error), updated_at=now)


def _mark_posted(entries: Sequence[JournalEntry], outcome: Outcome, now: datetime) -> None:
    for entry in entries:
        entry.state, entry.posted_at = DeliveryState.POSTED, now
        entry.owner, entry.lease_until = "", None
    fields = ["state", "posted_at", "owner", "lease_until", "remote_id", "remote_link"]
    bulk.update_rows(entries, fields)
    carried = Posting.objects.filter(entry__in=[entry.pk for entry in entries])
    carried.update(state=SyncState.SYNCED, outcome=outcome, updated_at=now, **NOTHING_SAID)
    carried.exclude(booked_revision=latest_revision()).update(changed_since=True)


def _mark_all_failed(entries: Iterable[JournalEntry], results: Mapping[str, Delivered], now: datetime) -> None:
    """Entries that failed in the same words are marked together."""
    alike: dict[tuple[object, ...], tuple[Exception, list[JournalEntry]]] = {}
    for entry in entries:
        error = results[entry.reference].error
        if error is not None:
            told = (type(error), str(error), *(getattr(error, name, "") for name in ("cause", "detail")))
            alike.setdefault(told, (error, []))[1].append(entry)
    for error, group in alike.values():
        _mark_failed(group, error, now)


def _mark_failed(entries: Sequence[JournalEntry], error: Exception, now: datetime) -> None:
    """Each class of error has one meaning: see docs/house.md, Errors."""
    ids = [entry.pk for entry in entries]
    mine, carried = JournalEntry.objects.filter(pk__in=ids), Posting.objects.filter(entry__in=ids)
    if isinstance(error, OutcomeUnknown):
        _leave_unknown(entries, error, now)
        return
    if not isinstance(error, DaybookError) or needs_a_person(error):
        mine.update(state=DeliveryState.REJECTED, owner="", lease_until=None)
        carried.update(state=SyncState.ERROR, updated_at=now, **said(error))
        return
    pause = _pause(entries[0], error)
    mine.update(state=DeliveryState.READY, owner="", lease_until=None, sent_at=None, next_attempt_at=now + pause)
    carried.update(state=SyncState.NOT_SYNCED, updated_at=now, error_detail=str(error))


def _pause(entry: JournalEntry, error: DaybookError) -> timedelta:
    """Growing, with jitter; a vendor's own word or a needed reconnection sets the time instead."""
    if isinstance(error, RateLimited):
        return timedelta(seconds=(error.retry_after or UNTOLD_PAUSE) * uniform(1.0, 1.1))
    if isinstance(error, AuthExpired):
        return timedelta(0)
    seconds = min(LONGEST_PAUSE, 2.0 ** min(entry.attempts_made, 8))
    return timedelta(seconds=seconds * uniform(0.5, 1.5))


RESULTS: dict[type[Exception], Attempt.Result] = {
    OutcomeUnknown: Attempt.Result.UNKNOWN,
    Rejected: Attempt.Result.REJECTED,
}


def _close_attempts(
    claim: Claim, entries: Sequence[JournalEntry], results: dict[str, Delivered], now: datetime
) -> None:
    by_entry = {entry.pk: results[entry.reference] for entry in entries}
    attempts = list(Attempt.objects.filter(entry__in=by_entry, owner=claim.owner, result=Attempt.Result.SENDING))
    for attempt in attempts:
        result = by_entry[attempt.entry_id]
        attempt.ended_at, attempt.vendor_request_id = now, result.request_id[:100]
        attempt.result, attempt.message = _told(result)
        attempt.code = str(getattr(result.error, "vendor_code", "") or getattr(result.error, "code", ""))[:40]
        attempt.vendor_message = str(getattr(result.error, "detail", ""))
    fields = ["ended_at", "vendor_request_id", "result", "message", "code", "vendor_message"]
    bulk.update_rows(attempts, fields)


def _told(result: Delivered) -> tuple[Attempt.Result, str]:
    if result.error is None:
        return Attempt.Result.POSTED, f"Posted as entry {result.remote_id}."
    if not needs_a_person(result.error):
        return Attempt.Result.NOT_SENT, str(result.error)
    return RESULTS.get(type(result.error), Attempt.Result.REJECTED), str(result.error)


def _closed_attempt(claim: Claim, entry: JournalEntry, now: datetime, result: Attempt.Result, message: str) -> Attempt:
    return Attempt(
        entry=entry,
        owner=claim.owner,
        request_key=entry.request_key,
        started_at=now,
        ended_at=now,
        result=result,
        message=message,
    )
