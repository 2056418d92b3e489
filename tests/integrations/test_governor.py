"""Keeping inside a vendor's limits: buckets in the database, shared by every process of a connection."""

import os
import subprocess
import sys
import time
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.db import connection as database

from integrations import governor, vendors
from integrations.governor import BucketLimiter, Rate, Rates
from integrations.models import Bucket, Connection
from ledger.clock import database_now
from ledger.errors import RateLimited
from ledger.models import Book
from tests.sandbox_fixture import ROOT, Sandbox

RATES: Rates = {"request": (Rate(10, 1, burst=5),), "batch": (Rate(60, 60, burst=2),)}


@pytest.fixture
def connection(book: Book) -> Connection:
    return Connection.objects.create(vendor="quickbooks", book=book)


@pytest.fixture
def limiter(connection: Connection) -> BucketLimiter:
    return BucketLimiter(connection.pk, RATES)


@pytest.fixture
def waited(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Waits are noted, and pass at once: the buckets fill as if they had been slept."""
    waits: list[float] = []

    def sleep(seconds: float) -> None:
        waits.append(seconds)
        for bucket in Bucket.objects.all():
            bucket.filled_at -= timedelta(seconds=seconds)
            bucket.save()

    monkeypatch.setattr(governor.time, "sleep", sleep)
    return waits


def test_a_burst_goes_at_once_and_then_one_waits(limiter: BucketLimiter, waited: list[float]) -> None:
    for _ in range(5):
        limiter.take("request")
    assert waited == []
    limiter.take("request")
    assert sum(waited) == pytest.approx(0.1, abs=0.05)


def test_kinds_have_buckets_of_their_own(limiter: BucketLimiter, waited: list[float]) -> None:
    for _ in range(2):
        limiter.take("batch")
    limiter.take("request")
    assert waited == []
    limiter.take("batch")
    assert waited


def test_a_kind_without_a_limit_never_waits(limiter: BucketLimiter, waited: list[float]) -> None:
    for _ in range(50):
        limiter.take("something else")
    assert waited == [] and not Bucket.objects.exists()


def test_two_limiters_of_one_connection_share_their_buckets(
    limiter: BucketLimiter, connection: Connection, waited: list[float]
) -> None:
    other = BucketLimiter(connection.pk, RATES)
    for _ in range(3):
        limiter.take("request")
        other.take("request")
    assert len(waited) >= 1


def test_a_bucket_never_holds_more_than_its_burst(limiter: BucketLimiter, waited: list[float]) -> None:
    limiter.take("request")
    Bucket.objects.update(filled_at=database_now() - timedelta(hours=1))
    for _ in range(6):
        limiter.take("request")
    assert len(waited) >= 1


def test_a_long_wait_is_left_to_the_next_attempt(limiter: BucketLimiter, waited: list[float]) -> None:
    limiter.take("request")
    limiter.pause(60)
    with pytest.raises(RateLimited) as refusal:
        limiter.take("request")
    assert refusal.value.retry_after == pytest.approx(60, abs=2)
    assert waited == []


def test_a_pause_holds_every_process(limiter: BucketLimiter, connection: Connection) -> None:
    limiter.take("request")
    limiter.pause(60)
    with pytest.raises(RateLimited):
        BucketLimiter(connection.pk, RATES).take("request")


def test_after_a_pause_one_goes_on(limiter: BucketLimiter) -> None:
    limiter.take("request")
    limiter.pause(60)
    Bucket.objects.update(paused_until=database_now() - timedelta(seconds=1))
    limiter.take("request")
    assert Bucket.objects.get(kind="request-0").paused_until is None


def test_a_clock_that_went_back_fills_nothing(limiter: BucketLimiter, waited: list[float]) -> None:
    for _ in range(5):
        limiter.take("request")
    Bucket.objects.update(filled_at=database_now() + timedelta(seconds=30))
    limiter.take("request")
    assert waited


def test_our_bursts_stay_below_the_vendors_buckets() -> None:
    """QuickBooks: 10 a second, 500 a minute, 40 batches a minute (Intuit's throttling table)."""
    second, minute = vendors.VENDORS["quickbooks"].rates["request"]
    (batch,) = vendors.VENDORS["quickbooks"].rates["batch"]
    assert (second.calls, second.seconds, minute.calls, minute.seconds) == (10, 1, 500, 60)
    assert second.burst < 10 and minute.burst < 500 and batch.burst < 40


READ = """
import sys
import django
django.setup()
from integrations import vendors
from integrations.models import Connection
books = vendors.accounting(Connection.objects.get(pk=int(sys.argv[1])))
for _ in range(int(sys.argv[2])):
    books.find(["HR-T1"])
"""


def _environment(sandbox: Sandbox) -> dict[str, str]:
    """Another process on the database of the tests, its doors leading to the same sandbox."""
    name = str(database.settings_dict["NAME"])
    server = os.environ["DATABASE_URL"].rsplit("/", 1)[0]
    url = f"sqlite:///{name}" if database.vendor == "sqlite" else f"{server}/{name}"
    own = {"DATABASE_URL": url, "DJANGO_SETTINGS_MODULE": "tests.settings", "INSTALLATION_ID": settings.INSTALLATION_ID}
    doors = {
        "HEARTLAND_RETAIL_URL": f"{sandbox.heartland_retail}/api",
        "QUICKBOOKS_URL": sandbox.quickbooks,
    }
    return {**os.environ, **own, **doors, "PYTHONPATH": str(ROOT)}


@pytest.mark.django_db(transaction=True)
def test_two_processes_together_never_exceed_the_vendors_limits(sandbox: Sandbox, quickbooks: Connection) -> None:
    sandbox.control("quickbooks", {"limits": True})
    before = sandbox.control("quickbooks/stats")
    command: list[Any] = [sys.executable, "-c", READ, str(quickbooks.pk), "25"]
    started = time.monotonic()
    processes = [subprocess.Popen(command, env=_environment(sandbox), cwd=ROOT) for _ in range(2)]
    assert [process.wait(timeout=60) for process in processes] == [0, 0]
    after = sandbox.control("quickbooks/stats")
    assert after["requests"] - before["requests"] == 50
    assert after["throttled"] == before["throttled"]
    assert time.monotonic() - started > 4


def test_what_is_taken_of_a_limit_comes_back_with_time(limiter: BucketLimiter) -> None:
    limiter.take("batch")
    assert {use.kind: use.taken for use in limiter.use()} == {"request": 0, "batch": 1}
    Bucket.objects.update(filled_at=database_now() - timedelta(seconds=2))
    assert {use.kind: use.taken for use in limiter.use()} == {"request": 0, "batch": 0}
