"""Keeping inside a vendor's limits: one row that every process of a connection writes."""

import os
import subprocess
import sys
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.db import DatabaseError, IntegrityError, transaction
from django.db import connection as database

from integrations import limiter as limiting
from integrations import pipeline, vendors
from integrations.limiter import Place, RowLimiter
from integrations.models import CallLog, Connection
from integrations.models.connections import LIMITS
from integrations.windows import Limits
from ledger.clock import database_now
from ledger.errors import RateLimited
from ledger.journal.booking import new_key
from ledger.models import Book, Source
from ledger.terms import AccountType, Role
from ledger.values import NewAccount
from tests.integrations.at_work import MANY, assert_once, sell
from tests.office import Office
from tests.sandbox_fixture import ROOT, Sandbox
from tests.trade import new_id

LIMITS_HERE = Limits(requests_per_minute=6, requests_per_second=5, batches_per_minute=2, in_flight=8)


@pytest.fixture
def connection(book: Book) -> Connection:
    return Connection.objects.create(vendor="quickbooks", book=book)


@pytest.fixture
def limiter(connection: Connection) -> RowLimiter:
    return limiter_of(connection)


def limiter_of(connection: Connection, *, limits: Limits = LIMITS_HERE) -> RowLimiter:
    """As another process would have it."""
    return RowLimiter(connection.pk, limits, longest=lambda: 90.0)


