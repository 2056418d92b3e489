"""The whole story of an event in one book, and of an entry, in the order in which it happened. Reads rows only."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from django.db.models import Q
from django.urls import reverse

from ledger import facts as facts_json
from ledger import money
from ledger.admin import upstairs
from ledger.admin.adopted import ADOPTED
from ledger.admin.changes import only_different, side_by_side
from ledger.admin.happenings import BAD, GOOD, PLAIN, Happening, in_order
from ledger.admin.revisions import Names, differences
from ledger.admin.scoping import Person, is_store_manager, may_for_all
from ledger.deeds import sentence
from ledger.models import Attempt, AuditRecord, EventRevision, JournalEntry, JournalLine, Posting, SyncOrder
from ledger.moments import zone_of
from ledger.terms import ROLES, DeliveryState, Outcome, Role, SyncState

MOST_LINES = 40
COUNTED = ("order", "events", "causes")
"""What a deed on many events counts; on the page of one it says nothing."""
OF_A_STORE = ("state", "reason")
"""What a manager of some stores reads of a deed's values; the rest may tell of the books."""


def story(posting: Posting, entries: Sequence[JournalEntry], names: Names, *, reader: Person) -> list[Happening]:
    """From capture to entry: documents, orders, bookings, attempts, alerts and the deeds of people."""
    deeds = list(_deeds_on(posting))
    told = [
        *_readings(posting, names, reader),
        *_order(posting, deeds, reader),
        *([] if is_store_manager(reader) else _in_the_books(posting, entries, deeds)),
        *_where_it_stands(posting, reader),
        *(_deed(record, reader) for record in deeds),
        *(happening for teller in upstairs.tellers for happening in teller(posting, reader)),
    ]
    return in_order(told)


def _in_the_books(
    posting: Posting, entries: Sequence[JournalEntry], deeds: Sequence[AuditRecord]
) -> Iterator[Happening]:
    """Accounts, debits and credits, and what the other system answered: for who keeps the books."""
    yield from _bookings(posting, entries)
    yield from _attempts(entries, upstairs.system_of(posting.book), adopted=_adopted(deeds))


def story_of_entry(entry: JournalEntry, postings: Sequence[Posting], *, reader: Person) -> list[Happening]:
    """From the booking to the id over there, with what people did about the events it carries."""
    deeds = list(_deeds_on(*postings))
    system = upstairs.system_of(entry.book)
    told = [
        Happening(entry.created_at, f"Booked: {_headline(entry)}.", place=30),
        *_attempts([entry], system, adopted=_adopted(deeds)),
        *_posted(entry, system, adopted=_adopted(deeds)),
        *(_deed(record, reader) for record in deeds),
        *_reversals(entry),
    ]
    return in_order(told)


# --- The document ---------------------------------------------------------------------------------


def _readings(posting: Posting, names: Names, reader: Person) -> Iterator[Happening]:
    event, limited = posting.event, is_store_manager(reader)
    revisions = list(EventRevision.objects.filter(event=event).order_by("n"))
    where = f"{event.source}, {event.store}" if event.store else str(event.source)
    tone = BAD if not revisions and event.problem else PLAIN
    lines = (event.problem,) if not revisions and event.problem else () if limited else _start(posting)
    yield Happening(event.captured_at, f"Captured from {where}.", tone=tone, lines=lines, place=0)
    for before, revision in zip([None, *revisions], revisions, strict=False):
        if before is not None:
            yield _changed(posting, before, revision, names, limited=limited)
        elif revision.captured_at > event.captured_at:
            yield Happening(revision.captured_at, "It could be read, after it could not at first.", place=1)


def _start(posting: Posting) -> tuple[str, ...]:
    """In which state it was recorded: what Start Sync decided."""
    started, completed = posting.book.sync_started_at, posting.event.completed_at
    if started is None:
        return ("Recorded as Never Synced: the sync of this book was not started.",)
    if completed is None:
        return ()
    if completed >= started and posting.event.captured_at >= started:
        return ("Recorded as Not Synced: it was completed after Start Sync, so it is sent by itself.",)
    return ("Recorded as Never Synced: it was completed before Start Sync, so a person had to order it.",)


def _changed(
    posting: Posting, before: EventRevision, after: EventRevision, names: Names, *, limited: bool
) -> Happening:
    old, new = facts_json.from_json(before.facts), facts_json.from_json(after.facts)
    late = posting.state == SyncState.SYNCED and posting.booked_revision and after.n > posting.booked_revision
    lines = ("It was booked before that: the entry stays as it was.",) if late and not limited else ()
    return Happening(
        after.captured_at,
        f"Changed at the till (revision {after.n}).",
        tone=BAD if late else PLAIN,
        lines=lines,
        changes=tuple(differences(old, new, names, zone=zone_of(posting.event.store), costs=not limited)),
        place=2,
    )


