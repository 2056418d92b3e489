"""`bin/_setup.py`: installs only what changed, keeps secrets to their owner, and says what is missing."""

import importlib.util
import os
import shutil
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest
from cryptography.fernet import Fernet

PROJECT = Path(__file__).resolve().parent.parent.parent


@pytest.fixture
def setup() -> ModuleType:
    spec = importlib.util.spec_from_file_location("daybook_setup", PROJECT / "bin" / "_setup.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def calls(setup: ModuleType, monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """What would have been run; an environment that is asked for appears as a link to this Python."""
    commands: list[list[str]] = []

    def pretend(command: list[str], *, failed: str) -> None:
        commands.append(command)
        if "venv" in command:
            python = Path(command[-1]) / "bin" / "python"
            python.parent.mkdir(parents=True)
            python.symlink_to(sys.executable)

    monkeypatch.setattr(setup, "run", pretend)
    return commands


@pytest.fixture
def requirements(tmp_path: Path) -> Path:
    file = tmp_path / "requirements.txt"
    file.write_text("django==5.2 --hash=sha256:00\n")
    return file


def test_the_first_time_makes_an_environment_and_installs_with_hashes(
    setup: ModuleType, calls: list[list[str]], requirements: Path, tmp_path: Path
) -> None:
    setup.ensure_installed([requirements], venv=tmp_path / "venv", uv=None)
    assert [sys.executable, "-m", "venv"] == calls[0][:3]
    assert calls[1][1:4] == ["-m", "pip", "install"]
    assert "--require-hashes" in calls[1]
    assert str(requirements) in calls[1]


def test_uv_is_used_when_it_is_there(
    setup: ModuleType, calls: list[list[str]], requirements: Path, tmp_path: Path
) -> None:
    setup.ensure_installed([requirements], venv=tmp_path / "venv", uv="/usr/bin/uv")
    assert [call[0] for call in calls] == ["/usr/bin/uv", "/usr/bin/uv"]
    assert "--require-hashes" in calls[1]


def test_nothing_is_done_the_second_time(
    setup: ModuleType, calls: list[list[str]], requirements: Path, tmp_path: Path
) -> None:
    setup.ensure_installed([requirements], venv=tmp_path / "venv", uv=None)
    calls.clear()
    setup.ensure_installed([requirements], venv=tmp_path / "venv", uv=None)
    assert calls == []


def test_changed_requirements_are_installed_into_the_same_environment(
    setup: ModuleType, calls: list[list[str]], requirements: Path, tmp_path: Path
) -> None:
    setup.ensure_installed([requirements], venv=tmp_path / "venv", uv=None)
    calls.clear()
    requirements.write_text("django==5.2.1 --hash=sha256:11\n")
    setup.ensure_installed([requirements], venv=tmp_path / "venv", uv=None)
    assert len(calls) == 1
    assert "install" in calls[0]


def test_an_installation_that_failed_is_tried_again(
    setup: ModuleType,
    calls: list[list[str]],
    requirements: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail(*args: object, **kwargs: object) -> None:
        raise setup.SetupFailed("no network")

    install: Callable[..., None] = setup.install
    monkeypatch.setattr(setup, "install", fail)
    with pytest.raises(setup.SetupFailed):
        setup.ensure_installed([requirements], venv=tmp_path / "venv", uv=None)
    monkeypatch.setattr(setup, "install", install)
    setup.ensure_installed([requirements], venv=tmp_path / "venv", uv=None)
    assert "install" in calls[-1]


def test_a_missing_venv_module_gets_a_sentence(
    setup: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(setup.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(setup.SetupFailed, match="apt install python3-venv"):
        setup.make_venv(tmp_path / "venv", uv=None)


def test_secrets_are_the_owners_only_and_never_overwritten(setup: ModuleType, tmp_path: Path) -> None:
    file = tmp_path / ".env"
    setup.ensure_secrets(file)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    written = file.read_text()
    setup.ensure_secrets(file)
    assert file.read_text() == written


def test_the_generated_secrets_are_what_the_settings_need(setup: ModuleType) -> None:
    values = dict(line.split("=", 1) for line in setup.generated_secrets().splitlines())
    assert set(values) == {"SECRET_KEY", "CREDENTIAL_KEYS", "INSTALLATION_ID"}
    assert len(values["SECRET_KEY"]) >= 50
    Fernet(values["CREDENTIAL_KEYS"])


def test_two_installations_share_no_secret(setup: ModuleType) -> None:
    assert not set(setup.generated_secrets().splitlines()) & set(setup.generated_secrets().splitlines())


def find_python(path: Path) -> subprocess.CompletedProcess[str]:
    shell = shutil.which("sh")
    assert shell
    environment = {"PATH": str(path), "PYTHON": ""}
    command = [shell, "-c", f'. "{PROJECT}/bin/_python"; echo "$PYTHON"']
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


def put_python(folder: Path, *, name: str, new_enough: bool) -> None:
    file = folder / name
    file.write_text(f"#!/bin/sh\nexit {0 if new_enough else 1}\n")
    os.chmod(file, 0o755)


def test_a_machine_without_a_new_python_gets_a_sentence_on_standard_error(tmp_path: Path) -> None:
    put_python(tmp_path, name="python3", new_enough=False)
    result = find_python(tmp_path)
    assert result.returncode == 1
    assert result.stdout == ""
    assert "Daybook needs Python 3.11 or later" in result.stderr


def test_a_newer_python_beside_an_old_one_is_found(tmp_path: Path) -> None:
    put_python(tmp_path, name="python3", new_enough=False)
    put_python(tmp_path, name="python3.12", new_enough=True)
    assert find_python(tmp_path).stdout.strip() == "python3.12"
