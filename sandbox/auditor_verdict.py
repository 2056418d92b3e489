"""The comparison: what the till says should be in the books against what is there; a sentence for each."""

import datetime
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal

from sandbox.auditor_books import MARK, Books, Entry
from sandbox.auditor_rules import CREDIT, DEBIT, ZERO, Amounts
from sandbox.auditor_till import Ticket, Till

Sums = Mapping[tuple[str, datetime.date, str, str], Decimal]  # (store, day, account name, side)


@dataclass(frozen=True)
class Scope:
    """Which days are judged, and which tickets (cruel documents) had to stay out of the books."""

    first: datetime.date | None = None
    last: datetime.date | None = None
    started: datetime.datetime | None = None
    errors: frozenset[int] = frozenset()
    barred: frozenset[int] = frozenset()
    accounts: frozenset[str] = frozenset()  # the names the books must have, each once

    def covers(self, day: datetime.date | None) -> bool:
        if day is None:
            return True
        return (self.first is None or day >= self.first) and (self.last is None or day <= self.last)

    def judges(self, ticket: Ticket) -> bool:
        """A ticket completed while the audit runs is nobody's fault."""
        late = self.started and ticket.completed_at and ticket.completed_at > self.started
        return not late and self.covers(ticket.day)


@dataclass(frozen=True)
class Findings:
    tickets: list[Ticket]  # the financial ones that were looked at
    entries: list[Entry]  # ours
    differences: list[str]
    errors: list[int]
    nothing_to_post: int


def judge(till: Till, books: Books, *, scope: Scope) -> Findings:
    tickets = [one for one in till.tickets.values() if one.financial and scope.judges(one)]
    entries = [_named(one, books) for one in books.entries if _in_scope(one, till, scope=scope)]
    errors = sorted(one.id for one in tickets if one.id in scope.errors)
    bookable = [one for one in tickets if one.id not in scope.errors and not one.problem]
    return Findings(
        tickets=tickets,
        entries=entries,
        differences=[
            *_chart_differences(books, scope=scope),
            *_differences(tickets, bookable, entries, till=till, scope=scope),
        ],
        errors=errors,
        nothing_to_post=sum(1 for one in bookable if not one.amounts),
    )


def _chart_differences(books: Books, *, scope: Scope) -> Iterator[str]:
    """Accounts are compared by full name, so a name must mean one account."""
    names = Counter(books.account_names.values())
    for name in sorted(scope.accounts):
        if names[name] != 1:
            yield f"QuickBooks has {names[name]} accounts named {name!r} instead of one"


def _differences(
    tickets: list[Ticket], bookable: list[Ticket], entries: list[Entry], *, till: Till, scope: Scope
) -> Iterator[str]:
    by_ticket: dict[int | None, list[Entry]] = defaultdict(list)
    for entry in entries:
        by_ticket[entry.ticket].append(entry)
    for missing in sorted((scope.errors | scope.barred) - till.tickets.keys()):
        yield f"Ticket {missing} of the cruel documents is not at the till"
    for ticket in _unexpected(tickets, scope):
        yield f"{_title(ticket, till)}: cannot be booked, {ticket.problem}"
    for entry in entries:
        yield from _entry_alone(entry)
        yield from _entry_without_ticket(entry, till, scope=scope)
    for ticket in bookable:
        yield from _ticket_differences(ticket, by_ticket[ticket.id], till)
    yield from _sum_differences(_expected_sums(bookable), _booked_sums(entries, till), till)


def _unexpected(tickets: Iterable[Ticket], scope: Scope) -> Iterator[Ticket]:
    return (one for one in tickets if one.problem and one.id not in scope.errors)


def _entry_alone(entry: Entry) -> Iterator[str]:
    debits, credits = entry.sum_of(DEBIT), entry.sum_of(CREDIT)
    if debits != credits:
        yield f"{_label(entry)} does not balance: debits {debits}, credits {credits}"
    if not entry.note.startswith(f"{MARK}{entry.reference}]"):
        yield f"{_label(entry)} bears the mark of another one: {entry.note[:40]!r}"


