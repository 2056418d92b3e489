"""The circumstances of a deed: from which address and by which way it came. Bound for the length of a request.

Whoever takes requests binds them; the audit reads them, so that no view has to hand them on.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from enum import StrEnum


class Way(StrEnum):
    """How a deed reached Daybook; `own`: a task or a command, outside of any request."""

    SCREEN = "screen"
    API = "api"
    OWN = "own"

    @property
    def label(self) -> str:
        return {"screen": "Screen", "api": "API", "own": "Command or task"}[self.value]


@dataclass(frozen=True)
class Circumstances:
    """By which way, and from which address; that is empty outside of any request."""

    way: Way = Way.OWN
    address: str = ""


OUTSIDE = Circumstances()
_now: ContextVar[Circumstances] = ContextVar("circumstances", default=OUTSIDE)


def circumstances() -> Circumstances:
    """Those of this moment."""
    return _now.get()


@contextmanager
def under(way: Way, *, address: str) -> Iterator[None]:
    """What is done inside came this way."""
    before = _now.set(Circumstances(way, address))
    try:
        yield
    finally:
        _now.reset(before)
