"""The count after a kill run, through the vendors' APIs alone: what the till holds against what the books show."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from sandbox.auditor import DATA, audit
from sandbox.auditor_books import Entry, read_books
from sandbox.auditor_http import Reader
from sandbox.auditor_rules import CREDIT, DEBIT, Plan
from sandbox.auditor_till import read_till


@dataclass(frozen=True)
class Count:
    """References by what is wrong with them, and the auditor's differences."""

    events: int
    nothing_to_post: int
    entries: int
    lost: list[str]
    doubled: list[str]
    strays: list[str]
    wrong_ids: list[str]
    unbalanced: list[str]
    differences: list[str]


def count(url: str, *, first: date, last: date, believed: Mapping[str, str]) -> Count:
    """Every ticket of these days that has an amount must be one entry of ours, and nothing else may be there.

    `believed`: the ids that the product keeps for its entries, by reference.
    """
    reader = Reader(url)
    try:
        tickets = read_till(reader, plan=Plan.read(DATA / "expected_accounts.json")).tickets.values()
        entries = read_books(reader).entries
    finally:
        reader.close()
    days = [one for one in tickets if one.financial and one.day and first <= one.day <= last]
    expected = {f"HR-T{ticket.id}" for ticket in days if ticket.amounts}
    found = Counter(entry.reference for entry in entries)
    return Count(
        events=len(days),
        nothing_to_post=len(days) - len(expected),
        entries=len(entries),
        lost=sorted(expected - found.keys()),
        doubled=sorted(reference for reference, times in found.items() if times > 1),
        strays=sorted(found.keys() - expected),
        wrong_ids=[entry.reference for entry in entries if believed.get(entry.reference) != entry.id],
        unbalanced=[entry.reference for entry in entries if not _balances(entry)],
        differences=list(audit(url, first=first, last=last)["examples"]),
    )


def _balances(entry: Entry) -> bool:
    return entry.sum_of(DEBIT) == entry.sum_of(CREDIT) > 0
