"""Single accidents on the way to the books, told one by one, against a ledger that counts what stands there."""

from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from integrations import sending, vendors
from integrations.http import NoLimits
from integrations.models import Connection
from ledger.clock import database_now
from ledger.errors import OutcomeUnknown, Refused, Rejected
from ledger.journal import delivery, orders
from ledger.terms import DeliveryState, SyncState
from ledger.values import Delivered, EventFacts, OutgoingEntry
from tests.office import Office
from tests.trade import sale
from tests.vendor_ledger import VendorLedger, WorkerKilled

SETTLE = 150


@pytest.fixture
def connection(office: Office, monkeypatch: pytest.MonkeyPatch) -> Connection:
    """A connection whose books are a ledger in memory, without limits."""
    monkeypatch.setattr(vendors, "http", lambda connection: SimpleNamespace(limiter=NoLimits()))
    return Connection.objects.create(vendor="quickbooks", book=office.book, settle_seconds=SETTLE)


@pytest.fixture
def facts(office: Office) -> EventFacts:
    """A sale that is booked and ready to go."""
    sold = sale(at=database_now() + timedelta(hours=1))
    office.record(sold)
    office.enter()
    return sold


def after(there: VendorLedger, office: Office, seconds: float) -> None:
    office.later(seconds)
    there.pass_time(seconds)


def test_an_unknown_entry_whose_look_up_fails_is_still_unknown(
    office: Office, connection: Connection, facts: EventFacts
) -> None:
    there = VendorLedger(fates=["lost_done"])
    sending.send(connection, there)
    after(there, office, SETTLE + 1)
    there.blind = True
    sending.send(connection, there)
    assert office.posting(facts).state == SyncState.PROCESSING
    with pytest.raises(Refused):
        orders.set_aside(office.posting(facts), "By hand", actor=None)


def test_an_unknown_entry_whose_next_worker_dies_is_still_unknown(
    office: Office, connection: Connection, facts: EventFacts
) -> None:
    there = VendorLedger(fates=["lost_done"])
    sending.send(connection, there)
    after(there, office, SETTLE + 1)
    assert office.claim() is not None
    after(there, office, SETTLE + 1)
    delivery.expire(office.book)
    assert office.entry(facts).state == DeliveryState.UNKNOWN


def test_a_worker_killed_after_the_work_was_done_doubles_nothing(
    office: Office, connection: Connection, facts: EventFacts
) -> None:
    there = VendorLedger(fates=["killed_after"])
    with pytest.raises(WorkerKilled):
        sending.send(connection, there)
    for _ in range(3):
        after(there, office, SETTLE + 1)
        delivery.expire(office.book)
        sending.send(connection, there)
    assert office.posting(facts).state == SyncState.SYNCED
    assert len(there.standing(office.entry(facts).reference)) == 1


def test_work_committed_late_is_waited_for(office: Office, connection: Connection, facts: EventFacts) -> None:
    there = VendorLedger(fates=["late"])
    sending.send(connection, there)
    after(there, office, SETTLE - 2)
    assert sending.send(connection, there) == 0
    after(there, office, 3)
    sending.send(connection, there)
    assert office.posting(facts).state == SyncState.SYNCED
    assert len(there.standing(office.entry(facts).reference)) == 1


def test_a_vendor_that_forgets_keys_is_looked_up_before_anything_is_repeated(
    office: Office, connection: Connection, facts: EventFacts
) -> None:
    there = VendorLedger(fates=["lost_done", "done"], forgets_keys=True)
    for _ in range(3):
        sending.send(connection, there)
        after(there, office, SETTLE + 1)
    assert len(there.standing(office.entry(facts).reference)) == 1
    assert there.fates == ["done"]


def test_a_zombie_that_comes_back_finds_its_work_done_by_another(
    office: Office, connection: Connection, facts: EventFacts
) -> None:
    there = VendorLedger(fates=["zombie"])

    def another_worker() -> None:
        after(there, office, SETTLE + 10)
        delivery.expire(office.book)
        sending.send(connection, there)

    there.meanwhile = another_worker
    sending.send(connection, there)
    assert office.posting(facts).state == SyncState.SYNCED
    assert len(there.standing(office.entry(facts).reference)) == 1


