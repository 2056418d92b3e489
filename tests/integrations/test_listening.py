"""Sales are heard of within seconds: the tills are asked again and again, in turns that leave room for the rest."""

import time
from typing import Any

import pytest
from django.utils.module_loading import import_string

from integrations import leases, leaving, listening, schedules, tasks, waking
from integrations.models import Capture, Connection
from ledger.models import FinancialEvent
from tests.integrations.at_the_till import sold
from tests.sandbox_fixture import Sandbox

NEXT = "integrations.listening.listen"


@pytest.fixture
def messages(monkeypatch: pytest.MonkeyPatch, settings: Any) -> list[str]:
    """What was woken; each turn is short, and nothing sleeps longer than it must."""
    woken: list[str] = []
    monkeypatch.setattr(waking, "async_task", woken.append)
    settings.TILL_POLL_SECONDS = 0.01
    monkeypatch.setattr(listening, "TURN", 0.0)
    return woken


@pytest.mark.django_db(transaction=True)
def test_a_sale_during_a_turn_is_recorded_in_it(
    till: Connection, sandbox: Sandbox, lamp: None, messages: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    heard: list[str] = []

    def between(seconds: float) -> None:
        """One sale while the turn waits; when it was asked once more, the till is taken away, which ends the turn."""
        if heard:
            Connection.objects.filter(pk=till.pk).update(state=Connection.State.UNCONNECTED)
        else:
            heard.append(sold(sandbox))

    monkeypatch.setattr(listening, "TURN", 60.0)
    monkeypatch.setattr(time, "sleep", between)
    assert listening.listen() == "Asked 2 times."
    assert FinancialEvent.objects.filter(external_id=heard[0]).exists()
    assert messages == [NEXT]


@pytest.mark.django_db(transaction=True)
def test_turn_follows_turn_while_there_is_a_till(till: Connection, messages: list[str]) -> None:
    assert listening.listen() == "Asked 1 times."
    assert messages == [NEXT]


@pytest.mark.parametrize(
    "left_out",
    [
        {"state": Connection.State.UNCONNECTED},
        {"capture__history_done": False},
        {"capture__problem": "The till does not answer."},
    ],
)
@pytest.mark.django_db(transaction=True)
def test_tills_that_cannot_be_asked_are_left_to_the_minute(
    till: Connection, messages: list[str], left_out: dict[str, Any]
) -> None:
    for name, value in left_out.items():
        if name.startswith("capture__"):
            Capture.objects.update(**{name.removeprefix("capture__"): value})
        else:
            Connection.objects.filter(pk=till.pk).update(**{name: value})
    assert listening.listen() == "Asked 0 times."
    assert messages == []


@pytest.mark.django_db(transaction=True)
def test_two_never_listen_at_once(till: Connection, messages: list[str]) -> None:
    with leases.held("listen"):
        assert listening.listen() == "Another worker is at it."
    assert messages == []


@pytest.mark.parametrize("seconds", [0.0, -1.0])
def test_the_minute_alone_is_a_choice(messages: list[str], settings: Any, seconds: float) -> None:
    settings.TILL_POLL_SECONDS = seconds
    assert "DAYBOOK_TILL_POLL_SECONDS" in listening.listen()
    assert messages == []


@pytest.mark.django_db(transaction=True)
def test_a_defect_over_one_till_silences_no_other(messages: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []

    def captured(till: int, **how: Any) -> None:
        asked.append(till)
        if till == 1:
            raise KeyError("an answer in a form that nobody expected")

    monkeypatch.setattr(tasks, "capture", captured)
    monkeypatch.setattr(listening, "_answering", lambda: [Connection(pk=1), Connection(pk=2)])
    assert listening.listen() == "Asked 2 times."
    assert asked == [1, 2] and messages == [NEXT]


@pytest.fixture
def rests(messages: list[str], monkeypatch: pytest.MonkeyPatch, settings: Any) -> list[float]:
    """The pauses of a turn of five seconds after which an hour is to pass; none is slept."""
    slept: list[float] = []
    settings.TILL_POLL_SECONDS = 3600.0
    monkeypatch.setattr(listening, "TURN", 5.0)
    monkeypatch.setattr(time, "sleep", slept.append)
    return slept


@pytest.mark.django_db(transaction=True)
def test_a_turn_ends_in_the_middle_of_a_pause_when_the_process_is_to_end(
    till: Connection, rests: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(leaving, "is_leaving", lambda: len(rests) >= 3)
    assert listening.listen() == "Asked 1 times."
    assert rests == [1.0] * 3


@pytest.mark.django_db(transaction=True)
def test_no_pause_is_longer_than_a_turn(till: Connection, rests: list[float], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leaving, "is_leaving", lambda: len(rests) > 5)
    assert listening.listen() == "Asked 2 times."
    assert rests == [1.0] * 6


@pytest.mark.django_db(transaction=True)
def test_figures_and_alerts_are_looked_at_when_something_was_heard_and_each_minute(
    till: Connection, sandbox: Sandbox, lamp: None, messages: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    refreshed: list[int] = []
    listening.listen()
    monkeypatch.setattr(tasks.alerts, "refresh", lambda connection: refreshed.append(connection.pk))
    listening.listen()
    assert refreshed == []
    tasks.capture(till.pk)
    assert till.pk in refreshed
    refreshed.clear()
    sold(sandbox)
    listening.listen()
    assert till.pk in refreshed
    refreshed.clear()
    Connection.objects.filter(pk=till.pk).update(base_url="http://127.0.0.1:9/api")  # nobody listens there
    listening.listen()
    assert till.pk in refreshed


def test_each_minute_begins_the_turns_anew() -> None:
    assert import_string(schedules.EVERY_MINUTE["listen"]) is listening.listen
