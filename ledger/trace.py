"""The one id of an event in every log line about it, from capture to entry: the reference of its entry. Pure.

It is known before there is an entry, and it is never refused: a document whose id cannot be part of an entry's number
is found in the logs all the same.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

from ledger.terms import EventKind

MOST = 100
"""So many traces stand in one line of the log; a longer list takes several lines."""


def trace_of(source_code: str, kind: str, external_id: str) -> str:
    """Such as `HR-T100123`."""
    return f"{source_code}-{EventKind(kind).letter}{external_id}"


def in_lines(traces: Iterable[str]) -> Iterator[Sequence[str]]:
    """The traces in lists that a line of the log has room for."""
    left = iter(traces)
    while block := list(islice(left, MOST)):
        yield block
