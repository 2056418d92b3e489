"""Machines for a test: supervisors as real processes on the test's own database and queue, each under a name."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from django.conf import settings
from django.db import connection
from django_q.brokers import get_broker
from django_q.tasks import async_task

from integrations.models import Heartbeat
from tests.journeys.killing_ground import free_port
from tests.journeys.killing_victims import children_of
from tests.sandbox_fixture import ROOT
from tests.settings import TEST_ENVIRONMENT

PATIENCE = 60.0


def wait_for(value: Callable[[], object], *, what: str, seconds: float = PATIENCE) -> None:
    until = time.monotonic() + seconds
    while not value():
        assert time.monotonic() < until, f"it did not happen in time: {what}"
        time.sleep(0.05)


@dataclass
class Machine:
    """One supervisor; `part`: worker, web or all."""

    name: str
    environment: dict[str, str]
    part: str = "worker"
    port: int = field(default_factory=free_port)
    process: "subprocess.Popen[bytes] | None" = None

    def start(self) -> None:
        command = [sys.executable, "-m", "config.supervisor", self.part, "--port", str(self.port), "--web-workers", "1"]
        environment = {**self.environment, "DAYBOOK_MACHINE": self.name}
        self.process = subprocess.Popen(command, cwd=ROOT, env=environment)
        if self.part != "web":
            wait_for(self.heartbeat, what=f"{self.name} gives a sign of life")

    @property
    def pid(self) -> int:
        assert self.process is not None
        return self.process.pid

    def heartbeat(self) -> Heartbeat | None:
        """Of this start of it."""
        return Heartbeat.objects.filter(name__startswith=f"{self.name}:{self.pid}-", state="works").first()

    def child(self, *, named: bytes) -> int:
        """The first process of its web server or of its workers, or 0 while there is none."""
        for child in children_of(self.pid):
            if named in Path(f"/proc/{child}/cmdline").read_bytes():
                return child
        return 0

    def cluster(self) -> int:
        return self.child(named=b"qcluster")

    def ask_to_stop(self) -> None:
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)

    def ended(self) -> int:
        """Its exit code, once it has ended by itself."""
        assert self.process is not None
        return self.process.wait(timeout=PATIENCE)

    def stop(self) -> int:
        self.ask_to_stop()
        return self.ended()


def wake(task: str, *arguments: object) -> None:
    """Into the true queue, from which a test's own wake-ups are kept."""
    async_task(f"integrations.tasks.{task}", *arguments)


@contextmanager
def machines(*names: str, part: str = "worker", **environment: str) -> Iterator[list[Machine]]:
    """Machines that are not started yet; whatever runs of them is killed in the end, and the queue is emptied."""
    made = [Machine(name, {**_environment(), **environment}, part=part) for name in names]
    get_broker().delete_queue()
    try:
        yield made
    finally:
        for machine in made:
            if machine.process and machine.process.poll() is None:
                machine.process.kill()  # its last will ends what it started
                machine.process.wait()
        get_broker().delete_queue()


def _environment() -> dict[str, str]:
    """The product's own settings on the test's database, with the identity of the test."""
    return {
        **os.environ,
        **TEST_ENVIRONMENT,
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "PYTHONPATH": str(ROOT),
        "INSTALLATION_ID": settings.INSTALLATION_ID,
        "DATABASE_URL": _database(),
        "HEARTLAND_RETAIL_URL": settings.VENDOR_URLS["heartland_retail"],
        "QUICKBOOKS_URL": settings.VENDOR_URLS["quickbooks"],
        "DAYBOOK_QUEUE_WORKERS": "1",
        "DAYBOOK_HEARTBEAT_SECONDS": "8",
        "LOG_LEVEL": "WARNING",
    }


def _database() -> str:
    name = str(connection.settings_dict["NAME"])
    if connection.vendor == "sqlite":
        return f"sqlite:///{name}"
    return urlunsplit(urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{name}"))
