"""Several machines on one database: one is restarted while the other works, one hangs and is found, none loses a thing.

Real supervisors, real workers, the true queue of the database under test, and QuickBooks as the sandbox speaks it.
"""

import os
import signal
import socket
import threading
import time
from pathlib import Path

import pytest
import requests

from integrations.models import Connection, Heartbeat
from ledger.models import Attempt, JournalEntry
from ledger.terms import DeliveryState
from tests.integrations.at_work import assert_once, sell
from tests.journeys.killing_victims import children_of
from tests.journeys.worker_machines import Machine, machines, wait_for, wake
from tests.office import Office
from tests.sandbox_fixture import Sandbox

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="reads process trees from /proc"),
]
ONE_BATCH = 30


def in_state(*states: DeliveryState) -> int:
    return JournalEntry.objects.filter(state__in=states).count()


def nothing_waits() -> bool:
    return not in_state(DeliveryState.READY, DeliveryState.SENDING, DeliveryState.UNKNOWN)


def posted() -> int:
    return in_state(DeliveryState.POSTED)


def results() -> set[str]:
    return set(Attempt.objects.values_list("result", flat=True))


def test_one_machine_is_restarted_while_the_other_posts_on(
    sandbox: Sandbox, running: Connection, office: Office
) -> None:
    sales = []
    with machines("one", "two") as (one, two):
        for machine in (one, two):
            machine.start()
        for leaving in (one, two):
            sales += sell(office, 6)
            wake("work", running.pk)
            assert leaving.stop() == 0
            sales += sell(office, 6)
            wake("work", running.pk)
            # The one that was stopped does not run: whatever is posted now is the other's work.
            wait_for(nothing_waits, what="the other machine posts what came in")
            assert posted() == len(sales)
            leaving.start()
        for machine in (one, two):
            assert machine.stop() == 0
    assert_once(sandbox, office, sales)
    assert results() == {Attempt.Result.POSTED}
    assert set(Heartbeat.objects.values_list("state", flat=True)) == {Heartbeat.State.ENDED}


def test_a_machine_that_leaves_finishes_what_it_sent_and_leaves_the_rest_to_the_next(
    sandbox: Sandbox, running: Connection, office: Office
) -> None:
    sales = sell(office, ONE_BATCH + 5)
    slow = sandbox.fault("quickbooks.slow", probability=1, only="write", seconds=2.0)
    with machines("one", "two") as (one, two):
        one.start()
        with slow:
            wake("work", running.pk)
            wait_for(lambda: Attempt.objects.count() == ONE_BATCH, what="a call is under way")
            assert one.stop() == 0
        assert (posted(), in_state(DeliveryState.READY)) == (ONE_BATCH, 5)
        two.start()
        # Nobody wakes it: the one that left has said so.
        wait_for(lambda: posted() == len(sales), what="the next machine goes on")
        assert two.stop() == 0
    assert_once(sandbox, office, sales)
    assert results() == {Attempt.Result.POSTED}


def test_of_two_machines_the_one_that_hangs_is_seen_and_it_alone_is_restarted(sandbox: Sandbox) -> None:
    with machines("one", "two", DAYBOOK_HEARTBEAT_SECONDS="6") as (one, two):
        for machine in (one, two):
            machine.start()
        hung, works = one.cluster(), two.cluster()
        last = one.heartbeat()
        assert last is not None
        leave_it_hanging(hung)
        wait_for(lambda: one.cluster() not in (0, hung), what="the one that hangs is restarted")
        seen = Heartbeat.objects.get(name=last.name).at
        other = two.heartbeat()
        assert other is not None and (other.at - seen).total_seconds() > 3, "the other had no signs of life meanwhile"
        assert two.cluster() == works
        wait_for(lambda: Heartbeat.objects.get(name=last.name).at > seen, what="it works again")


def leave_it_hanging(cluster: int) -> None:
    """Its idle worker dies with the lock of the queue in its hand: from then on nothing runs, and nothing says so."""
    (sentinel,) = children_of(cluster)
    time.sleep(1)  # it waits for the next message again
    os.kill(min(children_of(sentinel)), signal.SIGKILL)


def test_a_web_server_that_leaves_answers_the_request_it_has(db: None, sandbox: Sandbox) -> None:
    with machines("web", part="web") as (web,):
        web.start()
        wait_for(lambda: answers(web), what="the web server answers")
        assert web.child(named=b"gunicorn") and not web.cluster()
        answer, half_sent, stop_asked = bytearray(), threading.Event(), threading.Event()
        client = threading.Thread(target=post_slowly, args=(web.port, answer, half_sent, stop_asked))
        client.start()
        half_sent.wait(10)
        web.ask_to_stop()
        wait_for(lambda: not answers(web), what="it takes no new request")
        stop_asked.set()
        client.join(30)
        assert web.ended() == 0
    assert answer.startswith(b"HTTP/1.1 403 "), "its form had no CSRF token, which only Django can have seen"


def answers(web: Machine) -> bool:
    try:
        return requests.get(f"http://127.0.0.1:{web.port}/health/live", timeout=5).ok
    except requests.exceptions.RequestException:
        return False


def post_slowly(port: int, answer: bytearray, half_sent: threading.Event, stop_asked: threading.Event) -> None:
    """A form whose second half leaves only after the server was asked to stop."""
    head = "POST /admin/login/ HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-www-form-urlencoded\r\n"
    with socket.create_connection(("127.0.0.1", port), timeout=30) as line:
        line.sendall(f"{head}Content-Length: 20\r\n\r\nusername=a".encode())
        threading.Event().wait(1.0)
        half_sent.set()
        stop_asked.wait(30)
        line.sendall(b"&password=")
        while received := line.recv(65536):
            answer += received
