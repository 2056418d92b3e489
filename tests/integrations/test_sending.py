"""Entries go to a running QuickBooks that misbehaves; each exists there once."""

import time

import pytest

from integrations import pipeline
from integrations.models import Connection
from ledger.journal import orders
from ledger.models import Account, Attempt, Batch, Posting, Source
from ledger.terms import SyncState
from tests.integrations.at_work import FEW, MANY, assert_once, later, sell, there, work
from tests.office import Office
from tests.sandbox_fixture import Sandbox


@pytest.fixture
def office(source: Source, running: Connection) -> Office:
    """The journal of the book that is connected to the running QuickBooks."""
    assert running.book is not None
    return Office(source, running.book)


# --- On a good day --------------------------------------------------------------------------------


def test_one_sale_goes_alone(sandbox: Sandbox, running: Connection, office: Office) -> None:
    sales = sell(office, FEW)
    work(running, office)
    assert_once(sandbox, office, sales)
    assert not Batch.objects.exists()
    assert office.entry(sales[0]).remote_link.endswith(f"/journalentry/{office.entry(sales[0]).remote_id}")


def test_several_sales_go_in_one_batch(sandbox: Sandbox, running: Connection, office: Office) -> None:
    sales = sell(office, MANY)
    work(running, office)
    assert_once(sandbox, office, sales)
    assert len(Batch.objects.get().references) == MANY


def test_the_last_answer_is_the_last_one_that_came(sandbox: Sandbox, running: Connection, office: Office) -> None:
    sell(office, FEW)
    work(running, office)
    running.refresh_from_db()
    answered = running.answered_at
    assert answered is not None
    Connection.objects.update(base_url="http://127.0.0.1:9")  # nobody listens there
    sell(office, FEW)
    assert pipeline.post(Connection.objects.get(pk=running.pk)) == FEW
    running.refresh_from_db()
    assert running.answered_at == answered


def test_the_payload_is_kept_as_proof(sandbox: Sandbox, running: Connection, office: Office) -> None:
    (facts,) = sell(office, FEW)
    work(running, office)
    entry = office.entry(facts)
    assert f'"DocNumber":"{entry.reference}"' in entry.sent_body
    assert Attempt.objects.get(entry=entry).vendor_request_id


def test_a_book_that_is_stopped_sends_nothing(sandbox: Sandbox, running: Connection, office: Office) -> None:
    (facts,) = sell(office, FEW)
    orders.stop_sync(office.book, actor=None)
    work(running, office)
    assert there(sandbox, facts) == []
    orders.start_sync(office.book, actor=None)
    work(running, office)
    assert_once(sandbox, office, [facts])


# --- On a bad day ---------------------------------------------------------------------------------

CRUELTIES: dict[str, dict[str, object]] = {
    "quickbooks.drop_request": {"times": 1, "only": "write"},
    "quickbooks.drop_answer": {"times": 1, "only": "write"},
    "quickbooks.error_500_before": {"times": 1, "only": "write"},
    "quickbooks.error_500_after": {"times": 1, "only": "write"},
    "quickbooks.html_404": {"times": 1, "only": "write"},
    "quickbooks.html_502": {"times": 1, "only": "write"},
    "quickbooks.html_502_after": {"times": 1, "only": "write"},
    "quickbooks.throttle": {"times": 1},
    "quickbooks.expire_token": {"times": 1},
    "quickbooks.transient_6000_saved": {"times": 1},
    "quickbooks.transient_6000_unsaved": {"times": 1},
    "quickbooks.forget_request_id": {"always": True},
    "quickbooks.fault_in_200": {"always": True},
    "quickbooks.amounts_as_text": {"always": True},
    "quickbooks.nulls": {"always": True},
    "quickbooks.capital_refs": {"always": True},
    "quickbooks.no_ref_names": {"always": True},
    "quickbooks.shuffled_batch": {"always": True},
    "quickbooks.missing_batch_item": {"times": 1},
}


@pytest.mark.parametrize("count", [FEW, MANY], ids=["alone", "in a batch"])
@pytest.mark.parametrize("cruelty", CRUELTIES)
def test_whatever_quickbooks_does_each_sale_stands_there_once(
    sandbox: Sandbox, running: Connection, office: Office, cruelty: str, count: int
) -> None:
    sales = sell(office, count)
    with sandbox.fault(cruelty, **CRUELTIES[cruelty]):
        work(running, office)
    assert_once(sandbox, office, sales)


