"""The one line of JSON that `bin/demo --check` owes whoever called it."""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from config.demo import audit, summary
from config.demo.answer import Answer
from config.demo.places import PROJECT, Places

WHERE = Places(PROJECT, 1, 2)


def printed(capsys: pytest.CaptureFixture[str]) -> list[dict[str, object]]:
    """The lines on standard output, each read as JSON."""
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_a_result_is_printed_once(capsys: pytest.CaptureFixture[str]) -> None:
    with Answer(owed=True) as answer:
        answer.give({"ok": True})
        answer.give({"ok": False})
    assert printed(capsys) == [{"ok": True}]


def test_a_run_that_gave_up_says_why(capsys: pytest.CaptureFixture[str]) -> None:
    with Answer(owed=True) as answer:
        answer.refuse("Heartland Retail did not answer the Test, tried 30 times.")
    [line] = printed(capsys)
    assert line["ok"] is False and line["differences"] is None
    assert line["problems"] == ["Heartland Retail did not answer the Test, tried 30 times."]


def test_a_run_that_broke_says_what_broke(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(LookupError), Answer(owed=True):
        raise LookupError("no such button")
    assert printed(capsys)[0]["problems"] == ["LookupError: no such button"]


def test_without_a_check_nothing_is_owed(capsys: pytest.CaptureFixture[str]) -> None:
    with Answer(owed=False) as answer:
        answer.give({"ok": True})
    assert printed(capsys) == []


def test_a_port_that_is_taken_leaves_the_line_as_well(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        places = {"PORT": str(taken.getsockname()[1]), "DAYBOOK_DEMO_FOLDER": str(tmp_path / "demo")}
        command = [sys.executable, "-m", "config.demo", "--check"]
        ran = subprocess.run(
            command, cwd=PROJECT, env={**os.environ, **places}, capture_output=True, text=True, timeout=60
        )
    assert ran.returncode == 1 and "in use" in json.loads(ran.stdout)["problems"][0]


@pytest.mark.django_db
@pytest.mark.parametrize("words", ["", "Traceback", '{"ok": '])
def test_an_auditor_without_a_verdict_is_a_problem_and_no_agreement(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], words: str
) -> None:
    ran = subprocess.CompletedProcess([], 1, stdout=words)
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: ran)
    result = audit.result(WHERE, cruel=False, seconds=1.0)
    assert result["ok"] is False and "gave no verdict" in result["problems"][0]
    summary.show(result)
    assert "agree" not in capsys.readouterr().err
