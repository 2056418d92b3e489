"""What an administrator asks when something is red: whose turn it is, what was interrupted today, is anything lost?"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, tzinfo

from django.db.models import Max, Q

from integrations import machines, tokens, vendors
from integrations.admin_views import progress
from integrations.admin_views.standing import standing, till_problem, tills_of
from integrations.admin_views.words import counted
from integrations.breaker import rests_until
from integrations.limiter import Use
from integrations.models import Alert, Connection
from integrations.seeing import OUTCOME_UNKNOWN
from ledger.admin.base import LARGEST_COUNT
from ledger.clock import database_now
from ledger.models import Attempt, Book
from ledger.moments import plain

APART = timedelta(minutes=5)
"""Tries without an answer that lie closer together are one interruption."""
TRIES_LOOKED_THROUGH = 20_000
"""The latest tries in which interruptions are looked for; a day of past events may have a hundred thousand."""
MOST = 500
SHOWN = 5


@dataclass(frozen=True)
class Interruption:
    """Something that stood still today: from when until when (None: it still does), and what, in a sentence.

    `times`: how often it did so today; this is the latest. `tries`: how many got no answer, all of today.
    """

    begun: datetime
    ended: datetime | None
    what: str
    tries: int = 0
    times: int = 1

    @property
    def was_short(self) -> bool:
        """Over before a clock without seconds moves on."""
        return self.ended is not None and self.ended - self.begun < timedelta(minutes=1)

    @property
    def lasted(self) -> str:
        """How long, in words, or that it is not over."""
        return progress.duration((self.ended - self.begun).total_seconds()) if self.ended else "still so"


@dataclass(frozen=True)
class Diagnosis:
    """Of one book, all told in `zone`. `renewed_at`, `ends_at`: of the tokens, where they are known."""

    zone: tzinfo
    held_up_by: str
    safe: str
    backlog: str
    limits: str
    interruptions: Sequence[Interruption]
    renewed_at: datetime | None
    ends_at: datetime | None
    token_life: str


@dataclass(frozen=True)
class Signs:
    """What a page of many books reads once: when a worker last gave a sign of life, and the tills of one book."""

    worker: datetime | None
    tills: Sequence[Connection]


def worker_seen() -> datetime | None:
    """When a worker last gave a sign of life; None if none ever did."""
    return machines.last_sign()


def diagnosis(connection: Connection, book: Book, *, waiting: int, failed: int, zone: tzinfo) -> Diagnosis:
    """`waiting`, `failed`: how many events wait to be sent, and how many for a person."""
    backlog = progress.of_backlog(connection, book)
    signs = Signs(worker_seen(), list(tills_of(book)))
    return Diagnosis(
        zone=zone,
        held_up_by=held_up_by(connection, backlog, signs, failed=failed, zone=zone),
        safe=safe(waiting, failed),
        backlog=_backlog(backlog, waiting),
        limits=limits(connection, zone),
        interruptions=interruptions(connection, book, zone=zone),
        renewed_at=connection.token_expires_at,
        ends_at=tokens.refresh_ends(connection),
        token_life=vendors.VENDORS[connection.vendor].token_life,
    )


def safe(waiting: int, failed: int) -> str:
    """That nothing is lost, and why: every event is a row, whatever stands still."""
    said = []
    if waiting:
        said.append(
            f"{_events(waiting)} {'waits' if waiting == 1 else 'wait'}; each is sent in its turn, and looked up first "
            "where an answer was lost."
        )
    if failed:
        said.append(f"{_events(failed)} in Error {'is' if failed == 1 else 'are'} kept until a person has acted.")
    return f"Nothing is lost: {' '.join(said) or 'no event waits.'}"


def _events(number: int) -> str:
    return f"more than {LARGEST_COUNT:,} events" if number > LARGEST_COUNT else counted(number, "event")


def _backlog(backlog: progress.Progress | None, waiting: int) -> str:
    """How much waits, and how long that takes where it moves."""
    if backlog is None:
        return "Nothing waits."
    return backlog.words if backlog.is_moving else f"{_events(waiting)} waiting; nothing moves at this moment."


def held_up_by(
    connection: Connection, backlog: progress.Progress | None, signs: Signs, *, failed: int, zone: tzinfo
) -> str:
    """Whose turn it is: a person's, Daybook's own, the till's, or the other system's. The gravest first."""
    if person := _held_up_by_a_person(connection):
        return f"A person: {person}"
    if silent := silent_worker(signs.worker, zone):
        return f"Daybook itself: {silent}"
    for till in signs.tills:
        if problem := till_problem(till):
            return f"{till.source}: {problem}"
    if backlog and not backlog.is_moving:
        return backlog.reason.removeprefix("Waiting: ")
    if failed:
        return f"A person: {_events(failed)} in Error. The causes stand on this page."
    return f"Nothing: {vendors.VENDORS[connection.vendor].label}, the till and Daybook's worker do their work."


def _held_up_by_a_person(connection: Connection) -> str:
    """Why nothing at all is sent before a person acts; empty where single events may wait at most."""
    if connection.state == Connection.State.ACTION_REQUIRED:
        return f"{vendors.VENDORS[connection.vendor].label} must be connected again. {connection.problem}".strip()
    if connection.book is None or connection.book.sync_started_at is None:
        return "the sync was not started yet."
    return next((trouble.sentence for trouble in standing(connection, waiting="")), "")


def silent_worker(last: datetime | None, zone: tzinfo) -> str:
    """That no worker runs; empty while one gives signs of life, or never had to."""
    if last is None or last > database_now() - progress.SILENT_WORKER:
        return ""
    return f"no worker has given a sign of life since {plain(last, zone)}. Restart Daybook; that is always safe."


def limits(connection: Connection, zone: tzinfo) -> str:
    """How much of each limit is taken now, a pause that the vendor asked for, a rest while it does not answer."""
    limiter, label = vendors.limiter(connection), vendors.VENDORS[connection.vendor].label
    said = [f"{', '.join(map(_taken, limiter.use()))}."]
    if paused := limiter.paused_until():
        said.append(f"{label} asked for a pause until {plain(paused, zone)}.")
    if rest := rests_until(connection.pk):
        said.append(f"{label} does not answer; nobody calls until {plain(rest, zone)}.")
    return " ".join(said)


def _taken(use: Use) -> str:
    if use.rate is None:
        return f"{use.taken} of {counted(use.most, 'call')} under way"
    plural = f"{use.kind}es" if use.kind.endswith("ch") else f"{use.kind}s"
    return f"{use.taken} of {use.most} {plural} a {use.within}"


# --- What was interrupted today -------------------------------------------------------------------


def interruptions(connection: Connection, book: Book, *, zone: tzinfo) -> list[Interruption]:
    """The latest of today, by the clock of the book: connections that ended, answers that did not come; each once."""
    today = database_now().astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0)
    found = [*_told(connection, book, today), *_without_answer(book, today)]
    return sorted(_together(found), key=lambda one: one.begun, reverse=True)[:SHOWN]


def _told(connection: Connection, book: Book, today: datetime) -> Iterable[Interruption]:
    """What alerts say of the connection, of its tills, and of answers that stay away."""
    doors = [connection, *tills_of(book)]
    lost = Q(book=book, connection=None, cause=OUTCOME_UNKNOWN)
    rows = Alert.objects.filter(Q(connection__in=doors) | lost).filter(Q(closed_at=None) | Q(closed_at__gte=today))
    for alert in rows.order_by("-first_seen_at")[:SHOWN]:
        yield Interruption(alert.first_seen_at, alert.closed_at, alert.sentence)


def _without_answer(book: Book, today: datetime) -> Iterable[Interruption]:
    """Tries that got no answer."""
    latest = Attempt.objects.aggregate(at=Max("pk"))["at"] or 0
    failed = Q(result=Attempt.Result.UNKNOWN) | Q(result=Attempt.Result.NOT_SENT, code__gt="")
    rows = Attempt.objects.filter(failed, entry__book=book, started_at__gte=today, pk__gt=latest - TRIES_LOOKED_THROUGH)
    tries = rows.order_by("-pk").values_list("started_at", "ended_at", "message")[:MOST]
    return [Interruption(begun, ended or begun, said, tries=1) for begun, ended, said in tries]


def _together(found: Iterable[Interruption]) -> Iterable[Interruption]:
    """One for each sentence. What lies close together, or within each other, is one interruption."""
    apart: dict[str, list[Interruption]] = {}
    for one in sorted(found, key=lambda one: one.begun, reverse=True):
        newer = apart.setdefault(one.what, [])
        while newer and (one.ended is None or newer[-1].begun - one.ended < APART):
            one = _joined(one, newer.pop())
        newer.append(one)
    for same in apart.values():
        yield replace(same[0], tries=sum(one.tries for one in same), times=len(same))


def _joined(older: Interruption, newer: Interruption) -> Interruption:
    ended = max(older.ended, newer.ended) if older.ended and newer.ended else None
    return replace(older, ended=ended, tries=older.tries + newer.tries)
