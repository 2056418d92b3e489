"""What holds for every ticket and every entry, not only for those that somebody thought of."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger import entries
from ledger import facts as facts_json
from ledger.errors import UnbalancedEntry, Unreadable, Unsupported
from ledger.reconcile import reconcile
from ledger.rules import draft
from ledger.rules.lines import merged
from ledger.terms import Dimension, EventKind, Role, Side
from ledger.values import (
    DraftLine,
    EventFacts,
    EventHeader,
    ItemFact,
    OutgoingEntry,
    OutgoingLine,
    RemoteEntry,
    TaxFact,
    TenderFact,
)
from tests.trade import sums

AMOUNTS = st.integers(-500_000, 500_000).map(lambda units: Decimal(units).scaleb(-2))
POSITIVE = st.integers(1, 500_000).map(lambda units: Decimal(units).scaleb(-2))
COSTS = st.none() | st.integers(0, 99_999).map(lambda units: Decimal(units).scaleb(-4))
CODES = st.sampled_from(["1", "2", "3"])
TEXTS = st.text(max_size=12)
MOMENTS = st.datetimes(datetime(2010, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC))
ITEMS = st.builds(
    ItemFact,
    item_class=CODES,
    quantity=st.integers(-9, 9).map(Decimal),
    value=AMOUNTS,
    tracked=st.booleans(),
    name=TEXTS,
    unit_cost=COSTS,
    category=st.sampled_from(["", "Town"]),
)
TAXES = st.builds(TaxFact, CODES, AMOUNTS)
TENDERS = st.builds(TenderFact, CODES, AMOUNTS, st.booleans())
HEADERS = st.builds(
    EventHeader,
    kind=st.just(EventKind.TICKET),
    external_id=st.integers(1, 10**9).map(str),
    number=TEXTS,
    store_external_id=st.none() | CODES,
    business_date=st.none() | st.dates(),
    completed_at=st.none() | MOMENTS,
    total=st.none() | AMOUNTS,
)


def listed(values: "st.SearchStrategy[object]") -> "st.SearchStrategy[tuple[object, ...]]":
    return st.lists(values, max_size=4).map(tuple)


FACTS = st.builds(
    EventFacts,
    header=HEADERS,
    currency=st.just("USD"),
    total=AMOUNTS,
    items=listed(ITEMS),
    taxes=listed(TAXES),
    shipping=listed(AMOUNTS),
    gift_cards=listed(AMOUNTS),
    gift_card_tender=st.sampled_from(["", "5"]),
    tips=listed(AMOUNTS),
    tenders=listed(TENDERS),
    balance=st.none() | AMOUNTS,
    voided=st.booleans(),
    original_external_id=TEXTS,
)
LINES = st.builds(
    DraftLine,
    role=st.sampled_from(list(Role)),
    side=st.sampled_from(list(Side)),
    amount=POSITIVE,
    dimensions=st.sampled_from([(), ((Dimension.TENDER, "1"),), ((Dimension.ITEM_CLASS, "2"),)]),
)


@st.composite
def whole_tickets(pick: st.DrawFn) -> EventFacts:
    """Tickets whose total is what was sold, give or take a rounding, and whose payments are as they fall."""
    facts = pick(FACTS.map(lambda one: replace(one, voided=False, balance=None)))
    values = [each.value for each in (*facts.items, *facts.taxes)]
    sold = sum([*values, *facts.shipping, *facts.gift_cards, *facts.tips], Decimal(0))
    return replace(facts, total=sold + pick(st.integers(-5, 5).map(lambda units: Decimal(units).scaleb(-2))))


# --- Drafts ---------------------------------------------------------------------------------------


@given(FACTS | whole_tickets(), st.booleans())
def test_every_draft_that_is_not_refused_balances(facts: EventFacts, post_cost: bool) -> None:
    try:
        lines = draft(facts, post_cost=post_cost)
    except Unreadable:
        return
    assert not lines or entries.balanced(lines) > 0


@given(whole_tickets())
def test_a_ticket_that_adds_up_is_never_refused_for_its_amounts(facts: EventFacts) -> None:
    lines = draft(facts, post_cost=False)
    assert sum((amount for amount in sums(lines).values()), Decimal(0)) == 0


@given(whole_tickets())
def test_cost_never_touches_what_was_sold(facts: EventFacts) -> None:
    costed = replace(facts, items=tuple(replace(each, unit_cost=Decimal("2.50")) for each in facts.items))
    cost = {Role.COGS, Role.INVENTORY_ON_HAND}
    with_cost = [line for line in draft(costed, post_cost=True) if line.role not in cost]
    assert with_cost == draft(costed, post_cost=False)


@given(st.lists(LINES))
def test_merging_keeps_sums_and_leaves_no_two_alike(lines: list[DraftLine]) -> None:
    once = merged(lines)
    keys = [(line.role, line.side, line.dimensions) for line in once]
    assert sums(once) == sums(lines)
    assert len(keys) == len(set(keys))
    assert merged(once) == once


# --- Facts ----------------------------------------------------------------------------------------


@given(FACTS)
def test_facts_as_json_and_back_are_the_same_facts(facts: EventFacts) -> None:
    plain = facts_json.to_json(facts)
    assert facts_json.from_json(plain) == facts
    assert facts_json.to_json(facts_json.from_json(plain)) == plain


@given(FACTS, st.randoms())
def test_the_hash_does_not_depend_on_the_order_of_the_keys(facts: EventFacts, chance: "st.random.Random") -> None:
    plain = facts_json.to_json(facts)
    keys = list(plain)
    chance.shuffle(keys)
    assert facts_json.facts_hash({key: plain[key] for key in keys}) == facts_json.facts_hash(plain)


CHANGES = {
    "total": lambda facts: replace(facts, total=facts.total + 1),
    "currency": lambda facts: replace(facts, currency="CAD"),
    "voided": lambda facts: replace(facts, voided=not facts.voided),
    "balance": lambda facts: replace(facts, balance=(facts.balance or Decimal(0)) + 1),
    "a tender": lambda facts: replace(facts, tenders=(*facts.tenders, TenderFact("1", Decimal("1.00")))),
    "a deposit": lambda facts: replace(facts, tenders=(TenderFact("7", Decimal("1.00"), True),)),
    "a tax": lambda facts: replace(facts, taxes=(*facts.taxes, TaxFact("1", Decimal("0.01")))),
    "shipping": lambda facts: replace(facts, shipping=(*facts.shipping, Decimal("1.00"))),
    "store": lambda facts: replace(facts, header=replace(facts.header, store_external_id="elsewhere")),
    "day": lambda facts: replace(facts, header=replace(facts.header, business_date=date(1999, 1, 1))),
    "time": lambda facts: replace(facts, header=replace(facts.header, completed_at=datetime(1999, 1, 1, tzinfo=UTC))),
}


@pytest.mark.parametrize("what", CHANGES)
@given(facts=FACTS)
def test_the_hash_tells_every_financial_change(what: str, facts: EventFacts) -> None:
    before = facts_json.facts_hash(facts_json.to_json(facts))
    assert facts_json.facts_hash(facts_json.to_json(CHANGES[what](facts))) != before


@given(FACTS, TEXTS)
def test_the_name_of_an_item_is_no_financial_change(facts: EventFacts, name: str) -> None:
    renamed = replace(facts, items=tuple(replace(each, name=name) for each in facts.items))
    same = facts_json.facts_hash(facts_json.to_json(renamed))
    assert same == facts_json.facts_hash(facts_json.to_json(facts))


# --- Entries --------------------------------------------------------------------------------------


@given(st.lists(LINES))
def test_an_entry_reversed_twice_is_the_entry(lines: list[DraftLine]) -> None:
    assert entries.reversed_lines(entries.reversed_lines(lines)) == lines


@given(st.lists(LINES))
def test_an_entry_and_its_reversal_are_zero_on_every_account(lines: list[DraftLine]) -> None:
    assert sums([*lines, *entries.reversed_lines(lines)]) == {}


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
def test_an_entry_is_ours_however_its_lines_are_split_and_ordered(
    lines: list[OutgoingLine], chance: "st.random.Random"
) -> None:
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


def test_a_period_is_closed_through_its_last_day() -> None:
    assert not entries.is_open(DAY, closed_through=DAY)
    assert entries.is_open(DAY, closed_through=DAY - timedelta(days=1))
    assert entries.is_open(DAY, closed_through=None)