PAIRS: list[tuple[str, str]] = [
    ("quickbooks.drop_answer", "quickbooks.expire_token"),
    ("quickbooks.error_500_before", "quickbooks.replay_error"),
    ("quickbooks.transient_6000_unsaved", "quickbooks.replay_error"),
    ("quickbooks.drop_answer", "quickbooks.forget_request_id"),
    ("quickbooks.html_502_after", "quickbooks.amounts_as_text"),
    ("quickbooks.drop_answer", "quickbooks.forget_batch_request_id"),
]


@pytest.mark.parametrize("count", [FEW, MANY], ids=["alone", "in a batch"])
@pytest.mark.parametrize("pair", PAIRS, ids=" and ".join)
def test_two_cruelties_at_once_double_and_lose_nothing(
    sandbox: Sandbox, running: Connection, office: Office, pair: tuple[str, str], count: int
) -> None:
    sales = sell(office, count)
    often = {"times": 1} if pair[1] == "quickbooks.expire_token" else {"times": 3}
    sandbox.control("faults", {pair[0]: {"times": 1, "only": "write"}, pair[1]: often})
    work(running, office, rounds=8)
    assert_once(sandbox, office, sales)


@pytest.mark.parametrize("count", [FEW, MANY], ids=["alone", "in a batch"])
def test_work_that_commits_after_we_gave_up_is_found_and_not_repeated(
    sandbox: Sandbox, running: Connection, office: Office, count: int
) -> None:
    sales = sell(office, count)
    with sandbox.fault("quickbooks.late_commit", times=1, only="write", seconds=1):
        while pipeline.post(running):
            pass
    assert "synced" not in office.states(sales)
    assert [there(sandbox, facts) for facts in sales] == [[]] * count
    time.sleep(1.2)
    work(running, office)
    assert_once(sandbox, office, sales)
    assert {a.result for a in Attempt.objects.all()} == {Attempt.Result.UNKNOWN, Attempt.Result.FOUND}


def test_a_lost_answer_is_not_asked_about_before_it_has_settled(
    sandbox: Sandbox, running: Connection, office: Office
) -> None:
    (facts,) = sell(office, FEW)
    with sandbox.fault("quickbooks.drop_answer", times=1, only="write"):
        pipeline.post(running)
    assert office.posting(facts).state == SyncState.PROCESSING
    assert pipeline.post(running) == 0
    later(office)
    pipeline.post(running)
    assert_once(sandbox, office, [facts])


def test_a_look_up_that_lags_behind_does_not_lead_to_a_second_entry(
    sandbox: Sandbox, running: Connection, office: Office
) -> None:
    """The answer was lost and the query does not see the entry yet: the same key brings the first answer."""
    (facts,) = sell(office, FEW)
    with sandbox.fault("quickbooks.drop_answer", times=1, only="write"):
        pipeline.post(running)
    later(office)
    with sandbox.fault("quickbooks.lagging_query", always=True, seconds=3):
        pipeline.post(running)
    assert_once(sandbox, office, [facts])


def test_a_key_that_replays_its_refusal_does_not_hold_an_entry_for_ever(
    sandbox: Sandbox, running: Connection, office: Office
) -> None:
    (facts,) = sell(office, FEW)
    account = Account.objects.get(book=office.book, full_name="Cash on Hand:Main Street")
    with sandbox.company(inactive_accounts=[account.external_id]):
        work(running, office)
    assert office.posting(facts).state == SyncState.ERROR
    with sandbox.fault("quickbooks.replay_error", always=True):
        orders.retry(Posting.objects.filter(book=office.book), actor=None)
        work(running, office)
    assert_once(sandbox, office, [facts])


def test_a_refresh_whose_answer_is_lost_is_tried_again(sandbox: Sandbox, running: Connection, office: Office) -> None:
    sales = sell(office, FEW)
    sandbox.control("faults", {"quickbooks.expire_token": {"times": 1}, "quickbooks.drop_token_answer": {"times": 1}})
    work(running, office)
    assert_once(sandbox, office, sales)