# --- Orders and deeds -----------------------------------------------------------------------------


def _order(posting: Posting, deeds: Sequence[AuditRecord], reader: Person) -> Iterator[Happening]:
    """The order that asked for it last; where the deed itself stands on the posting, once is enough."""
    order = posting.order
    if order is None or any(record.after.get("order") == order.pk for record in deeds):
        return
    who = order.ordered_by.get_username() if order.ordered_by else "Daybook"
    link, words = _order_link(order, reader)
    yield Happening(
        order.ordered_at,
        f"Ordered by {who}: {_order_words(order, reader)}.",
        ids=(f"Order {order.pk}",),
        link=link,
        link_words=words,
        place=20,
    )


def _order_words(order: SyncOrder, reader: Person) -> str:
    """How many events it took is told to nobody who is limited to some stores, unless it was their own order."""
    words = str(order.get_kind_display())
    if order.first_date and order.last_date:
        words += f", {order.first_date:%b %-d, %Y} to {order.last_date:%b %-d, %Y}"
    counted = order.events and (order.ordered_by_id == reader.pk or not is_store_manager(reader))
    return f"{words}, {order.events:,} event{'' if order.events == 1 else 's'}" if counted else words


def _order_link(order: SyncOrder, reader: Person) -> tuple[str, str]:
    if not may_for_all(reader, "ledger.view_auditrecord"):
        return "", ""
    mine = AuditRecord.objects.filter(subject_kind="ledger.book", subject_id=str(order.book_id), after__order=order.pk)
    record = mine.only("pk").first()
    return (reverse("admin:ledger_auditrecord_change", args=[record.pk]), "See the order") if record else ("", "")


def _deeds_on(*postings: Posting) -> Iterable[AuditRecord]:
    ids = [str(posting.pk) for posting in postings]
    return AuditRecord.objects.filter(subject_kind="ledger.posting", subject_id__in=ids).order_by("id")


def _deed(record: AuditRecord, reader: Person) -> Happening:
    limited = is_store_manager(reader)
    if limited and record.deed == ADOPTED:
        return Happening(record.at, "Your accountant dealt with it.", place=25)
    before, after = _told(record.before, limited=limited), _told(record.after, limited=limited)
    link = reverse("admin:ledger_auditrecord_change", args=[record.pk])
    linked = may_for_all(reader, "ledger.view_auditrecord")
    return Happening(
        record.at,
        sentence(who=record.actor_name, deed=record.deed, subject="") + ".",
        changes=tuple(only_different(side_by_side(before, after))),
        link=link if linked else "",
        link_words="See it in the audit" if linked else "",
        place=25,
    )


def _told(values: Mapping[str, Any], *, limited: bool) -> dict[str, Any]:
    return {name: value for name, value in values.items() if (name in OF_A_STORE if limited else name not in COUNTED)}


def _adopted(deeds: Iterable[AuditRecord]) -> bool:
    return any(record.deed == ADOPTED for record in deeds)


# --- Entries --------------------------------------------------------------------------------------


def _bookings(posting: Posting, entries: Sequence[JournalEntry]) -> Iterator[Happening]:
    """Each entry with the account of each line and the mapping that chose it."""
    lines: dict[int, list[str]] = {}
    rows = JournalLine.objects.filter(posting=posting).select_related("account").order_by("id")
    currencies = {entry.pk: entry.currency for entry in entries}
    for row in rows:
        lines.setdefault(row.entry_id, []).append(_line(row, currencies.get(row.entry_id, posting.book.currency)))
    for entry in entries:
        dropped = entry.state == DeliveryState.DISCARDED
        yield Happening(
            entry.created_at,
            f"Booked: {_headline(entry)}{', dropped later and never posted' if dropped else ''}.",
            more=tuple(lines.get(entry.pk, [])[:MOST_LINES]),
            link=reverse("admin:ledger_journalentry_change", args=[entry.pk]),
            link_words="See the entry",
            place=30,
        )


def _headline(entry: JournalEntry) -> str:
    total = money.shown(entry.total, currency=entry.currency)
    return f"entry {entry.reference}, {total}, dated {entry.posting_date:%b %-d, %Y}"


