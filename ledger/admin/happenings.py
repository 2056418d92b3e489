"""One thing that happened to an event or an entry, as its page tells it."""

from dataclasses import dataclass, field
from datetime import datetime

from ledger.admin.changes import Change

GOOD, BAD, PLAIN = "good", "bad", "plain"


@dataclass(frozen=True)
class Happening:
    """When, what in a sentence, and what stands behind it.

    `lines`: our own sentences. `said`: the other system's words. `ids`: for who looks something up. `until`: when it
    ended, for what lasts. `place` orders what happened in the same moment.
    """

    at: datetime
    what: str
    tone: str = PLAIN
    lines: tuple[str, ...] = ()
    more: tuple[str, ...] = ()
    said: str = ""
    ids: tuple[str, ...] = ()
    changes: tuple[Change, ...] = ()
    link: str = ""
    link_words: str = ""
    abroad: bool = False
    place: int = field(default=50, compare=False)

    @property
    def mark(self) -> str:
        """The tone as a sign, so that it is not told by colour alone."""
        return {GOOD: "\u2713", BAD: "\u26a0"}.get(self.tone, "\u2022")


def in_order(happenings: list[Happening]) -> list[Happening]:
    """As they happened."""
    return sorted(happenings, key=lambda one: (one.at, one.place))
