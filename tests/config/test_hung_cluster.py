"""The hang that makes the watchdog necessary, for real: an idle worker dies holding the lock of the queue.

The cluster then reports itself healthy and runs nothing, for ever, and ignores SIGTERM.
"""

import os
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parent.parent.parent
pytestmark = pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="reads process trees from /proc")


def children_of(pid: int) -> list[int]:
    try:
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except (FileNotFoundError, ProcessLookupError):
        return []


def cluster_of(supervisor: int) -> int:
    """The queue's first process, or 0 while there is none."""
    for child in children_of(supervisor):
        if b"qcluster" in Path(f"/proc/{child}/cmdline").read_bytes():
            return child
    return 0


def idle_worker_of(cluster: int) -> int:
    """The sentinel starts its workers before the monitor and the pusher."""
    (sentinel,) = children_of(cluster)
    return min(children_of(sentinel))


def wait_for(value: Callable[[], object], *, seconds: float = 40.0) -> None:
    until = time.monotonic() + seconds
    while not value():
        assert time.monotonic() < until, "it did not happen in time"
        time.sleep(0.1)


def heartbeats(database: Path) -> list[str]:
    with closing(sqlite3.connect(database)) as connection:
        return [str(at) for (at,) in connection.execute("SELECT at FROM integrations_heartbeat WHERE state = 'works'")]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def database(tmp_path: Path) -> Path:
    return tmp_path / "daybook.sqlite3"


@pytest.fixture
def supervisor(database: Path) -> Iterator[subprocess.Popen[bytes]]:
    environment = {name: value for name, value in os.environ.items() if name != "REDIS_URL"}
    environment |= {"DJANGO_SETTINGS_MODULE": "tests.settings", "DATABASE_URL": f"sqlite:///{database}"}
    environment |= {
        "DAYBOOK_QUEUE_WORKERS": "1",
        "DAYBOOK_HEARTBEAT_SECONDS": "5",
        "PYTHONPATH": str(PROJECT),
    }
    # One identity for the supervisor and its children: it names the queue.
    environment |= {"INSTALLATION_ID": "hung-cluster"}
    migrate = [sys.executable, "manage.py", "migrate", "--verbosity", "0"]
    subprocess.run(migrate, cwd=PROJECT, env=environment, check=True)
    command = [sys.executable, "-m", "config.supervisor", "--port", str(free_port()), "--web-workers", "1"]
    with subprocess.Popen(command, cwd=PROJECT, env=environment) as process:
        yield process
        process.kill()


def test_a_hung_cluster_is_found_and_works_again(supervisor: subprocess.Popen[bytes], database: Path) -> None:
    wait_for(lambda: heartbeats(database))
    hung = cluster_of(supervisor.pid)
    time.sleep(1)  # the worker waits for the next message again
    os.kill(idle_worker_of(hung), signal.SIGKILL)
    wait_for(lambda: cluster_of(supervisor.pid) not in (0, hung))
    last = heartbeats(database)
    wait_for(lambda: heartbeats(database) != last)
    supervisor.send_signal(signal.SIGTERM)
    assert supervisor.wait(timeout=30) == 0
