"""Decides whether the worker hangs: it was asked for a sign of life and gave none for too long.

It compares no clocks: a sign of life is a heartbeat other than the one before; silence is measured here.
"""

import logging
import time
from collections.abc import Callable
from datetime import datetime
from typing import Protocol

log = logging.getLogger("daybook.supervisor")
LONGEST_INTERVAL = 15.0


class PulseUnavailable(Exception):
    """Database or queue cannot be asked: that says nothing about the worker."""


class Pulse(Protocol):
    def last(self) -> datetime | None:
        """When the worker last gave a sign of life."""

    def ask(self) -> None:
        """Queue a heartbeat."""

    def sweep(self) -> None:
        """Queue a sweep, after a restart."""

    def farewell(self) -> None:
        """The worker has ended for good: its silence means nothing."""


class Watchdog:
    def __init__(self, pulse: Pulse, *, limit: float, clock: Callable[[], float] = time.monotonic) -> None:
        self.pulse = pulse
        self.limit = limit
        self.clock = clock
        self.interval = min(LONGEST_INTERVAL, limit / 4)
        self.seen: datetime | None = None
        self.reset()

    def reset(self) -> None:
        """The worker has just started, or could not be asked: its silence begins now."""
        self.sign_at = self.clock()
        self.asked_at: float | None = None
        self.next_look = self.clock()

    def hangs(self) -> bool:
        """Called often; looks each `interval`, asks again when answered or after a third of the limit."""
        if self.clock() < self.next_look:
            return False
        self.next_look = self.clock() + self.interval
        try:
            self.notice(self.pulse.last())
            self.ask_if_due()
        except PulseUnavailable as error:
            log.warning("the worker's heartbeat cannot be read: %s", error)
            self.sign_at, self.asked_at = self.clock(), None
        return self.clock() - self.sign_at > self.limit

    def notice(self, heartbeat: datetime | None) -> None:
        if heartbeat != self.seen:
            self.seen, self.sign_at, self.asked_at = heartbeat, self.clock(), None

    def ask_if_due(self) -> None:
        """One question at a time, or a long outage would leave a pile; a lost one is repeated."""
        if self.asked_at is None or self.clock() - self.asked_at > self.limit / 3:
            self.pulse.ask()
            self.asked_at = self.clock()

    def restarted(self) -> None:
        self.reset()
        try:
            self.pulse.sweep()
        except PulseUnavailable as error:
            log.warning("the sweep after the restart was not queued: %s", error)

    def ended(self) -> None:
        try:
            self.pulse.farewell()
        except PulseUnavailable as error:
            log.warning("the worker's heartbeat was not taken away: %s", error)
