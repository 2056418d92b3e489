"""Entries go to a running QuickBooks, over real HTTP, and exist there once whatever happens on the way."""

import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal
from itertools import count

import pytest

from integrations.http import AccessToken, Http
from integrations.quickbooks.adapter import QuickBooksAdapter
from integrations.quickbooks.client import Client
from integrations.quickbooks.oauth import OAuth, Tokens
from ledger.errors import (
    AuthExpired,
    DaybookError,
    OutcomeUnknown,
    PeriodClosed,
    RateLimited,
    Rejected,
    Unreachable,
)
from ledger.terms import AccountType, Side
from ledger.values import OutgoingEntry, OutgoingLine, RemoteAccount
from tests.integrations.quickbooks.scripted import REALM, outgoing, soon
from tests.sandbox_fixture import Sandbox

numbers = count(700001)


class Connection:
    """A token source over the sandbox's own OAuth."""

    def __init__(self, sandbox: Sandbox) -> None:
        http = Http(base_url=sandbox.quickbooks, timeout=5)
        self.oauth = OAuth(
            http,
            "sandbox-quickbooks-client",
            "sandbox-quickbooks-secret",
            redirect_uri="http://127.0.0.1:9/back",
        )
        code = sandbox.callback(self.oauth.authorize_url(state="s"))["code"]
        self.tokens: Tokens = self.oauth.exchange(code)
        self.version = 1

    def current(self) -> AccessToken:
        return AccessToken(self.tokens.access_token, self.version)

    def renew(self, *, used: int) -> AccessToken:
        self.tokens = self.oauth.refresh(self.tokens.refresh_token)
        self.version = used + 1
        return self.current()


@pytest.fixture
def connection(sandbox: Sandbox) -> Connection:
    return Connection(sandbox)


@pytest.fixture
def books(sandbox: Sandbox, connection: Connection) -> QuickBooksAdapter:
    http = Http(base_url=sandbox.quickbooks, timeout=2)
    return QuickBooksAdapter(Client(http, realm=REALM, tokens=connection))


@pytest.fixture
def accounts(books: QuickBooksAdapter) -> dict[str, RemoteAccount]:
    return {account.full_name: account for account in books.accounts()}


@pytest.fixture
def entry(accounts: dict[str, RemoteAccount]) -> OutgoingEntry:
    return sale(accounts)


def sale(accounts: dict[str, RemoteAccount]) -> OutgoingEntry:
    """A sale under a number of its own."""
    reference = f"HR-T{next(numbers)}"
    lines = (
        OutgoingLine(accounts["Cash on Hand:Chicago"].external_id, Side.DEBIT, Decimal("108.25"), "Cash"),
        OutgoingLine(accounts["Sales:Home and Decor"].external_id, Side.CREDIT, Decimal("100.00")),
        OutgoingLine(accounts["Sales Tax Collected:Chicago"].external_id, Side.CREDIT, Decimal("8.25")),
    )
    return outgoing(reference, lines=lines)


def booked_amounts(found: Sequence[OutgoingLine]) -> list[tuple[str, Side, Decimal]]:
    return [(line.account, line.side, line.amount) for line in found]


def test_the_company_has_a_currency_and_a_closing_date(sandbox: Sandbox, books: QuickBooksAdapter) -> None:
    with sandbox.company(book_close_date="2026-09-30"):
        company = books.company()
    assert (company.external_id, company.currency) == (REALM, "USD")
    assert company.closed_through == date(2026, 9, 30)


def test_the_whole_chart_is_read_with_inactive_and_tax_agency_accounts(
    accounts: dict[str, RemoteAccount],
) -> None:
    assert accounts["Sales:Home and Decor"].type is AccountType.INCOME
    assert accounts["Cash on Hand:Chicago"].type is AccountType.BANK
    assert any(not account.active for account in accounts.values())
    agencies = [account for account in accounts.values() if account.warning]
    assert agencies
    assert {account.detail for account in agencies} == {"GlobalTaxPayable"}


@pytest.mark.parametrize(
    "cruelty",
    ["quickbooks.amounts_as_text", "quickbooks.nulls", "quickbooks.capital_refs", "quickbooks.no_ref_names"],
)
def test_an_entry_is_found_as_it_was_sent_however_it_is_answered(
    sandbox: Sandbox, books: QuickBooksAdapter, entry: OutgoingEntry, cruelty: str
) -> None:
    with sandbox.fault(cruelty, always=True):
        delivered = books.post_one(entry, send_before=soon())
        (found,) = books.find([entry.reference, "HR-T1"])[entry.reference]
    assert delivered.remote_id == found.remote_id
    assert delivered.request_id
    assert (found.posting_date, found.memo) == (entry.posting_date, entry.memo)
    assert booked_amounts(found.lines) == booked_amounts(entry.lines)


