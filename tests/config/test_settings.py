"""The settings and the system checks: what is missing or dangerous is said at the start, by name."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.contrib import admin
from django.core.checks import CheckMessage
from pytest_django import Settings

from config import checks

PROJECT = Path(__file__).resolve().parent.parent.parent
REQUIRED = {
    "SECRET_KEY": "0123456789-abcdefghijklmnopqrstuvwxyz-ABCDEFGHIJKLMNOPQRSTU",
    "CREDENTIAL_KEYS": "Zm9yLXRlc3RzLW9ubHktMzItYnl0ZXMtbG9uZy1rZXk=",
    "INSTALLATION_ID": "here",
}


def shown(expression: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """What a fresh Python prints for an expression over the settings, in the given environment alone."""
    source = f"from config import settings as s; print([{expression}])"
    needed = {"PATH": os.environ["PATH"], "DAYBOOK_ENV_FILE": "", "DATABASE_URL": "sqlite://:memory:"}
    return subprocess.run(
        [sys.executable, "-c", source],
        cwd=PROJECT,
        env={**needed, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("name", REQUIRED)
def test_a_missing_required_setting_is_named_with_what_to_do(name: str) -> None:
    result = shown("1", **{key: value for key, value in REQUIRED.items() if key != name})
    assert result.returncode != 0
    last = result.stderr.strip().splitlines()[-1]
    assert f"ImproperlyConfigured: {name} is not set" in last
    assert "bin/demo" in last


def test_the_env_file_is_read_and_the_environment_wins(tmp_path: Path) -> None:
    file = tmp_path / ".env"
    file.write_text("".join(f"{name}={value}\n" for name, value in REQUIRED.items()))
    result = shown("s.INSTALLATION_ID, s.SECRET_KEY", DAYBOOK_ENV_FILE=str(file), INSTALLATION_ID="elsewhere")
    assert result.stdout.strip() == str(["elsewhere", REQUIRED["SECRET_KEY"]])


def test_without_redis_the_queue_lives_in_the_database() -> None:
    result = shown("s.Q_CLUSTER.get('orm'), s.Q_CLUSTER.get('redis')", **REQUIRED)
    assert result.stdout.strip() == "['default', None]"


def test_redis_url_moves_the_queue_to_redis() -> None:
    url = "redis://127.0.0.1:6379/3"
    result = shown("s.Q_CLUSTER.get('orm'), s.Q_CLUSTER.get('redis')", **REQUIRED, REDIS_URL=url)
    assert result.stdout.strip() == str([None, url])


def test_postgresql_keeps_its_connections() -> None:
    result = shown(
        "s.DATABASES['default']['CONN_MAX_AGE'], s.DATABASES['default'].get('OPTIONS', {})",
        **{**REQUIRED, "DATABASE_URL": "postgres://a:b@127.0.0.1/c"},
    )
    assert result.stdout.startswith("[600,")
    assert "IMMEDIATE" not in result.stdout


def test_a_message_is_not_fetched_again_while_those_before_it_run() -> None:
    queue = settings.Q_CLUSTER
    longest_wait = queue["timeout"] * (queue["queue_limit"] / queue["workers"] + 1)
    assert queue["retry"] > longest_wait


def test_the_queue_keeps_no_results_and_repeats_nothing_by_itself() -> None:
    queue = settings.Q_CLUSTER
    assert (queue["save_limit"], queue["ack_failures"], queue["max_attempts"]) == (-1, True, 1)
    assert queue["catch_up"] is False


def test_the_queues_tables_are_not_in_the_admin() -> None:
    assert not [model for model in admin.site._registry if model._meta.app_label == "django_q"]


def test_a_deployment_over_https_has_no_finding() -> None:
    environment = {**os.environ, **REQUIRED, "DAYBOOK_ENV_FILE": "", "DATABASE_URL": "sqlite://:memory:"}
    environment |= {"DAYBOOK_HTTPS": "true", "ALLOWED_HOSTS": "daybook.example", "DEBUG": "false"}
    environment |= {"DJANGO_SETTINGS_MODULE": "config.settings", "ALLOW_LOOPBACK_VENDORS": "false"}
    command = [sys.executable, "manage.py", "check", "--deploy", "--fail-level", "WARNING"]
    result = subprocess.run(command, cwd=PROJECT, env=environment, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr


def ids(messages: list[CheckMessage]) -> list[str | None]:
    return [message.id for message in messages]


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:8700/quickbooks",
        "http://localhost/",
        "http://sub.localhost",
        "http://[::1]:80/",
        "http://0.0.0.0/",
    ],
)
def test_a_vendor_on_this_machine_is_refused_in_production(url: str, settings: Settings) -> None:
    settings.ALLOW_LOOPBACK_VENDORS = False
    settings.VENDOR_URLS = {"quickbooks": url}
    assert ids(checks.loopback_vendor_urls(None)) == ["daybook.E001"]


def test_a_vendor_on_this_machine_is_fine_for_the_demo_and_a_real_address_always(
    settings: Settings,
) -> None:
    settings.VENDOR_URLS = {"quickbooks": "http://127.0.0.1:8700"}
    settings.ALLOW_LOOPBACK_VENDORS = True
    assert checks.loopback_vendor_urls(None) == []
    settings.ALLOW_LOOPBACK_VENDORS = False
    settings.VENDOR_URLS = {"quickbooks": "https://quickbooks.api.intuit.com", "heartland_retail": ""}
    assert checks.loopback_vendor_urls(None) == []


def test_the_permission_to_use_the_sandbox_is_a_finding_at_deployment(settings: Settings) -> None:
    settings.ALLOW_LOOPBACK_VENDORS = True
    assert ids(checks.sandbox_in_production(None)) == ["daybook.W007"]


@pytest.mark.parametrize("keys", [[], ["short"], [REQUIRED["CREDENTIAL_KEYS"], "not base64 !"]])
def test_keys_that_cannot_encrypt_are_refused_without_showing_them(keys: list[str], settings: Settings) -> None:
    settings.CREDENTIAL_KEYS = keys
    found = checks.credential_keys(None)
    assert ids(found) == ["daybook.E002"]
    assert not any(key in found[0].msg for key in keys)


@pytest.mark.parametrize(
    "options",
    [{}, {"transaction_mode": "IMMEDIATE"}, {"init_command": "PRAGMA journal_mode=WAL"}],
)
def test_sqlite_without_wal_and_immediate_together_is_refused(
    options: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    database = {"ENGINE": "django.db.backends.sqlite3", "NAME": "x", "OPTIONS": options}
    monkeypatch.setitem(settings.DATABASES, "default", database)
    assert ids(checks.sqlite_options(None)) == ["daybook.E003"]


def test_a_transaction_around_each_request_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(settings.DATABASES, "default", {"ATOMIC_REQUESTS": True})
    assert ids(checks.one_transaction_a_request(None)) == ["daybook.E004"]


def test_sqlite_on_a_network_file_system_is_a_finding(monkeypatch: pytest.MonkeyPatch) -> None:
    database = {"ENGINE": "django.db.backends.sqlite3", "NAME": "/srv/shared/d.sqlite3"}
    monkeypatch.setitem(settings.DATABASES, "default", database)
    monkeypatch.setattr(checks, "mounts", lambda: [("/", "ext4"), ("/srv/shared", "nfs4")])
    assert ids(checks.sqlite_on_a_local_disk(None)) == ["daybook.W005"]


def test_the_innermost_and_latest_mount_decides() -> None:
    mounts = [("/", "ext4"), ("/srv", "nfs4"), ("/srv", "xfs"), ("/srv2", "nfs")]
    assert checks.file_system_of(Path("/srv/a/b"), mounts=mounts) == "xfs"
    assert checks.file_system_of(Path("/home"), mounts=mounts) == "ext4"
    assert checks.file_system_of(Path("/home"), mounts=[]) == ""


@pytest.mark.parametrize("key", ["short", "ab" * 40])
def test_a_weak_secret_key_is_a_finding(key: str, settings: Any) -> None:
    settings.SECRET_KEY = key
    assert ids(checks.secret_key_strength(None)) == ["daybook.W006"]


def test_the_settings_under_test_pass_every_check() -> None:
    found = [
        checks.loopback_vendor_urls(None),
        checks.credential_keys(None),
        checks.sqlite_options(None),
        checks.one_transaction_a_request(None),
        checks.secret_key_strength(None),
    ]
    assert found == [[], [], [], [], []]


def test_collected_static_files_bear_hashed_names_also_where_modules_import_each_other(tmp_path: Path) -> None:
    environment = {
        **REQUIRED,
        "PATH": os.environ["PATH"],
        "DAYBOOK_ENV_FILE": "",
        "DATABASE_URL": "sqlite://:memory:",
        "DAYBOOK_STATIC_ROOT": str(tmp_path),
    }
    command = [sys.executable, "manage.py", "collectstatic", "--noinput"]
    subprocess.run(command, cwd=PROJECT, env=environment, capture_output=True, check=True)
    names = json.loads((tmp_path / "staticfiles.json").read_text())["paths"]
    collected = (tmp_path / names["daybook/pages.js"]).read_text()
    assert names["daybook/fetched.js"].rpartition("/")[2] in collected and '"./fetched.js"' not in collected
    served = shown("s.STORAGES['staticfiles']['BACKEND']", **REQUIRED, DAYBOOK_STATIC_ROOT=str(tmp_path))
    assert "HashedStaticFiles" in served.stdout
