"""`bin/demo [--people] [--check [--cruel] [--stay]]`: see the README. Prepares the environment, then runs in it."""

import argparse
import os
import sys

import django
from django.utils.module_loading import import_string

from config.demo.answer import Answer
from config.demo.places import CannotStart, places


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="bin/demo", description="A month of real sales becomes journal entries, against the sandbox."
    )
    parser.add_argument("--check", action="store_true", help="in a temporary folder; end with one line of JSON")
    parser.add_argument("--stay", action="store_true", help="with --check: stay up after that line until Ctrl-C")
    parser.add_argument("--cruel", action="store_true", help="with the sandbox's cruelties and a few bad documents")
    parser.add_argument("--people", action="store_true", help="also print a one-time password for one person a role")
    given = parser.parse_args()
    if (given.stay or given.cruel) and not given.check:
        parser.error("--stay and --cruel go with --check")
    return given


def main() -> int:
    given = arguments()
    with Answer(owed=given.check) as answer:
        try:
            return _run(given, answer)
        except CannotStart as problem:
            answer.refuse(str(problem))
            return 1


def _run(given: argparse.Namespace, answer: Answer) -> int:
    with places(check=given.check) as where:
        os.environ.update(where.environment())
        django.setup()
        run = import_string("config.demo.run.run")
        stay = given.stay or not given.check
        return int(run(where, answer, check=given.check, stay=stay, cruel=given.cruel, passwords=given.people))


if __name__ == "__main__":
    sys.exit(main())
