"""Nothing secret reaches a log, whoever wrote the line."""

import json
import logging
import os
import sys

import pytest
import structlog

from config import logs

CARD = "4111111111111111"


def test_a_line_of_json_says_which_machine_and_process_wrote_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(logs.PROCESS, "worker")
    record = logging.LogRecord("daybook", logging.INFO, "x.py", 1, "claimed", (), None)
    told = json.loads(logs.formatter(as_json=True, machine="till-server").format(record))
    assert (told["machine"], told["process"], told["pid"]) == ("till-server", "worker", os.getpid())


def line(message: str, *arguments: object, exc_info: object = None) -> str:
    record = logging.LogRecord("requests", logging.INFO, "x.py", 1, message, arguments, exc_info)  # type: ignore[arg-type]
    return logs.formatter(as_json=True).format(record)


@pytest.mark.parametrize(
    "text",
    [
        "Authorization: Bearer eyJraWQi.abc-def_1234567",
        "sending bearer eyJraWQi.abc-def_1234567",
        "GET /token?access_token=eyJraWQi.abc-def_1234567&x=1",
        '{"refresh_token": "eyJraWQi.abc-def_1234567"}',
        "client_secret=eyJraWQi.abc-def_1234567",
        "Basic eyJraWQi.abc-def_1234567",
    ],
)
def test_a_credential_inside_a_text_is_masked(text: str) -> None:
    assert "abc-def" not in line(text)


@pytest.mark.parametrize("name", ["token", "refresh_token", "Authorization", "client_secret", "api_key", "password"])
def test_a_value_is_masked_by_its_name_at_any_depth(name: str) -> None:
    cleaned = logs.clean({"outer": [{name: "abc-def"}], "state": "ready"})
    assert cleaned == {"outer": [{name: logs.MASK}], "state": "ready"}


@pytest.mark.parametrize("written", [CARD, "4111 1111 1111 1111", "4111-1111-1111-1111"])
def test_a_card_number_is_masked(written: str) -> None:
    assert line(f"gift card {written} sold").count("1111") == 0


def test_a_card_number_as_a_number_is_masked() -> None:
    assert logs.clean(int(CARD)) == logs.MASK


def test_a_long_number_that_is_no_card_stays() -> None:
    assert logs.clean("realm 9130000000000001") == "realm 9130000000000001"
    assert logs.clean(100123) == 100123


def test_a_run_of_more_than_19_digits_is_no_card() -> None:
    assert logs.clean("0" + CARD + "0000") == "0" + CARD + "0000"


def test_our_own_ids_and_fingerprints_stand_whole() -> None:
    """One in two hundred holds a run of digits that looks like a card's."""
    fingerprint = f"ab{CARD}" + "c" * 46
    request_id = f"{CARD}abcdef0123456789"
    owner = next(told for n in range(100_000) if logs.clean(told := f"a4111111-1111-4111-8111-{n:05d}abcdefa") != told)
    written = logs.clean({"fingerprint": fingerprint, "request_id": request_id, "owner": owner})
    assert written == {"fingerprint": fingerprint, "request_id": request_id, "owner": owner}


@pytest.mark.parametrize("name", ["request_id", "fingerprint", "owner", "message", "event"])
@pytest.mark.parametrize("written", [CARD, f"id {CARD}", f"ab{CARD}", f"{CARD}abcdef", f"x{CARD}" + "c" * 47])
def test_a_card_number_does_not_pass_for_an_id_of_ours(name: str, written: str) -> None:
    assert CARD not in logs.clean({name: written})[name]


def test_arguments_of_a_librarys_message_are_masked() -> None:
    assert "abc-def-ghi" not in line("refreshed with %s", "token=abc-def-ghi")


def test_a_traceback_is_masked() -> None:
    try:
        raise ValueError(f"refused: token=abc-def-ghi for {CARD}")
    except ValueError:
        written = line("failed", exc_info=sys.exc_info())
    assert "ValueError" in written
    assert "abc-def-ghi" not in written
    assert CARD not in written


def test_our_own_events_are_masked_and_keep_their_facts(capsys: pytest.CaptureFixture[str]) -> None:
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(logs.formatter(as_json=True))
    logger = logging.getLogger("daybook.test")
    logger.addHandler(handler)
    try:
        structlog.get_logger("daybook.test").warning("token refreshed", access_token="abc", entry=7)
    finally:
        logger.removeHandler(handler)
    written = json.loads(capsys.readouterr().out)
    assert written["access_token"] == logs.MASK
    assert (written["entry"], written["event"], written["level"]) == (7, "token refreshed", "warning")
