"""Connecting to the running vendors and letting go again; what a wrong answer gets."""

from datetime import date, timedelta
from typing import Any

import pytest
import requests
from django.contrib.auth.models import User

from integrations import connecting, tasks, vendors
from integrations.models import AccountImport, Connection, OAuthRequest
from ledger.clock import database_now
from ledger.errors import AuthExpired, DaybookError
from ledger.journal.orders import Refused
from ledger.models import Account, AuditRecord, Book, DimensionValue, Source, Store
from tests.sandbox_fixture import Sandbox

BACK = "http://127.0.0.1:9/admin/callback"
KEYS = {"client_id": "sandbox-quickbooks-client", "client_secret": "sandbox-quickbooks-secret"}


@pytest.fixture
def begun(sandbox: Sandbox, book: Book, admin_user: User) -> Connection:
    """A connection with its keys, not yet connected."""
    connection = Connection.objects.create(vendor="quickbooks", book=book)
    connecting.save_keys(connection, KEYS, admin_user)
    return connection


def answer(sandbox: Sandbox, connection: Connection, user: User, *, button: str = "accept") -> dict[str, str]:
    return sandbox.callback(connecting.begin(connection, user, BACK), button=button)


# --- Pressing Connect -----------------------------------------------------------------------------


def test_a_book_is_connected_with_its_company_and_closing_date(quickbooks: Connection) -> None:
    book = Book.objects.get(connection=quickbooks)
    assert (quickbooks.state, quickbooks.account_id) == (Connection.State.CONNECTED, "9130000000000001")
    assert quickbooks.company_name
    assert (book.closed_through, book.currency) == (date(2010, 11, 30), "USD")


def test_who_connected_stands_in_the_audit_and_no_secret_does(quickbooks: Connection, admin_user: User) -> None:
    records = AuditRecord.objects.filter(actor=admin_user)
    assert set(records.values_list("deed", flat=True)) == {"changed the keys", "connected"}
    told = "".join(str([record.before, record.after]) for record in records)
    secrets = [value for key, value in quickbooks.credentials.items() if key != "client_id"]
    assert not any(secret in told for secret in secrets)


def test_a_state_that_was_never_given_out_is_refused(sandbox: Sandbox, begun: Connection, admin_user: User) -> None:
    reply = answer(sandbox, begun, admin_user)
    with pytest.raises(Refused, match="does not belong to a log-in that you began"):
        connecting.complete({**reply, "state": "forged"}, admin_user)
    begun.refresh_from_db()
    assert begun.state == Connection.State.UNCONNECTED


def test_a_state_is_used_once(sandbox: Sandbox, begun: Connection, admin_user: User) -> None:
    reply = answer(sandbox, begun, admin_user)
    connecting.complete(reply, admin_user)
    with pytest.raises(Refused, match="log-in that you began"):
        connecting.complete(reply, admin_user)


def test_a_state_belongs_to_the_person_who_began(
    sandbox: Sandbox, begun: Connection, admin_user: User, django_user_model: type[User]
) -> None:
    other = django_user_model.objects.create(username="other")
    with pytest.raises(Refused, match="log-in that you began"):
        connecting.complete(answer(sandbox, begun, admin_user), other)


def test_a_state_is_good_for_a_quarter_of_an_hour(sandbox: Sandbox, begun: Connection, admin_user: User) -> None:
    reply = answer(sandbox, begun, admin_user)
    OAuthRequest.objects.update(begun_at=database_now() - timedelta(minutes=16))
    with pytest.raises(Refused, match="last 15 minutes"):
        connecting.complete(reply, admin_user)


def test_a_missing_state_is_refused(begun: Connection, admin_user: User) -> None:
    with pytest.raises(Refused):
        connecting.complete({"code": "x", "realmId": "1"}, admin_user)


def test_the_state_is_not_kept_in_plain(sandbox: Sandbox, begun: Connection, admin_user: User) -> None:
    reply = answer(sandbox, begun, admin_user)
    assert OAuthRequest.objects.get().state_hash != reply["state"]


def test_who_refuses_over_there_changes_nothing(sandbox: Sandbox, begun: Connection, admin_user: User) -> None:
    with pytest.raises(Refused, match="was not allowed on the other side"):
        connecting.complete(answer(sandbox, begun, admin_user, button="refuse"), admin_user)
    begun.refresh_from_db()
    assert (begun.state, "access_token" in begun.credentials) == (Connection.State.UNCONNECTED, False)


