"""`python -m benchmarks.chaos --on postgres-redis --events 10000 --kills 200`: the kill run, with larger numbers.

On SQLite (one machine), or on PostgreSQL with the ORM broker or Redis, where machines are process trees of the
supervisor on one database. The servers are the run's own: PostgreSQL and Redis must be installed, not running. Prints
one line for each run, and ends at the first one that lost or doubled something: with the schedule as it was carried
out, and the command that draws the same plan again. The plan follows from the seed alone; how far each process has
come at a moment does not, so a failure may need more than one repetition.

`--without look-up` takes that rule out of the product: then the run must fail, or it proves nothing.
"""

import argparse
import sys
from dataclasses import replace
from random import randrange

from tests.journeys.killing_app import LOOK_UP
from tests.journeys.killing_ground import WRONG, RunFailed, carry_out, sentence
from tests.journeys.killing_plan import PLACES, SQLITE, Trial, draw

SECONDS_AN_EVENT, SECONDS_A_KILL = 0.3, 10.0
"""The most a run may take: it is bound by the 40 calls a minute of 30 entries each that QuickBooks allows."""


def main() -> int:
    given = arguments()
    machines = 1 if given.on == SQLITE else given.machines
    if machines < given.machines:
        print("SQLite serves one machine: the run has one.", file=sys.stderr)
    seed = randrange(1_000_000) if given.seed is None else given.seed
    first = Trial(seed, given.on, given.events, given.kills, machines, given.without)
    if given.plan:
        print(*draw(first), sep="\n")
        return 0
    return next((1 for number in range(given.runs) if not holds(replace(first, seed=seed + number))), 0)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.chaos", description=__doc__)
    parser.add_argument("--on", choices=PLACES, default=SQLITE)
    parser.add_argument("--events", type=int, default=1000)
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--machines", type=int, default=2)
    parser.add_argument("--runs", type=int, default=1)
    parser.add_argument("--seed", type=int, help="of the first run; the next ones count on")
    parser.add_argument("--plan", action="store_true", help="only say what would happen when")
    parser.add_argument("--without", choices=(LOOK_UP,), default="", help=argparse.SUPPRESS)
    return parser.parse_args()


def holds(trial: Trial) -> bool:
    """Whether every event became one entry, and nothing else did."""
    try:
        figures = carry_out(trial, seconds=300 + trial.events * SECONDS_AN_EVENT + trial.kills * SECONDS_A_KILL)
    except RunFailed as failure:
        print(f"The run did not come to its end. Again: {failure}", file=sys.stderr)
        return False
    print(sentence(figures), flush=True)
    wrong = {name: figures[name] for name in WRONG if figures[name]}
    if wrong or figures["ordered"] != figures["events"]:
        print(*figures["schedule"], wrong, *figures["stories"], f"Again: {trial.command}", sep="\n", file=sys.stderr)
        return False
    return True


if __name__ == "__main__":
    sys.exit(main())
