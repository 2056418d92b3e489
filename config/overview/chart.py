"""A bar a day, stacked by state: whole numbers of a drawing that the template writes down as SVG."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from config.overview.sums import States, Status

STACK = (
    Status.SYNCED,
    Status.PROCESSING,
    Status.NOT_SYNCED,
    Status.NEVER_SYNCED,
    Status.SET_ASIDE,
    Status.ERROR,
)
"""From the bottom upwards."""

WIDTH, HEIGHT = 420, 190
LEFT, TOP, BOTTOM = 36, 12, 22
PLOT = HEIGHT - TOP - BOTTOM
LEAST = 2
"""One event among thousands must still be seen."""


@dataclass(frozen=True)
class Segment:
    state: Status
    y: int
    height: int


@dataclass(frozen=True)
class Bar:
    """One day. `title` is what it says when it is pointed at."""

    x: int
    width: int
    segments: tuple[Segment, ...]
    title: str
    label: str
    middle: int


@dataclass(frozen=True)
class Tick:
    y: int
    label: str


@dataclass(frozen=True)
class Chart:
    bars: tuple[Bar, ...]
    ticks: tuple[Tick, ...]
    states: tuple[Status, ...]
    summary: str
    width: int = WIDTH
    height: int = HEIGHT
    left: int = LEFT
    bottom: int = HEIGHT - BOTTOM


def chart(days: Sequence[date], states_of: Mapping[date, States]) -> Chart:
    """The days from left to right; what stands in `states_of` for other days is left out."""
    known = {day: states_of.get(day, {}) for day in sorted(days)}
    counts = {day: sum(tally.events for tally in states.values()) for day, states in known.items()}
    top = _round_up(max(counts.values(), default=0))
    step = (WIDTH - LEFT) // max(1, len(known))
    bars = tuple(
        _bar(day, states, x=LEFT + number * step, step=step, top=top, is_named=(len(known) - 1 - number) % 7 == 0)
        for number, (day, states) in enumerate(known.items())
    )
    seen = tuple(s for s in STACK if any(s in states and states[s].events for states in known.values()))
    ticks = tuple(Tick(HEIGHT - BOTTOM - PLOT * part // 2, f"{top * part // 2:,}") for part in range(3))
    return Chart(bars, ticks, seen, _summary(known))


def _bar(day: date, states: States, *, x: int, step: int, top: int, is_named: bool) -> Bar:
    y, segments = HEIGHT - BOTTOM, []
    for state in STACK:
        events = states[state].events if state in states else 0
        if events:
            height = max(LEAST, PLOT * events // top)
            y -= height
            segments.append(Segment(state, y, height))
    title = f"{day:%b %-d}: {_in_words(states) or 'no event'}"
    label = f"{day:%b %-d}" if is_named else ""
    return Bar(x + 2, step - 3, tuple(segments), title, label, x + step // 2)


def _in_words(states: States) -> str:
    found = [(state, states[state].events) for state in STACK if state in states and states[state].events]
    return ", ".join(f"{events:,} {state.label}" for state, events in found)


def _summary(known: Mapping[date, States]) -> str:
    """What somebody hears who does not see the drawing."""
    sums = {s: sum(states[s].events for states in known.values() if s in states) for s in STACK}
    said = ", ".join(f"{events:,} {state.label}" for state, events in sums.items() if events)
    first, last = min(known), max(known)
    return f"Events by business date, {first:%b %-d} to {last:%b %-d}: {said or 'none'}. The table has each day."


def _round_up(most: int) -> int:
    """The top of the axis: an even number that people like to read."""
    if most <= 10:
        return next(step for step in (2, 4, 6, 8, 10) if step >= most)
    size = 1
    while most > 100 * size:
        size *= 10
    return next(step * size for step in (12, 16, 20, 24, 30, 40, 50, 60, 80, 100) if step * size >= most)
