"""Sliding windows over the times of past calls: when is the next place free? Pure: times are given, in milliseconds.

A vendor counts a call when it arrives, which we do not see: it lies between sending and answer. So a call counts as one
of now while it is under way, and from its answer on for the length of the window. Then no window of the vendor's ever
holds too many, however long anything takes on the way (docs/decisions/0026-windows-in-a-row.md).
"""

from bisect import bisect_left, insort
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

MARGIN = 50
"""Milliseconds by which a call counts longer than the vendor's window, for clocks that do not go alike."""

LATEST_ARRIVAL = 2000
"""Milliseconds after sending by which a call has arrived; an answer may take longer, for the vendor works on it."""

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


@dataclass(frozen=True)
class Flight:
    """A call under way: when its place was taken, and until when it counts as under way if no answer comes."""

    kinds: tuple[str, ...]
    at: int
    until: int


@dataclass
class Calls:
    """The calls that still count. `times`: from when those that were answered count, by kind, ascending."""

    times: dict[str, list[int]] = field(default_factory=dict)
    flying: dict[str, Flight] = field(default_factory=dict)

    def forget(self, rates: Rates, *, now: int) -> None:
        """Drop what counts no longer."""
        self.follow_clock(now=now)
        lost = {name: flight.at for name, flight in self.flying.items() if flight.until <= now}
        for name, at in lost.items():
            self.leave(name, counts_from=min(at + LATEST_ARRIVAL, now))
        for kind, times in self.times.items():
            longest = max((rate.counts_for for rate in rates.get(kind, ())), default=0)
            self.times[kind] = times[bisect_left(times, now - longest + 1) :]

    def follow_clock(self, *, now: int) -> None:
        """What lies after now, of a clock that went back, becomes now; a call under way may last as long as before."""
        for kind, times in self.times.items():
            self.times[kind] = [min(time, now) for time in times]
        for name, flight in self.flying.items():
            if flight.at > now:
                self.flying[name] = Flight(flight.kinds, now, now + flight.until - flight.at)

    def wait(self, kinds: Sequence[str], limits: Limits, *, now: int) -> int:
        """Milliseconds until a call of all these kinds may have a place; 0 when it has one now."""
        waits = [self._wait(kind, rate, now) for kind in kinds for rate in limits.rates.get(kind, ())]
        if limits.in_flight and len(self.flying) >= limits.in_flight:
            waits.append(FULL)
        return max(waits, default=0)

    def enter(self, name: str, flight: Flight) -> None:
        self.flying[name] = flight

    def leave(self, name: str, *, counts_from: int) -> None:
        """The call is not under way any more. One that was given up already counts since then."""
        flight = self.flying.pop(name, None)
        for kind in flight.kinds if flight else ():
            insort(self.times.setdefault(kind, []), counts_from)

    def within(self, kind: str, rate: Rate, *, now: int) -> int:
        """How many places of a rate are taken now."""
        times = self.times.get(kind, [])
        return len(times) - bisect_left(times, now - rate.counts_for + 1) + sum(1 for _ in self._under_way(kind))

    def _wait(self, kind: str, rate: Rate, now: int) -> int:
        """Until the call that is the rate's number of calls back counts no longer."""
        times = [*self.times.get(kind, ()), *(now for _ in self._under_way(kind))]
        return max(0, times[-rate.calls] + rate.counts_for - now) if len(times) >= rate.calls else 0

    def _under_way(self, kind: str) -> Iterator[Flight]:
        return (flight for flight in self.flying.values() if kind in flight.kinds)
