"""/metrics tells Prometheus how the engine runs, from our tables, to whoever has the token, and scans nothing."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection as database
from django.test import Client
from django.test.utils import CaptureQueriesContext
from prometheus_client.parser import text_string_to_metric_families as parsed
from pytest_django import Settings

from integrations import vendors
from integrations.api.metrics import GAUGES
from integrations.models import Alert, Circuit, Connection, Heartbeat
from ledger.clock import database_now
from ledger.journal import figures
from ledger.models import JournalEntry, Posting
from tests.integrations.at_work import sell, work
from tests.office import Office

TOKEN = "a-token-of-the-monitor"


@pytest.fixture
def monitor(client: Client, settings: Settings) -> Client:
    settings.METRICS_TOKEN = TOKEN
    client.defaults["HTTP_AUTHORIZATION"] = f"Bearer {TOKEN}"
    return client


def told(monitor: Client) -> dict[tuple[str, ...], float]:
    """Each number under its name and the values of its labels, without the book's and the connection's."""
    answer = monitor.get("/metrics")
    assert answer.status_code == 200 and answer["Content-Type"].startswith("text/plain; version=")
    return {
        (sample.name, *(value for label, value in sorted(sample.labels.items()) if label not in NAMES)): sample.value
        for family in parsed(answer.content.decode())
        for sample in family.samples
    }


NAMES = {"book", "name", "connection"}


@pytest.mark.django_db
def test_without_a_token_set_there_is_no_such_page(client: Client, settings: Settings) -> None:
    settings.METRICS_TOKEN = ""
    assert client.get("/metrics", headers={"Authorization": "Bearer "}).status_code == 404


@pytest.mark.parametrize("shown", ["", "Bearer", "Bearer wrong", "Basic a-token-of-the-monitor", TOKEN, "Bearer tökén"])
def test_whoever_does_not_show_the_token_is_told_how_and_nothing_else(
    client: Client, settings: Settings, shown: str
) -> None:
    settings.METRICS_TOKEN = TOKEN
    answer = client.get("/metrics", headers={"Authorization": shown})
    assert answer.status_code == 401 and answer["WWW-Authenticate"] == "Bearer"
    assert b"daybook_" not in answer.content


def test_it_is_only_read(monitor: Client) -> None:
    assert monitor.post("/metrics").status_code == 405


def test_what_was_posted_is_counted_by_state_outcome_and_minute(
    monitor: Client, running: Connection, office: Office
) -> None:
    sell(office, 2)
    work(running, office)
    figures.refresh(office.book)
    numbers = told(monitor)
    assert numbers["daybook_events", "synced"] == 2 and numbers["daybook_events", "error"] == 0
    assert numbers["daybook_attempts_last_hour", "posted"] == 2
    assert numbers["daybook_entries_posted_last_minute",] == 2
    assert numbers["daybook_lag_seconds", "new"] == 0


def test_the_lag_is_the_age_of_the_oldest_that_waits(monitor: Client, running: Connection, office: Office) -> None:
    sell(office, 2)
    JournalEntry.objects.update(created_at=database_now() - timedelta(minutes=5))
    numbers = told(monitor)
    assert 300 <= numbers["daybook_lag_seconds", "new"] < 360 and numbers["daybook_lag_seconds", "past"] == 0


def test_limits_pauses_and_circuits_are_told_by_connection(monitor: Client, running: Connection) -> None:
    before = told(monitor)
    assert before["daybook_circuit_open", "quickbooks"] == before["daybook_vendor_pause_seconds", "quickbooks"] == 0
    now = database_now()
    Circuit.objects.create(connection=running, opened_at=now, rests_until=now + timedelta(minutes=1))
    for _ in range(5):
        vendors.limiter(running).wait("batch")
    vendors.limiter(running).pause(60)
    after = told(monitor)
    assert after["daybook_circuit_open", "quickbooks"] == 1
    assert after["daybook_vendor_pause_seconds", "quickbooks"] > 50
    left = ("daybook_limiter_places_left", "batch", "quickbooks", "minute")
    assert 0 < after[left] < before[left]
    flying = ("daybook_limiter_places_left", "call", "quickbooks", "under way")
    assert after[flying] == before[flying] - 5


def test_each_machine_has_its_own_age_and_a_silent_one_is_counted(
    monitor: Client, db: None, settings: Settings
) -> None:
    now = database_now()
    Heartbeat.objects.create(name="one:1", at=now)
    Heartbeat.objects.create(name="two:1", at=now - timedelta(seconds=settings.HEARTBEAT_SECONDS + 60))
    numbers = told(monitor)
    assert numbers["daybook_heartbeat_age_seconds", "one:1"] < 60
    assert numbers["daybook_heartbeat_age_seconds", "two:1"] > settings.HEARTBEAT_SECONDS
    assert numbers["daybook_machines_silent",] == 1
    assert numbers["daybook_machines",] == 1
    Heartbeat.objects.create(name="three:1", at=now, state=Heartbeat.State.STARTS)
    assert told(monitor)["daybook_machines",] == 1
    Heartbeat.objects.update(state=Heartbeat.State.ENDED)
    assert told(monitor)["daybook_machines",] == 0


def test_open_alerts_are_counted_by_severity(monitor: Client, db: None) -> None:
    now = database_now()
    Alert.objects.create(cause="messages:email", sentence="x", first_seen_at=now, last_seen_at=now)
    Alert.objects.create(cause="messages:chat", sentence="x", first_seen_at=now, last_seen_at=now, closed_at=now)
    numbers = told(monitor)
    assert numbers["daybook_alerts_open", "error"] == 1 and numbers["daybook_alerts_open", "warning"] == 0


def test_a_queue_that_is_away_leaves_out_its_number_and_spoils_no_other(
    monitor: Client, db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert told(monitor)["daybook_queue_depth",] == 0
    monkeypatch.setattr("integrations.gauges.get_broker", without_redis)
    numbers = told(monitor)
    assert ("daybook_queue_depth",) not in numbers and ("daybook_machines_silent",) in numbers


def without_redis() -> Any:
    """A true client of Redis, and nobody at the address."""
    from django_q.brokers.redis_broker import Redis  # noqa: PLC0415
    from redis import from_url  # noqa: PLC0415

    broker = Redis.__new__(Redis)
    broker.list_key, broker.connection = "nobody", from_url("redis://127.0.0.1:9")
    return broker


def test_more_events_cost_no_more_questions(monitor: Client, running: Connection, office: Office) -> None:
    sell(office, 1)
    figures.refresh(office.book)
    with CaptureQueriesContext(database) as few:
        told(monitor)
    sell(office, 30)
    figures.refresh(office.book)
    with CaptureQueriesContext(database) as many:
        told(monitor)
    assert len(many) == len(few) and Posting.objects.count() == 31


def test_every_metric_has_a_name_that_says_its_unit_or_what_is_counted(monitor: Client, running: Connection) -> None:
    assert {name[0].removeprefix("daybook_") for name in told(monitor)} <= set(GAUGES)