def test_an_answer_without_a_code_is_refused(sandbox: Sandbox, begun: Connection, admin_user: User) -> None:
    reply = answer(sandbox, begun, admin_user)
    with pytest.raises(Refused, match="lacks code"):
        connecting.complete({**reply, "code": ""}, admin_user)


def test_another_company_than_before_is_refused(sandbox: Sandbox, quickbooks: Connection, admin_user: User) -> None:
    before = quickbooks.credentials
    reply = answer(sandbox, quickbooks, admin_user)
    with pytest.raises(Refused, match="another company"):
        connecting.complete({**reply, "realmId": "9130000000000002"}, admin_user)
    quickbooks.refresh_from_db()
    assert (quickbooks.account_id, quickbooks.credentials) == ("9130000000000001", before)


def test_wrong_keys_are_told(sandbox: Sandbox, begun: Connection, admin_user: User) -> None:
    reply = answer(sandbox, begun, admin_user)
    connecting.save_keys(begun, {"client_secret": "wrong"}, admin_user)
    with pytest.raises(DaybookError):
        connecting.complete(reply, admin_user)
    begun.refresh_from_db()
    assert begun.state == Connection.State.UNCONNECTED


def test_connected_again_the_connection_goes_on(sandbox: Sandbox, quickbooks: Connection, admin_user: User) -> None:
    Connection.objects.update(state=Connection.State.ACTION_REQUIRED, problem="Connect again.")
    again = connecting.complete(answer(sandbox, quickbooks, admin_user), admin_user)
    assert (again.state, again.problem, again.pk) == (Connection.State.CONNECTED, "", quickbooks.pk)


