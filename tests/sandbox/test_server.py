"""The server under the pretend vendors: keeps connections, answers at once, stops cleanly, forgets none."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path

import pytest
import requests

from sandbox.server import Request, Sandbox, dump_json, json_answer
from sandbox.state import State
from tests.sandbox.quickbooks_server import QuickBooksServer, entry

ROOT = Path(__file__).parents[2]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def started(port: int, state: Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "sandbox", "--port", str(port), "--state", str(state)]
    return subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=os.environ
    )


@contextmanager
def sandbox(port: int, state: Path) -> Iterator[subprocess.Popen[str]]:
    process = started(port, state)
    try:
        assert process.stdout is not None and str(port) in process.stdout.readline()
        yield process
    finally:
        process.kill()
        process.communicate()


def test_it_starts_quickly_stops_at_sigterm_and_leaves_no_trace(tmp_path: Path) -> None:
    port, began = free_port(), time.monotonic()
    with sandbox(port, tmp_path / "s.sqlite3") as process:
        page = requests.get(f"http://127.0.0.1:{port}/", timeout=10)
        assert "not a real vendor" in page.text and page.headers["X-Sandbox"]
        assert time.monotonic() - began < 10
        process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=10)
        assert (process.returncode, errors) == (0, "")


def test_a_busy_port_gets_a_sentence_and_an_exit_code_and_touches_no_state(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        process = started(taken.getsockname()[1], tmp_path / "s.sqlite3")
        _, errors = process.communicate(timeout=30)
    assert process.returncode == 3
    assert "is in use; choose another --port" in errors
    assert not (tmp_path / "s.sqlite3").exists()


def test_whoever_calls_while_it_starts_is_refused_and_not_answered_late() -> None:
    server = Sandbox(("127.0.0.1", 0))
    try:
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", server.server_port), timeout=5)
        server.mount({})
        socket.create_connection(("127.0.0.1", server.server_port), timeout=5).close()
    finally:
        server.server_close()


def test_what_was_answered_survives_a_kill(tmp_path: Path) -> None:
    port, state = free_port(), tmp_path / "s.sqlite3"
    with sandbox(port, state) as process:
        server = QuickBooksServer(f"http://127.0.0.1:{port}", faults=None)  # type: ignore[arg-type]
        server.connect()
        assert server.post(entry(), requestid="r").status_code == 200
        process.kill()
    with sandbox(port, state):
        assert server.numbers() == ["HR-T100001"]
        assert server.post(entry(), requestid="r").json()["JournalEntry"]["Id"] == "201"
        assert server.numbers() == ["HR-T100001"]


def test_a_connection_is_kept_and_answers_come_without_delay(quickbooks: QuickBooksServer) -> None:
    with requests.Session() as session:
        began = time.perf_counter()
        for _ in range(50):
            answer = session.get(f"{quickbooks.url}/_control/quickbooks", timeout=5)
        # The delayed acknowledgement that two writes would meet costs 40 ms each: two seconds in all.
        assert time.perf_counter() - began < 1
        assert answer.raw.version == 11 and "close" not in answer.headers.get("Connection", "")


def test_an_unknown_path_is_not_found(quickbooks: QuickBooksServer) -> None:
    assert requests.get(f"{quickbooks.url}/nothing", timeout=5).status_code == 404
    assert requests.get(f"{quickbooks.url}/quickbooks/nothing", timeout=5).status_code == 404
    assert requests.get(f"{quickbooks.url}/_control/quickbooks/nothing", timeout=5).status_code == 404


def test_json_keeps_the_digits_of_an_amount() -> None:
    assert dump_json({"a": [Decimal("1.10"), "1.10", 1]}) == '{"a":[1.10,"1.10",1]}'
    with pytest.raises(TypeError):
        json_answer(200, Decimal("NaN"))
    request = Request("POST", "/", {}, {}, b'{"a": 0.1}')
    assert request.json() == {"a": Decimal("0.1")}


def test_credentials_are_read_from_the_header() -> None:
    def asked(value: str) -> Request:
        return Request("GET", "/", {"~[a][$gte]": ["1"]}, {"Authorization": value}, b"a=1&b=")

    assert asked("Bearer abc").bearer() == "abc" and asked("Bearer abc").basic() is None
    assert asked("Basic YTpi").basic() == ("a", "b") and asked("Basic !!").basic() is None
    assert asked("").form() == {"a": "1", "b": ""} and asked("").param("~[a][$gte]") == "1"


def test_state_is_read_back_in_order_with_exact_amounts(tmp_path: Path) -> None:
    state = State(tmp_path / "s.sqlite3")
    first = state.append("a", {"amount": Decimal("1.10")})
    state.append_many("a", [{"n": 1}, {"n": 2}])
    assert state.append("b", {}) > first
    state.close()
    again = State(tmp_path / "s.sqlite3")
    assert json.dumps([str(row) for row in again.read("a")]) == json.dumps(
        [str({"amount": Decimal("1.10")}), "{'n': 1}", "{'n': 2}"]
    )
    again.close()
