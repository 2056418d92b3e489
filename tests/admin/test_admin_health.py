"""The big sentence says whether sales arrive, whatever the worker that would have told it is doing."""

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse

from integrations.models import Capture, Connection
from ledger.clock import database_now
from ledger.models import Book, Source


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
    admin_client: Client, reading: Connection, connection: Connection, started: Book
) -> None:
    Connection.objects.filter(pk=reading.pk).update(state=Connection.State.UNCONNECTED)
    started.feeds.all().delete()
    assert "Things are good" in status(admin_client, connection)
