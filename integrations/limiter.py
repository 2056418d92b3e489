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

from integrations.http import LONGEST_PAUSE
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

    @property
    def within(self) -> str:
        """Minute or second; "under way" for calls that are so at once."""
        if self.rate is None:
            return "under way"
        return "minute" if self.rate.seconds == 60 else "second"


@dataclass
class Place:
    """A place for one call, taken; `leave` when the answer has come, or when nothing is sent after all."""

    limiter: "RowLimiter"
    at: int
    name: str = field(default_factory=lambda: uuid4().hex[:8])
    taken: float = field(default_factory=time.monotonic)
    sent: float | None = None
    is_left: bool = False

    def __enter__(self) -> "Place":
        return self

    def __exit__(self, *_: object) -> None:
        self.leave()

    def sends(self) -> None:
        """The call leaves now, some time after its place was taken."""
        self.sent = time.monotonic()

    def leave(self) -> None:
        """The call is not under way any more; it counts until its windows have passed. Once is enough."""
        if not self.is_left:
            self.is_left = True
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
            until = _moment(now) + timedelta(seconds=min(seconds, LONGEST_PAUSE))
            row.paused_until = max(row.paused_until or until, until)
            row.save(update_fields=["paused_until"])

    def paused_until(self) -> datetime | None:
        """When a pause that the vendor asked for ends; None when there is none."""
        row, now = self._seen()
        return row.paused_until if _pause(row, now) > 0 else None

    def next_batch(self) -> datetime | None:
        """When to begin with a batch that must wait for its place; None when it is soon."""
        row, now = self._seen()
        wait = self._calls(row, now).wait(("request", "batch"), self._limits, now=now) / 1000
        return _moment(now) + timedelta(seconds=wait - HEAD_START) if wait > HEAD_START else None

    def use(self) -> list[Use]:
        """What is taken now of each limit that there is."""
        row, now = self._seen()
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
        now = _milliseconds(database_now())
        if _is_ahead(row, now):
            self._follow_clock(row, now)
        return row, now

    def _seen(self) -> tuple[CallLog, int]:
        """The row as it is now, to look at; a new one when there is none."""
        row = CallLog.objects.filter(connection=self._connection_id).first() or CallLog()
        now = _milliseconds(database_now())
        if not _is_ahead(row, now):
            return row, now
        with transaction.atomic():
            return self._locked()

    def _follow_clock(self, row: CallLog, now: int) -> None:
        """The clock went back: written down, for else it would hold everybody up until it is as late as it was."""
        calls = self._calls(row, now)
        if _pause(row, now) > LONGEST_PAUSE * 1000:
            row.paused_until = _moment(now) + timedelta(seconds=LONGEST_PAUSE)
            row.save(update_fields=["paused_until"])
        self._keep(row, calls)
        log.warning("the clock went back", connection=self._connection_id)

    def _calls(self, row: CallLog, now: int) -> Calls:
        flying = {name: Flight(tuple(kinds), at, until) for name, (at, until, *kinds) in row.flying.items()}
        calls = Calls(row.times, flying)
        calls.forget(self._limits.rates, now=now)
        return calls

    def _keep(self, row: CallLog, calls: Calls) -> None:
        row.times = calls.times
        row.flying = {name: [one.at, one.until, *one.kinds] for name, one in calls.flying.items()}
        row.save(update_fields=["times", "flying"])


def _is_ahead(row: CallLog, now: int) -> bool:
    """Whether something was written down at a time that is still to come."""
    times = [at for taken in row.times.values() for at in taken]
    begun = [at for at, *_ in row.flying.values()]
    return max([*times, *begun], default=0) > now or _pause(row, now) > LONGEST_PAUSE * 1000


def _pause(row: CallLog, now: int) -> int:
    return _milliseconds(row.paused_until) - now if row.paused_until else 0


def _milliseconds(moment: datetime) -> int:
    """Since 1970."""
    return round(moment.timestamp() * 1000)


def _moment(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(milliseconds / 1000, UTC)
