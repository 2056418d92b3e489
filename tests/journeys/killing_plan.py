"""The plan of a kill run: every death, restart and mood of the vendor, drawn from the seed before the run begins.

Moments are counted in postings that are marked, not in seconds, so that a seed writes the same plan on any machine.
What cannot be replayed is how far each process has come at such a moment, and which of two workers gets there first.
"""

import random
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass

SQLITE, POSTGRES, POSTGRES_REDIS = "sqlite", "postgres", "postgres-redis"
PLACES = (SQLITE, POSTGRES, POSTGRES_REDIS)
DEATHS = ("worker", "member", "parent", "cluster", "web", "supervisor", "machine")
"""What counts as a kill; restarts of the servers and of the vendor come on top."""

OTHERS = {"member": 14, "parent": 18, "cluster": 9, "web": 12, "supervisor": 25, "machine": 25}
"""One kill in so many; all others are workers in the middle of a call."""

EARLIEST, LATEST = 0.02, 0.9
"""Between these shares of the postings something happens; then the rest is posted in peace."""

ENOUGH = 900
"""So many events are there in the first weeks of the till, which are enough for a short run."""

WHILE_CAPTURING = 4
MOODS = ("lossy", "hanging", "throttling", "forgetful")


@dataclass(frozen=True)
class Trial:
    """What a run is asked to do; `without`: what is taken out of the product to see the run fail, else empty."""

    seed: int
    on: str
    events: int
    kills: int
    machines: int
    without: str = ""

    @property
    def command(self) -> str:
        words = [f"--on {self.on} --events {self.events} --kills {self.kills} --machines {self.machines}"]
        words += [f"--seed {self.seed}"] + ([f"--without {self.without}"] if self.without else [])
        return " ".join(["python -m benchmarks.chaos", *words])

    @property
    def record(self) -> Mapping[str, int | str]:
        return asdict(self)


@dataclass(frozen=True)
class Blow:
    """One thing that happens: `wait` seconds after so many postings; -1: while the till is captured.

    `pick` chooses among the processes that are there, `how` says more (the way of a restart, the name of a mood), and
    `delay` is for how many seconds a worker that has begun a call is left alive.
    """

    after: int
    wait: float
    victim: str
    machine: int
    pick: float
    delay: float
    how: str = ""

    def __str__(self) -> str:
        where = f" on machine {self.machine + 1}" if self.victim in DEATHS else ""
        moment = "while capturing" if self.after < 0 else f"after {self.after} postings"
        return f"{moment} + {self.wait:.2f} s: {self.victim}{where}{self.how and ' ' + self.how}"


def draw(trial: Trial, *, restarts: bool = True) -> list[Blow]:
    """The whole plan in its order. `restarts`: whether the database and Redis are the run's own."""
    chance = random.Random(trial.seed)
    moments = [round(chance.uniform(EARLIEST, LATEST) * trial.events) for _ in range(max(2, trial.kills // 2))]
    capturing = [_blow(trial, chance, "worker", -1) for _ in range(WHILE_CAPTURING)]
    later = [_blow(trial, chance, victim, chance.choice(moments)) for victim in _deaths(trial.kills)[WHILE_CAPTURING:]]
    later += [_blow(trial, chance, victim, chance.choice(moments), how) for victim, how in _restarts(trial, restarts)]
    later += [_blow(trial, chance, "mood", at, how) for at, how in _moods(trial, chance)]
    return [*capturing, *sorted(later, key=lambda blow: blow.after)]


def _blow(trial: Trial, chance: random.Random, victim: str, after: int, how: str = "") -> Blow:
    machine, pick = chance.randrange(trial.machines), chance.random()
    return Blow(after, chance.uniform(0.1, 1.0), victim, machine, pick, chance.uniform(0.0, 0.5), how)


def _deaths(kills: int) -> list[str]:
    """Workers first, for the till is captured while some of them die."""
    others = [victim for victim, one_in in OTHERS.items() for _ in range(max(1, kills // one_in))]
    return ["worker"] * (kills - len(others)) + others


def _restarts(trial: Trial, own: bool) -> Iterator[tuple[str, str]]:
    """The vendor dies on every run; a server's restarts are half of them a crash."""
    times = max(1, trial.kills // 50)
    yield from [("vendor", "")] * (times + 2)
    if own and trial.on != SQLITE:
        yield from [("database", "fast"), ("database", "immediate")] * times
    if own and trial.on == POSTGRES_REDIS:
        yield from [("redis", "")] * (times + 1)


def _moods(trial: Trial, chance: random.Random) -> Iterator[tuple[int, str]]:
    """The vendor begins lossy; all moods come, in an order of the seed, twice in a long run."""
    moods = list(MOODS) * (1 if trial.events < 2000 else 2)
    chance.shuffle(moods)
    for number, mood in enumerate(moods):
        yield round(trial.events * LATEST * number / len(moods)), mood
