"""`python -m benchmarks.chaos --runs 5 --kills 100`: the kill run of the tests again and again, with larger numbers.

On SQLite, or on a fresh database beside DATABASE_URL with REDIS_URL. One line for each run; ends at the first
run that lost or doubled something.
"""

import argparse
import sys
from random import randrange

from tests.journeys.killing_ground import carry_out, sentence

WRONG = ("lost", "doubled", "strays", "wrong_ids", "unbalanced", "differences", "trouble")
SECONDS_A_KILL = 8.0


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.chaos", description=__doc__)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--seed", type=int, help="of the first run; the next ones count on")
    given = parser.parse_args()
    first = randrange(1_000_000) if given.seed is None else given.seed
    for seed in range(first, first + given.runs):
        figures = carry_out(seed=seed, kills=given.kills, seconds=given.kills * SECONDS_A_KILL)
        print(sentence(figures), flush=True)
        wrong = {name: figures[name] for name in WRONG if figures[name]}
        if wrong:
            print(wrong, file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
