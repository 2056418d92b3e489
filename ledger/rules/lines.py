"""What every rule needs: signed amounts become sides, equal lines become one."""

from collections.abc import Iterable, Iterator
from decimal import Decimal

from ledger.money import cents
from ledger.terms import Dimension, Role, Side
from ledger.values import DraftLine

Dimensions = tuple[tuple[Dimension, str], ...]

_IN_ORDER = tuple(Dimension)
"""Walking the vocabulary itself is slow, and this is done for every line."""


def debit(role: Role, amount: Decimal, *, by: Dimensions = ()) -> DraftLine:
    """A debit for an amount above zero, a credit for one below: the sign decides the side."""
    return _line(role, Side.DEBIT, amount, by)


def credit(role: Role, amount: Decimal, *, by: Dimensions = ()) -> DraftLine:
    """A credit for an amount above zero, a debit for one below."""
    return _line(role, Side.CREDIT, amount, by)


def dims(**values: str) -> Dimensions:
    """Dimensions by their names, empty ones left out, in the order of the vocabulary."""
    return tuple((dimension, values[dimension]) for dimension in _IN_ORDER if values.get(dimension))


def merged(lines: Iterable[DraftLine]) -> list[DraftLine]:
    """One line for each role, side and dimensions, in order of appearance; zero lines are dropped."""
    sums: dict[tuple[Role, Side, Dimensions], Decimal] = {}
    for line in lines:
        key = (line.role, line.side, line.dimensions)
        sums[key] = sums.get(key, Decimal(0)) + line.amount
    return list(_nonzero(sums))


def _nonzero(sums: dict[tuple[Role, Side, Dimensions], Decimal]) -> Iterator[DraftLine]:
    for (role, side, dimensions), amount in sums.items():
        if amount:
            yield DraftLine(role, side, amount, dimensions)


def _line(role: Role, side: Side, amount: Decimal, by: Dimensions) -> DraftLine:
    rounded = cents(amount)
    return DraftLine(role, side if rounded >= 0 else side.other, abs(rounded), by)
