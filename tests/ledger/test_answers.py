"""Step 8 of the way: one meaning for each answer, in one transaction with its postings."""

from datetime import date, timedelta

import pytest

from ledger.clock import database_now
from ledger.errors import (
    AuthExpired,
    DaybookError,
    ForeignEntry,
    OutcomeUnknown,
    PeriodClosed,
    RateLimited,
    Rejected,
    Unreachable,
    Unsupported,
)
from ledger.journal import marking
from ledger.journal.delivery import Claim
from ledger.models import Attempt
from ledger.terms import DeliveryState, Outcome, SyncState
from ledger.values import Delivered, EventFacts, RemoteEntry
from tests.office import Office, begin
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


def test_a_posted_entry_bears_its_id_and_what_was_sent(office: Office, sales: list[EventFacts]) -> None:
    claim = office.sent(limit=1)
    reference = claim.entries[0].reference
    result = Delivered(reference, remote_id="4711", request_id="1-tid", sent="{}")
    marking.finish(claim, [result], {reference: "https://books/4711"})
    entry = office.entry(sales[0])
    assert (entry.state, entry.remote_id, entry.sent_body) == (DeliveryState.POSTED, "4711", f"the body of {reference}")
    assert (entry.remote_link, entry.owner) == ("https://books/4711", "")
    posting = office.posting(sales[0])
    assert (posting.state, posting.outcome) == (SyncState.SYNCED, Outcome.POSTED)
    assert Attempt.objects.get().vendor_request_id == "1-tid"


@pytest.mark.parametrize(
    "error", [Unreachable("Away."), RateLimited("Slower.", retry_after=3.0), AuthExpired("Connect.")], ids=repr
)
def test_what_surely_was_not_booked_waits_and_is_no_error(
    office: Office, sales: list[EventFacts], error: DaybookError
) -> None:
    office.answer(office.sent(limit=1), error=error)
    posting = office.posting(sales[0])
    assert (posting.state, posting.error, posting.error_detail) == (SyncState.NOT_SYNCED, "", str(error))
    assert office.entry(sales[0]).state == DeliveryState.READY
    office.later(600)
    assert len(claimed(office).entries) == 3


@pytest.mark.parametrize(
    "error",
    [
        Rejected("No.", vendor_code="2020"),
        PeriodClosed(date(2010, 11, 30)),
        ForeignEntry("HR-T1", remote_id="7", why="which Daybook did not write"),
        Unsupported("Too many lines."),
        RuntimeError("a mistake of ours"),
    ],
    ids=repr,
)
def test_what_a_person_must_mend_is_an_error(office: Office, sales: list[EventFacts], error: Exception) -> None:
    claim = office.sent(limit=1)
    marking.finish(claim, [Delivered(claim.entries[0].reference, error=error)], {})
    posting = office.posting(sales[0])
    assert (posting.state, office.entry(sales[0]).state) == (SyncState.ERROR, DeliveryState.REJECTED)
    assert posting.error
    office.later(600)
    assert len(claimed(office).entries) == 2


def test_a_lost_answer_leaves_the_posting_processing(office: Office, sales: list[EventFacts]) -> None:
    office.answer(office.sent(limit=1), error=LOST)
    posting = office.posting(sales[0])
    assert (posting.state, posting.error_detail) == (SyncState.PROCESSING, "No definite answer.")
    assert Attempt.objects.get().result == Attempt.Result.UNKNOWN


def test_a_wait_that_the_vendor_named_is_kept(office: Office, sales: list[EventFacts]) -> None:
    office.answer(office.sent(), error=RateLimited("Slower.", retry_after=30.0))
    office.later(29)
    assert office.claim() is None
    office.later(5)
    assert office.claim() is not None


def test_pauses_grow_with_every_attempt(office: Office, sales: list[EventFacts]) -> None:
    pauses = []
    for _ in range(4):
        office.answer(office.sent(), error=Unreachable("Away."))
        at = office.entry(sales[0]).next_attempt_at
        assert at is not None
        pauses.append((at - database_now()).total_seconds())
        office.later(400)
    assert pauses[3] > 1.9 * pauses[0] and max(pauses) < 450


def test_results_of_one_call_are_each_their_own(office: Office, sales: list[EventFacts]) -> None:
    claim = office.sent()
    names = [office.entry(facts).reference for facts in sales]
    errors = (None, Rejected("No.", vendor_code="1"), LOST)
    results = [
        Delivered(name, remote_id="" if error else "9", error=error) for name, error in zip(names, errors, strict=True)
    ]
    marking.finish(claim, list(reversed(results)), {})
    assert office.states(sales) == ["synced", "error", "processing"]


def test_to_release_puts_back_what_is_left_of_a_claim(office: Office, sales: list[EventFacts]) -> None:
    claim = claimed(office)
    begin(claim, claim.entries[:1])
    marking.finish(claim, [Delivered(claim.entries[0].reference, remote_id="1")], {})
    marking.release(claim, Unreachable("Away."))
    assert entry_states(office, sales) == ["posted", "ready", "ready"]


def test_what_a_look_up_found_is_posted_and_the_look_up_is_told(office: Office, sales: list[EventFacts]) -> None:
    claim = claimed(office, limit=1)
    entry = claim.entries[0]
    remote = RemoteEntry("55", entry.reference, entry.posting_date, entry.memo, ())
    marking.found(claim, {remote.reference: (remote, "https://books/55")})
    entry.refresh_from_db()
    assert (entry.state, entry.remote_id, entry.remote_link) == (DeliveryState.POSTED, "55", "https://books/55")
    assert Attempt.objects.get().result == Attempt.Result.FOUND


def test_what_must_not_be_sent_is_refused_without_being_sent(office: Office, sales: list[EventFacts]) -> None:
    claim = claimed(office, limit=1)
    reference = claim.entries[0].reference
    marking.refuse(claim, {reference: ForeignEntry(reference, remote_id="7", why="which Daybook did not write")})
    assert office.posting(sales[0]).error_code == "foreign_entry"
    assert Attempt.objects.get().result == Attempt.Result.NOT_SENT
