"""A machine of a kill run: one process tree under the supervisor, with a web port of its own, and its deaths."""

import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import requests

from tests.journeys.killing_servers import free_port
from tests.journeys.killing_victims import children_of, command_of, members_of, talking_to
from tests.sandbox_fixture import ROOT

QUEUE, WEB = "qcluster", "gunicorn"
LOOK_EVERY = 0.2
HUNG = b"gave no sign of life"


class Machine:
    """`keep` starts the supervisor again whenever it has ended, as systemd does."""

    def __init__(self, number: int, folder: Path) -> None:
        self.number = number
        self.port = free_port()
        self.log = folder / f"machine-{number + 1}.log"
        self.process: subprocess.Popen[bytes] | None = None
        self.starts = 0
        self.stopping = threading.Event()
        self.keeper = threading.Thread(target=self.keep, daemon=True)

    def start(self) -> None:
        """The one place that knows how a process tree of the product is begun."""
        command = [sys.executable, "-m", "config.supervisor", "--host", "127.0.0.1", "--port", str(self.port)]
        with self.log.open("ab") as log:
            environment = {**os.environ, "PORT": str(self.port)}
            self.process = subprocess.Popen(
                [*command, "--web-workers", "1"], cwd=ROOT, env=environment, stdout=log, stderr=log
            )
        self.starts += 1

    def keep(self) -> None:
        while not self.stopping.wait(LOOK_EVERY):
            if self.process is None or self.process.poll() is not None:
                self.start()

    def stop(self) -> None:
        self.stopping.set()
        self.keeper.join()
        if self.process and self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(timeout=60)
            except subprocess.TimeoutExpired:
                self.process.kill()

    @property
    def hangs_ended(self) -> int:
        return self.log.read_bytes().count(HUNG)

    def web_answers(self) -> bool:
        with suppress(requests.exceptions.RequestException):
            answer = requests.get(f"http://127.0.0.1:{self.port}/", timeout=5, allow_redirects=False)
            return answer.status_code < 400
        return False

    def child(self, program: str) -> int | None:
        """The first process of the web server or of the queue's cluster."""
        tree = children_of(self.process.pid) if self.process else []
        return next((pid for pid in tree if program in command_of(pid)), None)

    def members(self) -> list[int]:
        """Workers, monitor and pusher."""
        cluster = self.child(QUEUE)
        return members_of(cluster) if cluster else []

    def kill_tree(self) -> None:
        """The power fails: the supervisor, its last will and everything below it."""
        if self.process is None:
            return
        children = children_of(self.process.pid)
        end(self.process.pid)
        for child in children:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(child, signal.SIGKILL)


def end(pid: int) -> None:
    with suppress(ProcessLookupError):  # it ended by itself in the meantime, as recycled workers do
        os.kill(pid, signal.SIGKILL)


def end_group(pid: int) -> None:
    with suppress(ProcessLookupError):
        os.killpg(pid, signal.SIGKILL)


def someone_at_work(machine: Machine, vendor_port: int, *, pick: float, seconds: float) -> int | None:
    """A worker of this machine that is talking to a vendor; None when nobody is for so long."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        talking = talking_to(vendor_port, among=machine.members())
        if talking:
            return chosen(talking, pick)
        time.sleep(0.02)
    return None


def chosen(among: Sequence[int], pick: float) -> int:
    return random.Random(pick).choice(sorted(among))
