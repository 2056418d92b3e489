"""Steps 4 to 6 of the way: what is ordered becomes sealed entries, or an error that says what is missing."""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Protocol

import structlog
from django.db import connection, transaction
from django.db.models import F, OuterRef, QuerySet, Subquery

from ledger import bulk, rules
from ledger import facts as facts_json
from ledger.clock import database_now
from ledger.entries import ResolvedLine, balanced, line_text, mark, reference_of, told_apart_by
from ledger.errors import STUMBLES, DaybookError, Flaw, Unreadable, Unsupported
from ledger.journal.saying import put, said
from ledger.journal.states import latest_revision, trace
from ledger.locks import locked
from ledger.models import Book, EventRevision, JournalEntry, JournalLine, Posting
from ledger.models.entries import under_way
from ledger.terms import DeliveryState, Dimension, EventKind, Outcome, Priority, Role, SyncState
from ledger.values import DraftLine, EventFacts

log = structlog.get_logger(__name__)

AHEAD = 2000
"""So many entries are booked at most before they are sent, some minutes' worth of any vendor's limit: what a worker
looks through again and again, and what a stop has to call back, stays small whatever is ordered."""


class Resolved(Protocol):
    @property
    def account_id(self) -> int: ...
    @property
    def account(self) -> str: ...
    @property
    def why(self) -> str: ...


class Resolver(Protocol):
    """The mapping table, as the core sees it."""

    names: dict[tuple[Dimension, str], str]

    def resolve(self, role: Role, dimensions: Mapping[Dimension, str]) -> Resolved: ...


@dataclass
class Booked:
    """What became of one block of postings."""

    entries: int = 0
    nothing_to_post: int = 0
    errors: int = 0

    @property
    def total(self) -> int:
        return self.entries + self.nothing_to_post + self.errors


@dataclass
class _Block:
    """A block while it is worked on: entries with their lines, and what needs no entry."""

    now: datetime
    entries: list[JournalEntry] = field(default_factory=list)
    lines: list[tuple[Posting, list[ResolvedLine]]] = field(default_factory=list)
    empty: dict[Outcome, list[Posting]] = field(default_factory=dict)
    failed: list[Posting] = field(default_factory=list)


def block_size() -> int:
    """SQLite has one writer at a time, so its transactions stay under about 50 ms."""
    return 500 if connection.vendor == "postgresql" else 60


def unbooked(book: Book) -> QuerySet[Posting]:
    """Ordered postings that have no entry yet."""
    return Posting.objects.filter(book=book, state=SyncState.NOT_SYNCED, entry=None)


def to_book(book: Book) -> QuerySet[Posting]:
    """Of these what is to be booked now. Past ones wait while enough is booked ahead of the sending."""
    is_ahead = under_way(book)[:AHEAD].count() >= AHEAD
    return unbooked(book).filter(priority=Priority.LIVE) if is_ahead else unbooked(book)


def book_next(book: Book, table: Resolver) -> Booked:
    """Turn the next block of postings into entries, in one transaction; a total of 0 means none is to be booked now."""
    with transaction.atomic():
        postings = _next(book)
        if not postings:
            return Booked()
        facts = _facts(postings)
        block = _Block(now=database_now())
        for posting in postings:
            _work_out(block, posting, facts.get(posting.pk), table, book)
        _write(block)
    _say(book, block)
    nothing = sum(len(postings) for postings in block.empty.values())
    return Booked(entries=len(block.entries), nothing_to_post=nothing, errors=len(block.failed))


def _say(book: Book, block: _Block) -> None:
    """What became of the block, in the log: a line for the entries, one for each outcome and for each cause."""
    if block.entries:
        log.info("booked", book=book.pk, traces=[entry.reference for entry in block.entries])
    for outcome, postings in block.empty.items():
        log.info("nothing to book", book=book.pk, outcome=outcome.value, traces=[trace(p) for p in postings])
    causes: dict[str, list[str]] = {}
    for posting in block.failed:
        causes.setdefault(posting.cause, []).append(trace(posting))
    for cause, traces in causes.items():
        log.warning("could not be booked", book=book.pk, cause=cause, traces=traces)


def _next(book: Book) -> list[Posting]:
    ordered = locked(to_book(book), skip_locked=True).select_related("event").order_by("priority", "id")
    ordered = ordered.prefetch_related("event__source", "store")  # few for a whole block
    return list(ordered[: block_size()])


def _facts(postings: Sequence[Posting]) -> dict[int, EventFacts]:
    wanted = {posting.event_id: posting for posting in postings}
    latest = EventRevision.objects.filter(event__in=wanted, n=F("event__revision")).values_list("event_id", "facts")
    return {wanted[event].pk: facts_json.from_json(facts) for event, facts in latest}