def test_a_range_of_dates_holds_both_its_ends(books: QuickBooksAdapter, entry: OutgoingEntry) -> None:
    day = date(2025, 3, 2)
    books.post_one(replace(entry, posting_date=day), send_before=soon())
    assert [found.reference for found in books.between(day, day)] == [entry.reference]
    assert not list(books.between(date(2025, 3, 3), date(2025, 3, 9)))


def test_a_repeat_under_the_same_key_books_nothing_more(
    sandbox: Sandbox, books: QuickBooksAdapter, entry: OutgoingEntry
) -> None:
    first, second = (books.post_one(entry, send_before=soon()) for _ in range(2))
    assert first.remote_id == second.remote_id
    assert len(sandbox.booked(entry.reference)) == 1


@pytest.mark.parametrize(
    ("cruelty", "there"),
    [
        ("quickbooks.drop_answer", 1),
        ("quickbooks.drop_request", 0),
        ("quickbooks.error_500_after", 1),
        ("quickbooks.error_500_before", 0),
        ("quickbooks.html_404", 0),
        ("quickbooks.html_502", 0),
        ("quickbooks.transient_6000_saved", 1),
        ("quickbooks.transient_6000_unsaved", 0),
    ],
)
def test_without_a_definite_answer_the_look_up_tells_whether_to_send_again(
    sandbox: Sandbox, books: QuickBooksAdapter, entry: OutgoingEntry, cruelty: str, there: int
) -> None:
    with sandbox.fault(cruelty):
        delivered = books.post_one(entry, send_before=soon())
    assert isinstance(delivered.error, OutcomeUnknown)
    assert delivered.sent
    assert len(books.find([entry.reference]).get(entry.reference, [])) == there
    if not there:
        books.post_one(entry, send_before=soon())
    assert len(sandbox.booked(entry.reference)) == 1


def test_work_that_commits_after_we_gave_up_is_found_later(
    sandbox: Sandbox, books: QuickBooksAdapter, entry: OutgoingEntry
) -> None:
    with sandbox.fault("quickbooks.late_commit", times=1, seconds=1):
        assert isinstance(books.post_one(entry, send_before=soon()).error, OutcomeUnknown)
    assert books.find([entry.reference]) == {}
    time.sleep(1.5)
    assert len(books.find([entry.reference])[entry.reference]) == 1


def test_an_answer_slower_than_our_patience_is_unknown(
    sandbox: Sandbox, books: QuickBooksAdapter, entry: OutgoingEntry
) -> None:
    with sandbox.fault("quickbooks.slow", times=1, seconds=3):
        assert isinstance(books.post_one(entry, send_before=soon()).error, OutcomeUnknown)


def test_an_expired_token_is_renewed_on_the_way(
    sandbox: Sandbox, books: QuickBooksAdapter, connection: Connection, entry: OutgoingEntry
) -> None:
    with sandbox.fault("quickbooks.expire_token"):
        delivered = books.post_one(entry, send_before=soon())
    assert (delivered.error, connection.version) == (None, 2)
    assert len(sandbox.booked(entry.reference)) == 1


@pytest.mark.parametrize(
    ("cruelty", "expected"),
    [("quickbooks.throttle", RateLimited), ("quickbooks.not_authorized", AuthExpired)],
)
def test_what_surely_booked_nothing_is_raised(
    sandbox: Sandbox,
    books: QuickBooksAdapter,
    entry: OutgoingEntry,
    cruelty: str,
    expected: type[DaybookError],
) -> None:
    with sandbox.fault(cruelty), pytest.raises(expected) as caught:
        books.post_one(entry, send_before=soon())
    assert caught.value.request_id
    assert sandbox.booked(entry.reference) == []


def test_an_ended_subscription_asks_for_a_person(
    sandbox: Sandbox, books: QuickBooksAdapter, entry: OutgoingEntry
) -> None:
    with sandbox.company(subscription_status="SUSPENDED"), pytest.raises(AuthExpired, match="subscription"):
        books.post_one(entry, send_before=soon())


@pytest.mark.parametrize("cruelty", ["", "quickbooks.closed_as_6000", "quickbooks.fault_in_200"])
def test_closed_books_refuse_in_any_of_their_ways(
    sandbox: Sandbox, books: QuickBooksAdapter, entry: OutgoingEntry, cruelty: str
) -> None:
    early = replace(entry, posting_date=date(2009, 1, 5))
    with sandbox.fault(cruelty or "quickbooks.no_ref_names", always=True):
        error = books.post_one(early, send_before=soon()).error
    assert isinstance(error, PeriodClosed)
    assert "Jan 5, 2009" in error.sentence


