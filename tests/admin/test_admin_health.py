"""The big sentence says whether sales arrive, whatever the worker that would have told it is doing."""

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse

from integrations import alerts
from integrations.models import Capture, Connection
from ledger.clock import database_now
from ledger.journal import orders
from ledger.models import Book, Source
from mappings.models import Mapping
from tests.admin.conftest import Login
from tests.office import Office
from tests.trade import unreadable


def status(client: Client, connection: Connection) -> str:
    return client.get(reverse("integrations:vendor", args=[connection.vendor])).content.decode()


@pytest.fixture
def reading(source: Source, started: Book) -> Connection:
    """A till that feeds the started book and was read a moment ago."""
    now = database_now()
    till = Connection.objects.create(
        vendor="heartland_retail", source=source, state=Connection.State.CONNECTED, connected_at=now - timedelta(days=1)
    )
    Capture.objects.create(connection=till, live_since=now, history_until=now, last_run_at=now)
    return till


def test_a_till_that_is_read_leaves_things_good(
    admin_client: Client, reading: Connection, connection: Connection
) -> None:
    assert "Things are good" in status(admin_client, connection)
    assert "Things are good" in status(admin_client, reading)


@pytest.mark.parametrize("state", [Connection.State.UNCONNECTED, Connection.State.ACTION_REQUIRED])
def test_a_till_without_its_connection_needs_a_person(
    admin_client: Client, reading: Connection, connection: Connection, state: str
) -> None:
    Connection.objects.filter(pk=reading.pk).update(state=state)
    said = status(admin_client, connection)
    assert "Action Required" in said and "no sale arrives" in said and "Open Heartland Retail" in said


@pytest.mark.parametrize("last_run", [timedelta(minutes=11), None])
def test_a_till_that_was_not_read_for_a_while_needs_a_person(
    admin_client: Client, reading: Connection, connection: Connection, last_run: timedelta | None
) -> None:
    Capture.objects.update(last_run_at=database_now() - last_run if last_run else None)
    assert "Action Required" in status(admin_client, connection) and "It was not read" in status(admin_client, reading)


def test_a_till_of_another_book_is_not_this_books_trouble(
    admin_client: Client, reading: Connection, connection: Connection
) -> None:
    other = Source.objects.create(code="XX", name="The other till")
    Connection.objects.create(vendor="heartland_retail", source=other)
    assert "Things are good" in status(admin_client, connection)


def test_a_book_that_no_store_feeds_is_not_good(
    admin_client: Client, reading: Connection, connection: Connection, started: Book
) -> None:
    started.feeds.all().delete()
    said = status(admin_client, connection)
    assert "Action Required" in said and "No store feeds this book" in said and "Choose the stores" in said


def test_a_book_whose_switch_is_off_is_not_good(
    admin_client: Client, reading: Connection, connection: Connection
) -> None:
    Book.objects.update(uses_financials=False)
    said = status(admin_client, connection)
    assert "Action Required" in said and "is off: nothing is booked" in said and "Turn it on" in said


def test_a_disconnected_book_says_so_before_its_events_in_error(
    admin_client: Client, reading: Connection, connection: Connection, office: Office
) -> None:
    office.record(unreadable("900", what="its total is missing.", readable=True))
    alerts.refresh(connection)
    Connection.objects.filter(pk=connection.pk).update(state=Connection.State.UNCONNECTED)
    said = status(admin_client, connection)
    assert said.index("QuickBooks Online is not connected") < said.index("its total is missing")


def test_a_stopped_sync_is_told_beside_the_errors_and_started_before_mapping(
    admin_client: Client, reading: Connection, connection: Connection, office: Office
) -> None:
    office.record(unreadable("900", readable=True))
    alerts.refresh(connection)
    orders.stop_sync(office.book, actor=None)
    Mapping.objects.filter(role="rounding").delete()
    assert "The sync is stopped: nothing is sent before Start Sync" in status(admin_client, connection)
    assert "Next step: Start Sync" in admin_client.get(reverse("admin:index")).content.decode()


def test_the_first_page_names_the_tills(admin_client: Client, reading: Connection, connection: Connection) -> None:
    assert "read at" in admin_client.get(reverse("admin:index")).content.decode()
    Connection.objects.filter(pk=reading.pk).update(state=Connection.State.UNCONNECTED)
    assert "no sale arrives" in admin_client.get(reverse("admin:index")).content.decode()


def test_a_page_that_is_not_there_leads_back(admin_client: Client, login: Login) -> None:
    missing = admin_client.get("/admin/ledger/posting/77/change/")
    assert missing.status_code == 404 and "There is no such event" in missing.content.decode()
    refused = login().get(reverse("mappings:financial"))
    assert refused.status_code == 403 and "Overview" in refused.content.decode()
