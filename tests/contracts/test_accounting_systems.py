"""What every accounting system must keep to, run for each vendor of books against its own sandbox."""

import time
from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import User

from integrations import connecting, vendors
from integrations.models import Connection
from ledger.entries import difference, mark
from ledger.errors import AuthExpired, OutcomeUnknown, PeriodClosed, Rejected, Unreachable, Unsupported
from ledger.journal.booking import new_key
from ledger.models import Book
from ledger.ports import AccountingSystem
from ledger.terms import AccountType, Role, Side
from ledger.values import Delivered, NewAccount, OutgoingEntry, OutgoingLine, RemoteAccount
from tests.sandbox_fixture import Sandbox
from tests.trade import new_id

VENDORS = [name for name, vendor in vendors.VENDORS.items() if vendor.kind == vendors.BOOKS]
KEYS = {"quickbooks": {"client_id": "sandbox-quickbooks-client", "client_secret": "sandbox-quickbooks-secret"}}
"""How the sandbox of each vendor lets us in."""
CLOSED, OPEN = date(2010, 11, 30), date(2010, 12, 14)
LOST = {"quickbooks": "quickbooks.drop_answer"}
"""The fault by which the sandbox does the work and loses the answer."""


@pytest.fixture(params=VENDORS)
def connection(request: pytest.FixtureRequest, sandbox: Sandbox, book: Book, admin_user: User) -> Connection:
    connection = Connection.objects.create(vendor=request.param, book=book)
    connecting.save_keys(connection, KEYS[request.param], admin_user)
    address = connecting.begin(connection, admin_user, "http://127.0.0.1:9/admin/callback")
    return connecting.complete(sandbox.callback(address), admin_user)


@pytest.fixture
def books(connection: Connection) -> AccountingSystem:
    return vendors.accounting(connection)


@pytest.fixture
def accounts(books: AccountingSystem) -> dict[AccountType, RemoteAccount]:
    """One usable account of each type."""
    return {account.type: account for account in books.accounts() if account.active and not account.warning}


Entry = Callable[..., OutgoingEntry]


@pytest.fixture
def entry(accounts: dict[AccountType, RemoteAccount]) -> Entry:
    """Makes entries of two lines under numbers of their own."""

    def make(amount: str = "20.00", *, text: str = "Sales", day: date = OPEN) -> OutgoingEntry:
        reference = f"HR-T{new_id()}"
        sides = ((accounts[AccountType.BANK], Side.DEBIT), (accounts[AccountType.INCOME], Side.CREDIT))
        lines = tuple(OutgoingLine(account.external_id, side, Decimal(amount), text) for account, side in sides)
        return OutgoingEntry(reference, new_key(), day, "USD", f"{mark(reference)} a sale", lines)

    return make


def post(books: AccountingSystem, entry: OutgoingEntry) -> Delivered:
    return books.post_one(entry, send_before=time.monotonic() + 5)


def batch(books: AccountingSystem, entries: list[OutgoingEntry]) -> list[Delivered]:
    return books.post_batch(entries, request_key=new_key(), send_before=time.monotonic() + 5)


def stand(books: AccountingSystem, entry: OutgoingEntry) -> int:
    return len(books.find([entry.reference]).get(entry.reference, []))


def test_every_vendor_of_books_is_tried() -> None:
    assert VENDORS and set(VENDORS) == set(KEYS) == set(LOST)


# --- What it says of itself -----------------------------------------------------------------------


def test_its_capabilities_are_said(books: AccountingSystem) -> None:
    said = books.capabilities
    assert said.label and said.batch_size >= 1 and said.reference_length >= 21
    assert said.settle_seconds > 0 and said.notes


def test_the_company_has_a_name_and_a_currency(books: AccountingSystem) -> None:
    company = books.company()
    assert company.name and company.external_id and len(company.currency) == 3
    assert company.closed_through == (CLOSED if books.capabilities.closing_date_readable else None)


def test_the_chart_comes_whole_with_ids_of_their_own(books: AccountingSystem) -> None:
    chart = list(books.accounts())
    assert len({account.external_id for account in chart}) == len(chart) > 50
    assert len({account.full_name for account in chart}) == len(chart)
    assert all(account.full_name.endswith(account.name) and account.currency for account in chart)


def test_the_chart_holds_inactive_accounts_too(books: AccountingSystem) -> None:
    assert {account.active for account in books.accounts()} == {True, False}


def test_what_must_not_be_mapped_is_known_by_its_type(books: AccountingSystem) -> None:
    assert {AccountType.RECEIVABLE, AccountType.PAYABLE} <= {account.type for account in books.accounts()}


# --- New accounts ---------------------------------------------------------------------------------


def new_account(name: str = "", *, kind: AccountType = AccountType.INCOME, role: Role = Role.SALES) -> NewAccount:
    return NewAccount(name or f"Sales - {new_id()}", kind, role, new_key())


def named(books: AccountingSystem, name: str) -> list[RemoteAccount]:
    return [account for account in books.accounts() if account.full_name == name]


