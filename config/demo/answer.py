"""The one line of JSON that `bin/demo --check` owes whoever called it, however the run ends."""

import json
from types import TracebackType
from typing import Any

from config.demo.places import say

COUNTED = ("events", "synced", "nothing_to_post", "errors", "entries", "debits", "credits", "differences")
ENDED = "The check was ended before it was done."


class Answer:
    """Printed once on standard output; when nothing was given until the end, the reason for that is."""

    def __init__(self, *, owed: bool) -> None:
        self.owed = owed
        self.problem = ENDED

    def __enter__(self) -> "Answer":
        return self

    def give(self, result: dict[str, Any]) -> None:
        """Print it, unless no answer is owed, or it was given before."""
        if self.owed:
            print(json.dumps(result), flush=True)
        self.owed = False

    def refuse(self, problem: str) -> None:
        """There will be no result: said to the person at once, and in the line."""
        say(problem)
        self.problem = problem

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is not None:
            self.problem = f"{type(error).__name__}: {error}"
        self.give(failure(self.problem))


def failure(problem: str) -> dict[str, Any]:
    """What `bin/demo --check` prints when it ended before there was anything to count."""
    unknown = dict.fromkeys(COUNTED)
    return {"ok": False, **unknown, "by_vendor": {"quickbooks": unknown}, "problems": [problem]}
