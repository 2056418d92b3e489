"""What holds for every entry: balance, names, and whether one found there is ours."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger import entries
from ledger.errors import UnbalancedEntry, Unsupported
from ledger.reconcile import reconcile
from ledger.terms import Dimension, EventKind, Role, Side
from ledger.values import DraftLine, OutgoingEntry, OutgoingLine, RemoteEntry
from tests.trade import sums

CODES = st.sampled_from(["1", "2", "3"])
POSITIVE = st.integers(1, 500_000).map(lambda units: Decimal(units).scaleb(-2))
LINES = st.builds(
    DraftLine,
    role=st.sampled_from(list(Role)),
    side=st.sampled_from(list(Side)),
    amount=POSITIVE,
    dimensions=st.sampled_from([(), ((Dimension.TENDER, "1"),), ((Dimension.ITEM_CLASS, "2"),)]),
)


# --- Entries --------------------------------------------------------------------------------------


@given(st.lists(LINES))
def test_a_balance_is_told_or_refused(lines: list[DraftLine]) -> None:
    difference = sum(sums(lines).values(), Decimal(0))
    if difference or len(lines) < 2:
        with pytest.raises(UnbalancedEntry):
            entries.balanced(lines)
    else:
        assert 2 * entries.balanced(lines) == sum(line.amount for line in lines)


@given(st.text(max_size=4), st.text(max_size=25), st.text(max_size=4))
def test_a_reference_fits_every_vendor_or_is_refused(source: str, external_id: str, suffix: str) -> None:
    try:
        reference = entries.reference_of(source, EventKind.TICKET, external_id, suffix=suffix)
    except Unsupported:
        return
    assert len(reference) <= 21
    assert set(reference) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-")


@given(st.integers(1, 10**12), st.integers(1, 10**12))
def test_two_documents_never_share_a_reference(one: int, other: int) -> None:
    names = {entries.reference_of("HR", EventKind.TICKET, str(n)) for n in (one, other)}
    assert len(names) == len({one, other})


def test_the_reference_of_a_ticket_is_as_it_was_agreed() -> None:
    assert entries.reference_of("HR", EventKind.TICKET, "100123") == "HR-T100123"
    assert entries.reference_of("HR", EventKind.TICKET, "100123", suffix="R1") == "HR-T100123-R1"


# --- Theirs and ours ------------------------------------------------------------------------------

OUTGOING = st.lists(
    st.builds(OutgoingLine, CODES, st.sampled_from(list(Side)), POSITIVE, st.sampled_from(["", "Sales"])),
    min_size=2,
    max_size=5,
)
DAY = date(2010, 12, 14)


def outgoing(n: int, lines: Sequence[OutgoingLine]) -> OutgoingEntry:
    reference = f"HR-T{n}"
    return OutgoingEntry(reference, "key", DAY, "USD", f"[Daybook {reference}] a sale", tuple(lines))


def there(entry: OutgoingEntry, *, remote_id: str = "1") -> RemoteEntry:
    return RemoteEntry(remote_id, entry.reference, entry.posting_date, entry.memo, entry.lines)


@given(OUTGOING)
def test_what_is_sent_merged_is_worth_the_same(lines: list[OutgoingLine]) -> None:
    once = entries.merged_for_sending(lines)
    assert entries.sums_by_account(once) == entries.sums_by_account(lines)
    assert len({(line.account, line.side, line.text) for line in once}) == len(once)


@given(OUTGOING, st.randoms())
def test_an_entry_is_ours_however_its_lines_are_split_and_ordered(lines: list[OutgoingLine], chance: Random) -> None:
    entry = outgoing(1, lines)
    halves = [replace(line, amount=line.amount - Decimal("0.01")) for line in lines if line.amount > Decimal("0.01")]
    pennies = [replace(line, amount=Decimal("0.01")) for line in lines]
    apart = [*halves, *pennies]
    chance.shuffle(apart)
    assert entries.difference(entry, replace(there(entry), lines=tuple(apart))) == ""


def test_what_differs_is_said() -> None:
    lines = (OutgoingLine("1", Side.DEBIT, Decimal(5)), OutgoingLine("2", Side.CREDIT, Decimal(5)))
    entry = outgoing(1, lines)
    later = replace(there(entry), posting_date=DAY + timedelta(days=1))
    other = replace(there(entry), lines=(replace(lines[0], account="3"), lines[1]))
    swapped = replace(there(entry), lines=(replace(lines[0], side=Side.CREDIT), replace(lines[1], side=Side.DEBIT)))
    assert "date 2010-12-15 instead of 2010-12-14" in entries.difference(entry, later)
    assert (
        entries.difference(entry, other) == entries.difference(entry, swapped) == "whose lines differ from this event's"
    )
    assert entries.difference(entry, replace(there(entry), memo="by hand")) == "which Daybook did not write"


def test_the_mark_of_a_longer_number_is_not_ours() -> None:
    entry = outgoing(1, ())
    assert not entries.is_ours(replace(there(entry), memo="[Daybook HR-T11] a sale"))


CASES: dict[str, str | None] = {
    "same": None,
    "adopted": None,
    "missing": "missing",
    "adopted and gone": "missing",
    "doubled": "doubled",
    "changed": "changed",
    "unknown": "unknown_here",
}
"""What may have become of an entry over there, and the difference that this is."""


def as_it_became(entry: OutgoingEntry, case: str) -> list[RemoteEntry]:
    remote = there(entry, remote_id=entry.reference)
    amended = (replace(entry.lines[0], amount=entry.lines[0].amount + 1), *entry.lines[1:])
    became = {
        "adopted": [replace(remote, memo="by hand", lines=amended)],
        "missing": [],
        "adopted and gone": [],
        "doubled": [remote, replace(remote, remote_id="twin")],
        "changed": [replace(remote, lines=amended)],
    }
    return became.get(case, [remote])


@given(st.lists(st.tuples(OUTGOING, st.sampled_from(list(CASES))), max_size=8))
def test_reconciling_finds_exactly_the_differences_that_are_there(cases: list[tuple[list[OutgoingLine], str]]) -> None:
    entries_of = [(outgoing(n, lines), case) for n, (lines, case) in enumerate(cases)]
    theirs = [remote for entry, case in entries_of for remote in as_it_became(entry, case)]
    found = reconcile(
        [entry for entry, case in entries_of if case != "unknown"],
        [*theirs, RemoteEntry("stranger", "HR-T1", DAY, "by hand", ())],
        adopted={entry.reference: entry.reference for entry, case in entries_of if case.startswith("adopted")},
    )
    expected = {entry.reference: CASES[case] for entry, case in entries_of if CASES[case]}
    assert {difference.reference: difference.kind for difference in found} == expected
