"""Connecting in a pop-up window: where it leads, and what answers are refused."""

import re
from html import unescape
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from integrations import connecting
from integrations.models import Connection
from ledger.models import Book, Feed, FinancialEvent, Posting, Source, Store
from ledger.terms import EventKind
from tests.admin.conftest import Login
from tests.sandbox_fixture import Sandbox
from tests.trade import NOON

CALLBACK = "/admin/integrations/oauth/callback/"
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def unconnected(sandbox: Sandbox, book: Book, admin_user: User) -> Connection:
    """QuickBooks with the keys of its app, not connected yet."""
    connection = Connection.objects.create(vendor="quickbooks", book=book)
    keys = {"client_id": "sandbox-quickbooks-client", "client_secret": "sandbox-quickbooks-secret"}
    connecting.save_keys(connection, keys, admin_user)
    return connection


def consent_page(client: Client, connection: Connection) -> str:
    """The vendor's address that the pop-up window goes on to."""
    answer = client.post(reverse("integrations:connect", args=[connection.pk]))
    found = re.search(r'http-equiv="refresh" content="0;url=([^"]+)"', answer.content.decode())
    assert found
    return unescape(found[1])


def test_the_window_leads_to_the_vendor_and_back_to_a_connected_company(
    admin_client: Client, unconnected: Connection, sandbox: Sandbox
) -> None:
    address = consent_page(admin_client, unconnected)
    assert address.startswith(sandbox.quickbooks) and "testserver" in address
    answer = admin_client.get(CALLBACK, sandbox.callback(address))
    assert answer.status_code == 200 and "You can close this window" in answer.content.decode()
    unconnected.refresh_from_db()
    assert unconnected.state == Connection.State.CONNECTED and unconnected.company_name


def test_a_foreign_state_is_refused_in_words(admin_client: Client, unconnected: Connection) -> None:
    answer = admin_client.get(CALLBACK, {"state": "forged", "code": "1", "realmId": "9130000000000001"})
    assert answer.status_code == 400 and "does not belong to a log-in that you began here" in answer.content.decode()
    unconnected.refresh_from_db()
    assert unconnected.state == Connection.State.UNCONNECTED


def test_another_persons_answer_is_refused(
    admin_client: Client, login: Login, unconnected: Connection, sandbox: Sandbox
) -> None:
    answer = sandbox.callback(consent_page(admin_client, unconnected))
    other = login("integrations.change_connection", name="ines")
    assert other.get(CALLBACK, answer).status_code == 400


def test_a_refusal_at_the_vendor_changes_nothing(
    admin_client: Client, unconnected: Connection, sandbox: Sandbox
) -> None:
    answer = sandbox.callback(consent_page(admin_client, unconnected), button="refuse")
    assert "was not allowed" in admin_client.get(CALLBACK, answer).content.decode()


def test_disconnecting_says_first_what_happens(admin_client: Client, quickbooks: Connection) -> None:
    address = reverse("integrations:disconnect", args=[quickbooks.pk])
    assert "are kept" in admin_client.get(address).content.decode()
    quickbooks.refresh_from_db()
    assert quickbooks.state == Connection.State.CONNECTED
    admin_client.post(address)
    quickbooks.refresh_from_db()
    assert quickbooks.state == Connection.State.UNCONNECTED and not [
        key for key in quickbooks.credentials if key.startswith("refresh_token")
    ]


def test_a_till_is_set_up_tested_and_feeds_a_book(
    admin_client: Client, sandbox: Sandbox, book: Book, woken: list[Any]
) -> None:
    admin_client.post(reverse("integrations:new", args=["heartland_retail"]), {"name": "Till", "code": "HR"})
    connection = Connection.objects.get(vendor="heartland_retail")
    admin_client.post(reverse("integrations:keys", args=[connection.pk]), {"api_token": "sandbox-heartland-token"})
    said = admin_client.post(reverse("integrations:test", args=[connection.pk]), follow=True).content.decode()
    assert "3 stores were found" in said and "America/Los_Angeles" in said
    known_before(connection)
    feed = {"book": str(book.pk), f"book-{book.pk}-which": "all"}
    said = admin_client.post(reverse("integrations:feed", args=[connection.pk]), feed, follow=True).content.decode()
    assert "1 known event joined" in said and Feed.objects.get().all_stores
    assert Posting.objects.get().state == "never_synced"


def known_before(connection: Connection) -> None:
    """An event that was read before any book was fed."""
    assert connection.source
    FinancialEvent.objects.create(
        source=connection.source,
        kind=EventKind.TICKET,
        external_id="1",
        number="1",
        currency="USD",
        captured_at=NOON,
    )


def test_a_wrong_token_is_told_in_words(admin_client: Client, sandbox: Sandbox, source: Source) -> None:
    connection = Connection.objects.create(vendor="heartland_retail", source=source)
    admin_client.post(reverse("integrations:keys", args=[connection.pk]), {"api_token": "sandbox-wrong"})
    said = admin_client.post(reverse("integrations:test", args=[connection.pk]), follow=True).content.decode()
    assert "db-health-green" not in said and "token" in said.lower()


def test_a_day_start_is_moved_and_stands_in_the_audit(
    admin_client: Client, source: Source, stores: dict[str, Store]
) -> None:
    connection = Connection.objects.create(vendor="heartland_retail", source=source)
    hours = {f"store-{store.pk}": "00:00" for store in stores.values()} | {f"store-{stores['Chicago'].pk}": "04:00"}
    said = admin_client.post(reverse("integrations:days", args=[connection.pk]), hours, follow=True).content.decode()
    assert "Changed: 1 store." in said
    stores["Chicago"].refresh_from_db()
    assert stores["Chicago"].day_start.hour == 4
