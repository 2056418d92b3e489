"""A document changed after it was captured: a new revision, and what that means for its postings."""

from collections.abc import Iterable, Mapping, Sequence

from ledger import bulk
from ledger.errors import Unreadable
from ledger.journal.readings import Change
from ledger.journal.saying import put
from ledger.journal.sources import Known
from ledger.journal.states import NOT_FED, NOT_YET_SENT, Birth, born, new_posting
from ledger.locks import locked
from ledger.models import EventRevision, FinancialEvent, JournalEntry, Posting, RawDocument
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
    "problem_cause",
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
    "set_aside_reason",
    "updated_at",
]


def revise(changes: Sequence[Change], known: Known) -> None:
    """Write the new state of changed documents, inside the caller's transaction."""
    if not changes:
        return
    renewed = [change for change in changes if _take_over(change, known)]
    bulk.update_rows([change.event for change in changes], EVENT_FIELDS)
    EventRevision.objects.bulk_create([change.as_revision(now=known.now) for change in renewed])
    _replace_raw(changes)
    _reconsider({change.event.pk: change.event for change in changes}, known)


def _take_over(change: Change, known: Known) -> bool:
    """Whether there is a new revision: the same facts as before a problem are none."""
    event, header, facts = change.event, change.reading.header, change.reading.facts
    for column, said in change.reading.problem_columns.items():
        setattr(event, column, said)
    if facts is None:
        return False
    event.number = header.number[:60]
    event.store = known.store(header)
    event.business_date, event.completed_at = header.business_date, header.completed_at
    event.amount, event.currency, event.voided = cents(facts.total), facts.currency, facts.voided
    facts_hash = change.reading.facts_hash
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


def _reconsider(events: Mapping[int, FinancialEvent], known: Known) -> None:
    """A synced posting is marked as changed; what has not left yet is booked anew; what is on its way is left."""
    # Entries are locked before postings, as a claim does it. What is booked in between is left: it is sent with the
    # facts it was booked with, and marking it synced finds the newer revision.
    mine = JournalEntry.objects.filter(postings__event__in=events, state__in=NOT_YET_SENT)
    not_sent = {entry.pk for entry in locked(mine).order_by("pk")}
    postings = list(locked(Posting.objects.filter(event__in=events)).select_related("book").order_by("pk"))
    to_discard = []
    for posting in postings:
        posting.updated_at = known.now
        if posting.state == SyncState.SYNCED:
            posting.changed_since = True
        elif posting.entry_id is None or posting.entry_id in not_sent:
            to_discard.append(posting.entry_id)
            _start_over(posting, events[posting.event_id], known)
    JournalEntry.objects.filter(pk__in=[pk for pk in to_discard if pk]).update(state=DeliveryState.DISCARDED)
    bulk.update_rows(postings, POSTING_FIELDS)
    _join_other_books(events.values(), {(posting.event_id, posting.book_id) for posting in postings}, known)


def _start_over(posting: Posting, event: FinancialEvent, known: Known) -> None:
    posting.entry, posting.booked_revision = None, None
    posting.number, posting.store, posting.amount = event.number, event.store, event.amount
    posting.business_date = event.business_date
    put(posting, **_birth(posting, event, known).columns)


def _birth(posting: Posting, event: FinancialEvent, known: Known) -> Birth:
    """What a person decided stays; a store that feeds another book takes its event along."""
    if event.store and posting.book not in known.books_of(event.store):
        posting.set_aside_reason = NOT_FED
    if posting.set_aside_reason:
        return Birth(SyncState.NEVER_SYNCED)
    birth = born(event, posting.book)
    was_ordered = posting.state == SyncState.NOT_SYNCED or posting.order_id is not None
    failed_as_ordered = posting.state == SyncState.ERROR and posting.error_code != Unreadable.code
    if not birth.error and (was_ordered or failed_as_ordered):
        return Birth(SyncState.NOT_SYNCED)
    if not birth.error and posting.state == SyncState.NEVER_SYNCED:
        return Birth(SyncState.NEVER_SYNCED)
    return birth


def _join_other_books(events: Iterable[FinancialEvent], standing: set[tuple[int, int]], known: Known) -> None:
    """Postings in books that the event reaches only now, because its store was unknown or another one before."""
    Posting.objects.bulk_create(
        [
            new_posting(event, book, known.now)
            for event in events
            for book in known.books_of(event.store)
            if (event.pk, book.pk) not in standing
        ]
    )
