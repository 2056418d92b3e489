"""Entries go to a running QuickBooks that misbehaves; each exists there once, or says why it does not."""

import time
from datetime import date, timedelta
from typing import Any

import pytest
from django.db.models import F

from integrations import connecting, pipeline, vendors
from integrations.models import Bucket, Connection
from integrations.quickbooks import payloads
from ledger.clock import database_now
from ledger.errors import Unreadable
from ledger.journal import charts, orders
from ledger.models import Account, Attempt, Batch, Book, JournalEntry, Posting, Source
from ledger.terms import Outcome, SyncState
from ledger.values import EventFacts
from tests.office import Office
from tests.sandbox_fixture import Sandbox
from tests.trade import item, paid, sale, ticket

SETTLE = 5
FEW, MANY = 1, 5
"""Fewer than BATCH_WORTH go one by one; more go in a batch."""


@pytest.fixture
def office(source: Source, running: Connection) -> Office:
    """The journal of the book that is connected to the running QuickBooks."""
    assert running.book is not None
    return Office(source, running.book)


def sell(office: Office, count: int, **header: Any) -> list[EventFacts]:
    """So many sales after the start, booked and ready to go."""
    facts = [sale(at=database_now() + timedelta(hours=1), **header) for _ in range(count)]
    office.record(*facts)
    office.enter()
    return facts


def later(office: Office, seconds: float = SETTLE + 1) -> None:
    """Let time pass for the entries and for the limiter; two minutes clear every pause."""
    office.later(seconds)
    gone = timedelta(seconds=seconds)
    Bucket.objects.exclude(paused_until=None).update(paused_until=F("paused_until") - gone)


def work(running: Connection, office: Office, *, rounds: int = 6) -> None:
    """Rounds of sending, with enough time in between for every wait to end."""
    for _ in range(rounds):
        pipeline.book(running)
        while pipeline.post(running):
            pass
        if not Posting.objects.filter(book=office.book, state__in=["processing", "not_synced"]).exists():
            return
        later(office, 400)


def there(sandbox: Sandbox, facts: EventFacts) -> list[dict[str, Any]]:
    return sandbox.booked(f"HR-T{facts.header.external_id}")


def assert_once(sandbox: Sandbox, office: Office, sales: list[EventFacts]) -> None:
    """Every sale is Synced, and stands there once, under the id that we know."""
    assert office.states(sales) == [SyncState.SYNCED] * len(sales)
    for facts in sales:
        (found,) = there(sandbox, facts)
        entry = office.entry(facts)
        assert entry.remote_id == found["Id"]
        assert found["PrivateNote"].startswith(f"[Daybook {entry.reference}]")
        assert sum(float(line["amount"]) for line in found["lines"]) == 2 * float(entry.total)


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


# --- What a person must mend ----------------------------------------------------------------------


def failed(office: Office, facts: EventFacts) -> Posting:
    posting = office.posting(facts)
    assert posting.state == SyncState.ERROR, posting.state
    return posting


@pytest.mark.parametrize("count", [FEW, MANY], ids=["alone", "in a batch"])
def test_a_closed_period_is_an_error_that_names_the_date(
    sandbox: Sandbox, running: Connection, office: Office, count: int
) -> None:
    sales = sell(office, count, day=date(2010, 11, 29))
    work(running, office)
    for facts in sales:
        posting = failed(office, facts)
        assert posting.error_code == "period_closed"
        assert "The books are closed on Nov 29, 2010." in posting.error
        assert there(sandbox, facts) == []


def test_after_the_period_was_reopened_a_retry_posts(sandbox: Sandbox, running: Connection, office: Office) -> None:
    (facts,) = sell(office, FEW, day=date(2010, 11, 29))
    work(running, office)
    with sandbox.company(book_close_date=None):
        orders.retry(Posting.objects.filter(pk=failed(office, facts).pk), actor=None)
        work(running, office)
    assert_once(sandbox, office, [facts])


@pytest.mark.parametrize("switch", [None, "quickbooks.inactive_as_2500"])
def test_an_account_that_was_made_inactive_there_is_an_error_of_its_entries_alone(
    sandbox: Sandbox, running: Connection, office: Office, switch: str | None
) -> None:
    good = sell(office, 4)
    (bad,) = sell(office, 1, store="100003")
    account = Account.objects.get(book=office.book, full_name="Cash on Hand:Chicago")
    if switch:
        sandbox.control("faults", {switch: {"always": True}})
    with sandbox.company(inactive_accounts=[account.external_id]):
        work(running, office)
    assert failed(office, bad).error_code == "rejected"
    assert "inactive" in failed(office, bad).error or "does not know" in failed(office, bad).error
    assert_once(sandbox, office, good)


def test_somebody_elses_entry_with_our_number_needs_a_person(
    sandbox: Sandbox, running: Connection, office: Office
) -> None:
    (facts,) = sell(office, FEW)
    typed_by_hand(sandbox, office, facts, memo="Typed by hand")
    work(running, office)
    posting = failed(office, facts)
    (foreign,) = there(sandbox, facts)
    assert posting.error_code == "foreign_entry"
    assert f"entry {foreign['Id']}, which Daybook did not write" in posting.error


