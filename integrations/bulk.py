"""One deed on many events: what it would touch, the order for it, and its work in blocks.

A screen shows what the deed (`bulk_deeds`) would touch of the rows that a person chose. `order` writes the events down
and audits the deed, once; `run` does it block by block, in a request when they are few, else in a task. Each block is
committed with its outcomes, so that a worker that dies leaves the rest waiting for the next one.
"""

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db import connection as database
from django.db import transaction
from django.db.models import Count, QuerySet, Sum

from integrations import vendors
from integrations.bulk_deeds import Deed, Rows
from integrations.comparing import the_same
from integrations.models import BulkDeed, BulkItem, Connection
from ledger.audit import Actor, note, person
from ledger.clock import database_now
from ledger.errors import Refused
from ledger.journal import delivery, many, orders
from ledger.locks import locked
from ledger.masking import mask_cards, mask_cards_within
from ledger.models import Book, Posting, SyncOrder
from ledger.terms import DeliveryState

LARGEST = 100_000
"""So many events at once; whoever means more narrows the filter by date."""

AT_ONCE = 500
"""More than these are a worker's, for a request must not take seconds."""

BLOCK, LOOKED_UP = 200, 30


@dataclass(frozen=True)
class Size:
    """How many events and how much money; `seen` stands for exactly these events and that money."""

    events: int
    amount: Any
    seen: str


def size(rows: Rows) -> Size:
    """Exact up to the largest deed, and one more beyond it."""
    ids = list(rows.order_by("pk").values_list("pk", flat=True)[: LARGEST + 1])
    amount = rows.order_by().aggregate(amount=Sum("amount"))["amount"] if len(ids) <= LARGEST else None
    return _size(ids, amount or 0)


def _size(ids: Sequence[int], amount: Any) -> Size:
    said = f"{amount} {','.join(map(str, ids))}"
    return Size(len(ids), amount, hashlib.sha256(said.encode()).hexdigest()[:32])


def order(
    book: Book,
    deed: Deed,
    chosen: Rows,
    *,
    actor: Actor,
    narrowed: Mapping[str, str],
    reason: str = "",
    seen: str | None = None,
) -> BulkDeed:
    """Write down which events it is done to, and audit it. `narrowed`: the filter in words.

    `seen`: what the preview named, as `Size.seen`. Raises Refused when it would be something else now.
    """
    if deed.needs_reason and not reason.strip():
        raise Refused("Say why these events are set aside; the reason stands in the audit.")
    with transaction.atomic():
        row = BulkDeed.objects.create(
            book=book,
            kind=deed.kind,
            reason=mask_cards(reason.strip())[:300],
            filter=mask_cards_within(dict(narrowed)),
            ordered_by=person(actor),
            ordered_at=database_now(),
        )
        _write_down(row, deed.touches(chosen, book))
        written = _written_down(row)
        row.events, row.amount = written.events, written.amount
        _refuse(written, seen=seen)
        if deed.kind == BulkDeed.Kind.RETRY:
            row.order = SyncOrder.objects.create(
                book=book, kind=SyncOrder.Kind.RETRY, events=row.events, amount=row.amount, ordered_by=person(actor)
            )
        row.save()
        after = {"events": row.events, "amount": str(row.amount), "filter": row.filter, "bulk": row.pk}
        note(actor, deed.audited, book, after=after | ({"reason": row.reason} if row.reason else {}))
    return row


def _write_down(row: BulkDeed, rows: Rows) -> None:
    """One statement, whatever their number, so that none can come or go in between."""
    sql, params = rows.order_by("pk").values("id", "cause")[: LARGEST + 1].query.sql_with_params()
    table = BulkItem._meta.db_table
    statement = (
        f"INSERT INTO {table} (deed_id, posting_id, outcome, reason, cause) "
        f"SELECT %s, picked.id, '', '', picked.cause FROM ({sql}) AS picked"
    )
    with database.cursor() as cursor:
        cursor.execute(statement, [row.pk, *params])


def _written_down(row: BulkDeed) -> Size:
    """The same figures as of the preview, of what is written down."""
    ids = list(row.items.order_by("posting_id").values_list("posting_id", flat=True))
    return _size(ids, row.items.aggregate(amount=Sum("posting__amount"))["amount"] or 0)


def _refuse(size: Size, *, seen: str | None) -> None:
    if size.events > LARGEST:
        raise Refused(f"These are more than {LARGEST:,} events. Narrow the filter, for instance by date.")
    if seen is not None and size.seen != seen:
        raise Refused("What matches has changed since this page was shown. Look again; nothing was done.")
    if not size.events:
        raise Refused("None of the chosen events can be touched so. Nothing was changed.")


@dataclass
class Done:
    """What is to be woken after a deed, or a part of it: unread documents by source."""

    ended: bool = False
    unread: dict[int, list[int]] = field(default_factory=dict)


