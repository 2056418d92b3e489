"""Step 3 of the way: facts become events, revisions and postings. Unchanged facts change nothing."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from itertools import islice
from typing import Any

from django.db import transaction

from ledger import facts as facts_json
from ledger.clock import database_now
from ledger.journal.readings import Change, Reading
from ledger.journal.revising import revise
from ledger.journal.states import Birth, born
from ledger.models import (
    Book,
    DimensionValue,
    EventRevision,
    Feed,
    FinancialEvent,
    Posting,
    RawDocument,
    Source,
    Store,
)
from ledger.money import cents
from ledger.terms import Dimension
from ledger.values import DimensionName, EventFacts, EventHeader


@dataclass
class Recorded:
    """How many documents were new, changed, unchanged or not financial."""

    new: int = 0
    changed: int = 0
    unchanged: int = 0
    not_financial: int = 0
    books: set[int] = field(default_factory=set)


@dataclass(frozen=True)
class Known:
    """What recording needs to know of a source, read once."""

    source: Source
    stores: dict[str, Store]
    feeds: list[tuple[Feed, frozenset[int]]]
    now: datetime

    def books_of(self, store: Store | None) -> Iterable[Book]:
        for feed, chosen in self.feeds:
            if feed.all_stores or store is None or store.pk in chosen:
                yield feed.book


def record(source: Source, readings: Sequence[Reading]) -> Recorded:
    """Take a page of documents in, in one transaction. The caller moves its cursor after this has returned."""
    outcome = Recorded()
    latest = {(r.document.kind, r.document.external_id): r for r in readings}
    with transaction.atomic():
        known = _known(source)
        existing = _existing(source, latest)
        fresh: list[Change] = []
        changed: list[Change] = []
        for key, reading in latest.items():
            _sort(known, existing.get(key), reading, fresh, changed, outcome)
        _insert(known, fresh)
        revise(changed, known.stores, now=known.now)
        name_values(source, _seen(latest.values()), rename=False)
    outcome.books = {feed.book_id for feed, _ in known.feeds}
    return outcome


def name_values(source: Source, names: Iterable[DimensionName], *, rename: bool) -> None:
    """Keep the values of dimensions with their names; `rename` overwrites names that are known already."""
    rows = [
        DimensionValue(source=source, dimension=n.dimension, code=n.code, name=n.name, active=n.active)
        for n in names
        if n.code
    ]
    if rename:
        unique, renewed = ["source", "dimension", "code"], ["name", "active"]
        DimensionValue.objects.bulk_create(rows, update_conflicts=True, unique_fields=unique, update_fields=renewed)
    else:
        DimensionValue.objects.bulk_create(rows, ignore_conflicts=True)


def open_feed(feed: Feed) -> int:
    """A new book starts with every known event as Never Synced (or in Error, if it cannot be read)."""
    total = 0
    with transaction.atomic():
        known = _known(feed.source)
        chosen = next(stores for known_feed, stores in known.feeds if known_feed.pk == feed.pk)
        events = FinancialEvent.objects.filter(source=feed.source).exclude(postings__book=feed.book)
        if not feed.all_stores:
            events = events.filter(store__in=chosen) | events.filter(store=None)
        for block in _blocks(events.order_by("id").iterator(chunk_size=2000), size=1000):
            Posting.objects.bulk_create([_posting(event, feed.book, known.now, history=True) for event in block])
            total += len(block)
    return total


def _blocks(events: Iterable[FinancialEvent], *, size: int) -> Iterator[list[FinancialEvent]]:
    walk = iter(events)
    while block := list(islice(walk, size)):
        yield block


def _known(source: Source) -> Known:
    stores = {store.external_id: store for store in Store.objects.filter(source=source)}
    feeds = Feed.objects.filter(source=source).prefetch_related("stores")
    # The books are locked, so that Start Sync falls before or after this page and never into its middle.
    books = {b.pk: b for b in Book.objects.select_for_update().filter(feeds__source=source).order_by("pk")}
    pairs = []
    for feed in feeds:
        feed.book = books[feed.book_id]
        pairs.append((feed, frozenset(store.pk for store in feed.stores.all())))
    return Known(source, stores, pairs, database_now())


def _existing(source: Source, keys: Iterable[tuple[str, str]]) -> dict[tuple[str, str], FinancialEvent]:
    ids = [external_id for _, external_id in keys]
    events = FinancialEvent.objects.select_for_update().filter(source=source, external_id__in=ids).order_by("pk")
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
    facts, problem = reading.facts, reading.problem
    if (facts is None and problem is None) or (event is None and facts is not None and facts.voided):
        outcome.not_financial += 1
        return
    plain = facts_json.to_json(facts) if facts else None
    if event is None:
        fresh.append(Change(_event(known, reading, plain), reading, plain))
        outcome.new += 1
    elif event.problem == str(problem or "") and (plain is None or event.facts_hash == facts_json.facts_hash(plain)):
        outcome.unchanged += 1
    else:
        changed.append(Change(event, reading, plain))
        outcome.changed += 1


def _event(known: Known, reading: Reading, plain: dict[str, Any] | None) -> FinancialEvent:
    header = reading.header
    return FinancialEvent(
        source=known.source,
        kind=header.kind,
        external_id=header.external_id,
        number=header.number[:60],
        store=known.stores.get(header.store_external_id or ""),
        business_date=header.business_date,
        completed_at=header.completed_at,
        amount=_cents_or_none(header),
        currency=reading.facts.currency if reading.facts else known.source.currency,
        revision=1 if plain else 0,
        facts_hash=facts_json.facts_hash(plain) if plain else "",
        problem=str(reading.problem or ""),
        captured_at=known.now,
    )


def _insert(known: Known, fresh: list[Change]) -> None:
    events = FinancialEvent.objects.bulk_create([change.event for change in fresh])
    EventRevision.objects.bulk_create([change.as_revision(now=known.now) for change in fresh if change.plain])
    RawDocument.objects.bulk_create([change.as_raw() for change in fresh])
    Posting.objects.bulk_create(
        [_posting(event, book, known.now) for event in events for book in known.books_of(event.store)]
    )


def _posting(event: FinancialEvent, book: Book, now: datetime, *, history: bool = False) -> Posting:
    birth: Birth = born(event, book, history=history)
    return Posting(
        event=event,
        book=book,
        state=birth.state,
        error_code=birth.error_code,
        cause=birth.error_code,
        error=birth.error,
        number=event.number,
        store=event.store,
        business_date=event.business_date,
        amount=event.amount,
        updated_at=now,
    )


def _seen(readings: Iterable[Reading]) -> list[DimensionName]:
    """Every tender, class and jurisdiction that the documents bear, named by its code until a name is known."""
    found: dict[tuple[Dimension, str], DimensionName] = {}
    for reading in readings:
        if reading.facts:
            for dimension, code in _codes(reading.facts):
                found[dimension, code] = DimensionName(dimension, code, f"{dimension.replace('_', ' ')} {code}")
    return list(found.values())


def _codes(facts: EventFacts) -> Iterable[tuple[Dimension, str]]:
    yield from ((Dimension.TENDER, tender.tender) for tender in facts.tenders)
    yield from ((Dimension.ITEM_CLASS, item.item_class) for item in facts.items)
    yield from ((Dimension.TAX_JURISDICTION, tax.jurisdiction) for tax in facts.taxes)


def _cents_or_none(header: EventHeader) -> Decimal | None:
    return None if header.total is None else cents(header.total)