def _work_out(block: _Block, posting: Posting, facts: EventFacts | None, table: Resolver, book: Book) -> None:
    """One event that fails, even by a defect of ours, must not hold up the others."""
    try:
        _enter(block, posting, facts, table, book)
    except (DaybookError, *STUMBLES) as problem:
        put(posting, state=SyncState.ERROR, updated_at=block.now, **said(problem))
        block.failed.append(posting)


def _enter(block: _Block, posting: Posting, facts: EventFacts | None, table: Resolver, book: Book) -> None:
    event = posting.event
    if event.problem or facts is None or posting.business_date is None or posting.store is None:
        raise _unreadable(posting)
    if facts.currency != book.currency:
        raise Unsupported(
            f"{event} is in {facts.currency}, the book in {book.currency}. Daybook does not convert currencies yet."
        )
    drafts = rules.draft(facts, post_cost=book.post_cost)
    if not drafts:
        outcome = Outcome.VOIDED_BEFORE_SYNC if facts.voided else Outcome.NOTHING_TO_POST
        block.empty.setdefault(outcome, []).append(posting)
        return
    total = balanced(drafts)
    lines = [_resolve(draft, posting, table) for draft in drafts]
    block.entries.append(_entry(posting, total, book, day=posting.business_date, now=block.now))
    block.lines.append((posting, lines))


def _unreadable(posting: Posting) -> Unreadable:
    if posting.event.problem:
        error = Unreadable(str(posting.event), "")
        error.sentence, error.cause = posting.event.problem, posting.event.problem_cause or error.cause
        return error
    what = "its store is not among the stores of this connection. Press Test on the connection to read the stores."
    return Unreadable(str(posting.event), what, flaw=Flaw.STORE)


def _resolve(draft: DraftLine, posting: Posting, table: Resolver) -> ResolvedLine:
    dimensions = {**dict(draft.dimensions), Dimension.STORE: str(posting.store_id)}
    found = table.resolve(draft.role, dimensions)
    told = told_apart_by(draft)
    return ResolvedLine(
        draft=draft,
        account_id=found.account_id,
        account=found.account,
        why=found.why,
        text=line_text(draft.role, value_name=table.names.get(told, told[1])),
    )


def _entry(posting: Posting, total: Decimal, book: Book, *, day: date, now: datetime) -> JournalEntry:
    event = posting.event
    reference = reference_of(event.source.code, EventKind(event.kind), event.external_id)
    return JournalEntry(
        book_id=book.pk,
        reference=reference,
        store_id=posting.store_id,
        posting_date=day,
        currency=book.currency,
        memo=f"{mark(reference)} {event.source.name} {event.kind} {event.number}, {posting.store}",
        total=total,
        priority=posting.priority,
        request_key=new_key(),
        created_at=now,
    )


def new_key() -> str:
    """A request key: random, and short enough for every vendor (QuickBooks takes 36 characters in a batch)."""
    return secrets.token_hex(16)


def _write(block: _Block) -> None:
    _seal(block)
    for outcome, postings in block.empty.items():
        Posting.objects.filter(pk__in=[posting.pk for posting in postings]).update(
            state=SyncState.SYNCED, outcome=outcome, booked_revision=latest_revision(), updated_at=block.now
        )
    if block.failed:
        fields = ["state", "error_code", "cause", "error", "error_detail", "updated_at"]
        bulk.update_rows(block.failed, fields)


def _seal(block: _Block) -> None:
    """Entries unsealed, then their lines, then one update that seals all: the database checks the balance."""
    entries = JournalEntry.objects.bulk_create(block.entries)
    bulk.insert_lines(
        [
            _row(entry, posting, line)
            for entry, (posting, lines) in zip(entries, block.lines, strict=True)
            for line in lines
        ]
    )
    ids = [entry.pk for entry in entries]
    JournalEntry.objects.filter(pk__in=ids).update(sealed=True, state=DeliveryState.READY)
    carried_by = JournalLine.objects.filter(posting=OuterRef("pk")).order_by("-entry_id").values("entry_id")[:1]
    Posting.objects.filter(pk__in=[posting.pk for posting, _ in block.lines]).update(
        entry_id=Subquery(carried_by), booked_revision=latest_revision(), updated_at=block.now
    )


def _row(entry: JournalEntry, posting: Posting, line: ResolvedLine) -> bulk.LineRow:
    draft = line.draft
    return bulk.LineRow(
        entry_id=entry.pk,
        posting_id=posting.pk,
        account_id=line.account_id,
        role=draft.role,
        dimensions={dimension.value: code for dimension, code in draft.dimensions},
        side=draft.side,
        amount=draft.amount,
        text=line.text,
        why=line.why,
    )
