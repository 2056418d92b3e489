"""Step 3 of the way: facts become events, revisions and postings. Unchanged facts change nothing."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

import structlog
from django.db import transaction

from ledger.journal.dimensions import name_values, seen
from ledger.journal.readings import Change, Reading, reopened
from ledger.journal.revising import revise
from ledger.journal.sources import Known, look
from ledger.journal.states import new_posting
from ledger.locks import locked
from ledger.models import EventRevision, FinancialEvent, Posting, RawDocument, Source
from ledger.money import cents
from ledger.trace import in_lines, trace_of
from ledger.values import EventHeader

log = structlog.get_logger(__name__)


@dataclass
class Recorded:
    """How many documents were new, changed, unchanged or not financial."""

    new: int = 0
    changed: int = 0
    unchanged: int = 0
    not_financial: int = 0


def record(source: Source, readings: Sequence[Reading]) -> Recorded:
    """Take a page of documents in, in one transaction. The caller moves its cursor after this has returned."""
    outcome = Recorded()
    latest = {(r.document.kind, r.document.external_id): r for r in readings}
    for reading in latest.values():
        reading.prepare()
    with transaction.atomic():
        known = look(source)
        existing = _existing(source, latest)
        fresh: list[Change] = []
        changed: list[Change] = []
        for key, reading in latest.items():
            _sort(known, existing.get(key), reading, fresh, changed, outcome)
        _insert(known, fresh)
        revise(changed, known)
        name_values(source, seen(latest.values()), rename=False)
    _say(source, "recorded", [change for change in fresh if not change.event.problem])
    _say(source, "recorded a change", [change for change in changed if not change.event.problem])
    _say(source, "could not be read", [change for change in (*fresh, *changed) if change.event.problem])
    return outcome


def _say(source: Source, what: str, changes: Sequence[Change]) -> None:
    """One line for the documents of a page, each by its trace."""
    for traces in in_lines(trace_of(source.code, c.event.kind, c.event.external_id) for c in changes):
        log.info(what, source=source.pk, traces=traces)


def _existing(source: Source, keys: Iterable[tuple[str, str]]) -> dict[tuple[str, str], FinancialEvent]:
    ids = [external_id for _, external_id in keys]
    events = locked(FinancialEvent.objects.filter(source=source, external_id__in=ids)).order_by("pk")
    return {(event.kind, event.external_id): event for event in events}


def _sort(
    known: Known,
    event: FinancialEvent | None,
    reading: Reading,
    fresh: list[Change],
    changed: list[Change],
    outcome: Recorded,
) -> None:
    """New, changed, unchanged or not financial: decided by the facts alone, never by the time of change."""
    if event and reading.facts is None and reading.problem is None:
        reading = reopened(event, reading)
    facts, problem = reading.facts, reading.problem
    if (facts is None and problem is None) or (event is None and facts is not None and facts.voided):
        outcome.not_financial += 1
        return
    if event is None:
        fresh.append(Change(_event(known, reading), reading))
        outcome.new += 1
    elif _says_the_same(event, reading) and not _store_became_known(known, event, reading):
        outcome.unchanged += 1
    else:
        changed.append(Change(event, reading))
        outcome.changed += 1


def _says_the_same(event: FinancialEvent, reading: Reading) -> bool:
    same_facts = reading.facts is None or event.facts_hash == reading.facts_hash
    return same_facts and all(getattr(event, column) == said for column, said in reading.problem_columns.items())


def _store_became_known(known: Known, event: FinancialEvent, reading: Reading) -> bool:
    """A store that opened after the event was captured, and has been read since."""
    return event.store_id is None and known.store(reading.header) is not None


def _event(known: Known, reading: Reading) -> FinancialEvent:
    header = reading.header
    return FinancialEvent(
        source=known.source,
        kind=header.kind,
        external_id=header.external_id,
        number=header.number[:60],
        store=known.store(header),
        business_date=header.business_date,
        completed_at=header.completed_at,
        amount=_cents_or_none(header),
        currency=reading.facts.currency if reading.facts else known.source.currency,
        revision=1 if reading.facts else 0,
        facts_hash=reading.facts_hash,
        captured_at=known.now,
        **reading.problem_columns,
    )


def _insert(known: Known, fresh: list[Change]) -> None:
    events = FinancialEvent.objects.bulk_create([change.event for change in fresh])
    EventRevision.objects.bulk_create([change.as_revision(now=known.now) for change in fresh if change.reading.facts])
    RawDocument.objects.bulk_create([change.as_raw() for change in fresh])
    Posting.objects.bulk_create(
        [new_posting(event, book, known.now) for event in events for book in known.books_of(event.store)]
    )


def _cents_or_none(header: EventHeader) -> Decimal | None:
    return None if header.total is None else cents(header.total)
