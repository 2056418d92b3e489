"""Step 7 of the way: claims under lease, attempts before the call, keys and batches."""

import hashlib
from datetime import timedelta

import pytest
from django.db import connection as database
from django.test.utils import CaptureQueriesContext

from ledger.clock import database_now
from ledger.errors import OutcomeUnknown, Rejected, Unreachable
from ledger.journal import delivery, marking
from ledger.journal.delivery import Claim
from ledger.models import Attempt, Batch, JournalEntry, Posting
from ledger.terms import DeliveryState, EntryKind, Outcome, SyncState
from ledger.values import Delivered, EventFacts
from tests.office import LEASE, SETTLE, Office, begin
from tests.trade import sale

LOST = OutcomeUnknown("No definite answer.")


@pytest.fixture
def sales(office: Office) -> list[EventFacts]:
    """Three sales that are booked and ready to go."""
    facts = [sale(at=database_now() + timedelta(hours=1)) for _ in range(3)]
    office.record(*facts)
    office.enter()
    return facts


def claimed(office: Office, *, limit: int = 30) -> Claim:
    claim = office.claim(limit=limit)
    assert claim is not None
    return claim


def entry_states(office: Office, sales: list[EventFacts]) -> list[str]:
    return [office.entry(facts).state for facts in sales]


# --- Claims ---------------------------------------------------------------------------------------


def test_a_claim_takes_entries_and_their_postings_follow(office: Office, sales: list[EventFacts]) -> None:
    claim = claimed(office, limit=2)
    assert len(claim.entries) == 2
    assert entry_states(office, sales) == ["sending", "sending", "ready"]
    assert office.states(sales) == ["processing", "processing", "not_synced"]


def test_what_is_claimed_is_not_claimed_by_another_worker(office: Office, sales: list[EventFacts]) -> None:
    first, second = claimed(office, limit=2), claimed(office, limit=2)
    assert {e.pk for e in first.entries} & {e.pk for e in second.entries} == set()
    assert office.claim() is None


def test_an_unsealed_entry_is_never_claimed(office: Office, sales: list[EventFacts]) -> None:
    claimed(office)
    like = office.entry(sales[0])
    JournalEntry.objects.create(
        book=office.book,
        reference="HR-T1",
        posting_date=like.posting_date,
        currency="USD",
        total=1,
        created_at=like.created_at,
    )
    assert office.claim() is None


def test_the_attempt_is_recorded_before_the_call(office: Office, sales: list[EventFacts]) -> None:
    claim = office.sent(limit=1)
    attempt = Attempt.objects.get()
    assert (attempt.result, attempt.request_key) == (Attempt.Result.SENDING, claim.entries[0].request_key)
    entry = office.entry(sales[0])
    assert entry.sent_at is not None and entry.attempts_made == 1


def test_to_begin_renews_the_lease_of_the_whole_claim(office: Office, sales: list[EventFacts]) -> None:
    claim = claimed(office)
    office.later(LEASE.total_seconds() - 1)
    begin(claim, claim.entries[:1])
    office.later(2)
    assert delivery.expire(office.book) == 0


def test_a_worker_that_lost_its_claim_may_not_send(office: Office, sales: list[EventFacts]) -> None:
    claim = claimed(office)
    office.later(LEASE.total_seconds() + 1)
    delivery.expire(office.book)
    assert begin(claim, claim.entries) == []
    assert not Attempt.objects.exists()


def test_an_expired_claim_of_what_was_not_sent_goes_back(office: Office, sales: list[EventFacts]) -> None:
    claimed(office)
    office.later(LEASE.total_seconds() + 1)
    assert delivery.expire(office.book) == 3
    assert entry_states(office, sales) == ["ready"] * 3
    assert office.states(sales) == [SyncState.NOT_SYNCED] * 3


def test_an_expired_claim_of_what_was_sent_is_of_unknown_outcome(office: Office, sales: list[EventFacts]) -> None:
    office.sent(limit=1)
    office.later(LEASE.total_seconds() + 1)
    delivery.expire(office.book)
    assert office.entry(sales[0]).state == DeliveryState.UNKNOWN
    assert office.posting(sales[0]).state == SyncState.PROCESSING
    assert Attempt.objects.get().result == Attempt.Result.UNKNOWN