@pytest.fixture
def waited(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Waits are noted, and pass at once: the calls lie so much further back, as if the wait had been slept."""
    waits: list[float] = []

    def sleep(seconds: float) -> None:
        waits.append(seconds)
        let_pass(seconds)

    monkeypatch.setattr(limiting.time, "sleep", sleep)
    return waits


def let_pass(seconds: float) -> None:
    gone = round(seconds * 1000) + 1
    for row in CallLog.objects.all():
        row.times = {kind: [at - gone for at in times] for kind, times in row.times.items()}
        row.flying = {name: [at - gone, until - gone, *kinds] for name, (at, until, *kinds) in row.flying.items()}
        row.paused_until = row.paused_until and row.paused_until - timedelta(seconds=seconds)
        row.save()


def call(limiter: RowLimiter, *kinds: str) -> None:
    limiter.wait(*kinds).leave()


def test_so_many_calls_go_at_once_and_the_next_one_waits_for_the_window(
    limiter: RowLimiter, waited: list[float]
) -> None:
    for _ in range(5):
        call(limiter, "request")
    assert waited == []
    call(limiter, "request")
    assert 0 < sum(waited) <= 1.06


def test_every_rate_of_a_kind_binds(limiter: RowLimiter, waited: list[float]) -> None:
    for _ in range(6):
        call(limiter, "request")
    refused = limiter.place("request")
    assert not isinstance(refused, Place) and refused > 50


def test_a_batch_takes_a_place_of_both_kinds_or_none(limiter: RowLimiter) -> None:
    for _ in range(2):
        call(limiter, "request", "batch")
    assert not isinstance(limiter.place("request", "batch"), Place)
    row = CallLog.objects.get()
    assert {kind: len(times) for kind, times in row.times.items()} == {"request": 2, "batch": 2}
    assert row.flying == {}
    call(limiter, "request")


def test_two_limiters_of_one_connection_share_their_row(limiter: RowLimiter, connection: Connection) -> None:
    for one in (limiter, limiter_of(connection)):
        call(one, "request", "batch")
    assert not isinstance(limiter.place("batch"), Place)
    assert CallLog.objects.count() == 1


def test_connections_do_not_share_theirs(limiter: RowLimiter, source: Source) -> None:
    for _ in range(2):
        call(limiter, "batch")
    till = Connection.objects.create(vendor="heartland_retail", source=source)
    call(limiter_of(till), "batch")


def test_a_kind_without_a_limit_never_waits(connection: Connection, waited: list[float]) -> None:
    free = limiter_of(connection, limits=Limits(batches_per_minute=1))
    for _ in range(50):
        call(free, "request")
    assert waited == []
    assert len(CallLog.objects.get().times["request"]) <= 1


def test_only_so_many_calls_are_under_way_until_one_is_answered(connection: Connection) -> None:
    narrow = limiter_of(connection, limits=Limits(in_flight=2))
    first, _ = narrow.wait("request"), narrow.wait("request")
    assert narrow.place("request") == 0.1
    first.leave()
    assert isinstance(narrow.place("request"), Place)


def test_the_place_of_a_worker_that_died_comes_back(connection: Connection) -> None:
    narrow = limiter_of(connection, limits=Limits(in_flight=1))
    narrow.wait("request")
    assert not isinstance(narrow.place("request"), Place)
    let_pass(91)
    assert isinstance(narrow.place("request"), Place)


def counts_since(kind: str) -> float:
    """For how many seconds the only call of this kind has counted."""
    (at,) = CallLog.objects.get().times[kind]
    return database_now().timestamp() - at / 1000


def test_a_call_counts_from_its_answer(limiter: RowLimiter) -> None:
    place = limiter.wait("request", "batch")
    place.taken -= 1.9
    place.at -= 1900
    place.leave()
    assert counts_since("batch") < 1.8 and counts_since("request") < 1.8


def test_an_answer_that_is_long_in_coming_counts_from_when_the_call_had_arrived(limiter: RowLimiter) -> None:
    place = limiter.wait("request", "batch")
    place.taken -= 40
    place.at -= 40_000
    place.sent = place.taken + 10
    place.leave()
    assert 27.9 < counts_since("batch") < 39


def test_a_place_that_cannot_be_given_back_does_not_hide_the_answer(
    limiter: RowLimiter, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = limiter.wait("request")

    def busy(_: RowLimiter) -> None:
        raise DatabaseError("database is locked")

    monkeypatch.setattr(RowLimiter, "_locked", busy)
    place.leave()


def test_a_long_wait_is_left_to_the_next_attempt(limiter: RowLimiter, waited: list[float]) -> None:
    limiter.pause(60)
    with pytest.raises(RateLimited) as refusal:
        limiter.wait("request")
    assert refusal.value.retry_after == pytest.approx(60, abs=2)
    assert waited == []


def test_a_pause_holds_every_process_and_ends(limiter: RowLimiter, connection: Connection) -> None:
    limiter.pause(60)
    other = limiter_of(connection)
    assert not isinstance(other.place("request"), Place)
    assert other.paused_until()
    let_pass(61)
    assert isinstance(other.place("request"), Place)
    assert other.paused_until() is None


def test_a_longer_pause_is_not_made_shorter(limiter: RowLimiter) -> None:
    limiter.pause(60)
    limiter.pause(1)
    until = limiter.paused_until()
    assert until and (until - database_now()).total_seconds() > 50


def test_a_clock_that_was_set_back_holds_up_nobody_for_long(connection: Connection) -> None:
    narrow = limiter_of(connection, limits=Limits(in_flight=1, batches_per_minute=2))
    for _ in range(2):
        call(narrow, "request", "batch")
    narrow.wait("request")
    let_pass(-5 * 3600)
    due = narrow.next_batch()
    assert due and (due - database_now()).total_seconds() < 61
    assert not isinstance(narrow.place("request"), Place)
    let_pass(91)
    assert narrow.next_batch() is None
    assert isinstance(narrow.place("request"), Place)


def test_a_pause_is_never_longer_than_an_hour_even_if_the_clock_was_set_back(limiter: RowLimiter) -> None:
    limiter.pause(60)
    let_pass(-5 * 3600)
    until = limiter.paused_until()
    assert until and (until - database_now()).total_seconds() <= 3600
    assert CallLog.objects.get().paused_until == until
    limiter.pause(5 * 3600)
    asked = limiter.paused_until()
    assert asked and asked - database_now() <= timedelta(hours=1)


def test_a_place_is_given_back_once(limiter: RowLimiter, monkeypatch: pytest.MonkeyPatch) -> None:
    written: list[Place] = []
    monkeypatch.setattr(RowLimiter, "left", lambda _, place: written.append(place))
    with limiter.wait("request") as place:
        place.leave()
    assert written == [place]


def test_what_is_taken_of_a_limit_comes_back_with_time(limiter: RowLimiter) -> None:
    place = limiter.wait("request", "batch")

    def taken() -> list[tuple[str, int, int]]:
        return [(use.kind, use.taken, use.most) for use in limiter.use()]

    assert taken() == [("request", 1, 5), ("request", 1, 6), ("batch", 1, 2), ("call", 1, 8)]
    place.leave()
    let_pass(2)
    assert taken() == [("request", 0, 5), ("request", 1, 6), ("batch", 1, 2), ("call", 0, 8)]
    let_pass(61)
    assert [taken for _, taken, _ in taken()] == [0, 0, 0, 0]


# --- The numbers ----------------------------------------------------------------------------------


def test_the_contracts_numbers_are_the_defaults() -> None:
    """Intuit's throttling table; 5 under way at once by our contract's advice."""
    said = vendors.VENDORS["quickbooks"].limits
    assert (said.requests_per_minute, said.requests_per_second, said.in_flight) == (500, 10, 5)
    assert (said.batches_per_minute, said.items_per_batch) == (40, 30)


def test_a_number_that_a_person_has_set_counts_instead(connection: Connection) -> None:
    connection.batches_per_minute = 1
    connection.save()
    assert vendors.limits(connection) == Limits(500, 10, 5, 1, 30)
    limiter = vendors.limiter(connection)
    call(limiter, "request", "batch")
    assert not isinstance(limiter.place("request", "batch"), Place)


@pytest.mark.parametrize("name", LIMITS)
def test_the_database_refuses_a_limit_of_nothing(connection: Connection, name: str) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        Connection.objects.filter(pk=connection.pk).update(**{name: 0})


# --- At work --------------------------------------------------------------------------------------


@pytest.fixture
def office(source: Source, running: Connection) -> Office:
    assert running.book is not None
    return Office(source, running.book)


def batches(sandbox: Sandbox) -> int:
    return int(sandbox.control("quickbooks/stats")["batches"])


def test_entries_go_in_batches_of_the_size_that_was_set(sandbox: Sandbox, running: Connection, office: Office) -> None:
    Connection.objects.filter(pk=running.pk).update(items_per_batch=MANY)
    sales, before = sell(office, 2 * MANY), batches(sandbox)
    assert [pipeline.post(running) for _ in range(3)] == [MANY, MANY, 0]
    assert batches(sandbox) == before + 2
    assert_once(sandbox, office, sales)


def test_while_the_limit_is_used_up_nothing_is_claimed_and_the_next_look_is_when_it_is_free(
    sandbox: Sandbox, running: Connection, office: Office
) -> None:
    Connection.objects.filter(pk=running.pk).update(items_per_batch=MANY, batches_per_minute=1)
    sales = sell(office, 2 * MANY)
    before = sandbox.control("quickbooks/stats")["requests"]
    assert [pipeline.post(running) for _ in range(3)] == [MANY, 0, 0]
    assert sandbox.control("quickbooks/stats")["requests"] == before + 2
    due = pipeline.next_due(running)
    assert due and 50 < (due - database_now()).total_seconds() < 60
    assert not any(office.entry(facts).attempts_made for facts in sales[MANY:])
    let_pass(61)
    assert pipeline.post(running) == MANY
    assert_once(sandbox, office, sales)


def test_after_a_429_everybody_waits_as_long_as_was_asked(
    sandbox: Sandbox, running: Connection, office: Office
) -> None:
    sell(office, MANY)
    with sandbox.fault("quickbooks.throttle", times=1, retry_after=7):
        pipeline.post(running)
    until = vendors.limiter(running).paused_until()
    assert until and (until - database_now()).total_seconds() == pytest.approx(7, abs=2)
    assert pipeline.post(running) == 0


def test_no_place_stays_under_way_whatever_becomes_of_a_call(
    sandbox: Sandbox, running: Connection, office: Office
) -> None:
    sell(office, MANY)
    for fault in ("drop_answer", "error_500_after", "html_502", "throttle"):
        with sandbox.fault(f"quickbooks.{fault}", times=1):
            pipeline.post(running)
        office.later(400)
        let_pass(61)
    vendors.limiter(running).wait("request").leave()
    assert CallLog.objects.get(connection=running).flying == {}


def test_a_write_in_the_last_place_does_not_wait_for_itself(
    sandbox: Sandbox, running: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither while its token is renewed before it leaves, nor when it is sent again with another."""
    monkeypatch.setattr(limiting, "LONGEST_WAIT", 0.0)
    Connection.objects.filter(pk=running.pk).update(in_flight=1, token_expires_at=database_now())
    running.refresh_from_db()
    version = running.token_version
    wanted = NewAccount(f"Sales - {new_id()}", AccountType.INCOME, Role.SALES, new_key())
    with vendors.limiter(running).wait("request") as place:
        created = vendors.accounting(running).create_account(wanted, place=place)
    with sandbox.fault("quickbooks.expire_token", times=1), vendors.limiter(running).wait("request") as place:
        again = vendors.accounting(running).create_account(wanted, place=place)
    assert again.external_id == created.external_id
    running.refresh_from_db()
    assert running.token_version == version + 2 and CallLog.objects.get(connection=running).flying == {}


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
    processes = [subprocess.Popen(command, env=_environment(sandbox), cwd=ROOT) for _ in range(2)]
    assert [process.wait(timeout=60) for process in processes] == [0, 0]
    after = sandbox.control("quickbooks/stats")
    assert after["requests"] - before["requests"] == 50
    assert after["throttled"] == before["throttled"]
