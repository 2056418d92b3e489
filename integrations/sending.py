"""One round of sending: claim, look every entry up by its number, send what is not there, mark what became of it."""

import time
from collections.abc import Mapping, Sequence

import structlog
from structlog.contextvars import bound_contextvars as traced

from integrations import vendors
from integrations.models import Connection
from ledger.clock import database_now
from ledger.entries import difference, is_ours
from ledger.errors import (
    STUMBLES,
    AuthExpired,
    DaybookError,
    ForeignEntry,
    OutcomeUnknown,
    RateLimited,
    SentInVain,
    Unreachable,
)
from ledger.journal import booking, delivery, marking
from ledger.journal.delivery import Claim
from ledger.models import Book, JournalEntry
from ledger.ports import AccountingSystem, Place
from ledger.values import Delivered, OutgoingEntry, RemoteEntry

log = structlog.get_logger(__name__)

WAITS = (Unreachable, RateLimited, AuthExpired)
"""Surely nothing was sent, and nothing is wrong with the entries: they wait."""

MOST_SENDS = 8
"""So often an entry is sent whose answers are lost; then a person looks at it."""

BATCH_WORTH = 4
"""Fewer fresh entries than this go one by one, each under its own request key."""


def note_answer(connection: Connection) -> None:
    """The other system has answered, whatever it said."""
    Connection.objects.filter(pk=connection.pk).update(answered_at=database_now())


def send(connection: Connection, books: AccountingSystem) -> int:
    """Handle up to one batch of entries; returns how many. Raises AuthExpired after everything was put back."""
    book = connection.book
    if book is None:
        return 0
    claim = _claim(connection, book, books)
    if claim is None:
        return 0
    try:
        missing = _look_up(claim, books)
        note_answer(connection)
        missing = _without_hopeless(claim, missing)
        _send_missing(connection, claim, missing, books)
    except WAITS as error:
        marking.release(claim, error)
        if isinstance(error, AuthExpired):
            raise
    return len(claim.entries)


def _claim(connection: Connection, book: Book, books: AccountingSystem) -> Claim | None:
    limit = vendors.limits(connection).items_per_batch or books.capabilities.batch_size
    return delivery.claim(book, limit=limit, lease=vendors.lease(connection), settle=vendors.settle(connection))


def _look_up(claim: Claim, books: AccountingSystem) -> list[JournalEntry]:
    """Mark what is there already and equal; refuse what is there and different; return what is not there."""
    there, problems = _there([entry.reference for entry in claim.entries], books)
    same: dict[str, tuple[RemoteEntry, str]] = {}
    for entry in claim.entries:
        if entry.reference not in there:
            continue
        remote, others = _likeliest(there[entry.reference])
        why = _why_not_ours(claim, entry, remote, others=others)
        if why:
            problems[entry.reference] = ForeignEntry(entry.reference, remote_id=remote.remote_id, why=why)
        else:
            same[entry.reference] = (remote, books.link(remote.remote_id))
    if same:
        marking.found(claim, same)
    if problems:
        marking.refuse(claim, problems)
    return [entry for entry in claim.entries if entry.reference not in there | problems]


def _without_hopeless(claim: Claim, missing: Sequence[JournalEntry]) -> list[JournalEntry]:
    """What was just looked up and is not there is not booked; lost too often, it is a person's."""
    worn = [entry for entry in missing if entry.attempts_made >= MOST_SENDS]
    lost = delivery.lost_answers(worn) if worn else {}
    hopeless = {entry.reference: lost[entry.pk] for entry in worn if lost.get(entry.pk, 0) >= MOST_SENDS}
    if hopeless:
        marking.refuse(claim, {name: SentInVain(name, times=times) for name, times in hopeless.items()})
    return [entry for entry in missing if entry.reference not in hopeless]


Found = dict[str, list[RemoteEntry]]


def _there(references: Sequence[str], books: AccountingSystem) -> tuple[Found, dict[str, DaybookError]]:
    """What bears these numbers. One entry that cannot be read must not hold up the others: then one by one."""
    try:
        with traced(traces=list(references)):
            return books.find(references), {}
    except WAITS:
        raise
    except OutcomeUnknown as lost:  # of a token that was being renewed: a look-up itself sends nothing
        raise Unreachable(lost.sentence) from None
    except DaybookError as problem:
        if len(references) == 1:
            return {}, {references[0]: problem}
    found: Found = {}
    problems: dict[str, DaybookError] = {}
    for reference in references:
        there, refused = _there([reference], books)
        found.update(there)
        problems.update(refused)
    return found, problems