def test_an_entry_with_our_mark_and_other_amounts_is_not_taken_for_ours(
    sandbox: Sandbox, running: Connection, office: Office
) -> None:
    (facts,) = sell(office, FEW)
    typed_by_hand(sandbox, office, facts, memo=office.entry(facts).memo)
    work(running, office)
    assert "whose lines differ" in failed(office, facts).error


def test_a_number_that_stands_there_twice_needs_a_person(sandbox: Sandbox, running: Connection, office: Office) -> None:
    (facts,) = sell(office, FEW)
    for _ in range(2):
        typed_by_hand(sandbox, office, facts, memo="Typed by hand")
    work(running, office)
    assert "and 2 entries there bear it" in failed(office, facts).error


def test_a_foreign_entry_holds_up_no_other(sandbox: Sandbox, running: Connection, office: Office) -> None:
    sales = sell(office, MANY)
    typed_by_hand(sandbox, office, sales[2], memo="Typed by hand")
    work(running, office)
    failed(office, sales.pop(2))
    assert_once(sandbox, office, sales)


def test_after_the_foreign_entry_was_renumbered_a_retry_posts(
    sandbox: Sandbox, running: Connection, office: Office
) -> None:
    (facts,) = sell(office, FEW)
    other = ticket(item("20.00"), paid("20.00"))
    typed_by_hand(sandbox, office, other, memo="Typed by hand")
    orders_before = Posting.objects.filter(book=office.book)
    work(running, office)
    assert orders.retry(orders_before, actor=None) == 0
    assert_once(sandbox, office, [facts])


def typed_by_hand(sandbox: Sandbox, office: Office, facts: EventFacts, *, memo: str) -> None:
    """Somebody types an entry into QuickBooks under the number of one of our sales."""
    accounts = Account.objects.filter(book=office.book, full_name__in=["Checking", "Sales:Other"])
    ids = {account.full_name: account.external_id for account in accounts}
    lines = [
        {
            "Amount": 12.50,
            "DetailType": "JournalEntryLineDetail",
            "JournalEntryLineDetail": {"PostingType": side, "AccountRef": {"value": ids[name]}},
        }
        for side, name in (("Debit", "Checking"), ("Credit", "Sales:Other"))
    ]
    number = f"HR-T{facts.header.external_id}"
    body = {"DocNumber": number, "TxnDate": "2010-12-14", "PrivateNote": memo, "Line": lines}
    sandbox.control("quickbooks/entries", body)


def test_a_connection_that_was_revoked_pauses_with_one_problem(
    sandbox: Sandbox, running: Connection, office: Office
) -> None:
    sales = sell(office, MANY)
    sandbox.control("quickbooks/revoke", {})
    work(running, office, rounds=2)
    running.refresh_from_db()
    assert running.state == Connection.State.ACTION_REQUIRED
    assert running.problem
    assert office.states(sales) == [SyncState.NOT_SYNCED] * MANY
    assert not JournalEntry.objects.filter(owner__gt="").exists()


@pytest.mark.parametrize("fault", ["quickbooks.not_authorized"])
def test_a_lost_right_pauses_the_connection(sandbox: Sandbox, running: Connection, office: Office, fault: str) -> None:
    sales = sell(office, FEW)
    with sandbox.fault(fault, times=1):
        work(running, office, rounds=1)
    running.refresh_from_db()
    assert (running.state, office.states(sales)) == ("action_required", ["not_synced"])


def test_an_entry_there_that_cannot_be_read_holds_up_no_other(
    sandbox: Sandbox, running: Connection, office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever a look-up stumbles over, the claim is not left to lapse again and again."""
    sales = sell(office, MANY)
    original = payloads.remote_entry

    def stumble(data: Any) -> Any:
        entry = original(data)
        if entry.reference == f"HR-T{sales[0].header.external_id}":
            raise Unreadable("Entry", "its lines make no sense")
        return entry

    typed_by_hand(sandbox, office, sales[0], memo="Typed by hand")
    monkeypatch.setattr(payloads, "remote_entry", stumble)
    work(running, office)
    assert_once(sandbox, office, sales[1:])


def test_the_books_dates_and_currency_are_taken_over(sandbox: Sandbox, running: Connection) -> None:
    book = Book.objects.get(pk=running.book_id)
    assert (book.currency, book.closed_through) == ("USD", date(2010, 11, 30))


def test_a_second_import_of_the_chart_doubles_nothing(sandbox: Sandbox, running: Connection, office: Office) -> None:
    before = Account.objects.filter(book=office.book).count()
    charts.import_accounts(office.book, vendors.accounting(running).accounts())
    assert Account.objects.filter(book=office.book).count() == before > 80


def test_what_was_adopted_is_never_sent(sandbox: Sandbox, running: Connection, office: Office) -> None:
    (facts,) = sell(office, FEW)
    typed_by_hand(sandbox, office, facts, memo="Typed by hand")
    work(running, office)
    ((remote, link),) = connecting.find_there(failed(office, facts))[:1]
    orders.adopt(office.posting(facts), remote, link=link, actor=None)
    work(running, office)
    assert office.posting(facts).outcome == Outcome.ADOPTED
    assert len(there(sandbox, facts)) == 1
