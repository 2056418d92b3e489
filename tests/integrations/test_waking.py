"""A queue that is away spoils no click: the click is done, and the sweep finds later what should have been woken."""

import logging
from typing import Any

import pytest
from django.db import transaction
from django.test import Client
from django.urls import reverse
from django_q.brokers.redis_broker import Redis
from django_q.tasks import async_task
from redis import from_url
from redis.exceptions import ConnectionError as NobodyThere

from integrations import pipeline, tasks, waking
from integrations.models import Connection
from ledger.models import Book
from tests.integrations.at_work import sell
from tests.office import Office

NOBODY = "redis://127.0.0.1:9"
"""The port that is kept for throwing away: nothing listens there."""


@pytest.fixture
def without_redis(monkeypatch: pytest.MonkeyPatch, woken: list[tuple[Any, ...]]) -> None:
    """The true client and the true library, and no Redis at the address."""

    def put(*message: Any) -> str:
        broker = Redis.__new__(Redis)
        broker.list_key, broker.connection = "nobody", from_url(NOBODY)
        put_in: str = async_task(*message, broker=broker)
        return put_in

    monkeypatch.setattr(waking, "async_task", put)


@pytest.mark.django_db(transaction=True)
def test_without_redis_a_wake_up_is_lost_and_nothing_else(
    without_redis: None, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(NobodyThere):
        waking.async_task("integrations.tasks.work", 1)
    with caplog.at_level(logging.ERROR), transaction.atomic():
        tasks.wake(1)
        tasks.wake_capture(1)
    assert sum("on_commit" in record.getMessage() for record in caplog.records) == 2


@pytest.mark.django_db(transaction=True)
def test_without_redis_a_click_does_its_work_and_says_so(
    without_redis: None, admin_client: Client, running: Connection, book: Book
) -> None:
    for deed, syncing in (("stop", False), ("start", True)):
        answer = admin_client.post(reverse(f"integrations:{deed}", args=[running.pk]), follow=True)
        book.refresh_from_db()
        assert answer.status_code == 200 and book.syncing is syncing


@pytest.mark.django_db(transaction=True)
def test_what_no_wake_up_was_heard_of_the_sweep_finds(
    without_redis: None, running: Connection, office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    sell(office, 1)
    with transaction.atomic():
        tasks.wake(running.pk)
    assert pipeline.is_due(running)
    heard: list[tuple[Any, ...]] = []
    monkeypatch.setattr(waking, "async_task", lambda *message: heard.append(message))
    tasks.sweep()
    assert ("integrations.tasks.work", running.pk) in heard