@pytest.mark.parametrize(
    ("kind", "role"),
    [
        (AccountType.BANK, Role.TENDER),
        (AccountType.CURRENT_ASSET, Role.TENDER),
        (AccountType.CURRENT_LIABILITY, Role.TAX_PAYABLE),
        (AccountType.INCOME, Role.SALES),
        (AccountType.INCOME, Role.SHIPPING_INCOME),
        (AccountType.COST_OF_GOODS_SOLD, Role.COGS),
        (AccountType.CURRENT_ASSET, Role.INVENTORY_ON_HAND),
        (AccountType.EXPENSE, Role.ROUNDING),
    ],
)
def test_a_new_account_stands_in_the_chart_with_its_type(
    connection: Connection, books: AccountingSystem, kind: AccountType, role: Role
) -> None:
    wanted = new_account(kind=kind, role=role)
    created = books.create_account(wanted)
    (found,) = named(books, wanted.name)
    assert found == created and (found.type, found.active, found.warning) == (kind, True, "")
    kind_of = vendors.VENDORS[connection.vendor].account_kind
    assert kind_of is not None and kind_of(wanted)[1] == found.detail


def test_an_account_that_is_wanted_twice_is_created_once(books: AccountingSystem) -> None:
    wanted = new_account()
    first, again = books.create_account(wanted), books.create_account(wanted)
    third = books.create_account(replace(wanted, request_key=new_key()))
    assert first.external_id == again.external_id == third.external_id
    assert len(named(books, wanted.name)) == 1


def test_an_account_whose_answer_was_lost_is_not_created_again(
    sandbox: Sandbox, connection: Connection, books: AccountingSystem
) -> None:
    wanted = new_account()
    with sandbox.fault(LOST[connection.vendor], times=1, only="write"), pytest.raises(OutcomeUnknown):
        books.create_account(wanted)
    books.create_account(replace(wanted, request_key=new_key()))
    assert len(named(books, wanted.name)) == 1


def test_a_name_that_another_kind_of_account_bears_is_refused(books: AccountingSystem) -> None:
    books.create_account(taken := new_account())
    with pytest.raises(Rejected) as refused:
        books.create_account(new_account(taken.name, kind=AccountType.BANK, role=Role.TENDER))
    assert "Choose another name" in refused.value.sentence


@pytest.mark.parametrize("name", ["A:B", 'A "B"', "x" * 101, " "])
def test_a_name_that_the_vendor_cannot_take_never_leaves(books: AccountingSystem, name: str) -> None:
    with pytest.raises(Unsupported):
        books.create_account(new_account(name))
    assert named(books, name) == []


# --- To post, and to find what was posted ---------------------------------------------------------


def test_what_was_posted_is_found_as_it_was_sent(books: AccountingSystem, entry: Entry) -> None:
    sent = entry()
    delivered = post(books, sent)
    (found,) = books.find([sent.reference])[sent.reference]
    assert delivered.error is None and delivered.remote_id == found.remote_id
    assert difference(sent, found) == "" and found.final
    assert (found.memo, found.posting_date) == (sent.memo, OPEN)
    assert delivered.sent and delivered.request_id


@pytest.mark.parametrize("amount", ["0.01", "0.10", "1234567.89", "99999999.99"])
def test_amounts_arrive_to_the_cent(books: AccountingSystem, entry: Entry, amount: str) -> None:
    sent = entry(amount)
    post(books, sent)
    (found,) = books.find([sent.reference])[sent.reference]
    assert {line.amount for line in found.lines} == {Decimal(amount)}


@pytest.mark.parametrize("text", ["It's 5\\' \"wide\"", "Käse & Brot <b>", "日本茶 🍵", "100% = all; --"])
def test_texts_arrive_as_they_are(books: AccountingSystem, entry: Entry, text: str) -> None:
    sent = entry(text=text)
    assert post(books, sent).error is None
    (found,) = books.find([sent.reference])[sent.reference]
    assert {line.text for line in found.lines} == {text}


def test_a_number_that_nobody_used_is_not_found(books: AccountingSystem, entry: Entry) -> None:
    posted, other = entry(), entry()
    post(books, posted)
    assert set(books.find([posted.reference, other.reference])) == {posted.reference}
    assert books.find([]) == {}


def test_more_numbers_than_one_question_holds_are_all_looked_up(books: AccountingSystem, entry: Entry) -> None:
    posted = [entry() for _ in range(3)]
    for each in posted:
        post(books, each)
    numbers = [posted[0].reference, *(f"HR-T{n}" for n in range(70)), posted[1].reference, posted[2].reference]
    assert set(books.find(numbers)) == {each.reference for each in posted}


def test_a_range_holds_both_its_ends(books: AccountingSystem, entry: Entry) -> None:
    first, last = date(2013, 3, 4), date(2013, 3, 6)
    days = [first + timedelta(days=n) for n in range(-1, 4)]
    sent = {day: entry(day=day) for day in days}
    for each in sent.values():
        assert post(books, each).error is None
    found = {remote.reference for remote in books.between(first, last)}
    assert {sent[day].reference for day in days[1:4]} <= found
    assert not {sent[days[0]].reference, sent[days[4]].reference} & found


