"""Tickets and entries in the trade's language: a short call makes a ticket, a small table says what is booked."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from itertools import count
from typing import Any

from ledger import rules
from ledger.errors import Flaw, Unreadable
from ledger.journal.readings import Reading
from ledger.terms import EventKind, Side
from ledger.values import Document, DraftLine, EventFacts, EventHeader, ItemFact, TaxFact, TenderFact

NOON = datetime(2010, 12, 14, 17, 0, tzinfo=UTC)
_ids = count(810001)


def new_id() -> str:
    """A document id that no other test uses."""
    return str(next(_ids))


def item(
    value: str, *, qty: str = "1", cost: str | None = "8.00", kind: str = "1", tracked: bool = True, name: str = "Lamp"
) -> ItemFact:
    """An item line: extended price, quantity, unit cost, item class."""
    unit_cost = None if cost is None else Decimal(cost)
    return ItemFact(kind, Decimal(qty), Decimal(value), tracked, name, unit_cost)


def tax(value: str, *, place: str = "1") -> TaxFact:
    return TaxFact(place, Decimal(value))


def paid(amount: str, *, by: str = "1", deposit: bool = False) -> TenderFact:
    """Money taken, or handed out below zero; tender 1 is cash, 2 Visa, 5 the gift card."""
    return TenderFact(by, Decimal(amount), deposit)


def ticket(
    *lines: ItemFact | TaxFact | TenderFact,
    total: str | None = None,
    external_id: str = "",
    store: str | None = "100001",
    day: date = date(2010, 12, 14),
    at: datetime = NOON,
    balance: str | None = None,
    **parts: Any,
) -> EventFacts:
    """A ticket of these lines; its total is the sum of what was sold unless it is said."""
    sold = [line.value for line in lines if not isinstance(line, TenderFact)]
    amounts = [*sold, *(value for key in ("shipping", "gift_cards", "tips") for value in parts.get(key, ()))]
    sum_of_parts = sum(amounts, Decimal(0)) if total is None else Decimal(total)
    external_id = external_id or new_id()
    header = EventHeader(EventKind.TICKET, external_id, f"T{external_id}", store, day, at, sum_of_parts)
    return EventFacts(
        header=header,
        currency=parts.pop("currency", "USD"),
        total=sum_of_parts,
        items=tuple(line for line in lines if isinstance(line, ItemFact)),
        taxes=tuple(line for line in lines if isinstance(line, TaxFact)),
        tenders=tuple(line for line in lines if isinstance(line, TenderFact)),
        gift_card_tender=parts.pop("gift_card_tender", "5"),
        balance=None if balance is None else Decimal(balance),
        **parts,
    )


def sale(value: str = "20.00", *, external_id: str = "", **header: Any) -> EventFacts:
    """A cash sale of one lamp that cost 8.00."""
    return ticket(item(value), paid(value), external_id=external_id, **header)


def reading(facts: EventFacts, *, updated_at: datetime = NOON) -> Reading:
    """The ticket as the capture hands it to the journal."""
    header = facts.header
    raw = json.dumps({"id": header.external_id, "seen": updated_at.isoformat()}).encode()
    return Reading(Document(header.kind, header.external_id, updated_at, raw), facts=facts)


def unreadable(
    external_id: str, *, what: str = "its total is missing.", readable: bool = False, flaw: Flaw | None = None
) -> Reading:
    """A ticket that cannot be read; `readable` leaves its header, `flaw` says what is wrong with it."""
    header = sale(external_id=external_id).header if readable else None
    problem = Unreadable(f"Ticket T{external_id}", what, header=header, flaw=flaw)
    return Reading(Document(EventKind.TICKET, external_id, NOON, b'{"broken": true}'), problem=problem)


def changed(facts: EventFacts, *lines: ItemFact | TaxFact | TenderFact) -> EventFacts:
    """The same document with other lines."""
    other = ticket(*lines, external_id=facts.header.external_id)
    return replace(other, header=replace(facts.header, total=other.total))


# --- Entries as tables ----------------------------------------------------------------------------


def booked(facts: EventFacts, *, post_cost: bool = True) -> list[str]:
    """What the rules make of a ticket, a line of text for each line, in alphabetical order."""
    return shown(rules.draft(facts, post_cost=post_cost))


def shown(lines: Iterable[DraftLine]) -> list[str]:
    return sorted(_row(line) for line in lines)


def _row(line: DraftLine) -> str:
    side = "Dr" if line.side is Side.DEBIT else "Cr"
    return " ".join([side, line.role.value, *(code for _, code in line.dimensions), f"{line.amount:.2f}"])


def table(text: str) -> list[str]:
    """A table as it is written in a test: one line each, `Dr tender 1  30.00`."""
    return sorted(" ".join(row.split()) for row in text.strip().splitlines())


def sums(lines: Sequence[DraftLine]) -> dict[tuple[Any, ...], Decimal]:
    """Debits less credits by role and dimensions."""
    totals: dict[tuple[Any, ...], Decimal] = {}
    for line in lines:
        key = (line.role, line.dimensions)
        totals[key] = totals.get(key, Decimal(0)) + (line.amount if line.side is Side.DEBIT else -line.amount)
    return {key: amount for key, amount in totals.items() if amount}