def _likeliest(remotes: Sequence[RemoteEntry]) -> tuple[RemoteEntry, int]:
    """The entry to compare with, ours if one bears our mark, and how many others are as likely."""
    marked = [remote for remote in remotes if is_ours(remote)]
    likely = marked or remotes
    return likely[0], len(likely) - 1


def _why_not_ours(claim: Claim, entry: JournalEntry, remote: RemoteEntry, *, others: int) -> str:
    if others:
        return f"and {others + 1} entries there bear it"
    if not remote.final:
        return "which is still a draft there"
    return difference(claim.outgoing[entry.reference], remote)


def _send_missing(
    connection: Connection, claim: Claim, missing: Sequence[JournalEntry], books: AccountingSystem
) -> None:
    """Fresh entries go in one batch; what was tried before goes alone, under the request key it had."""
    bodies = _bodies(claim, missing, books)
    ready = [entry for entry in missing if entry.reference in bodies]
    fresh = [entry for entry in ready if not entry.attempts_made]
    if len(fresh) >= BATCH_WORTH and _send_batch(connection, claim, fresh, bodies, books):
        ready = [entry for entry in ready if entry.attempts_made]
    for entry in ready:
        _send_one(connection, claim, entry, bodies, books)


def _bodies(claim: Claim, entries: Sequence[JournalEntry], books: AccountingSystem) -> dict[str, str]:
    """What will leave, by number; what the other system cannot be told is refused before anything is sent."""
    bodies: dict[str, str] = {}
    problems: dict[str, DaybookError] = {}
    for entry in entries:
        try:
            bodies[entry.reference] = books.body(claim.outgoing[entry.reference])
        except DaybookError as problem:
            problems[entry.reference] = problem
    if problems:
        marking.refuse(claim, problems)
    return bodies


def _send_batch(
    connection: Connection,
    claim: Claim,
    entries: Sequence[JournalEntry],
    bodies: Mapping[str, str],
    books: AccountingSystem,
) -> bool:
    """False when the call was refused as a whole: nothing was booked, and each entry is sent alone."""
    with vendors.limiter(connection).wait("request", "batch") as place:
        key, send_before = booking.new_key(), _send_before(connection)
        kept = delivery.begin(claim, entries, bodies=bodies, batch_key=key)
        outgoing = [claim.outgoing[entry.reference] for entry in kept]
        answer = _answer(outgoing, books, request_key=key, send_before=send_before, place=place)
    if isinstance(answer, DaybookError):
        marking.refused_whole(claim, kept, answer)
        return False
    _mark(claim, answer, books)
    return True


def _answer(
    outgoing: Sequence[OutgoingEntry],
    books: AccountingSystem,
    *,
    request_key: str,
    send_before: float,
    place: Place,
) -> list[Delivered] | DaybookError:
    """One result for each entry of a batch, or the refusal of the whole. Raises WAITS: surely nothing was sent."""
    try:
        with traced(traces=[entry.reference for entry in outgoing]):
            if not outgoing:
                return []
            return books.post_batch(outgoing, request_key=request_key, send_before=send_before, place=place)
    except WAITS:
        raise
    except OutcomeUnknown as unknown:
        return [Delivered(entry.reference, error=unknown) for entry in outgoing]
    except DaybookError as refusal:
        return refusal
    except STUMBLES as defect:
        stumbled = _stumbled(defect, [entry.reference for entry in outgoing])
        return [Delivered(entry.reference, error=stumbled) for entry in outgoing]


def _send_one(
    connection: Connection, claim: Claim, entry: JournalEntry, bodies: Mapping[str, str], books: AccountingSystem
) -> None:
    with vendors.limiter(connection).wait("request") as place:
        send_before = _send_before(connection)
        if not delivery.begin(claim, [entry], bodies=bodies):
            return
        try:
            with traced(traces=[entry.reference]):
                result = books.post_one(claim.outgoing[entry.reference], send_before=send_before, place=place)
        except STUMBLES as defect:
            result = Delivered(entry.reference, error=_stumbled(defect, [entry.reference]))
    _mark(claim, [result], books)


def _stumbled(defect: Exception, traces: Sequence[str]) -> OutcomeUnknown:
    """A defect of ours during a call: it may have left, so it is looked up; the others go on."""
    log.error("stumbled over an answer", kind=type(defect).__name__, traces=traces, exc_info=defect)
    return OutcomeUnknown("Daybook stumbled over the answer. It looks the entry up before it sends again.")


def _mark(claim: Claim, results: Sequence[Delivered], books: AccountingSystem) -> None:
    links = {result.reference: books.link(result.remote_id) for result in results if result.remote_id}
    marking.finish(claim, results, links)


def _send_before(connection: Connection) -> float:
    """Counted from before the attempt is recorded: a pause in between must not let it leave too late."""
    return time.monotonic() + vendors.time_to_leave(connection)