def test_a_link_leads_to_the_entry(books: AccountingSystem) -> None:
    assert books.link("4711").startswith("http") and "4711" in books.link("4711")


# --- Twice does no harm ---------------------------------------------------------------------------


def test_the_same_key_twice_makes_one_entry(books: AccountingSystem, entry: Entry) -> None:
    if not books.capabilities.request_keys:
        pytest.skip("knows no request keys")
    sent = entry()
    first, again = post(books, sent), post(books, sent)
    assert first.remote_id == again.remote_id != ""
    assert stand(books, sent) == 1


def test_a_lost_answer_is_of_unknown_outcome_and_the_entry_is_found(
    sandbox: Sandbox, connection: Connection, books: AccountingSystem, entry: Entry
) -> None:
    sent = entry()
    with sandbox.fault(LOST[connection.vendor], times=1, only="write"):
        assert isinstance(post(books, sent).error, OutcomeUnknown)
    assert stand(books, sent) == 1


def test_a_batch_without_an_answer_is_unknown_as_a_whole(
    sandbox: Sandbox, connection: Connection, books: AccountingSystem, entry: Entry
) -> None:
    sent = [entry() for _ in range(3)]
    with sandbox.fault(LOST[connection.vendor], times=1, only="write"), pytest.raises(OutcomeUnknown):
        batch(books, sent)
    assert [stand(books, each) for each in sent] == [1, 1, 1]


def test_after_its_time_nothing_leaves_any_more(books: AccountingSystem, entry: Entry) -> None:
    sent = entry()
    with pytest.raises(Unreachable):
        books.post_one(sent, send_before=time.monotonic() - 1)
    with pytest.raises(Unreachable):
        books.post_batch([sent], request_key=new_key(), send_before=time.monotonic() - 1)
    assert stand(books, sent) == 0


# --- Batches --------------------------------------------------------------------------------------


def test_a_batch_has_a_result_for_each_entry_in_order(books: AccountingSystem, entry: Entry) -> None:
    sent = [entry() for _ in range(books.capabilities.batch_size)]
    results = batch(books, sent)
    assert [result.reference for result in results] == [each.reference for each in sent]
    assert all(result.remote_id and result.error is None for result in results)
    assert set(books.find([each.reference for each in sent])) == {each.reference for each in sent}


def test_one_refused_entry_of_a_batch_holds_up_no_other(books: AccountingSystem, entry: Entry) -> None:
    good, bad, also_good = entry(), entry(), entry()
    unknown = replace(bad, lines=(replace(bad.lines[0], account="999999"), bad.lines[1]))
    results = batch(books, [good, unknown, also_good])
    assert [bool(result.remote_id) for result in results] == [True, False, True]
    assert isinstance(results[1].error, Rejected)
    assert [stand(books, each) for each in (good, bad, also_good)] == [1, 0, 1]


def test_what_cannot_be_expressed_does_not_leave_and_the_rest_does(books: AccountingSystem, entry: Entry) -> None:
    good, bad = entry(), replace(entry(), reference="HR-T" + "1" * 40)
    results = batch(books, [bad, good])
    assert isinstance(results[0].error, Unsupported)
    assert results[1].remote_id


# --- What is refused ------------------------------------------------------------------------------


def test_an_unknown_account_is_a_refusal_in_words(books: AccountingSystem, entry: Entry) -> None:
    sent = entry()
    unknown = replace(sent, lines=(replace(sent.lines[0], account="999999"), sent.lines[1]))
    error = post(books, unknown).error
    assert isinstance(error, Rejected) and error.sentence and error.vendor_code
    assert stand(books, sent) == 0


def test_a_closed_period_is_told_with_its_date(books: AccountingSystem, entry: Entry) -> None:
    error = post(books, entry(day=CLOSED)).error
    assert isinstance(error, PeriodClosed)
    assert "Nov 30, 2010" in str(error)


def test_a_third_decimal_never_leaves(books: AccountingSystem, entry: Entry) -> None:
    sent = entry("20.005")
    assert isinstance(post(books, sent).error, Unsupported)
    assert stand(books, sent) == 0


def test_one_that_is_away_is_unreachable(
    connection: Connection, entry: Entry, settings: Any, books: AccountingSystem
) -> None:
    sent = entry()
    settings.VENDOR_URLS = {**settings.VENDOR_URLS, connection.vendor: "http://127.0.0.1:9"}
    away = vendors.accounting(connection)
    with pytest.raises(Unreachable):
        away.find([sent.reference])
    with pytest.raises(Unreachable):
        post(away, sent)


def test_one_that_was_let_go_needs_a_person(connection: Connection, admin_user: User) -> None:
    connecting.disconnect(connection, admin_user)
    with pytest.raises(AuthExpired):
        vendors.accounting(connection)