def test_a_claim_that_still_holds_is_not_taken_back(office: Office, sales: list[EventFacts]) -> None:
    office.sent()
    assert delivery.expire(office.book) == 0


def test_an_unknown_outcome_is_not_looked_at_before_its_time_to_settle(office: Office, sales: list[EventFacts]) -> None:
    office.answer(office.sent(), error=LOST)
    office.later(SETTLE.total_seconds() - 2)
    assert office.claim() is None
    office.later(3)
    assert len(claimed(office).entries) == 3


def test_the_time_to_settle_runs_from_the_sending_when_a_worker_died(office: Office, sales: list[EventFacts]) -> None:
    office.sent()
    office.later(LEASE.total_seconds() + 1)
    delivery.expire(office.book)
    assert office.claim() is None
    office.later(SETTLE.total_seconds() - LEASE.total_seconds())
    assert len(claimed(office).entries) == 3


def test_a_zombies_late_answer_changes_nothing(office: Office, sales: list[EventFacts]) -> None:
    zombie = office.sent(limit=1)
    office.later(SETTLE.total_seconds() + 1)
    delivery.expire(office.book)
    current = office.sent(limit=1)
    assert current.entries[0].pk == zombie.entries[0].pk
    for late in (None, Rejected("No.", vendor_code="1"), LOST):
        office.answer(zombie, error=late)
    marking.release(zombie, Unreachable("Later."))
    entry = office.entry(sales[0])
    assert (entry.state, entry.owner, entry.remote_id) == (DeliveryState.SENDING, current.owner, "")
    assert office.posting(sales[0]).state == SyncState.PROCESSING


def test_the_one_who_holds_the_claim_finishes_it_after_a_zombie_came_by(
    office: Office, sales: list[EventFacts]
) -> None:
    zombie = office.sent(limit=1)
    office.later(SETTLE.total_seconds() + 1)
    delivery.expire(office.book)
    current = office.sent(limit=1)
    office.answer(zombie)
    office.answer(current)
    assert office.posting(sales[0]).outcome == Outcome.POSTED
    assert [a.result for a in Attempt.objects.order_by("pk")] == ["unknown", "posted"]


def test_the_lower_priority_goes_first_and_then_the_older_entry(office: Office, sales: list[EventFacts]) -> None:
    JournalEntry.objects.filter(pk=office.entry(sales[0]).pk).update(priority=10)
    order = [entry.reference for entry in claimed(office).entries]
    assert order == [office.entry(facts).reference for facts in (sales[1], sales[2], sales[0])]


def test_a_reversal_waits_for_its_original(office: Office, sales: list[EventFacts]) -> None:
    original, reversal = office.entry(sales[0]), office.entry(sales[1])
    claim = office.sent(limit=1)
    JournalEntry.objects.filter(pk=reversal.pk).update(reverses=original)
    assert [e.pk for e in claimed(office).entries] == [office.entry(sales[2]).pk]
    office.answer(claim)
    assert [e.pk for e in claimed(office).entries] == [reversal.pk]


# --- Keys -----------------------------------------------------------------------------------------


def test_a_key_is_kept_over_a_lost_answer(office: Office, sales: list[EventFacts]) -> None:
    key = office.entry(sales[0]).request_key
    office.answer(office.sent(limit=1), error=LOST)
    office.later(SETTLE.total_seconds() + 1)
    again = claimed(office, limit=1)
    assert again.entries[0].request_key == key
    assert again.outgoing[again.entries[0].reference].request_key == key


def test_a_key_that_lost_two_answers_is_worn_out(office: Office, sales: list[EventFacts]) -> None:
    """It may replay a stored failure for ever; the look-up before the next sending makes a new one safe."""
    key = office.entry(sales[0]).request_key
    for _ in range(2):
        office.answer(office.sent(limit=1), error=LOST)
        office.later(SETTLE.total_seconds() + 1)
    again = claimed(office, limit=1)
    assert again.entries[0].request_key != key
    assert again.outgoing[again.entries[0].reference].request_key == again.entries[0].request_key
    assert office.entry(sales[0]).request_key == again.entries[0].request_key


