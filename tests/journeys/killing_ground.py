"""Where a kill run takes place: a fresh database, a queue of its own, and a process that can be left behind.

The run itself is `tests.journeys.killing`, which is started here with the environment it needs.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import uuid
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import psycopg
from psycopg import sql

from tests.journeys.killing_plan import ENOUGH, POSTGRES_REDIS, SQLITE, Trial
from tests.journeys.killing_servers import free_port, own_postgres, programs_of_postgres
from tests.sandbox_fixture import ROOT
from tests.settings import TEST_ENVIRONMENT

SETTLE_SECONDS = 10
SILENCE, LONG_SILENCE = 10, 30
"""Seconds after which a cluster counts as hung, in a short run and in a long one, which may share a busy machine."""

LONGEST = 600.0
"""Seconds for a short run; it takes about 150 on two idle cores."""


class RunFailed(AssertionError):
    """The run did not come to its end; the text is the last that it said."""


def carry_out(trial: Trial, *, seconds: float) -> dict[str, Any]:
    """Run once on a fresh database; gives the figures. Raises RunFailed when it fails or takes too long."""
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="daybook-kills-"))
        environment = {**_environment(trial, folder), **stack.enter_context(_database(trial, folder)), **_queue(trial)}
        environment["KILL_WITHOUT"] = trial.without
        command = [sys.executable, "-m", "tests.journeys.killing", json.dumps(trial.record)]
        log = Path(folder, "run.log")
        with log.open("wb") as said, _alone(command, environment, said) as process:
            try:
                answer, _ = process.communicate(timeout=seconds)
            except subprocess.TimeoutExpired:
                answer = b""
        _keep(folder)
        if process.returncode or not answer:
            raise RunFailed(f"{trial.command}\n{log.read_text(errors='replace')}")
        return dict(json.loads(answer))


def sentence(figures: Mapping[str, Any]) -> str:
    """The figures of a run in one line."""
    kinds = ", ".join(f"{times} {kind}" for kind, times in sorted(figures["by_kind"].items()))
    wrong = ", ".join(f"{len(figures[name])} {name.replace('_', ' ')}" for name in WRONG)
    return (
        f"kill run, seed {figures['seed']}, {figures['database']} with {figures['broker']}, "
        f"machines: {figures['machines']}: {figures['kills']} kills (of all that happened: {kinds}; "
        f"{figures['at_work']} in the middle of a call), {figures['hangs_ended']} hangs ended, "
        f"{figures['answers_lost']} answers lost, {figures['events']} events, {figures['entries']} entries, "
        f"{figures['nothing_to_post']} without an amount, {wrong}, {sum(figures['seconds'].values()):.0f} s"
    )


WRONG = ("lost", "doubled", "strays", "wrong_ids", "unbalanced", "differences", "trouble")
"""What must be empty at the end of a run."""


@contextmanager
def _database(trial: Trial, folder: str) -> Iterator[dict[str, str]]:
    """SQLite; else a server of the run's own, or, where none can be had, a database beside DATABASE_URL."""
    given = os.environ.get("DATABASE_URL", "")
    if trial.on == SQLITE:
        yield {"DATABASE_URL": _file(folder)}
    elif programs_of_postgres() is None and given.startswith("postgres"):
        with _beside(given) as database:
            yield {"DATABASE_URL": database}
    else:
        with own_postgres() as server:
            yield {"DATABASE_URL": server.url, "KILL_POSTGRES": server.address}


@contextmanager
def fresh_database(folder: str) -> Iterator[str]:
    """The address of an empty database beside DATABASE_URL, else of a SQLite file in that folder."""
    given = os.environ.get("DATABASE_URL", "")
    if given.startswith("postgres"):
        with _beside(given) as database:
            yield database
    else:
        yield _file(folder)


def _file(folder: str) -> str:
    return f"sqlite:///{folder}/daybook.sqlite3"


@contextmanager
def _beside(given: str) -> Iterator[str]:
    """The address of an empty database beside that one, dropped in the end."""
    name = sql.Identifier(f"daybook_kills_{uuid.uuid4().hex[:12]}")
    parts = urlsplit(given)
    with psycopg.connect(urlunsplit(parts._replace(path="/postgres")), autocommit=True) as server:
        server.execute(sql.SQL("CREATE DATABASE {}").format(name))
        try:
            yield urlunsplit(parts._replace(path="/" + name.as_string(server).strip('"')))
        finally:
            server.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(name))


def _queue(trial: Trial) -> dict[str, str]:
    """Redis is the run's own, or, where it is not installed, the one that REDIS_URL names."""
    if trial.on != POSTGRES_REDIS:
        return {"REDIS_URL": ""}
    if shutil.which("redis-server") is None:
        return {"REDIS_URL": os.environ["REDIS_URL"]}
    port = free_port()
    return {"REDIS_URL": f"redis://127.0.0.1:{port}/0", "KILL_REDIS_PORT": str(port)}


def _environment(trial: Trial, folder: str) -> dict[str, str]:
    """The product's own settings, as in production, but for the addresses of the vendors and their times."""
    sandbox = f"http://127.0.0.1:{free_port()}"
    return {
        **os.environ,
        **TEST_ENVIRONMENT,
        "DJANGO_SETTINGS_MODULE": "tests.journeys.killing_settings",
        "PYTHONPATH": str(ROOT),
        "INSTALLATION_ID": f"kills-{uuid.uuid4()}",
        "HEARTLAND_RETAIL_URL": f"{sandbox}/heartland-retail/api",
        "QUICKBOOKS_URL": f"{sandbox}/quickbooks",
        "VENDOR_SETTLE_SECONDS": str(SETTLE_SECONDS),
        "DAYBOOK_QUEUE_WORKERS": "3",
        "DAYBOOK_HEARTBEAT_SECONDS": str(LONG_SILENCE if trial.events > ENOUGH else SILENCE),
        "DAYBOOK_STOP_GRACE_SECONDS": "10",
        "SANDBOX_URL": sandbox,
        "SANDBOX_STATE": f"{folder}/sandbox.sqlite3",
        "KILL_FOLDER": folder,
        "LOG_LEVEL": "INFO" if os.environ.get("KILL_LOG") else "WARNING",
        "LOG_JSON": "false",
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


def _keep(folder: str) -> None:
    """KILL_LOG names a folder for what the run and its machines said, and for SQLite's files."""
    wanted = os.environ.get("KILL_LOG")
    if wanted:
        Path(wanted).mkdir(parents=True, exist_ok=True)
        for kept in [*Path(folder).glob("*.log"), *Path(folder).glob("*.sqlite3*")]:
            shutil.copy(kept, wanted)
