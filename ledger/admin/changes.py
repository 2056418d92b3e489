"""Before and after, side by side, in words: of a document that changed, and of a deed in the audit."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ledger.terms import SyncState

STATES = {state.value: state.label for state in SyncState}
MOST = 200
"""So many rows a page shows; the raw values have the rest."""


@dataclass(frozen=True)
class Change:
    """One value before and after; empty where it was not told."""

    what: str
    before: str
    after: str

    @property
    def changed(self) -> bool:
        """Told on both sides, and not the same."""
        return self.before != self.after and bool(self.before and self.after)


def side_by_side(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Change]:
    """Every value of either, those of the same name in one row."""
    was, became = dict(_rows(before)), dict(_rows(after))
    names = list(dict.fromkeys([*was, *became]))
    return [Change(name, was.get(name, ""), became.get(name, "")) for name in names[:MOST]]


def _rows(values: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """A value for each row; what is nested gets a longer name."""
    if isinstance(values, Mapping) and values:
        for name, value in values.items():
            words = _words(str(name)) if not path else str(name).replace("_", " ")
            yield from _rows(value, f"{path}, {words}" if path else words)
    elif isinstance(values, list) and any(isinstance(value, dict | list) for value in values):
        for place, value in enumerate(values, start=1):
            yield f"{path} {place}", _line(value)
    elif path:
        yield path, _said(values)


def _words(name: str) -> str:
    """A column's name as people read it; what is written out already stays as it is."""
    return name.replace("_", " ").capitalize() if name.islower() else name


def _line(value: Any) -> str:
    """One row of a list on one line."""
    if isinstance(value, Mapping):
        return ", ".join(
            f"{name.replace('_', ' ')} {_said(one)}" for name, one in value.items() if one not in ("", None)
        )
    return _said(value)


def _said(value: Any) -> str:
    match value:
        case str() if value in STATES:
            return STATES[value]
        case bool():
            return "yes" if value else "no"
        case None | "" | [] | {}:
            return "-"
        case list():
            return ", ".join(_said(one) for one in value)
        case _:
            return str(value)


def only_different(changes: Iterable[Change]) -> list[Change]:
    """Without the rows that say the same twice."""
    return [change for change in changes if change.before != change.after]
