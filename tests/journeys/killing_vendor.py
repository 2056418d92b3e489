"""The sandbox of a kill run: it loses answers, and is itself killed and started again on its state."""

import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import requests

from tests.sandbox_fixture import ROOT, Sandbox

Switches = Mapping[str, Mapping[str, object]]

# An entry shows up as late as the time to leave (a tenth of the time to settle), the slowness, and the lateness or
# the lag make it: together at most 8.2 of the 10 seconds after which "not found" counts. A vendor later than that
# promises nothing.
LATE_SECONDS = 1.5
LOSSY: Switches = {
    "quickbooks.drop_answer": {"probability": 0.14, "only": "write"},
    "quickbooks.drop_request": {"probability": 0.06, "only": "write"},
    "quickbooks.error_500_after": {"probability": 0.08, "only": "write"},
    "quickbooks.late_commit": {"probability": 0.1, "only": "write", "seconds": LATE_SECONDS},
    "quickbooks.transient_6000_saved": {"probability": 0.03},
    "quickbooks.lagging_query": {"probability": 0.5, "seconds": 1.5},
    "quickbooks.slow": {"probability": 0.7, "seconds": 0.3},
}
SAVED_UNSAID = "quickbooks.transient_6000_saved"
# A request that arrives twice is done once only where the vendor knows its id again: never beside a vendor that forgets
# ids, nor beside one that saves, answers 6000 and keeps no id of it. Nobody could survive both.
MOODS: Mapping[str, Switches] = {
    "lossy": LOSSY,
    # Longer than we wait for an answer: 6 seconds.
    "hanging": {
        "quickbooks.slow": {"probability": 0.04, "seconds": 6.2},
        "quickbooks.lagging_query": {"probability": 0.5, "seconds": 1.0},
        "quickbooks.drop_answer": {"probability": 0.1, "only": "write"},
        "quickbooks.duplicate_request": {"probability": 0.2, "only": "write"},
    },
    "throttling": {
        **{name: switch for name, switch in LOSSY.items() if name != SAVED_UNSAID},
        "quickbooks.duplicate_request": {"probability": 0.1, "only": "write"},
        "quickbooks.throttle": {"probability": 0.05, "retry_after": 1},
        "quickbooks.error_500_before": {"probability": 0.06},
        "quickbooks.html_502": {"probability": 0.04},
        "quickbooks.html_502_after": {"probability": 0.04, "only": "write"},
        "quickbooks.expire_token": {"probability": 0.01},
        "quickbooks.transient_6000_unsaved": {"probability": 0.02},
    },
    # Two of ours are never under way with one key, so a vendor that forgets keys does no harm by itself.
    "forgetful": {
        **LOSSY,
        "quickbooks.forget_request_id": {"probability": 0.5},
        "quickbooks.missing_batch_item": {"probability": 0.2},
        "quickbooks.shuffled_batch": {"probability": 0.3},
    },
}
LOST = ("drop_answer", "error_500_after", "late_commit", "html_502_after", "transient_6000_saved", "missing_batch_item")
ANSWERS_LOST = tuple(f"quickbooks.{name}" for name in LOST)

STARTS_WITHIN = 120.0
"""Seconds: it reads ten thousand sales back, on a machine that is busy with the run itself."""


class Vendor:
    """A sandbox process and what its faults did so far; the switches are forgotten by each restart."""

    def __init__(self, *, seed: int) -> None:
        self.sandbox = Sandbox(os.environ["SANDBOX_URL"])
        self.port = urlsplit(self.sandbox.url).port or 0
        self.seed = seed * 1000
        self.mood = ""
        self.struck: Counter[str] = Counter()
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        command = [sys.executable, "-m", "sandbox", "--port", str(self.port)]
        command += ["--state", os.environ["SANDBOX_STATE"]]
        self.process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL)
        self._wait()
        self._control("quickbooks", {"limits": False})
        if self.mood:
            self._feel()

    def kill(self) -> None:
        self._note()
        if self.process:
            self.process.kill()
            self.process.wait()

    def be(self, mood: str) -> None:
        """One of MOODS in the place of the one before, whose late work is done first.

        A doubled request whose second half is late must not meet a vendor that has begun to forget in between.
        """
        self.be_kind()
        time.sleep(LATE_SECONDS + 0.5)
        self.mood = mood
        self._feel()

    def be_kind(self) -> None:
        self._note()
        self.mood = ""
        self._control("faults", method="DELETE")

    def _feel(self) -> None:
        """Each switch draws from numbers of its own, other ones after each restart."""
        switches: dict[str, Mapping[str, object]] = {}
        for name, switch in MOODS[self.mood].items():
            self.seed += 1
            switches[name] = {**switch, "seed": self.seed}
        self._control("faults", switches)

    @property
    def answers_lost(self) -> int:
        return sum(self.struck[name] for name in ANSWERS_LOST)

    def _note(self) -> None:
        for name, switch in self._control("faults")["on"].items():
            self.struck[name] += switch["struck"]

    def _control(self, path: str, values: Mapping[str, object] | None = None, *, method: str = "") -> Any:
        """What stands under /_control may be asked and set again and again, until a busy machine answers."""
        until = time.monotonic() + STARTS_WITHIN
        while True:
            try:
                return self.sandbox.control(path, values, method=method)
            except (requests.exceptions.ConnectionError, requests.exceptions.Timeout):
                if time.monotonic() > until:
                    raise
                time.sleep(0.2)

    def _wait(self) -> None:
        until = time.monotonic() + STARTS_WITHIN
        while time.monotonic() < until:
            try:
                requests.get(self.sandbox.url, timeout=5).raise_for_status()
                return
            except (requests.exceptions.ConnectionError, requests.exceptions.Timeout):
                time.sleep(0.05)
        raise RuntimeError("The sandbox did not start; run `python -m sandbox` by hand to see why.")
