"""Fault switches strike when they say so, and are set and read over HTTP."""

from pathlib import Path

import pytest
import requests

from sandbox.faults import BadSwitch, Faults
from sandbox.switches import SWITCHES
from tests.sandbox.quickbooks_server import QuickBooksServer

NAME = "quickbooks.slow"
README = Path(__file__).parents[2] / "sandbox" / "README.md"


def strikes(switch: dict[str, object], asks: int = 10) -> list[bool]:
    faults = Faults()
    faults.set({NAME: switch})
    return [faults.hit(NAME) is not None for _ in range(asks)]


def test_every_third_time() -> None:
    assert strikes({"every": 3}, 7) == [False, False, True, False, False, True, False]


def test_the_first_two_times() -> None:
    assert strikes({"times": 2}, 4) == [True, True, False, False]


def test_always() -> None:
    assert all(strikes({"always": True}))


def test_chance_is_the_same_for_the_same_seed() -> None:
    switch: dict[str, object] = {"probability": 0.5, "seed": 7}
    assert strikes(switch, 50) == strikes(switch, 50)
    assert 10 < sum(strikes(switch, 50)) < 40


def test_conditions_together_must_all_hold() -> None:
    assert strikes({"every": 2, "times": 1}, 6) == [False, True, False, False, False, False]


def test_a_switch_may_be_for_one_kind_of_request_only() -> None:
    faults = Faults()
    faults.set({NAME: {"times": 1, "only": "batch"}})
    assert faults.hit(NAME, about=("query", "read")) is None
    assert faults.hit(NAME, about=("batch", "write")) is not None


def test_a_fault_carries_its_parameters() -> None:
    faults = Faults()
    faults.set({NAME: {"times": 1, "seconds": 2}})
    fault = faults.hit(NAME)
    assert fault is not None and fault.number("seconds") == 2 and fault.count == 1


@pytest.mark.parametrize(
    ("name", "switch"),
    [
        ("quickbooks.nonsense", {"always": True}),
        (NAME, {}),
        (NAME, {"every": 0}),
        (NAME, {"every": "often"}),
        (NAME, {"probability": 2}),
        (NAME, {"probability": "half"}),
    ],
)
def test_a_switch_that_cannot_be_is_refused(name: str, switch: dict[str, object]) -> None:
    with pytest.raises(BadSwitch):
        Faults().set({name: switch})


def test_asking_for_a_switch_that_does_not_exist_is_a_mistake_of_ours() -> None:
    with pytest.raises(BadSwitch):
        Faults().hit("quickbooks.nonsense")


def test_switches_are_set_read_and_cleared_over_http(quickbooks: QuickBooksServer) -> None:
    address = f"{quickbooks.url}/_control/faults"
    on = requests.post(address, json={NAME: {"every": 2}, "heartland.slow": {"times": 1}}, timeout=5).json()["on"]
    assert on[NAME] == {"switch": {"every": 2}, "asked": 0, "struck": 0}
    assert requests.post(address, json={"nonsense": {"times": 1}}, timeout=5).status_code == 400
    assert list(requests.delete(f"{address}?name={NAME}", timeout=5).json()["on"]) == ["heartland.slow"]
    requests.delete(address, timeout=5)
    assert requests.get(address, timeout=5).json() == {"on": {}, "known": SWITCHES}


def test_every_switch_is_in_the_table_of_the_readme() -> None:
    text = README.read_text()
    assert [name for name, meaning in SWITCHES.items() if f"| `{name}` | {meaning} |" not in text] == []
