"""Walking over a till's documents: live changes and history apart, each page recorded before its cursor moves."""

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta

import structlog

from integrations import vendors
from integrations.models import Capture, Connection
from ledger.errors import STUMBLES, Flaw, Rejected, Unreadable
from ledger.journal import dimensions, recording
from ledger.journal.readings import Reading
from ledger.models import FinancialEvent, Source
from ledger.ports import PointOfSale
from ledger.terms import EventKind
from ledger.values import Cursor, Document

OVERLAP = timedelta(minutes=2)
"""How far the live walk looks back each time: documents may become visible later than their time of change."""


CLOCKS_APART = timedelta(days=1)
"""How far back the live walk begins where the till has no history to tell its time by."""

log = structlog.get_logger(__name__)


@dataclass
class Captured:
    """What one run of the capture found; `more`: it stopped at its time limit."""

    documents: int = 0
    changed: int = 0
    more: bool = False
    problem: str = ""

    @property
    def sentence(self) -> str:
        return self.problem or f"{self.documents} documents read, {self.changed} new or changed."


@dataclass
class Walk:
    """One run over a till. `keep` is called after each page, to keep the lease."""

    till: PointOfSale
    source: Source
    progress: Capture
    outcome: Captured
    keep: Callable[[], None]

    def live(self) -> None:
        """Everything that changed since the last look, with some overlap."""
        cursor, more = Cursor(since=self.progress.live_since - OVERLAP), True
        while more:
            page = self.till.walk(cursor)
            self._take(page.documents)
            cursor, more = page.cursor, page.more
            if cursor.since and cursor.since > self.progress.live_since:
                self.progress.live_since = cursor.since
                self.progress.save(update_fields=["live_since"])
            self.keep()

    def history(self, *, until: float) -> None:
        """What was there before we connected, from the beginning; goes on next time when the time is up."""
        while not self.progress.history_done:
            if time.monotonic() > until:
                self.outcome.more = True
                return
            self._history_page()
            self.keep()

    def names(self) -> None:
        """Ask again for the names that could not be read before: they stand on every line that is posted."""
        if dimensions.has_unnamed(self.source):
            dimensions.name_values(self.source, self.till.dimension_names(), rename=True)

    def _history_page(self) -> None:
        progress = self.progress
        page = self.till.walk(Cursor(progress.history_since, progress.history_after_id))
        self._take(page.documents)
        progress.history_since, progress.history_after_id = page.cursor.since, page.cursor.after_id
        reached = page.cursor.since is not None and page.cursor.since > progress.history_until
        progress.history_done = reached or not page.more
        if progress.history_done:
            # Our clock may be ahead of theirs: from here on the live walk keeps to their times alone.
            progress.live_since = min(progress.live_since, progress.history_since or progress.live_since - CLOCKS_APART)
        progress.save(update_fields=["history_since", "history_after_id", "history_done", "live_since"])

    def _take(self, documents: Iterable[Document]) -> None:
        read = list(documents)
        recorded = recording.record(self.source, [_read(self.till, document) for document in read])
        self.outcome.documents += len(read)
        self.outcome.changed += recorded.new + recorded.changed


def reread(connection: Connection, events: Sequence[FinancialEvent]) -> int:
    """Fetch documents again that could not be read. Raises Unreachable, RateLimited or AuthExpired."""
    till = vendors.point_of_sale(connection)
    documents = [_fetch(till, event) for event in events]
    recording.record(source_of(connection), [_read(till, document) for document in documents])
    return len(documents)


def source_of(connection: Connection) -> Source:
    if connection.source is None:
        raise ValueError(f"{connection} serves no source")
    return connection.source


def _read(till: PointOfSale, document: Document) -> Reading:
    try:
        return Reading(document, facts=till.read(document))
    except Unreadable as problem:
        return Reading(document, problem=problem)
    except STUMBLES as defect:
        log.error("stumbled over a document", document=document.external_id, exc_info=defect)
        what = "it has a form that Daybook does not know. Please report it to the developers of Daybook."
        named = f"{document.kind.capitalize()} {document.external_id}"
        return Reading(document, problem=Unreadable(named, what, flaw=Flaw.FORM))


def _fetch(till: PointOfSale, event: FinancialEvent) -> Document:
    """A document that is gone is read from what is kept; what cannot be reached ends the run."""
    try:
        return till.document(event.external_id)
    except Rejected:
        raw = event.raw
        return Document(EventKind(event.kind), event.external_id, raw.updated_at, raw.text.encode())
