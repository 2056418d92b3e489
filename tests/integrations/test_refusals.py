"""What QuickBooks refuses or somebody did there: an Error that says why, of that entry alone, and what mends it."""

from datetime import date
from typing import Any

import pytest

from integrations import connecting, vendors
from integrations.models import Connection
from integrations.quickbooks import payloads
from ledger.errors import Unreadable
from ledger.journal import charts, orders
from ledger.models import Account, Book, JournalEntry, Posting, Source
from ledger.terms import Outcome, SyncState
from ledger.values import EventFacts
from tests.integrations.at_work import FEW, MANY, assert_once, sell, there, typed_by_hand, work
from tests.office import Office
from tests.sandbox_fixture import Sandbox
from tests.trade import item, paid, ticket


@pytest.fixture
def office(source: Source, running: Connection) -> Office:
    """The journal of the book that is connected to the running QuickBooks."""
    assert running.book is not None
    return Office(source, running.book)


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
        assert "Nov 29, 2010 lies in a closed period." in posting.error
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
    book = Book.objects.get(connection=running)
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
