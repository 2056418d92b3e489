"""A vendor that does not answer: nobody hammers, one call probes, and the backlog drains in order."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.db.models import F

from integrations import connecting, pipeline, vendors
from integrations.breaker import LONGEST_REST, OPENS_AFTER, CircuitBreaker
from integrations.models import Circuit, Connection
from ledger.clock import database_now
from ledger.errors import Unreachable
from ledger.models import Book, JournalEntry, Posting, Source
from ledger.terms import SyncState
from tests.integrations.at_work import MANY, assert_once, later, sell
from tests.office import Office
from tests.sandbox_fixture import Sandbox

PROBE = 30.0


@pytest.fixture
def connection(book: Book) -> Connection:
    return Connection.objects.create(vendor="quickbooks", book=book)


def breaker(connection: Connection) -> CircuitBreaker:
    """As another process has it."""
    return CircuitBreaker(connection.pk, probe_seconds=PROBE)


def call(connection: Connection, *, reached: bool) -> None:
    one = breaker(connection)
    one.allow()
    one.note(reached=reached)


def fail(connection: Connection, times: int = OPENS_AFTER) -> None:
    for _ in range(times):
        call(connection, reached=False)


def pass_time(seconds: float) -> None:
    Circuit.objects.exclude(rests_until=None).update(rests_until=F("rests_until") - timedelta(seconds=seconds))


def rest(connection: Connection) -> float:
    until = breaker(connection).rests_until()
    return (until - database_now()).total_seconds() if until else 0.0


def test_calls_go_through_while_there_are_answers(connection: Connection) -> None:
    for _ in range(3):
        fail(connection, OPENS_AFTER - 1)
        call(connection, reached=True)
    assert rest(connection) == 0
    assert Circuit.objects.get().failures == 0


def test_failures_in_a_row_open_it_for_every_process(connection: Connection) -> None:
    fail(connection)
    for _ in range(2):
        with pytest.raises(Unreachable):
            breaker(connection).allow()
    assert 0 < rest(connection) <= 6.0


def test_after_the_rest_one_call_alone_probes(connection: Connection) -> None:
    fail(connection)
    pass_time(10)
    probing, other = breaker(connection), breaker(connection)
    probing.allow()
    with pytest.raises(Unreachable):
        other.allow()
    probing.note(reached=True)
    other.allow()
    assert rest(connection) == 0


def test_a_probe_that_fails_makes_the_rest_longer_up_to_the_longest(connection: Connection) -> None:
    fail(connection)
    rests = [rest(connection)]
    for _ in range(8):
        pass_time(2 * LONGEST_REST)
        call(connection, reached=False)
        rests.append(rest(connection))
    assert rests[1] > rests[0] and rests[2] > rests[1]
    assert max(rests) <= LONGEST_REST * 1.2


def test_a_probe_whose_worker_dies_is_followed_by_another(connection: Connection) -> None:
    fail(connection)
    pass_time(10)
    breaker(connection).allow()
    pass_time(PROBE + 1)
    breaker(connection).allow()


def test_what_was_under_way_when_it_opened_does_not_make_the_rest_longer(connection: Connection) -> None:
    under_way = [breaker(connection) for _ in range(3)]
    for one in under_way:
        one.allow()
    fail(connection)
    first = Circuit.objects.get().rests_until
    for one in under_way:
        one.note(reached=False)
    assert Circuit.objects.get().rests_until == first


def test_other_connections_are_not_touched(connection: Connection, source: Source) -> None:
    fail(connection)
    till = Connection.objects.create(vendor="heartland_retail", source=source)
    breaker(till).allow()
    assert rest(till) == 0


# --- Against a running QuickBooks that is down ----------------------------------------------------


@pytest.fixture
def office(source: Source, running: Connection) -> Office:
    assert running.book is not None
    return Office(source, running.book)


@pytest.fixture
def outage(sandbox: Sandbox) -> Iterator[None]:
    with sandbox.fault("quickbooks.error_500_before", always=True):
        yield


def calls(sandbox: Sandbox) -> int:
    return int(sandbox.control("faults")["on"]["quickbooks.error_500_before"]["asked"])


def hammer(running: Connection, office: Office, *, rounds: int) -> None:
    """Work as often as one could, with no more than the pauses of the entries themselves in between."""
    for _ in range(rounds):
        pipeline.post(running)
        office.later(400)


def test_in_an_outage_a_few_calls_are_made_and_nothing_is_lost(
    sandbox: Sandbox, running: Connection, office: Office, outage: None
) -> None:
    sales = sell(office, MANY)
    hammer(running, office, rounds=40)
    assert calls(sandbox) == OPENS_AFTER
    assert office.states(sales) == [SyncState.NOT_SYNCED] * MANY
    later(office, 400)
    hammer(running, office, rounds=20)
    assert calls(sandbox) == OPENS_AFTER + 1


def test_when_it_answers_again_the_backlog_drains_in_order_by_itself(
    sandbox: Sandbox, running: Connection, office: Office
) -> None:
    sales = sell(office, 3 * MANY)
    with sandbox.fault("quickbooks.error_500_before", always=True):
        hammer(running, office, rounds=10)
    assert pipeline.post(running) == 0
    later(office, 400)
    while pipeline.post(running):
        pass
    assert_once(sandbox, office, sales)
    in_order = JournalEntry.objects.filter(book=office.book).order_by("priority", "id")
    assert list(in_order) == list(in_order.order_by("posted_at", "id"))


def test_the_next_look_comes_when_the_rest_ends(running: Connection, office: Office, outage: None) -> None:
    sell(office, MANY)
    hammer(running, office, rounds=10)
    assert pipeline.next_due(running) == vendors.breaker(running).rests_until()
    assert not pipeline.is_due(running)


def test_a_person_who_presses_test_asks_at_once(sandbox: Sandbox, running: Connection, office: Office) -> None:
    sell(office, MANY)
    with sandbox.fault("quickbooks.error_500_before", always=True):
        hammer(running, office, rounds=10)
        with pytest.raises(Unreachable):
            connecting.test(running, None)
        assert rest(running) > 0
    connecting.test(running, None)
    assert rest(running) == 0 and pipeline.is_due(running)


def test_no_event_needs_a_person_because_of_an_outage(running: Connection, office: Office, outage: None) -> None:
    sell(office, MANY)
    for _ in range(12):
        hammer(running, office, rounds=2)
        later(office, 400)
    assert not Posting.objects.filter(book=office.book, state=SyncState.ERROR).exists()
