"""The files that machines are set up by: units, image, compose file and paper name what there is, and agree."""

import configparser
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from config import supervisor
from integrations import gauges, vendors
from integrations.api.metrics import GAUGES
from tests.sandbox_fixture import ROOT

PAPER = (ROOT / "docs" / "deploy.md").read_text()
EXAMPLE = (ROOT / ".env.example").read_text()
DOCKERFILE = (ROOT / "Dockerfile").read_text()
PARTS = ("web", "worker")
GRACE = 100
LONGEST_CALL = vendors.shortest_settle("quickbooks") * 0.6


class Unit(configparser.ConfigParser):
    """A unit of systemd; of a name that stands twice the last counts, which is enough for what is asked here."""

    def __init__(self, part: str) -> None:
        super().__init__(strict=False, interpolation=None)
        self.optionxform = str  # type: ignore[assignment, method-assign]
        self.read(ROOT / "deploy" / f"daybook-{part}.service")


@pytest.fixture(params=PARTS)
def part(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    return dict(yaml.safe_load((ROOT / "compose.yaml").read_text()))


def parsed(command: list[str], monkeypatch: pytest.MonkeyPatch) -> str:
    """The part of a machine that a command starts, as the supervisor itself understands it."""
    place = command.index("config.supervisor")
    assert command[place - 2].endswith("python") and command[place - 1] == "-m"
    monkeypatch.setattr(sys, "argv", command[place:])
    return str(supervisor.arguments().part)


def seconds(text: str) -> int:
    return int(text.removesuffix("s"))


# --- Units ----------------------------------------------------------------------------------------


def test_a_unit_starts_its_part_as_nobody_special(part: str, monkeypatch: pytest.MonkeyPatch) -> None:
    service = Unit(part)["Service"]
    assert parsed(shlex.split(service["ExecStart"]), monkeypatch) == part
    assert service["User"] == "daybook" and service["NoNewPrivileges"] == "yes" and service["UMask"] == "0077"


def test_a_unit_lets_the_supervisor_end_what_it_started(part: str) -> None:
    service = Unit(part)["Service"]
    assert service["KillMode"] == "mixed"
    assert f"DAYBOOK_STOP_GRACE_SECONDS={GRACE}" in service["Environment"]
    assert int(service["TimeoutStopSec"]) > GRACE > LONGEST_CALL


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="needs systemd-analyze")
def test_systemd_understands_a_unit(part: str, tmp_path: Path) -> None:
    """With this project's folder in place of the one on a server, which need not exist here."""
    text = (ROOT / "deploy" / f"daybook-{part}.service").read_text()
    unit = tmp_path / f"daybook-{part}.service"
    here = text.replace("/opt/daybook/.venv/bin/python", sys.executable).replace("/opt/daybook", str(ROOT))
    unit.write_text(here)
    said = subprocess.run(["systemd-analyze", "verify", "--man=no", unit], capture_output=True, text=True)
    assert (said.returncode, [line for line in said.stderr.splitlines() if unit.name in line]) == (0, [])


# --- Image and compose file -----------------------------------------------------------------------


def test_the_image_runs_as_nobody_special_behind_an_init() -> None:
    assert re.findall(r"^USER (.+)$", DOCKERFILE, flags=re.MULTILINE) == ["daybook"]
    assert 'ENTRYPOINT ["tini", "--"]' in DOCKERFILE and "--require-hashes" in DOCKERFILE
    assert f"DAYBOOK_STOP_GRACE_SECONDS={GRACE}" in DOCKERFILE


