"""The supervisor with small stand-in programs: real processes, real signals, a pulse kept in a file."""

import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from threading import Thread

import pytest

from config.children import BASE_DIR, Child, LastWill, Program
from config.lastwill import still_named
from config.supervisor import Supervisor, port_is_free
from config.watchdog import Watchdog

PARENT_AND_WORKER = """
import os, signal, subprocess, sys, time
folder = sys.argv[1]
worker = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
def drain(number, frame):
    open(folder + "/drained", "a").write("x")
    worker.terminate()
    sys.exit(0)
signal.signal(signal.SIGTERM, drain)
open(folder + "/pids", "a").write(f"{os.getpid()} {worker.pid}\\n")
time.sleep(60)
"""
SLOW_TO_DRAIN = """
import os, signal, sys, time
def drain(number, frame):
    time.sleep(1)
    open(sys.argv[1] + "/drained", "a").write("x")
    sys.exit(0)
signal.signal(signal.SIGTERM, drain)
open(sys.argv[1] + "/pids", "a").write(f"{os.getpid()}\\n")
time.sleep(60)
"""
DEAF = """
import os, signal, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
open(sys.argv[1] + "/pids", "a").write(f"{os.getpid()}\\n")
time.sleep(60)
"""
# Answers a question by touching a file, until the file "hang" appears; then it looks alive and does nothing.
WORKER_THAT_CAN_HANG = """
import os, sys, time
folder = sys.argv[1]
open(folder + "/pids", "a").write(f"{os.getpid()}\\n")
while True:
    if os.path.exists(folder + "/hang"):
        os.rename(folder + "/hang", folder + "/hung")
        time.sleep(60)
    if os.path.exists(folder + "/question"):
        os.remove(folder + "/question")
        open(folder + "/answer", "w").close()
    time.sleep(0.02)
"""


def program(source: str, *, folder: Path, name: str = "worker") -> Program:
    return Program(name, [sys.executable, "-c", textwrap.dedent(source), str(folder)])


def wait_until(condition: Callable[[], object], *, seconds: float = 10.0) -> None:
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, "it did not happen in time"
        time.sleep(0.02)


def pids(folder: Path) -> list[list[int]]:
    """One list a start, complete lines only."""
    file = folder / "pids"
    text = file.read_text() if file.exists() else ""
    return [[int(pid) for pid in line.split()] for line in text.splitlines(keepends=True) if line.endswith("\n")]