def test_ours_is_found_beside_somebody_elses_entry_of_the_same_number(
    office: Office, connection: Connection, facts: EventFacts
) -> None:
    """It was typed a moment before ours left, and the look-up did not see it yet."""
    there = VendorLedger(fates=["lost_done"], lags=True)
    there.type_by_hand(delivery.outgoing([office.entry(facts)])[office.entry(facts).reference])
    sending.send(connection, there)
    after(there, office, SETTLE + 1)
    sending.send(connection, there)
    assert office.posting(facts).state == SyncState.SYNCED


def several(office: Office) -> list[EventFacts]:
    """Enough fresh sales for a batch, booked and ready to go."""
    sold = [sale(at=database_now() + timedelta(hours=1)) for _ in range(5)]
    office.record(*sold)
    office.enter()
    return sold


def test_a_batch_that_is_refused_as_a_whole_is_sent_one_by_one(
    office: Office, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    there, sold = VendorLedger(), several(office)

    def too_large(entries: object, **how: object) -> None:
        raise Rejected("The request was too large.", vendor_code="413")

    monkeypatch.setattr(there, "post_batch", too_large)
    sending.send(connection, there)
    assert set(office.states(sold)) == {SyncState.SYNCED}
    assert [len(there.standing(office.entry(each).reference)) for each in sold] == [1] * len(sold)


def test_a_look_up_that_loses_the_answer_of_a_token_blames_no_entry(
    office: Office, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    there, sold = VendorLedger(), several(office)
    asked: list[object] = []

    def lost(references: object) -> None:
        asked.append(references)
        raise OutcomeUnknown("No answer while the connection was renewed.")

    monkeypatch.setattr(there, "find", lost)
    sending.send(connection, there)
    assert len(asked) == 1
    assert set(office.states(sold)) == {SyncState.NOT_SYNCED}


def test_a_defect_over_one_answer_does_not_hold_up_the_others(
    office: Office, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    there, sold = VendorLedger(), several(office)[:3]
    odd, post_one = office.entry(sold[0]).reference, there.post_one

    def stumble(entry: OutgoingEntry, **how: Any) -> Delivered:
        if entry.reference == odd:
            raise KeyError("an answer in a form that nobody expected")
        return post_one(entry, **how)

    monkeypatch.setattr(there, "post_one", stumble)
    monkeypatch.setattr(sending, "BATCH_WORTH", 100)
    sending.send(connection, there)
    assert office.states(sold) == [SyncState.PROCESSING, SyncState.SYNCED, SyncState.SYNCED]


def test_an_entry_whose_answers_are_always_lost_becomes_a_persons(
    office: Office, connection: Connection, facts: EventFacts
) -> None:
    there = VendorLedger(fates=["lost_undone"] * 20)
    for _ in range(sending.MOST_SENDS):
        assert office.posting(facts).state != SyncState.ERROR
        sending.send(connection, there)
        after(there, office, 400)
    sending.send(connection, there)
    assert office.posting(facts).state == SyncState.ERROR
    assert office.posting(facts).error_code == "sent_in_vain"
    assert len(there.fates) == 20 - sending.MOST_SENDS


def test_after_answers_lost_in_vain_retry_looks_first_and_then_sends(
    office: Office, connection: Connection, facts: EventFacts
) -> None:
    there = VendorLedger(fates=["lost_undone"] * sending.MOST_SENDS)
    for _ in range(sending.MOST_SENDS + 1):
        sending.send(connection, there)
        after(there, office, 400)
    orders.retry(type(office.posting(facts)).objects.filter(book=office.book), actor=None)
    office.enter()
    sending.send(connection, there)
    assert office.posting(facts).state == SyncState.SYNCED
    assert len(there.standing(office.entry(facts).reference)) == 1


def test_the_pauses_between_lost_answers_grow(office: Office, connection: Connection, facts: EventFacts) -> None:
    there = VendorLedger(fates=["lost_undone"] * 5)
    pauses = []
    for _ in range(5):
        sending.send(connection, there)
        at = office.entry(facts).next_attempt_at
        assert at is not None
        pauses.append((at - database_now()).total_seconds())
        after(there, office, 400)
    assert pauses[4] > 2 * pauses[0]