@pytest.mark.parametrize("cruelty", ["", "quickbooks.unbalanced_as_6000"])
def test_an_unbalanced_entry_is_refused_there_too(
    sandbox: Sandbox, books: QuickBooksAdapter, entry: OutgoingEntry, cruelty: str
) -> None:
    with sandbox.fault(cruelty or "quickbooks.no_ref_names", always=True):
        delivered = books.post_one(replace(entry, lines=entry.lines[:2]), send_before=soon())
    assert isinstance(delivered.error, Rejected)


@pytest.mark.parametrize("cruelty", ["", "quickbooks.inactive_as_2500"])
def test_an_inactive_account_is_refused_with_what_to_do(
    sandbox: Sandbox,
    books: QuickBooksAdapter,
    accounts: dict[str, RemoteAccount],
    entry: OutgoingEntry,
    cruelty: str,
) -> None:
    inactive = next(account for account in accounts.values() if not account.active)
    lines = (replace(entry.lines[0], account=inactive.external_id), *entry.lines[1:])
    with sandbox.fault(cruelty or "quickbooks.no_ref_names", always=True):
        error = books.post_one(replace(entry, lines=lines), send_before=soon()).error
    assert isinstance(error, Rejected)
    assert "Import the accounts" in error.sentence


def test_an_unknown_account_is_refused_with_its_own_cause(books: QuickBooksAdapter, entry: OutgoingEntry) -> None:
    lines = (replace(entry.lines[0], account="999999"), *entry.lines[1:])
    error = books.post_one(replace(entry, lines=lines), send_before=soon()).error
    assert isinstance(error, Rejected)
    assert error.vendor_code == "2500"
    assert "999999" in error.cause


def test_a_number_that_is_taken_calls_for_a_look(
    sandbox: Sandbox, books: QuickBooksAdapter, entry: OutgoingEntry
) -> None:
    books.post_one(entry, send_before=soon())
    with sandbox.company(warn_duplicate_number=True):
        again = books.post_one(replace(entry, request_key="another"), send_before=soon())
    assert isinstance(again.error, OutcomeUnknown)
    assert len(books.find([entry.reference])[entry.reference]) == 1


@pytest.mark.parametrize("cruelty", ["quickbooks.no_ref_names", "quickbooks.shuffled_batch"])
def test_a_batch_books_each_entry_and_names_the_refused_one(
    sandbox: Sandbox, books: QuickBooksAdapter, accounts: dict[str, RemoteAccount], cruelty: str
) -> None:
    entries = [sale(accounts) for _ in range(30)]
    entries[7] = replace(entries[7], lines=entries[7].lines[:2])
    with sandbox.fault(cruelty, always=True):
        results = books.post_batch(entries, request_key=f"batch-{cruelty[-9:]}", send_before=soon())
    found = books.find([entry.reference for entry in entries])
    assert len(found) == 29
    assert [result.reference for result in results] == [entry.reference for entry in entries]
    assert isinstance(results[7].error, Rejected)
    for result in results[:7] + results[8:]:
        assert [entry.remote_id for entry in found[result.reference]] == [result.remote_id]


def test_an_entry_that_a_batch_forgets_to_name_is_looked_up(
    sandbox: Sandbox, books: QuickBooksAdapter, accounts: dict[str, RemoteAccount]
) -> None:
    entries = [sale(accounts) for _ in range(3)]
    with sandbox.fault("quickbooks.missing_batch_item"):
        results = books.post_batch(entries, request_key="batch-missing", send_before=soon())
    assert [bool(result.remote_id) for result in results] == [True, True, False]
    assert isinstance(results[2].error, OutcomeUnknown)
    assert len(books.find([entries[2].reference])) == 1


def test_a_batch_whose_answer_was_lost_may_be_repeated_as_it_was(
    sandbox: Sandbox, books: QuickBooksAdapter, accounts: dict[str, RemoteAccount]
) -> None:
    entries = [sale(accounts) for _ in range(3)]
    with sandbox.fault("quickbooks.drop_answer"), pytest.raises(OutcomeUnknown):
        books.post_batch(entries, request_key="batch-lost", send_before=soon())
    results = books.post_batch(entries, request_key="batch-lost", send_before=soon())
    assert all(result.remote_id for result in results)
    assert all(len(sandbox.booked(entry.reference)) == 1 for entry in entries)


def test_a_read_that_fails_may_be_repeated(sandbox: Sandbox, books: QuickBooksAdapter) -> None:
    with sandbox.fault("quickbooks.error_500_before"), pytest.raises(Unreachable):
        books.find(["HR-T1"])


def test_the_link_leads_to_the_entry(books: QuickBooksAdapter, entry: OutgoingEntry) -> None:
    remote_id = books.post_one(entry, send_before=soon()).remote_id
    assert books.link(remote_id).endswith(f"/v3/company/{REALM}/journalentry/{remote_id}")
