"""The sandbox of a kill run: it loses answers, and is itself killed and started again on its state."""

import os
import subprocess
import sys
import time
from collections import Counter
from urllib.parse import urlsplit

import requests

from tests.sandbox_fixture import ROOT, Sandbox

# An entry shows up as late as the time to leave (a fifth of the time to settle), the slowness, and these two make it:
# together 4.3 of the 5 seconds after which "not found" counts. A vendor later than that promises nothing.
LATE_SECONDS, LAG_SECONDS = 1.5, 1.5
FAULTS: dict[str, dict[str, object]] = {
    "quickbooks.drop_answer": {"probability": 0.14, "only": "write"},
    "quickbooks.drop_request": {"probability": 0.06, "only": "write"},
    "quickbooks.error_500_after": {"probability": 0.08, "only": "write"},
    "quickbooks.late_commit": {"probability": 0.1, "only": "write", "seconds": LATE_SECONDS},
    "quickbooks.transient_6000_saved": {"probability": 0.03},
    "quickbooks.lagging_query": {"probability": 0.5, "seconds": LAG_SECONDS},
    "quickbooks.slow": {"probability": 0.7, "seconds": 0.3},
}
ANSWERS_LOST = ("quickbooks.drop_answer", "quickbooks.error_500_after", "quickbooks.late_commit")


class Vendor:
    """A sandbox process and what its faults did so far; the switches are forgotten by each restart."""

    def __init__(self, *, seed: int) -> None:
        self.sandbox = Sandbox(os.environ["SANDBOX_URL"])
        self.port = urlsplit(self.sandbox.url).port or 0
        self.seed = seed * 1000
        self.cruel = False
        self.struck: Counter[str] = Counter()
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        command = [sys.executable, "-m", "sandbox", "--port", str(self.port)]
        command += ["--state", os.environ["SANDBOX_STATE"]]
        self.process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL)
        self._wait()
        self.sandbox.control("quickbooks", {"limits": False})
        if self.cruel:
            self.be_cruel()

    def kill(self) -> None:
        self._note()
        if self.process:
            self.process.kill()
            self.process.wait()

    def be_cruel(self) -> None:
        """Each switch draws from numbers of its own, other ones after each restart."""
        self.cruel = True
        switches: dict[str, dict[str, object]] = {}
        for name, switch in FAULTS.items():
            self.seed += 1
            switches[name] = {**switch, "seed": self.seed}
        self.sandbox.control("faults", switches)

    def be_kind(self) -> None:
        self._note()
        self.cruel = False
        self.sandbox.control("faults", method="DELETE")

    @property
    def answers_lost(self) -> int:
        return sum(self.struck[name] for name in ANSWERS_LOST)

    def _note(self) -> None:
        for name, switch in self.sandbox.control("faults")["on"].items():
            self.struck[name] += switch["struck"]

    def _wait(self) -> None:
        until = time.monotonic() + 30
        while time.monotonic() < until:
            try:
                requests.get(self.sandbox.url, timeout=5).raise_for_status()
                return
            except requests.exceptions.ConnectionError:
                time.sleep(0.05)
        raise RuntimeError("The sandbox did not start; run `python -m sandbox` by hand to see why.")