def _line(row: JournalLine, currency: str) -> str:
    side, amount = ("Debit", row.debit) if row.debit else ("Credit", row.credit)
    what = ROLES[Role(row.role)].label
    return f"{side} {row.account}, {money.shown(amount, currency=currency)} ({what}). {row.why}."


def _attempts(entries: Sequence[JournalEntry], system: str, *, adopted: bool) -> Iterator[Happening]:
    tries = Attempt.objects.filter(entry__in=entries).select_related("batch").order_by("id")
    for attempt in tries:
        if not (adopted and attempt.result == Attempt.Result.ADOPTED):  # the deed says so
            yield _attempt(attempt, system)


RESULTS: dict[str, tuple[str, str]] = {
    Attempt.Result.SENDING: ("Being sent to {system}.", PLAIN),
    Attempt.Result.POSTED: ("Sent to {system}, which took it.", GOOD),
    Attempt.Result.FOUND: ("Looked up in {system} and found there.", GOOD),
    Attempt.Result.ADOPTED: ("An entry of {system} was adopted.", GOOD),
    Attempt.Result.REJECTED: ("Sent to {system}, which refused it.", BAD),
    Attempt.Result.UNKNOWN: ("Sent to {system}; no definite answer came.", BAD),
    Attempt.Result.NOT_SENT: ("Not sent to {system}.", BAD),
}


def _attempt(attempt: Attempt, system: str) -> Happening:
    what, tone = RESULTS[attempt.result]
    others = len(attempt.batch.references) - 1 if attempt.batch else 0
    together = (f"In one call with {others} other{'' if others == 1 else 's'}.",) if others else ()
    codes = {"Code": attempt.code, "Request": attempt.vendor_request_id, "Request key": attempt.request_key}
    return Happening(
        attempt.started_at,
        what.format(system=system),
        tone=tone,
        lines=tuple(filter(None, (attempt.message, *_took(attempt), *together))),
        said=attempt.vendor_message,
        ids=tuple(f"{name} {value}" for name, value in codes.items() if value),
        place=40,
    )


def _took(attempt: Attempt) -> Iterator[str]:
    """What was over within a second says nothing."""
    seconds = (attempt.ended_at - attempt.started_at).total_seconds() if attempt.ended_at else 0
    if seconds >= 1:
        yield f"It took {seconds:.1f} seconds."


def _posted(entry: JournalEntry, system: str, *, adopted: bool) -> Iterator[Happening]:
    if entry.state == DeliveryState.POSTED and entry.posted_at:
        what = "An entry that was adopted stands for it" if adopted else "It stands in the books"
        yield Happening(
            entry.posted_at,
            f"Synced. {what}: entry {entry.remote_id} of {system}.",
            tone=GOOD,
            link=entry.remote_link,
            link_words=f"Open entry {entry.remote_id} in {system}",
            abroad=True,
            place=45,
        )


def _reversals(entry: JournalEntry) -> Iterator[Happening]:
    reversing = JournalEntry.objects.filter(Q(reverses=entry) | Q(pk=entry.reverses_id)).only("pk", "reference")
    for other in reversing.only("pk", "reference", "created_at", "reverses"):
        what = "Reverses" if other.pk == entry.reverses_id else "Reversed by"
        address = reverse("admin:ledger_journalentry_change", args=[other.pk])
        at = max(other.created_at, entry.created_at)
        yield Happening(
            at, f"{what} entry {other.reference}.", link=address, link_words=f"See entry {other.reference}", place=31
        )


# --- Where it stands ------------------------------------------------------------------------------


def _where_it_stands(posting: Posting, reader: Person) -> Iterator[Happening]:
    """The end of the story so far, where no other row tells it."""
    if posting.state == SyncState.SYNCED and is_store_manager(reader):
        yield Happening(posting.updated_at, "It is done.", tone=GOOD, place=45)
    elif posting.entry and posting.state == SyncState.SYNCED:
        adopted = posting.outcome == Outcome.ADOPTED
        yield from _posted(posting.entry, upstairs.system_of(posting.book), adopted=adopted)
    elif posting.state == SyncState.SYNCED:
        outcome = Outcome(posting.outcome).label
        yield Happening(posting.updated_at, f"Synced without an entry: {outcome.lower()}.", tone=GOOD, place=45)
    elif posting.state == SyncState.ERROR and not posting.entry and posting.event.revision:
        unbooked = "It is stuck." if is_store_manager(reader) else "Could not be booked."
        what = "Could not be read any more." if posting.event.problem else unbooked
        yield Happening(posting.updated_at, what, tone=BAD, lines=(upstairs.problem_of(posting, reader),), place=45)
