"""Where a kill run takes place: a fresh database, a queue of its own, and a process that can be left behind.

The run itself is `tests.journeys.killing`, which is started here with the environment it needs.
"""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import psycopg
from psycopg import sql

from tests.sandbox_fixture import ROOT
from tests.settings import TEST_ENVIRONMENT

SETTLE_SECONDS = 5
LONGEST = 420.0
"""Seconds for a whole run; it takes about 140 on two cores."""


class RunFailed(AssertionError):
    """The run did not come to its end; the text is the last that it said."""


def carry_out(*, seed: int, kills: int, seconds: float) -> dict[str, Any]:
    """Run once on a fresh database; gives the figures. Raises RunFailed when it fails or takes too long."""
    with tempfile.TemporaryDirectory(prefix="daybook-kills-") as folder, fresh_database(folder) as database:
        command = [sys.executable, "-m", "tests.journeys.killing", "--seed", str(seed), "--kills", str(kills)]
        log = Path(folder, "run.log")
        with log.open("wb") as said, _alone(command, _environment(folder, database), said) as process:
            try:
                answer, _ = process.communicate(timeout=seconds)
            except subprocess.TimeoutExpired:
                answer = b""
        _keep(log)
        if process.returncode:
            raise RunFailed(f"seed {seed}: {_end_of(log)}")
        return dict(json.loads(answer))


def sentence(figures: Mapping[str, Any]) -> str:
    """The figures of a run in one line."""
    kinds = ", ".join(f"{times} {kind}" for kind, times in sorted(figures["by_kind"].items()))
    return (
        f"kill run, seed {figures['seed']}, {figures['database']} with {figures['broker']}: "
        f"{figures['kills']} kills ({kinds}; {figures['at_work']} in the middle of a call), "
        f"{figures['hangs_ended']} hangs ended, {figures['answers_lost']} answers lost, "
        f"{figures['events']} events, {figures['entries']} entries, {len(figures['lost'])} lost, "
        f"{len(figures['doubled'])} doubled, {len(figures['differences'])} differences, "
        f"{sum(figures['seconds'].values()):.0f} s"
    )


@contextmanager
def fresh_database(folder: str) -> Iterator[str]:
    """The address of an empty database beside the one that DATABASE_URL names, dropped in the end."""
    given = os.environ.get("DATABASE_URL", "")
    if not given.startswith("postgres"):
        yield f"sqlite:///{folder}/daybook.sqlite3"
        return
    name = sql.Identifier(f"daybook_kills_{uuid.uuid4().hex[:12]}")
    parts = urlsplit(given)
    with psycopg.connect(urlunsplit(parts._replace(path="/postgres")), autocommit=True) as server:
        server.execute(sql.SQL("CREATE DATABASE {}").format(name))
        try:
            yield urlunsplit(parts._replace(path="/" + name.as_string(server).strip('"')))
        finally:
            server.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(name))


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _environment(folder: str, database: str) -> dict[str, str]:
    """The product's own settings, as in production, but for the addresses of the vendors and their times."""
    sandbox = f"http://127.0.0.1:{free_port()}"
    return {
        **os.environ,
        **TEST_ENVIRONMENT,
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "PYTHONPATH": str(ROOT),
        "INSTALLATION_ID": f"kills-{uuid.uuid4()}",
        "DATABASE_URL": database,
        "HEARTLAND_RETAIL_URL": f"{sandbox}/heartland-retail/api",
        "QUICKBOOKS_URL": f"{sandbox}/quickbooks",
        "VENDOR_SETTLE_SECONDS": str(SETTLE_SECONDS),
        "DAYBOOK_QUEUE_WORKERS": "3",
        "DAYBOOK_HEARTBEAT_SECONDS": "8",
        "SANDBOX_URL": sandbox,
        "SANDBOX_STATE": f"{folder}/sandbox.sqlite3",
        "PORT": str(free_port()),
        "LOG_LEVEL": "WARNING",
    }


@contextmanager
def _alone(command: list[str], environment: Mapping[str, str], said: Any) -> Iterator["subprocess.Popen[bytes]"]:
    """A process group of its own, of which nothing is left afterwards."""
    process = subprocess.Popen(
        command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=said, start_new_session=True
    )
    try:
        yield process
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _keep(log: Path) -> None:
    """KILL_LOG names a file for what the run says while it goes on."""
    wanted = os.environ.get("KILL_LOG")
    if wanted:
        shutil.copy(log, wanted)


def _end_of(log: Path) -> str:
    return log.read_text(errors="replace")[-4000:]