def test_a_book_whose_sync_runs_is_woken_once_it_is_connected_again(
    sandbox: Sandbox,
    running: Connection,
    admin_user: User,
    woken: list[tuple[Any, ...]],
    django_capture_on_commit_callbacks: Any,
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        connecting.complete(answer(sandbox, running, admin_user), admin_user)
    assert ("integrations.tasks.work", running.pk) in woken


# --- Keys -----------------------------------------------------------------------------------------


def test_an_empty_secret_leaves_the_stored_one(begun: Connection, admin_user: User) -> None:
    connecting.save_keys(begun, {"client_id": "new", "client_secret": " "}, admin_user)
    assert begun.credentials["client_id"] == "new"
    assert begun.credentials["client_secret"] == KEYS["client_secret"]


def test_what_is_no_key_is_not_kept(begun: Connection, admin_user: User) -> None:
    connecting.save_keys(begun, {"token_version": "99", "anything": "x"}, admin_user)
    assert set(begun.credentials) == set(KEYS)


# --- Letting go -----------------------------------------------------------------------------------


def test_who_disconnects_leaves_no_token_here_and_none_that_works_there(
    sandbox: Sandbox, quickbooks: Connection, admin_user: User
) -> None:
    token = quickbooks.credentials["access_token"]
    connecting.disconnect(quickbooks, admin_user)
    assert quickbooks.state == Connection.State.UNCONNECTED
    assert set(quickbooks.credentials) == set(KEYS)
    address = f"{sandbox.quickbooks}/v3/company/9130000000000001/companyinfo/9130000000000001"
    assert requests.get(address, headers={"Authorization": f"Bearer {token}"}, timeout=10).status_code == 401
    with pytest.raises(AuthExpired):
        vendors.accounting(quickbooks)


def test_one_may_disconnect_while_the_vendor_is_away(
    sandbox: Sandbox, quickbooks: Connection, admin_user: User, settings: Any
) -> None:
    settings.VENDOR_URLS = {**settings.VENDOR_URLS, "quickbooks": "http://127.0.0.1:9"}
    connecting.disconnect(quickbooks, admin_user)
    assert quickbooks.state == Connection.State.UNCONNECTED
    assert AuditRecord.objects.filter(deed="disconnected").exists()


# --- The till -------------------------------------------------------------------------------------


def test_a_till_that_answers_tells_its_stores(sandbox: Sandbox, source: Source, admin_user: User) -> None:
    connection = Connection.objects.create(vendor="heartland_retail", source=source)
    connecting.save_keys(connection, {"api_token": "sandbox-heartland-token"}, admin_user)
    assert connecting.test(connection, admin_user) == "Heartland Retail answers. 3 stores were found."
    zones = dict(Store.objects.filter(source=source).values_list("external_id", "time_zone"))
    assert zones["100002"] == "America/Los_Angeles"
    assert DimensionValue.objects.get(source=source, dimension="tender", code="3").name == "Mastercard"
    connection.refresh_from_db()
    assert connection.state == Connection.State.CONNECTED


def test_reading_the_stores_again_keeps_what_people_set(till: Connection, source: Source) -> None:
    Store.objects.filter(source=source, external_id="100003").update(day_start="04:00")
    before = set(Store.objects.values_list("pk", flat=True))
    connecting.read_stores(till)
    assert Store.objects.get(source=source, external_id="100003").day_start.hour == 4
    assert set(Store.objects.values_list("pk", flat=True)) == before


def test_a_till_with_a_wrong_token_is_told(sandbox: Sandbox, source: Source, admin_user: User) -> None:
    connection = Connection.objects.create(vendor="heartland_retail", source=source)
    connecting.save_keys(connection, {"api_token": "wrong"}, admin_user)
    with pytest.raises(AuthExpired):
        connecting.test(connection, admin_user)
    assert not Store.objects.filter(source=source).exists()


def test_a_till_without_a_token_is_told(sandbox: Sandbox, source: Source, admin_user: User) -> None:
    connection = Connection.objects.create(vendor="heartland_retail", source=source)
    with pytest.raises(AuthExpired, match="no token"):
        connecting.test(connection, admin_user)


def test_names_that_cannot_be_read_keep_the_known_ones(sandbox: Sandbox, till: Connection) -> None:
    with sandbox.fault("heartland.no_class_names", times=1):
        connecting.read_stores(till)
    assert DimensionValue.objects.filter(dimension="item_class", code="3").exists()


# --- Addresses ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "address",
    ["https://evil.example", "https://quickbooks.api.intuit.com.evil.example", "http://quickbooks.api.intuit.com"]
    + ["https://evil.example/?quickbooks.api.intuit.com", "https://intuit.com@evil.example", "file:///etc/passwd"],
)
def test_tokens_go_to_the_vendors_own_hosts_only(quickbooks: Connection, settings: Any, address: str) -> None:
    quickbooks.base_url = address
    with pytest.raises(DaybookError, match="is not an address of QuickBooks"):
        vendors.base_url(quickbooks)


def test_a_loopback_address_is_refused_where_it_is_not_allowed(quickbooks: Connection, settings: Any) -> None:
    assert vendors.base_url(quickbooks).startswith("http://127.0.0.1")
    settings.ALLOW_LOOPBACK_VENDORS = False
    with pytest.raises(DaybookError, match="is not an address of QuickBooks"):
        vendors.base_url(quickbooks)


# --- Importing accounts ---------------------------------------------------------------------------


def test_an_import_brings_the_chart_and_tells_how_many(quickbooks: Connection, admin_user: User) -> None:
    order = connecting.order_import(quickbooks, admin_user)
    sentence = tasks.import_accounts(order.pk)
    order.refresh_from_db()
    count = Account.objects.filter(book=quickbooks.book).count()
    assert sentence == f"{count} accounts imported." and order.accounts == count > 80
    assert order.ended_at is not None and order.problem == ""


def test_an_import_runs_once_however_often_it_is_woken(quickbooks: Connection, admin_user: User) -> None:
    order = connecting.order_import(quickbooks, admin_user)
    tasks.import_accounts(order.pk)
    assert tasks.import_accounts(order.pk) == "Nothing to do."


def test_an_import_that_fails_says_why(sandbox: Sandbox, quickbooks: Connection, admin_user: User) -> None:
    order = connecting.order_import(quickbooks, admin_user)
    with sandbox.fault("quickbooks.html_502", always=True):
        tasks.import_accounts(order.pk)
    failed = AccountImport.objects.get(pk=order.pk)
    assert failed.problem and failed.ended_at is not None
    assert not Account.objects.filter(book=quickbooks.book).exists()