def test_no_two_entries_share_a_key(office: Office, sales: list[EventFacts]) -> None:
    keys = set(JournalEntry.objects.values_list("request_key", flat=True))
    assert len(keys) == len(sales) and all(0 < len(key) <= 36 for key in keys)


# --- Batches --------------------------------------------------------------------------------------


def test_a_batch_is_a_row_with_its_entries_in_order(office: Office, sales: list[EventFacts]) -> None:
    claim = claimed(office)
    begin(claim, claim.entries, batch_key="one-batch")
    batch = Batch.objects.get()
    assert batch.references == [entry.reference for entry in claim.entries]
    sent = "\n".join(f"the body of {entry.reference}" for entry in claim.entries)
    assert (batch.request_key, batch.sent_hash) == ("one-batch", hashlib.sha256(sent.encode()).hexdigest())
    assert set(Attempt.objects.values_list("batch", "request_key")) == {(batch.pk, "one-batch")}


def test_only_what_is_still_ours_goes_into_the_batch(office: Office, sales: list[EventFacts]) -> None:
    claim = claimed(office)
    JournalEntry.objects.filter(pk=claim.entries[1].pk).update(owner="somebody else")
    kept = begin(claim, claim.entries, batch_key="one-batch")
    assert [e.pk for e in kept] == [claim.entries[0].pk, claim.entries[2].pk]
    assert Batch.objects.get().references == [e.reference for e in kept]


def test_a_batch_key_is_used_once(office: Office, sales: list[EventFacts]) -> None:
    first, second = claimed(office, limit=1), claimed(office, limit=1)
    begin(first, first.entries, batch_key="one-batch")
    with pytest.raises(Exception, match="(?i)unique"):
        begin(second, second.entries, batch_key="one-batch")


# --- What is sent, and when -----------------------------------------------------------------------


def test_lines_of_one_account_side_and_text_are_sent_as_one(office: Office, sales: list[EventFacts]) -> None:
    entry = office.entry(sales[0])
    sent = delivery.outgoing([entry])[entry.reference]
    assert len(sent.lines) == entry.lines.count() == 4
    assert sum(line.amount for line in sent.lines) == 2 * entry.total
    assert sent.memo.startswith(f"[Daybook {entry.reference}]")


def test_the_next_due_time_is_now_while_something_is_ready(office: Office, sales: list[EventFacts]) -> None:
    due = delivery.next_due(office.book, settle=SETTLE)
    assert due is not None and due <= database_now()


def test_the_next_due_time_of_a_lost_answer_is_when_it_has_settled(office: Office, sales: list[EventFacts]) -> None:
    office.answer(office.sent(), error=LOST)
    due = delivery.next_due(office.book, settle=SETTLE)
    assert due is not None
    assert timedelta(seconds=140) < due - database_now() <= SETTLE


def test_nothing_is_due_once_everything_is_posted(office: Office, sales: list[EventFacts]) -> None:
    office.post()
    assert delivery.next_due(office.book, settle=SETTLE) is None


def test_every_posting_is_synced_once_its_entry_is(office: Office, sales: list[EventFacts]) -> None:
    office.post()
    assert set(Posting.objects.values_list("state", "entry__state")) == {("synced", "posted")}
    assert {entry.kind for entry in JournalEntry.objects.all()} == {EntryKind.ORIGINAL}


def test_an_answer_for_a_reference_that_was_not_claimed_changes_nothing(
    office: Office, sales: list[EventFacts]
) -> None:
    claim = office.sent(limit=1)
    stranger = office.entry(sales[2]).reference
    marking.finish(claim, [Delivered(stranger, remote_id="13")], {})
    assert entry_states(office, sales) == ["sending", "ready", "ready"]


def test_lost_entries_are_locked_in_the_order_in_which_everybody_locks_them(
    office: Office, sales: list[EventFacts]
) -> None:
    claimed(office)
    office.later(LEASE.total_seconds() + 1)
    with CaptureQueriesContext(database) as asked:
        assert delivery.expire(office.book) == 3
    taken = [q["sql"] for q in asked if q["sql"].startswith("SELECT") and "lease_until" in q["sql"]]
    assert len(taken) == 1 and 'ORDER BY "ledger_journalentry"."id" ASC' in taken[0]
