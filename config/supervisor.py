"""`python -m config.supervisor [all|web|worker]`: one command that restarts what dies or hangs.

`all` is one machine by itself; of several, each runs `web` or `worker`. SIGTERM or Ctrl-C drains and ends everything; a
second one does not wait. Whatever ends the supervisor itself, its last will ends the children.
"""

import argparse
import logging
import os
import signal
import socket
import sys
import time
from collections.abc import Sequence
from types import FrameType

import django
from django.conf import settings
from django.utils.module_loading import import_string

from config import logs
from config.children import Child, LastWill, Program
from config.watchdog import Watchdog

log = logging.getLogger("daybook.supervisor")
LOOK_EVERY = 0.2
ALL, WEB, WORKER = "all", "web", "worker"


def web(*, host: str, port: int, workers: int = 2, threads: int = 4, grace: int = 30) -> Program:
    command = [
        sys.executable,
        "-m",
        "gunicorn",
        "config.wsgi",
        "--bind",
        f"{host}:{port}",
        "--no-control-socket",
    ]
    command += ["--worker-class", "gthread", "--workers", str(workers), "--threads", str(threads)]
    command += ["--graceful-timeout", str(grace), "--log-level", "warning"]
    return Program("web", command, _own_name("web"))


def worker() -> Program:
    """Its tree of processes has the name of this process, which watches it."""
    tree = {import_string("integrations.machines.TREE"): import_string("integrations.machines.tree")()}
    return Program("worker", [sys.executable, "-m", "config.qcluster"], _own_name("worker") | tree)


def _own_name(name: str) -> dict[str, str]:
    """What its lines in the log say of it."""
    return {logs.PROCESS: name}


def port_is_free(*, host: str, port: int) -> bool:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


class Supervisor:
    """Starts the programs in their order, stops them in the opposite one; the watchdog has one by name."""

    def __init__(
        self,
        programs: Sequence[Program],
        *,
        watchdog: Watchdog | None = None,
        watched: str = "worker",
        grace: float = 30.0,
    ) -> None:
        self.will = LastWill()
        self.children = [Child(program, will=self.will) for program in programs]
        self.watchdog = watchdog
        self.watched = watched
        self.grace = grace
        self.stop_requests = 0

    def child(self, name: str) -> Child:
        return next(child for child in self.children if child.name == name)

    def start(self) -> None:
        self.will.open()
        for child in self.children:
            child.start()
        if self.watchdog:
            self.watchdog.reset()

    def request_stop(self, number: int = 0, frame: FrameType | None = None) -> None:
        """Only counts, so that it may be called from a signal or another thread."""
        self.stop_requests += 1

    def watch(self) -> None:
        """Until somebody requests a stop."""
        while not self.stop_requests:
            self.will.keep()
            for child in self.children:
                child.look()
            self.restart_if_hung()
            time.sleep(LOOK_EVERY)

    def restart_if_hung(self) -> None:
        """A hung cluster ignores SIGTERM, so its whole group is killed; the rows say what was unfinished."""
        if self.watchdog is None or not self.watchdog.hangs():
            return
        child = self.child(self.watched)
        log.error("%s gave no sign of life for %.0f s and is restarted", child.name, self.watchdog.limit)
        child.kill()
        child.start()
        self.watchdog.restarted()

    def stop(self) -> None:
        """All are told at once: a slow page of the web server takes nothing from the time of the workers."""
        until = time.monotonic() + self.grace
        for outlives in (False, True):
            ending = [child for child in reversed(self.children) if child.program.outlives == outlives]
            for child in ending:
                child.ask_to_stop()
            for child in ending:
                child.wait_for_end(until=until, hurried=lambda: self.stop_requests > 1)
        if self.watchdog:
            self.watchdog.ended()
        self.will.close()

    def run(self) -> None:
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, self.request_stop)
        try:
            self.start()
            self.watch()
        finally:
            self.stop()


def watchdog_of_the_queue() -> Watchdog:
    """Needs Django set up; the pulse reads a model, which cannot be imported before."""
    pulse = import_string("config.pulse.QueuePulse")()
    return Watchdog(pulse, limit=settings.HEARTBEAT_SECONDS)


def supervisor_of(part: str, *, host: str, port: int, web_workers: int) -> Supervisor:
    """What a machine runs: the web server, the workers with their watchdog, or both."""
    grace = settings.STOP_GRACE_SECONDS
    programs = [] if part == WEB else [worker()]
    programs += [] if part == WORKER else [web(host=host, port=port, workers=web_workers, grace=grace)]
    return Supervisor(programs, watchdog=None if part == WEB else watchdog_of_the_queue(), grace=grace)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m config.supervisor", description=__doc__)
    parser.add_argument("part", nargs="?", choices=[ALL, WEB, WORKER], default=ALL, help="what this machine runs")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=int(os.environ.get("PORT", "8000")))
    parser.add_argument("--web-workers", type=int, default=2)
    return parser.parse_args()


def refuse_to_start(given: argparse.Namespace) -> None:
    """What would only fail later is said at once."""
    if given.part != WORKER and not port_is_free(host=given.host, port=given.port):
        sys.exit(f"Port {given.port} on {given.host} is in use. Stop what listens there, or choose another: --port")
    if import_string("config.checks.missing_guards")("default"):
        sys.exit("The database does not guard the journal. Run `manage.py migrate`, which puts the guards back.")


def main() -> None:
    given = arguments()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    os.environ.setdefault(logs.PROCESS, "supervisor")
    django.setup()
    refuse_to_start(given)
    supervisor_of(given.part, host=given.host, port=given.port, web_workers=given.web_workers).run()


if __name__ == "__main__":
    main()