def run(row: BulkDeed, *, go_on: Callable[[], bool]) -> Done:
    """Do the next blocks while `go_on` says so. Whoever calls it holds the deed's lease; who has lost it does no harm,
    for a block takes what is still waiting only.
    """
    done = Done()
    while go_on():
        items = list(row.items.filter(outcome="").order_by("pk")[: _block(row)])
        if not items:
            BulkDeed.objects.filter(pk=row.pk, ended_at=None).update(ended_at=database_now(), problem="")
            done.ended = True
            return done
        _do(row, [item.posting_id for item in items], done)
    return done


def _block(row: BulkDeed) -> int:
    return LOOKED_UP if row.kind == BulkDeed.Kind.ADOPT else BLOCK


def _do(row: BulkDeed, ids: Sequence[int], done: Done) -> None:
    if row.kind == BulkDeed.Kind.ADOPT:
        _adopt(row, ids)
        return
    with transaction.atomic():
        waiting = _still_waiting(row, ids)
        if row.kind == BulkDeed.Kind.RETRY and row.order:
            block = many.retry(waiting, order=row.order)
        elif row.kind == BulkDeed.Kind.SET_ASIDE:
            block = many.set_aside(waiting, reason=row.reason)
        else:
            block = many.take_back(waiting, book=row.book)
        _mark(row, block)
    for source, event in block.unread:
        done.unread.setdefault(source, []).append(event)


def _still_waiting(row: BulkDeed, ids: Iterable[int]) -> list[int]:
    """Those that no other worker has done and nobody has called back meanwhile, locked until their outcome is written.

    They come before entries and postings: nobody locks them later.
    """
    items = locked(row.items.filter(posting__in=ids, outcome=BulkItem.Outcome.WAITING))
    return [item.posting_id for item in items.only("posting").order_by("pk")]


def _mark(row: BulkDeed, block: many.Block) -> None:
    """An outcome is written once: what is done stays done."""
    waiting = row.items.filter(outcome=BulkItem.Outcome.WAITING)
    waiting.filter(posting__in=block.done).update(outcome=BulkItem.Outcome.DONE)
    alike: dict[str, list[int]] = {}
    for posting, why in block.left.items():
        alike.setdefault(why, []).append(posting)
    for why, postings in alike.items():
        waiting.filter(posting__in=postings).update(outcome=BulkItem.Outcome.LEFT, reason=why[:300])


def _adopt(row: BulkDeed, ids: Sequence[int]) -> None:
    """One look-up for the block, outside of any transaction; then each event on its own, with its proof."""
    rows = Posting.objects.filter(pk__in=ids).select_related("book", "entry", "event__source")
    for posting, said in look_up(row.book.connection, list(rows)).items():
        with transaction.atomic():
            if not _still_waiting(row, [posting.pk]):
                continue
            left = said.why or _take(posting, said, row)
            _mark(row, many.Block(left={posting.pk: left}) if left else many.Block(done=[posting.pk]))


def _take(posting: Posting, said: "Verdict", row: BulkDeed) -> str:
    """Adopt one event; why it was left, if it cannot be adopted any more."""
    if said.remote is None:
        return said.why
    try:
        orders.adopt(posting, said.remote, link=said.link, actor=row.ordered_by)
    except Refused as refused:
        return refused.sentence
    return ""


@dataclass(frozen=True)
class Verdict:
    """What a look-up says of one event: the entry to take, or why none is taken."""

    remote: Any = None
    link: str = ""
    why: str = ""


def look_up(connection: Connection, postings: Sequence[Posting]) -> dict[Posting, Verdict]:
    """Ask the books for the entries of these events, in one query. Raises DaybookError when they do not answer."""
    waiting = [p for p in postings if p.entry and p.entry.state == DeliveryState.REJECTED]
    entries = [posting.entry for posting in waiting if posting.entry]
    books = vendors.accounting(connection)
    found = books.find([entry.reference for entry in entries]) if entries else {}
    ours = delivery.outgoing(entries)
    said = dict.fromkeys(postings, Verdict(why="It is not waiting for that decision any more."))
    for posting, entry in zip(waiting, entries, strict=True):
        remote, why = the_same(ours[entry.reference], found.get(entry.reference, []))
        said[posting] = Verdict(remote, books.link(remote.remote_id) if remote else "", why)
    return said


def progress(row: BulkDeed) -> dict[str, int]:
    """How many events of a deed wait, are done, were left."""
    counted = dict(row.items.order_by().values_list("outcome").annotate(n=Count("pk")))
    return {"waiting": counted.get("", 0), "done": counted.get("done", 0), "left": counted.get("left", 0)}


def call_back(row: BulkDeed, *, actor: Actor) -> int:
    """Do no more of it: what waits is left as it is. Returns how many."""
    with transaction.atomic():
        held = locked(BulkDeed.objects.filter(ended_at=None)).filter(pk=row.pk).first()
        if held is None:
            raise Refused("It has ended already.")
        waiting = held.items.filter(outcome="")
        count = waiting.update(outcome=BulkItem.Outcome.LEFT, reason="It was called back before its turn came.")
        held.ended_at = database_now()
        held.save(update_fields=["ended_at"])
        note(actor, "called back a deed on many events", held.book, after={"bulk": held.pk, "events": count})
    return count


def unfinished() -> QuerySet[BulkDeed]:
    """What a worker has still to do."""
    return BulkDeed.objects.filter(ended_at=None)
