"""What capture hands to the journal: documents with what came of reading them."""

from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

from ledger import facts as facts_json
from ledger.errors import Flaw, Unreadable
from ledger.models import EventRevision, FinancialEvent, RawDocument
from ledger.values import Document, EventFacts, EventHeader


@dataclass(frozen=True)
class Reading:
    """A document and what came of reading it: facts, a problem, or neither (not financial)."""

    document: Document
    facts: EventFacts | None = None
    problem: Unreadable | None = None

    def prepare(self) -> None:
        """Work out what costs time before a transaction begins: on SQLite it would keep every other writer waiting."""
        if self.facts or self.problem:
            _ = self.plain, self.facts_hash, self.packed

    @property
    def header(self) -> EventHeader:
        if self.facts:
            return self.facts.header
        known = self.problem.header if self.problem else None
        document = self.document
        return known or EventHeader(document.kind, document.external_id, number=document.external_id)

    @property
    def problem_columns(self) -> dict[str, str]:
        """What an event keeps of the problem, in words and by its cause; blank where there is none."""
        problem = self.problem
        return {"problem": str(problem or ""), "problem_cause": problem.cause if problem else ""}

    @cached_property
    def plain(self) -> dict[str, Any] | None:
        """The facts as JSON; None when there are none."""
        return facts_json.to_json(self.facts) if self.facts else None

    @cached_property
    def facts_hash(self) -> str:
        return facts_json.facts_hash(self.plain) if self.plain else ""

    @cached_property
    def packed(self) -> bytes:
        """The raw document, compressed."""
        return RawDocument.compress(self.document.raw)


def reopened(event: FinancialEvent, reading: Reading) -> Reading:
    """A document that was captured as completed and is not any more: nobody may think that its entry still holds."""
    what = "it was completed before and is not any more. Complete or void it in the point of sale."
    return Reading(reading.document, problem=Unreadable(str(event), what, flaw=Flaw.REOPENED))


@dataclass(frozen=True)
class Change:
    """An event, new or changed, with the reading that made it so."""

    event: FinancialEvent
    reading: Reading

    def as_revision(self, *, now: datetime) -> EventRevision:
        reading = self.reading
        return EventRevision(
            event=self.event,
            n=self.event.revision,
            facts=reading.plain,
            facts_hash=reading.facts_hash,
            captured_at=now,
        )

    def as_raw(self) -> RawDocument:
        reading = self.reading
        return RawDocument(event=self.event, body=reading.packed, updated_at=reading.document.updated_at)