def is_running(pid: int) -> bool:
    """A zombie does not run: in a container its new parent may never collect it."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    stat = Path(f"/proc/{pid}/stat")
    return not (stat.exists() and stat.read_text().rpartition(")")[2].split()[0] == "Z")


class FilePulse:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.sweeps = 0

    def last(self) -> datetime | None:
        answer = self.folder / "answer"
        return datetime.fromtimestamp(answer.stat().st_mtime, tz=UTC) if answer.exists() else None

    def ask(self) -> None:
        (self.folder / "question").touch()

    def sweep(self) -> None:
        self.sweeps += 1

    def farewell(self) -> None:
        (self.folder / "farewell").touch()


@pytest.fixture
def supervised() -> Iterator[Callable[..., Supervisor]]:
    """Starts supervisors that watch in a thread, and ends them whatever the test did."""
    running: list[tuple[Supervisor, Thread]] = []

    def start(*programs: Program, watchdog: Watchdog | None = None, grace: float = 5.0) -> Supervisor:
        supervisor = Supervisor(programs, watchdog=watchdog, grace=grace)
        supervisor.start()
        thread = Thread(target=supervisor.watch, daemon=True)
        thread.start()
        running.append((supervisor, thread))
        return supervisor

    yield start
    for supervisor, thread in running:
        supervisor.request_stop()
        thread.join()
        supervisor.stop()


def test_what_dies_is_started_again_and_its_orphans_are_killed(
    supervised: Callable[..., Supervisor], tmp_path: Path
) -> None:
    supervised(program(PARENT_AND_WORKER, folder=tmp_path))
    wait_until(lambda: len(pids(tmp_path)) == 1)
    parent, orphan = pids(tmp_path)[0]
    os.kill(parent, signal.SIGKILL)
    wait_until(lambda: len(pids(tmp_path)) == 2)
    assert not is_running(orphan)


def test_a_stop_tells_the_parent_only_and_lets_it_drain(tmp_path: Path) -> None:
    supervisor = Supervisor([program(PARENT_AND_WORKER, folder=tmp_path)], grace=10)
    supervisor.start()
    wait_until(lambda: pids(tmp_path))
    supervisor.stop()
    assert (tmp_path / "drained").read_text() == "x"
    assert not any(is_running(pid) for pid in pids(tmp_path)[0])


def test_what_does_not_stop_within_the_grace_is_killed(tmp_path: Path) -> None:
    supervisor = Supervisor([program(DEAF, folder=tmp_path)], grace=0.3)
    supervisor.start()
    wait_until(lambda: pids(tmp_path))
    supervisor.stop()
    assert not is_running(pids(tmp_path)[0][0])


def test_a_second_request_to_stop_does_not_wait(tmp_path: Path) -> None:
    supervisor = Supervisor([program(DEAF, folder=tmp_path)], grace=60)
    supervisor.start()
    wait_until(lambda: pids(tmp_path))
    supervisor.request_stop()
    supervisor.request_stop()
    begun = time.monotonic()
    supervisor.stop()
    assert time.monotonic() - begun < 10


def test_what_is_slow_to_stop_takes_nothing_from_the_time_of_the_others(tmp_path: Path) -> None:
    worker, deaf = tmp_path / "worker", tmp_path / "deaf"
    worker.mkdir()
    deaf.mkdir()
    programs = [program(PARENT_AND_WORKER, folder=worker), program(DEAF, folder=deaf, name="web")]
    supervisor = Supervisor(programs, grace=1.0)
    supervisor.start()
    wait_until(lambda: pids(worker) and pids(deaf))
    supervisor.stop()
    assert (worker / "drained").read_text() == "x"
    assert not is_running(pids(deaf)[0][0])


def test_what_the_others_talk_to_is_stopped_when_they_have_ended(tmp_path: Path) -> None:
    vendor, worker = tmp_path / "vendor", tmp_path / "worker"
    vendor.mkdir()
    worker.mkdir()
    asked_first = replace(program(PARENT_AND_WORKER, folder=vendor, name="vendor"), outlives=True)
    supervisor = Supervisor([asked_first, program(SLOW_TO_DRAIN, folder=worker)], grace=20)
    supervisor.start()
    wait_until(lambda: pids(vendor) and pids(worker))
    supervisor.stop()
    assert (worker / "drained").stat().st_mtime_ns < (vendor / "drained").stat().st_mtime_ns


def test_a_tree_that_ends_as_it_should_says_farewell_and_a_restart_says_none(
    supervised: Callable[..., Supervisor], tmp_path: Path
) -> None:
    supervisor = supervised(
        program(PARENT_AND_WORKER, folder=tmp_path), watchdog=Watchdog(FilePulse(tmp_path), limit=60)
    )
    wait_until(lambda: len(pids(tmp_path)) == 1)
    os.kill(pids(tmp_path)[0][0], signal.SIGKILL)
    wait_until(lambda: len(pids(tmp_path)) == 2)
    assert not (tmp_path / "farewell").exists()
    supervisor.request_stop()
    supervisor.stop()
    assert (tmp_path / "farewell").exists()


def test_a_worker_that_hangs_is_killed_and_started_anew_and_a_sweep_follows(
    supervised: Callable[..., Supervisor], tmp_path: Path
) -> None:
    pulse = FilePulse(tmp_path)
    supervised(program(WORKER_THAT_CAN_HANG, folder=tmp_path), watchdog=Watchdog(pulse, limit=1.5))
    wait_until(lambda: (tmp_path / "answer").exists())
    (tmp_path / "hang").touch()
    wait_until(lambda: (tmp_path / "hung").exists())
    wait_until(lambda: len(pids(tmp_path)) == 2)
    assert not is_running(pids(tmp_path)[0][0])
    wait_until(lambda: pulse.sweeps == 1)


def test_a_worker_that_answers_is_left_alone(supervised: Callable[..., Supervisor], tmp_path: Path) -> None:
    supervised(program(WORKER_THAT_CAN_HANG, folder=tmp_path), watchdog=Watchdog(FilePulse(tmp_path), limit=0.8))
    time.sleep(2.5)
    assert len(pids(tmp_path)) == 1


def test_no_child_survives_the_supervisors_own_sigkill(tmp_path: Path) -> None:
    source = f"""
        import sys
        from config.supervisor import Supervisor
        from config.children import Program
        command = [sys.executable, "-c", {PARENT_AND_WORKER!r}, {str(tmp_path)!r}]
        Supervisor([Program("worker", command)]).run()
    """
    supervisor = subprocess.Popen([sys.executable, "-c", textwrap.dedent(source)], cwd=BASE_DIR)
    wait_until(lambda: pids(tmp_path))
    supervisor.kill()
    supervisor.wait()
    wait_until(lambda: not any(is_running(pid) for pid in pids(tmp_path)[0]))


def test_the_last_will_is_made_anew_when_somebody_kills_it(
    supervised: Callable[..., Supervisor], tmp_path: Path
) -> None:
    supervisor = supervised(program(DEAF, folder=tmp_path), grace=0.2)
    first = supervisor.will.process
    assert first is not None
    first.kill()
    wait_until(lambda: supervisor.will.process is not first)
    assert supervisor.will.groups == {supervisor.child("worker").process.pid}  # type: ignore[union-attr]


def test_the_last_will_leaves_out_what_has_ended_and_a_line_cut_short() -> None:
    assert still_named(["+100\n", "+200\n", "-100\n", "+3"]) == {200}


def test_a_program_that_dies_again_and_again_waits_longer_each_time() -> None:
    now = 1000.0
    child = Child(Program("worker", [sys.executable, "-c", ""]), will=LastWill(), clock=lambda: now)
    pauses = []
    for _ in range(9):
        child.start()
        assert child.process is not None
        child.process.wait()
        child.look()
        pauses.append(child.start_after - now)
        now = child.start_after
    child.will.close()
    assert pauses == [0.5, 1, 2, 4, 8, 16, 30, 30, 30]


def test_a_busy_port_is_noticed() -> None:
    source = "import socket; s = socket.socket(); s.bind(('127.0.0.1', 0)); s.listen(); print(s.getsockname()[1])"
    with subprocess.Popen(
        [sys.executable, "-u", "-c", source + "; input()"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as listener:
        assert listener.stdout is not None
        port = int(listener.stdout.readline())
        assert not port_is_free(host="127.0.0.1", port=port)
        listener.communicate("\n")
    assert port_is_free(host="127.0.0.1", port=port)
