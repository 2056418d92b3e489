"""A document changed after it was captured: a new revision, and what that means for its postings."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from ledger import facts as facts_json
from ledger.errors import Unreadable
from ledger.journal.readings import Change
from ledger.journal.states import born
from ledger.models import EventRevision, FinancialEvent, JournalEntry, Posting, RawDocument, Store
from ledger.money import cents
from ledger.terms import DeliveryState, SyncState

EVENT_FIELDS = [
    "number",
    "store",
    "business_date",
    "completed_at",
    "amount",
    "currency",
    "revision",
    "facts_hash",
    "problem",
    "voided",
]
POSTING_FIELDS = [
    "state",
    "error_code",
    "cause",
    "error",
    "error_detail",
    "entry",
    "booked_revision",
    "changed_since",
    "number",
    "store",
    "business_date",
    "amount",
    "updated_at",
]
NOT_YET_SENT = (DeliveryState.READY, DeliveryState.REJECTED)


def revise(changes: Sequence[Change], stores: Mapping[str, Store], *, now: datetime) -> None:
    """Write the new state of changed documents, inside the caller's transaction."""
    if not changes:
        return
    renewed = [change for change in changes if _take_over(change, stores)]
    FinancialEvent.objects.bulk_update([change.event for change in changes], EVENT_FIELDS)
    EventRevision.objects.bulk_create([change.as_revision(now=now) for change in renewed])
    _replace_raw(changes)
    _reconsider({change.event.pk: change.event for change in changes}, now=now)


def _take_over(change: Change, stores: Mapping[str, Store]) -> bool:
    """Whether there is a new revision: the same facts as before a problem are none."""
    event, header, facts = change.event, change.reading.header, change.reading.facts
    event.problem = str(change.reading.problem or "")
    if facts is None or change.plain is None:
        return False
    event.number = header.number[:60]
    event.store = stores.get(header.store_external_id or "")
    event.business_date, event.completed_at = header.business_date, header.completed_at
    event.amount, event.currency, event.voided = cents(facts.total), facts.currency, facts.voided
    facts_hash = facts_json.facts_hash(change.plain)
    if facts_hash == event.facts_hash:
        return False
    event.revision, event.facts_hash = event.revision + 1, facts_hash
    return True


def _replace_raw(changes: Iterable[Change]) -> None:
    RawDocument.objects.bulk_create(
        [change.as_raw() for change in changes],
        update_conflicts=True,
        unique_fields=["event"],
        update_fields=["body", "updated_at"],
    )


def _reconsider(events: Mapping[int, FinancialEvent], *, now: datetime) -> None:
    """A synced posting is marked as changed; what has not left yet is booked anew; what is on its way is left."""
    # Entries are locked before postings, as a claim does it. What is booked in between is left: it is sent with the
    # facts it was booked with, and marking it synced finds the newer revision.
    mine = JournalEntry.objects.filter(postings__event__in=events, state__in=NOT_YET_SENT)
    not_sent = {entry.pk for entry in mine.select_for_update(of=("self",)).order_by("pk")}
    held = Posting.objects.select_for_update(of=("self",)).filter(event__in=events).select_related("book")
    postings = list(held.order_by("pk"))
    to_discard = []
    for posting in postings:
        posting.updated_at = now
        if posting.state == SyncState.SYNCED:
            posting.changed_since = True
        elif posting.entry_id is None or posting.entry_id in not_sent:
            to_discard.append(posting.entry_id)
            _start_over(posting, events[posting.event_id])
    JournalEntry.objects.filter(pk__in=[pk for pk in to_discard if pk]).update(state=DeliveryState.DISCARDED)
    Posting.objects.bulk_update(postings, POSTING_FIELDS)


def _start_over(posting: Posting, event: FinancialEvent) -> None:
    posting.entry, posting.booked_revision = None, None
    posting.number, posting.store, posting.amount = event.number, event.store, event.amount
    posting.business_date = event.business_date
    was_waiting = posting.state == SyncState.NOT_SYNCED or posting.order_id is not None
    was_unreadable = posting.error_code == Unreadable.code
    birth = born(event, posting.book)
    if birth.error:
        posting.state = birth.state
    elif posting.state == SyncState.ERROR or was_waiting:
        posting.state = birth.state if was_unreadable and not was_waiting else SyncState.NOT_SYNCED
    posting.error_code, posting.error, posting.error_detail = birth.error_code, birth.error, ""
    posting.cause = birth.error_code
