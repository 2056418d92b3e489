"""Named switches that make the pretend vendors misbehave, set in code or over `/_control/faults`.

A switch says when it strikes: {"every": n} | {"times": n} | {"probability": p, "seed": s} | {"always": true},
may be limited with {"only": "write"} to one kind of request, and may carry parameters such as `seconds` or
`retry_after`. They are kept in memory only: a restart clears them.
"""

from __future__ import annotations

import random
import threading
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from sandbox.server import Answer, Request, json_answer
from sandbox.switches import SWITCHES

Switch = Mapping[str, Any]


class BadSwitch(ValueError):
    """The switch has an unknown name or no readable condition."""


@dataclass(frozen=True)
class Fault:
    """One strike: which switch, the how-manieth time, and its parameters."""

    name: str
    count: int
    parameters: dict[str, Any] = field(default_factory=dict)

    def number(self, key: str, default: float = 0.0) -> float:
        """A numeric parameter, for example seconds to wait."""
        return float(self.parameters.get(key, default))


class _Trigger:
    """When one switch strikes. Conditions given together must all hold; `times` counts strikes."""

    def __init__(self, switch: Switch) -> None:
        self.switch = dict(switch)
        self.asked = 0
        self.struck = 0
        self._random = random.Random(int(switch.get("seed", 0)))

    def pull(self) -> bool:
        self.asked += 1
        if self.struck >= int(self.switch.get("times", self.struck + 1)):
            return False
        if self.asked % int(self.switch.get("every", 1)):
            return False
        if "probability" in self.switch and self._random.random() >= float(self.switch["probability"]):
            return False
        self.struck += 1
        return True


class Faults:
    """The switches that are on. Safe to use from several threads; random ones are seeded."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._triggers: dict[str, _Trigger] = {}

    def hit(self, name: str, *, about: Collection[str] = ()) -> Fault | None:
        """Ask at the place where a fault may happen; a Fault says that it does now.

        `about` are words for the request in hand; a switch with `only` is not even asked without its word.
        """
        if name not in SWITCHES:
            raise BadSwitch(f"unknown switch: {name}")
        with self._lock:
            trigger = self._triggers.get(name)
            if trigger is None or trigger.switch.get("only", "") not in {"", *about} or not trigger.pull():
                return None
            return Fault(name, trigger.struck, dict(trigger.switch))

    def set(self, switches: Mapping[str, Switch]) -> None:
        """Turn switches on, replacing those of the same name; all or none. Raises BadSwitch."""
        triggers = {name: _checked(name, switch) for name, switch in switches.items()}
        with self._lock:
            self._triggers.update(triggers)

    def clear(self, name: str | None = None) -> None:
        """Turn one switch off, or all of them."""
        with self._lock:
            if name is None:
                self._triggers.clear()
            else:
                self._triggers.pop(name, None)

    def report(self) -> dict[str, dict[str, Any]]:
        """What is on, how often each was asked and how often it struck."""
        with self._lock:
            return {
                name: {"switch": each.switch, "asked": each.asked, "struck": each.struck}
                for name, each in self._triggers.items()
            }

    def control(self, request: Request) -> Answer:
        """GET, POST and DELETE /_control/faults; `?name=` limits DELETE to one switch."""
        if request.method == "POST":
            try:
                self.set(_switches_of(request))
            except ValueError as error:
                return json_answer(400, {"error": str(error)})
        elif request.method == "DELETE":
            self.clear(request.param("name") or None)
        elif request.method != "GET":
            return json_answer(405, {"error": "GET, POST or DELETE"})
        return json_answer(200, {"on": self.report(), "known": SWITCHES})


def _switches_of(request: Request) -> Mapping[str, Switch]:
    body = request.json()
    if not isinstance(body, dict) or not all(isinstance(switch, dict) for switch in body.values()):
        raise BadSwitch('the body must be {"name": {"every": 3}, ...}')
    return body


def _checked(name: str, switch: Switch) -> _Trigger:
    if name not in SWITCHES:
        raise BadSwitch(f"unknown switch: {name}")
    plain = {key: float(value) if isinstance(value, Decimal) else value for key, value in switch.items()}
    if not {"every", "times", "probability", "always"} & plain.keys():
        raise BadSwitch(f"{name}: say when, with every, times, probability or always")
    for key in ("every", "times", "seed"):
        if not isinstance(plain.get(key, 1), int) or (key != "seed" and plain.get(key, 1) < 1):
            raise BadSwitch(f"{name}: {key} must be a whole number above zero")
    chance = plain.get("probability", 0)
    if not isinstance(chance, int | float) or not 0 <= chance <= 1:
        raise BadSwitch(f"{name}: probability must lie between 0 and 1")
    return _Trigger(plain)