def _entry_without_ticket(entry: Entry, till: Till, *, scope: Scope) -> Iterator[str]:
    ticket = till.tickets.get(entry.ticket) if entry.ticket is not None else None
    if ticket is None:
        yield f"{_label(entry)} belongs to no ticket of the till"
    elif ticket.id in scope.errors | scope.barred:
        yield f"{_label(entry)} should not exist: {_title(ticket, till)} was to stay out of the books"
    elif not ticket.financial:
        yield f"{_label(entry)} should not exist: {_title(ticket, till)} is not completed, or voided"
    elif ticket.problem:
        yield f"{_label(entry)} should not exist: {_title(ticket, till)} cannot be booked"


def _ticket_differences(ticket: Ticket, entries: list[Entry], till: Till) -> Iterator[str]:
    title = _title(ticket, till)
    if len(entries) > 1:
        yield f"{title}: {len(entries)} entries instead of one ({', '.join(_label(one) for one in entries)})"
    if entries and not ticket.amounts:
        yield f"{title}: nothing to post was expected, but there is {_label(entries[0])}"
    if ticket.amounts and not entries:
        yield f"{title}: no entry in QuickBooks"
    for entry in entries:
        if entry.day != ticket.day:
            yield f"{title}: {_label(entry)} is dated {entry.day}, the business date is {ticket.day}"
        yield from (f"{title}: {said}" for said in _amount_differences(ticket.amounts, entry.amounts))


def _amount_differences(expected: Amounts, booked: Amounts) -> Iterator[str]:
    for account, side in sorted(expected.keys() | booked.keys()):
        wanted, found = expected.get((account, side), ZERO), booked.get((account, side), ZERO)
        if wanted != found:
            yield f"{side} of {account} is {found} in QuickBooks, {wanted} expected"


def _sum_differences(expected: Sums, booked: Sums, till: Till) -> Iterator[str]:
    for key in sorted(expected.keys() | booked.keys()):
        wanted, found = expected.get(key, ZERO), booked.get(key, ZERO)
        if wanted != found:
            store, day, account, side = key
            yield f"{_store(store, till)}, {day}: {side} of {account} sums to {found}, {wanted} expected"


def _expected_sums(tickets: Iterable[Ticket]) -> Sums:
    sums: defaultdict[tuple[str, datetime.date, str, str], Decimal] = defaultdict(lambda: ZERO)
    for ticket in tickets:
        for (account, side), amount in ticket.amounts.items():
            assert ticket.day is not None  # a ticket without a day is not bookable
            sums[ticket.store, ticket.day, account, side] += amount
    return sums


def _booked_sums(entries: Iterable[Entry], till: Till) -> Sums:
    sums: defaultdict[tuple[str, datetime.date, str, str], Decimal] = defaultdict(lambda: ZERO)
    for entry in entries:
        ticket = till.tickets.get(entry.ticket) if entry.ticket is not None else None
        for (account, side), amount in entry.amounts.items():
            sums[ticket.store if ticket else "", entry.day, account, side] += amount
    return sums


def _in_scope(entry: Entry, till: Till, *, scope: Scope) -> bool:
    ticket = till.tickets.get(entry.ticket) if entry.ticket is not None else None
    return scope.judges(ticket) if ticket else scope.covers(entry.day)


def _named(entry: Entry, books: Books) -> Entry:
    """The same entry with account names in the place of account ids."""
    amounts: Amounts = {}
    for (account, side), amount in entry.amounts.items():
        amounts[books.account_names.get(account, f"unknown account {account}"), side] = amount
    return Entry(entry.id, entry.reference, entry.note, entry.day, entry.ticket, amounts)


def _label(entry: Entry) -> str:
    return f"entry {entry.reference or 'without number'} (id {entry.id})"


def _title(ticket: Ticket, till: Till) -> str:
    return f"Ticket {ticket.id} ({ticket.number}, {_store(ticket.store, till)}, {ticket.day})"


def _store(store: str, till: Till) -> str:
    return till.stores[store].name if store in till.stores else f"unknown store {store}"
