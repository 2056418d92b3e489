"""Keeping inside a vendor's limits: one row per connection tells every process which calls count at this moment.

When a place is free is computed in `windows`; here the row is read and written, under a short lock, by the clock of
the database. What each vendor permits stands in `vendors`.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import structlog
from django.db import DatabaseError, transaction

from integrations.models import CallLog
from integrations.windows import LATEST_ARRIVAL, Calls, Flight, Limits, Rate
from ledger.clock import database_now
from ledger.errors import RateLimited
from ledger.locks import locked

log = structlog.get_logger(__name__)

LONGEST_WAIT = 15.0
"""Seconds; a longer wait is left to the next attempt, so that no worker sleeps on a claim."""

HEAD_START = 2.0
"""Seconds before a place of a batch is free at which a worker claims entries and looks them up."""


@dataclass(frozen=True)
class Use:
    """How much of one limit is taken now; `rate` is None for calls under way."""

    kind: str
    taken: int
    most: int
    rate: Rate | None = None


@dataclass
class Place:
    """A place for one call, taken; `leave` when the answer has come, or when nothing is sent after all."""

    limiter: "RowLimiter"
    at: int
    name: str = field(default_factory=lambda: uuid4().hex[:8])
    taken: float = field(default_factory=time.monotonic)
    sent: float | None = None

    def __enter__(self) -> "Place":
        return self

    def __exit__(self, *_: object) -> None:
        self.leave()

    def sends(self) -> None:
        """The call leaves now, some time after its place was taken."""
        self.sent = time.monotonic()

    def leave(self) -> None:
        """The call is not under way any more; it counts until its windows have passed."""
        self.limiter.left(self)


class RowLimiter:
    """Implements integrations.http.Limiter for one connection. `longest`: seconds that a call may be under way."""

    def __init__(self, connection_id: int, limits: Limits, *, longest: Callable[[], float]) -> None:
        self._connection_id = connection_id
        self._limits = limits
        self._longest = longest

    def wait(self, *kinds: str) -> Place:
        """Wait for a place for one call of all these kinds; raises RateLimited when that takes too long."""
        deadline = time.monotonic() + LONGEST_WAIT
        while not isinstance(place := self.place(*kinds), Place):
            if time.monotonic() + place > deadline:
                raise RateLimited(
                    "The limit of the other system is used up. Daybook waits by itself.", retry_after=place
                )
            time.sleep(place)
        return place

    def place(self, *kinds: str) -> Place | float:
        """Take a place, or return how many seconds to wait."""
        with transaction.atomic():
            row, now = self._locked()
            calls = self._calls(row, now)
            wait = max(calls.wait(kinds, self._limits, now=now), _pause(row, now))
            if wait > 0:
                return wait / 1000
            place = Place(self, now)
            calls.enter(place.name, Flight(kinds, now, now + int(self._longest() * 1000)))
            self._keep(row, calls)
        return place

    def left(self, place: Place) -> None:
        """Write down that a call is over, and from when it counts."""
        sent = place.at + int(((place.sent or place.taken) - place.taken) * 1000)
        try:
            with transaction.atomic():
                row, now = self._locked()
                calls = self._calls(row, now)
                calls.leave(place.name, counts_from=min(sent + LATEST_ARRIVAL, now))
                self._keep(row, calls)
        except DatabaseError as trouble:  # the answer counts more than the place, which expires by itself
            log.warning("place not given back", connection=self._connection_id, kind=type(trouble).__name__)

    def pause(self, seconds: float) -> None:
        """Nobody takes a place until the pause is over, in any process. A longer pause is not made shorter."""
        with transaction.atomic():
            row, now = self._locked()
            until = _moment(now) + timedelta(seconds=seconds)
            row.paused_until = max(row.paused_until or until, until)
            row.save(update_fields=["paused_until"])

    def paused_until(self) -> datetime | None:
        """When a pause that the vendor asked for ends; None when there is none."""
        rows = CallLog.objects.filter(connection=self._connection_id, paused_until__gt=database_now())
        return rows.values_list("paused_until", flat=True).first()

    def next_batch(self) -> datetime | None:
        """When to begin with a batch that must wait for its place; None when it is soon."""
        row = CallLog.objects.filter(connection=self._connection_id).first()
        if row is None:
            return None
        now = _milliseconds(database_now())
        wait = self._calls(row, now).wait(("request", "batch"), self._limits, now=now) / 1000
        return _moment(now) + timedelta(seconds=wait - HEAD_START) if wait > HEAD_START else None

    def use(self) -> list[Use]:
        """What is taken now of each limit that there is."""
        row = CallLog.objects.filter(connection=self._connection_id).first() or CallLog()
        now = _milliseconds(database_now())
        calls = self._calls(row, now)
        found = [
            Use(kind, calls.within(kind, rate, now=now), rate.calls, rate)
            for kind, rates in self._limits.rates.items()
            for rate in rates
        ]
        most = self._limits.in_flight
        return [*found, Use("call", len(calls.flying), most)] if most else found

    def _locked(self) -> tuple[CallLog, int]:
        """The row, and the time once it is ours."""
        row, _ = locked(CallLog.objects.all()).get_or_create(connection_id=self._connection_id)
        return row, _milliseconds(database_now())

    def _calls(self, row: CallLog, now: int) -> Calls:
        flying = {name: Flight(tuple(kinds), at, until) for name, (at, until, *kinds) in row.flying.items()}
        calls = Calls(row.times, flying)
        calls.forget(self._limits.rates, now=now)
        return calls

    def _keep(self, row: CallLog, calls: Calls) -> None:
        row.times = calls.times
        row.flying = {name: [one.at, one.until, *one.kinds] for name, one in calls.flying.items()}
        row.save(update_fields=["times", "flying"])


def _pause(row: CallLog, now: int) -> int:
    return _milliseconds(row.paused_until) - now if row.paused_until else 0


def _milliseconds(moment: datetime) -> int:
    """Since 1970."""
    return round(moment.timestamp() * 1000)


def _moment(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(milliseconds / 1000, UTC)
