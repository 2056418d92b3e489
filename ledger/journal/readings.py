"""What capture hands to the journal: documents with what came of reading them."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ledger import facts as facts_json
from ledger.errors import Unreadable
from ledger.models import EventRevision, FinancialEvent, RawDocument
from ledger.values import Document, EventFacts, EventHeader


@dataclass(frozen=True)
class Reading:
    """A document and what came of reading it: facts, a problem, or neither (not financial)."""

    document: Document
    facts: EventFacts | None = None
    problem: Unreadable | None = None

    @property
    def header(self) -> EventHeader:
        if self.facts:
            return self.facts.header
        known = self.problem.header if self.problem else None
        document = self.document
        return known or EventHeader(document.kind, document.external_id, number=document.external_id)


@dataclass(frozen=True)
class Change:
    """An event, new or changed, with the reading that made it so; `plain` are its facts as JSON, if readable."""

    event: FinancialEvent
    reading: Reading
    plain: dict[str, Any] | None

    def as_revision(self, *, now: datetime) -> EventRevision:
        facts_hash = facts_json.facts_hash(self.plain or {})
        n = self.event.revision
        return EventRevision(event=self.event, n=n, facts=self.plain, facts_hash=facts_hash, captured_at=now)

    def as_raw(self) -> RawDocument:
        document = self.reading.document
        return RawDocument(event=self.event, body=RawDocument.compress(document.raw), updated_at=document.updated_at)
