"""One run of the demo: start everything under the supervisor, set up like a person, wait, count, stay or end."""

import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import requests
from django.core.management import call_command

from config.children import Program
from config.demo import audit, people, summary
from config.demo.answer import Answer
from config.demo.places import HOST, CannotStart, Places, say
from config.demo.visitor import DidNotWork, Visitor
from config.supervisor import Supervisor, watchdog_of_the_queue, web, worker

START_SECONDS = 60
SELL_EVERY_SECONDS = 4
PATIENCE = {False: 600, True: 1500}
"""Seconds until a run is given up, plain and cruel."""


class Stopped(Exception):
    """The person pressed Ctrl-C."""


def run(where: Places, answer: Answer, *, check: bool, stay: bool, cruel: bool, passwords: bool) -> int:
    """Returns the exit code: 0 when everything agreed or the person ended it."""
    started = time.monotonic()
    say("Preparing the database ...")
    call_command("migrate", verbosity=0)
    with _everything(where, cruel=cruel) as supervisor:
        try:
            _wait_for_answers(where, supervisor)
            visitor = Visitor(where, stopped=lambda: _check_stopped(supervisor))
            visitor.set_up()
            visitor.watch(until=time.monotonic() + PATIENCE[cruel])
            seconds = round(time.monotonic() - started, 1)
            result = audit.result(where, cruel=cruel, seconds=seconds)
            summary.show(result)
            answer.give(result)
            if stay:
                people.introduce()
                summary.invite(where, password=visitor.password())
                if passwords:
                    people.say_passwords()
                _stay(where, supervisor)
        except Stopped:
            return 130 if check else 0
        except DidNotWork as problem:
            answer.refuse(str(problem))
            return 1
    return 0 if result["ok"] or not check else 1


@contextmanager
def _everything(where: Places, *, cruel: bool) -> Iterator[Supervisor]:
    """Sandbox, worker and web under the supervisor; none of them is left in the end, whatever happens."""
    programs = [_sandbox(where, cruel=cruel), worker(), web(host=HOST, port=where.port)]
    supervisor = Supervisor(programs, watchdog=watchdog_of_the_queue(), grace=15)
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, supervisor.request_stop)
    watching = threading.Thread(target=supervisor.watch, daemon=True)
    try:
        supervisor.start()
        watching.start()
        yield supervisor
    finally:
        supervisor.request_stop()
        watching.join(timeout=5)
        supervisor.stop_requests = 1
        supervisor.stop()


def _sandbox(where: Places, *, cruel: bool) -> Program:
    command = [sys.executable, "-m", "sandbox", "--port", str(where.sandbox_port), "--state", str(where.sandbox_state)]
    return Program("sandbox", [*command, *(["--cruel"] if cruel else [])], outlives=True)


def _wait_for_answers(where: Places, supervisor: Supervisor) -> None:
    say("Starting the sandbox, the worker and the web server ...")
    deadline = time.monotonic() + START_SECONDS
    for address in (where.sandbox_url, f"{where.url}/admin/login/"):
        while not _answers(address):
            _check_stopped(supervisor)
            if time.monotonic() > deadline:
                raise CannotStart(f"{address} did not answer within {START_SECONDS} seconds; see the messages above.")
            time.sleep(0.1)


def _answers(address: str) -> bool:
    try:
        return requests.get(address, timeout=5).ok
    except requests.RequestException:
        return False


def _check_stopped(supervisor: Supervisor) -> None:
    if supervisor.stop_requests:
        raise Stopped


def _stay(where: Places, supervisor: Supervisor) -> None:
    """The shop goes on selling, so that the going-forward sync can be watched."""
    selling = f"{where.sandbox_url}/_control/heartland/selling"
    requests.post(selling, json={"every_seconds": SELL_EVERY_SECONDS}, timeout=10)
    while not supervisor.stop_requests:
        time.sleep(0.2)
    say("Ending ...")
