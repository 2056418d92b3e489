"""Without a token: /health/live and /health/ready tell yes or no, what to do, and nothing else."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.db.models import F
from django.db.utils import OperationalError
from django.test import Client
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from integrations import gauges, vendors
from integrations.api import probes
from integrations.models import Connection, Heartbeat
from ledger.clock import database_now
from ledger.models import JournalEntry, Posting
from ledger.terms import DeliveryState, SyncState
from tests.integrations.at_work import later, sell
from tests.office import Office

ALL_WELL = {"ready": True, "database": True, "migrations": True, "worker": True, "posting": True, "to_do": ""}


@pytest.fixture(autouse=True)
def fresh(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(probes._known, "migrated", False)


@pytest.fixture
def alive(db: None) -> Heartbeat:
    return Heartbeat.objects.create(name="worker", at=database_now())


def test_a_process_that_answers_is_live_though_there_is_no_database(client: Client) -> None:
    answer = client.get("/health/live")
    assert answer.json() == {"live": True} and "no-store" in answer["Cache-Control"]


def test_it_is_ready_with_database_migrations_and_a_living_worker(client: Client, alive: Heartbeat) -> None:
    answer = client.get("/health/ready")
    assert (answer.status_code, answer.json()) == (200, ALL_WELL)


def test_a_worker_that_is_silent_for_too_long_makes_it_unready(
    client: Client, alive: Heartbeat, settings: Settings
) -> None:
    Heartbeat.objects.update(at=database_now() - timedelta(seconds=settings.HEARTBEAT_SECONDS + 5))
    answer = client.get("/health/ready")
    told = {**ALL_WELL, "ready": False, "worker": False, "to_do": probes.TO_DO["worker"]}
    assert (answer.status_code, answer.json()) == (503, told)


def test_one_machine_that_works_is_enough(client: Client, alive: Heartbeat) -> None:
    Heartbeat.objects.create(name="other:1", at=database_now() - timedelta(hours=1))
    assert client.get("/health/ready").json() == ALL_WELL


def test_a_new_entry_that_is_due_for_long_and_held_up_by_nothing_makes_it_unready(
    client: Client, alive: Heartbeat, running: Connection, office: Office
) -> None:
    sell(office, 1)
    assert client.get("/health/ready").json() == ALL_WELL
    JournalEntry.objects.update(created_at=F("created_at") - gauges.STUCK)
    told = client.get("/health/ready")
    assert told.status_code == 503 and told.json()["to_do"] == probes.TO_DO["posting"]
    assert "HR-" not in told.content.decode()


def test_a_new_event_that_nobody_books_makes_it_unready(
    client: Client, alive: Heartbeat, running: Connection, office: Office
) -> None:
    sell(office, 1)
    JournalEntry.objects.update(state=DeliveryState.DISCARDED)
    Posting.objects.update(state=SyncState.NOT_SYNCED, entry=None, updated_at=F("updated_at") - gauges.STUCK)
    assert client.get("/health/ready").status_code == 503


def test_while_anything_is_tried_what_is_due_is_in_a_queue_that_moves(
    client: Client, alive: Heartbeat, running: Connection, office: Office
) -> None:
    sell(office, 2)
    JournalEntry.objects.update(created_at=F("created_at") - gauges.STUCK)
    assert client.get("/health/ready").status_code == 503
    office.sent(limit=1)
    assert client.get("/health/ready").json() == ALL_WELL


def test_what_waits_for_the_vendor_or_for_a_person_is_no_fault_of_the_installation(
    client: Client, alive: Heartbeat, running: Connection, office: Office
) -> None:
    sell(office, 1)
    JournalEntry.objects.update(created_at=F("created_at") - gauges.STUCK)
    vendors.limiter(running).pause(60)
    assert client.get("/health/ready").status_code == 200
    later(office, 120)
    assert client.get("/health/ready").status_code == 503
    Connection.objects.filter(pk=running.pk).update(state=Connection.State.ACTION_REQUIRED)
    assert client.get("/health/ready").status_code == 200


def test_it_asks_the_database_a_few_questions_only(
    client: Client, alive: Heartbeat, running: Connection, office: Office
) -> None:
    sell(office, 3)
    client.get("/health/ready")
    with CaptureQueriesContext(connection) as asked:
        client.get("/health/ready")
    assert len(asked) <= 8


def test_a_migration_that_waits_makes_it_unready(client: Client, alive: Heartbeat) -> None:
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM django_migrations WHERE app = 'sessions'")
    told = client.get("/health/ready").json()
    assert told["database"] and not told["migrations"] and not told["ready"]
    assert "manage.py migrate" in told["to_do"]


def test_a_database_that_cannot_be_asked_makes_it_unready_without_an_error(
    client: Client, alive: Heartbeat, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lost(*_: Any) -> bool:
        raise OperationalError("server closed the connection at db.internal:5432")

    monkeypatch.setattr(probes, "_migrated", lost)
    monkeypatch.setattr(connection, "close", lambda: None)
    answer = client.get("/health/ready")
    assert answer.status_code == 503 and "internal" not in answer.content.decode()


def test_probes_are_asked_without_tls_though_the_screens_demand_it(client: Client, settings: Settings) -> None:
    settings.SECURE_SSL_REDIRECT = True
    assert client.get("/health/live").status_code == 200
    assert client.get("/admin/").status_code == 301


def test_probes_are_only_read(client: Client) -> None:
    assert client.post("/health/live").status_code == 405
