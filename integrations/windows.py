"""Sliding windows over the times of past calls: when is the next place free? Pure: times are given, in milliseconds.

A vendor counts a call when it arrives, which is later than we note it, and not always by the same time. So a call
counts here a little longer than the vendor's window; how much was measured (docs/decisions/0026-windows-in-a-row.md).
"""

from bisect import bisect_left, insort
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

MARGIN = 200
"""Milliseconds by which a call counts longer than the vendor's window."""

FULL = 100
"""Milliseconds after which to look again when all that may be under way is: an answer frees a place, no clock does."""


@dataclass(frozen=True)
class Rate:
    """At most so many calls in any so many seconds."""

    calls: int
    seconds: int

    @property
    def counts_for(self) -> int:
        """Milliseconds."""
        return self.seconds * 1000 + MARGIN


Rates = Mapping[str, Sequence[Rate]]


@dataclass(frozen=True)
class Limits:
    """What a vendor permits one connection; None where it says nothing."""

    requests_per_minute: int | None = None
    requests_per_second: int | None = None
    in_flight: int | None = None
    batches_per_minute: int | None = None
    items_per_batch: int | None = None

    @property
    def rates(self) -> Rates:
        """By kind of call, each rate binding; a batch takes the place of a request as well."""
        every = _rates((self.requests_per_second, 1), (self.requests_per_minute, 60))
        return {"request": every, "batch": _rates((self.batches_per_minute, 60))}


def _rates(*pairs: tuple[int | None, int]) -> list[Rate]:
    return [Rate(calls, seconds) for calls, seconds in pairs if calls]


@dataclass
class Calls:
    """The calls that still count. `times`: of each kind, ascending. `flying`: until when a call under way counts so."""

    times: dict[str, list[int]] = field(default_factory=dict)
    flying: dict[str, int] = field(default_factory=dict)

    def forget(self, rates: Rates, *, now: int) -> None:
        """Drop what counts no longer. A time after now, of a clock that went back, becomes now."""
        for kind, times in self.times.items():
            longest = max((rate.counts_for for rate in rates.get(kind, ())), default=0)
            counting = times[bisect_left(times, now - longest + 1) :]
            self.times[kind] = [min(time, now) for time in counting]
        self.flying = {name: until for name, until in self.flying.items() if until > now}

    def wait(self, kinds: Sequence[str], limits: Limits, *, now: int) -> int:
        """Milliseconds until a call of all these kinds has a place; 0 when it has one now."""
        waits = [_wait(self.times.get(kind, []), rate, now) for kind in kinds for rate in limits.rates.get(kind, ())]
        if limits.in_flight and len(self.flying) >= limits.in_flight:
            waits.append(min(FULL, min(self.flying.values()) - now))
        return max(waits, default=0)

    def enter(self, kinds: Sequence[str], *, at: int) -> None:
        for kind in kinds:
            insort(self.times.setdefault(kind, []), at)

    def move(self, kinds: Sequence[str], *, at: int, to: int) -> None:
        """A call that was entered at one time left at another; one that counts no longer is let be."""
        for kind in kinds:
            times = self.times.get(kind, [])
            place = bisect_left(times, at)
            if place < len(times) and times[place] == at:
                del times[place]
                insort(times, to)

    def within(self, kind: str, rate: Rate, *, now: int) -> int:
        """How many places of a rate are taken now."""
        times = self.times.get(kind, [])
        return len(times) - bisect_left(times, now - rate.counts_for + 1)


def _wait(times: Sequence[int], rate: Rate, now: int) -> int:
    """Until the call that is the rate's number of calls back counts no longer."""
    if len(times) < rate.calls:
        return 0
    return max(0, min(times[-rate.calls], now) + rate.counts_for - now)
