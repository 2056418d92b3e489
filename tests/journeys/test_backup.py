"""A backup that was never restored is a hope: the commands of the papers are run, and the books compared."""

import hashlib
import os
import re
import shutil
import sqlite3
import subprocess
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest
from django.conf import settings
from django.db import connection
from psycopg import sql

from integrations.models import Connection
from ledger.models import JournalEntry, JournalLine
from tests.integrations.at_work import sell, work
from tests.office import Office
from tests.sandbox_fixture import ROOT
from tests.settings import TEST_ENVIRONMENT

pytestmark = pytest.mark.django_db(transaction=True)
Tables = dict[str, tuple[int, str]]
"""By name: how many rows, and a hash of all of them."""


@pytest.fixture
def books(running: Connection, office: Office) -> None:
    """Some entries posted, some not."""
    sell(office, 3)
    work(running, office)
    sell(office, 2)


def manage(command: str, *, url: str) -> str:
    environment = {**os.environ, **TEST_ENVIRONMENT, "DATABASE_URL": url}
    environment |= {"DJANGO_SETTINGS_MODULE": "config.settings", "INSTALLATION_ID": settings.INSTALLATION_ID}
    done = subprocess.run(
        [sys.executable, "manage.py", *command.split()], cwd=ROOT, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def assert_it_is_whole(before: Tables, after: Tables, *, first: str, second: str) -> None:
    assert before["ledger_journalentry"][0] == JournalEntry.objects.count() == 5
    assert before["ledger_journalline"][0] == JournalLine.objects.count() > 5
    assert after == before
    assert "no issues" in manage("check --database default --fail-level WARNING", url=second)
    assert manage("verify_audit", url=first) == manage("verify_audit", url=second)


# --- SQLite ---------------------------------------------------------------------------------------


def sqlite_tables(file: Path) -> Tables:
    with sqlite3.connect(file) as opened:
        names = [name for (name,) in opened.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        rows = {name: [repr(row) for row in opened.execute(f'SELECT * FROM "{name}"')] for name in names}
    return {name: (len(found), digest(found)) for name, found in rows.items()}


def digest(rows: list[str]) -> str:
    return hashlib.sha256("\n".join(sorted(rows)).encode()).hexdigest()


@pytest.mark.skipif(connection.vendor != "sqlite", reason="the way of SQLite")
def test_a_backup_of_sqlite_taken_while_it_runs_holds_the_books(books: None, tmp_path: Path) -> None:
    file, backup = Path(str(connection.settings_dict["NAME"])), tmp_path / "backup.sqlite3"
    (command,) = re.findall(r'^python -c "(import sqlite3.*)"$', (ROOT / "docs" / "runbook.md").read_text(), re.M)
    said = command.replace("var/daybook.sqlite3", str(file)).replace("backup.sqlite3'", f"{backup}'")
    subprocess.run([sys.executable, "-c", said], check=True)
    assert_it_is_whole(
        sqlite_tables(file), sqlite_tables(backup), first=f"sqlite:///{file}", second=f"sqlite:///{backup}"
    )
    with sqlite3.connect(backup) as restored, pytest.raises(sqlite3.IntegrityError):
        restored.execute("UPDATE ledger_journalline SET debit = debit + 1 WHERE debit > 0")


# --- PostgreSQL -----------------------------------------------------------------------------------


@pytest.fixture
def restored() -> Iterator[str]:
    """A name for the restored database, which is dropped in the end."""
    name = f"daybook_restored_{uuid.uuid4().hex[:12]}"
    yield name
    with psycopg.connect(at("postgres"), autocommit=True) as server:
        server.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


def at(database: str) -> str:
    return urlunsplit(urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{database}"))


def postgres_tables(url: str) -> Tables:
    with psycopg.connect(url) as opened:
        names = [name for (name,) in opened.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")]
        rows = {
            name: [text for (text,) in opened.execute(sql.SQL("SELECT t::text FROM {} t").format(sql.Identifier(name)))]
            for name in names
        }
    return {name: (len(found), digest(found)) for name, found in rows.items()}


@pytest.mark.skipif(connection.vendor != "postgresql", reason="the way of PostgreSQL")
@pytest.mark.skipif(not shutil.which("pg_dump"), reason="needs pg_dump")
def test_a_dump_of_postgresql_is_restored_with_its_guards(books: None, tmp_path: Path, restored: str) -> None:
    url = at(str(connection.settings_dict["NAME"]))
    paper = (ROOT / "docs" / "deploy.md").read_text()
    (commands,) = re.findall(r"^```\n(pg_dump .*?)^```", paper, flags=re.DOTALL | re.MULTILINE)
    script = "set -e\n" + commands.replace("daybook_restored", restored)
    subprocess.run(["sh", "-c", script], cwd=tmp_path, env={**os.environ, "DATABASE_URL": url}, check=True)
    second = at(restored)
    assert_it_is_whole(postgres_tables(url), postgres_tables(second), first=url, second=second)
    with psycopg.connect(second) as opened, pytest.raises(psycopg.Error, match="sealed"):
        opened.execute("UPDATE ledger_journalline SET debit = debit + 1 WHERE debit > 0")