def test_the_image_holds_every_room_and_no_secret() -> None:
    copied = set(re.findall(r"^COPY (?!--from)(\S+)", DOCKERFILE, flags=re.MULTILINE))
    assert all((ROOT / name).exists() for name in copied)
    rooms = {"config", "integrations", "mappings", "ledger", "templates", "static", "manage.py", "requirements.txt"}
    assert copied == rooms
    let_in = {line.lstrip("!") for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    assert let_in == rooms


def test_the_settings_that_the_image_is_built_with_are_enough_to_collect_the_files(tmp_path: Path) -> None:
    line = re.search(r"^RUN (DAYBOOK_ENV_FILE=.*?) \\\n", DOCKERFILE, flags=re.MULTILINE)
    assert line is not None
    given = dict(setting.split("=", 1) for setting in line[1].split())
    command = [sys.executable, "manage.py", "collectstatic", "--noinput", "--dry-run", "--verbosity", "0"]
    environment = {**given, "DAYBOOK_STATIC_ROOT": str(tmp_path), "PATH": "/usr/bin:/bin"}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_compose_runs_one_web_server_two_workers_and_the_migrations_once(
    compose: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    services = compose["services"]
    assert {name: parsed(services[name]["command"], monkeypatch) for name in PARTS} == {
        "web": "web",
        "worker": "worker",
    }
    assert services["worker"]["deploy"]["replicas"] == 2
    assert services["migrate"]["command"][:3] == ["python", "manage.py", "migrate"]
    assert services["migrate"]["restart"] == "no"
    for part in PARTS:
        waits = {name: one["condition"] for name, one in services[part]["depends_on"].items()}
        assert waits == {"migrate": "service_completed_successfully", "redis": "service_healthy"}
        assert seconds(services[part]["stop_grace_period"]) > GRACE


def test_everything_that_stays_up_in_compose_has_a_health_check(compose: dict[str, Any]) -> None:
    services = compose["services"]
    assert {name for name, one in services.items() if "healthcheck" not in one} == {"migrate"}
    assert "/health/live" in services["web"]["healthcheck"]["test"][-1]
    compile(services["web"]["healthcheck"]["test"][-1], "healthcheck", "exec")
    assert services["worker"]["healthcheck"]["test"][-3:] == ["manage.py", "machines", "--here"]
    assert set(compose["volumes"]) == {"postgres"}


def test_the_password_of_redis_stands_in_no_list_of_processes(compose: dict[str, Any], tmp_path: Path) -> None:
    """A stand-in for Redis tells what it was given."""
    stand_in = tmp_path / "redis-server"
    stand_in.write_text('#!/bin/sh\necho "$@"\ncat\n')
    stand_in.chmod(0o755)
    command = [word.replace("$$", "$") for word in compose["services"]["redis"]["command"]]
    environment = {"PATH": f"{tmp_path}:/usr/bin:/bin", "REDIS_PASSWORD": "hidden"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    arguments, *configuration = done.stdout.splitlines()
    assert arguments == "-"
    assert configuration == ['save ""', "appendonly no", "requirepass hidden"]


def test_no_password_stands_in_the_compose_file_and_nothing_is_open_to_the_network(compose: dict[str, Any]) -> None:
    text = (ROOT / "compose.yaml").read_text()
    asked = set(re.findall(r"(?<!\$)\$\{([A-Z_]+)", text))
    assert asked == {"POSTGRES_PASSWORD", "REDIS_PASSWORD"}
    assert not [name for name in asked if re.search(rf"(?<!\$)\$\{{{name}}}", text)], "a missing one must be said"
    assert [one["ports"] for one in compose["services"].values() if "ports" in one] == [["127.0.0.1:8000:8000"]]


# --- The paper ------------------------------------------------------------------------------------


def section(heading: str) -> str:
    return PAPER.split(f"\n## {heading}\n", 1)[1].split("\n## ", 1)[0]


def first_cells(heading: str) -> Iterator[str]:
    for line in section(heading).splitlines():
        if line.startswith("| `"):
            yield line.split("|")[1]


def test_every_setting_of_the_example_is_in_the_paper_and_the_reverse() -> None:
    told = [name for cell in first_cells("Settings") for name in re.findall(r"`([A-Z_]+)`", cell)]
    known = set(re.findall(r"^(?:# )?([A-Z][A-Z_]+)=", EXAMPLE, flags=re.MULTILINE))
    assert len(told) == len(set(told)) and set(told) == known


def test_every_metric_is_in_the_paper_and_the_reverse() -> None:
    told = {name for cell in first_cells("Is it well?") for name in re.findall(r"`daybook_(\w+)`", cell)}
    assert told == set(GAUGES)
    named = set(re.findall(r"daybook_(\w+)", section("Is it well?")))
    assert named == told


def test_the_times_in_the_paper_are_those_of_the_code() -> None:
    assert f"QuickBooks lasts {LONGEST_CALL:.0f}" in PAPER
    assert f"due for {gauges.STUCK.seconds // 60} minutes" in PAPER
    assert f"than {GRACE} seconds" in PAPER
