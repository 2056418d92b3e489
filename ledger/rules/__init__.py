"""Which lines an event has: one module per kind of event, each with `draft(facts, *, post_cost)`. Pure."""

from typing import Protocol

from ledger.rules import sale
from ledger.terms import EventKind
from ledger.values import DraftLine, EventFacts


class Rule(Protocol):
    def __call__(self, facts: EventFacts, *, post_cost: bool) -> list[DraftLine]: ...


RULES: dict[EventKind, Rule] = {EventKind.TICKET: sale.draft}
"""The rule of each kind of event."""


def draft(facts: EventFacts, *, post_cost: bool) -> list[DraftLine]:
    """The lines of an event by role, merged, none of them zero. Raises Unreadable when its parts contradict."""
    return RULES[facts.header.kind](facts, post_cost=post_cost)


__all__ = ["RULES", "Rule", "draft"]
