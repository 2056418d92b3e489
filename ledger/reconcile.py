"""Comparing what we posted with what the accounting system shows. Pure; its product is differences."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal

from ledger.entries import difference, is_ours
from ledger.money import ZERO
from ledger.terms import Side
from ledger.values import Difference, OutgoingEntry, OutgoingLine, RemoteEntry


def reconcile(
    ours: Sequence[OutgoingEntry], theirs: Iterable[RemoteEntry], *, adopted: Mapping[str, str]
) -> list[Difference]:
    """Entries that are missing, doubled, changed, or bear our mark without being in our books.

    `adopted`: by reference, the id of somebody's own entry that a person took as ours; it must only be there still.
    """
    known = {entry.reference: entry for entry in ours}
    found: dict[str, list[RemoteEntry]] = defaultdict(list)
    ids: set[str] = set()
    for remote in theirs:
        ids.add(remote.remote_id)
        if is_ours(remote):
            found[remote.reference].append(remote)
    differences = [
        difference
        for entry in ours
        if adopted.get(entry.reference) not in ids
        for difference in _compare(entry, found[entry.reference])
    ]
    for reference in sorted(found.keys() - known.keys()):
        total = sum((_total(remote.lines) for remote in found[reference]), ZERO)
        sentence = f"{reference} stands in the accounting system but is not posted here."
        differences.append(Difference(reference, "unknown_here", sentence, theirs=total))
    return differences


def _compare(entry: OutgoingEntry, found: list[RemoteEntry]) -> list[Difference]:
    ours = _total(entry.lines)
    if not found:
        sentence = f"{entry.reference} was posted but is no longer in the accounting system."
        return [Difference(entry.reference, "missing", sentence, ours=ours)]
    if len(found) > 1:
        ids = ", ".join(remote.remote_id for remote in found)
        sentence = f"{entry.reference} stands in the accounting system {len(found)} times: entries {ids}."
        theirs = sum((_total(remote.lines) for remote in found), ZERO)
        return [Difference(entry.reference, "doubled", sentence, ours=ours, theirs=theirs)]
    changed = difference(entry, found[0])
    if not changed:
        return []
    sentence = f"{entry.reference} is entry {found[0].remote_id} there, {changed}."
    return [Difference(entry.reference, "changed", sentence, ours=ours, theirs=_total(found[0].lines))]


def _total(lines: Iterable[OutgoingLine]) -> Decimal:
    return sum((line.amount for line in lines if line.side is Side.DEBIT), ZERO)
