"""What runs now and how far it is: the backlog, an order of past events, an import, a deed on many events.

Counts and speed are read from our rows. Where nothing has moved lately there is no time left to tell: then the reason
why it waits is said instead.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, Min, Q, QuerySet

from integrations import bulk, machines, vendors
from integrations.admin_views.words import counted
from integrations.breaker import rests_until
from integrations.models import AccountImport, BulkDeed, Connection
from ledger.clock import database_now
from ledger.models import Book, JournalEntry, Posting, SyncOrder
from ledger.models.entries import under_way
from ledger.moments import plain, zone_of_book
from ledger.terms import DeliveryState, SyncState

LOOKED_BACK = timedelta(minutes=3)
"""Speed is what moved in the last minutes; older ones say nothing of now."""

STANDS_STILL = timedelta(seconds=60)
FEWEST_SECONDS = 5.0
SILENT_WORKER = timedelta(minutes=2)
LARGEST_BACKLOG = 10_000
WAITING = [SyncState.NOT_SYNCED, SyncState.PROCESSING]


@dataclass(frozen=True)
class Progress:
    """One thing that runs: `value` of `most` done, in words, and where its events are listed.

    `most` is None while nobody knows how much there is. `is_moving` is False when it waits, for the reason in `words`;
    of the backlog `reason` has it alone.
    """

    name: str
    title: str
    value: int
    most: int | None
    words: str
    is_moving: bool = True
    reason: str = ""

    def told(self) -> dict[str, Any]:
        """For the script that keeps an open page true."""
        return {"value": self.value, "most": self.most, "words": self.words}


@dataclass(frozen=True)
class Run:
    """An order of past events by the states of its events now. It is over when each of them is Synced.

    `failed_in_range`: how many events of its dates are in Error, and `failed_beside`: those of them that are not in it,
    for instance because they could not be read when they came.
    """

    order: SyncOrder
    counts: dict[str, int] = field(default_factory=dict)
    failed_in_range: int = 0
    failed_beside: int = 0

    @property
    def synced(self) -> int:
        return self.counts.get(SyncState.SYNCED, 0)

    @property
    def not_synced(self) -> int:
        """Waiting for their turn."""
        return self.counts.get(SyncState.NOT_SYNCED, 0)

    @property
    def processing(self) -> int:
        """Being sent now."""
        return self.counts.get(SyncState.PROCESSING, 0)

    @property
    def waiting(self) -> int:
        return self.not_synced + self.processing

    @property
    def failed(self) -> int:
        return self.counts.get(SyncState.ERROR, 0)

    @property
    def aside(self) -> int:
        """Set aside since they were ordered."""
        return self.counts.get(SyncState.NEVER_SYNCED, 0)

    @property
    def scope(self) -> int:
        """What the order still asks for: all that it took, less what was called back or set aside."""
        return self.order.events - self.order.stopped_events - self.aside

    @property
    def is_done(self) -> bool:
        return not self.waiting and not self.failed

    @property
    def sentence(self) -> str:
        """The parts add up to all that the order took."""
        parts = [f"{self.synced:,} of {self.order.events:,} events are Synced"]
        parts += [f"{self.waiting:,} waiting"] if self.waiting else []
        parts += [f"{self.failed:,} in Error"] if self.failed else []
        parts += [f"{self.aside:,} set aside"] if self.aside else []
        parts += [f"{self.order.stopped_events:,} called back"] if self.order.stopped_events else []
        return ", ".join(parts)


def runs(book: Book, *, most: int = 5) -> list[Run]:
    """The latest orders of past events that took any event, newest first, counted in two queries."""
    orders = SyncOrder.objects.filter(book=book, kind=SyncOrder.Kind.PAST, events__gt=0)
    latest = list(orders.select_related("ordered_by").order_by("-id")[:most])
    rows = Posting.objects.filter(order__in=latest).order_by().values_list("order", "state")
    found: dict[int, dict[str, int]] = {}
    for order, state, number in rows.annotate(n=Count("pk")):
        found.setdefault(order, {})[state] = number
    failed = _failed_in_ranges(book, latest)
    return [Run(o, found.get(o.pk, {}), failed[f"all_{o.pk}"], failed[f"beside_{o.pk}"]) for o in latest]


def _failed_in_ranges(book: Book, latest: Iterable[SyncOrder]) -> dict[str, int]:
    """By order: the events of its dates that are in Error, and those of them that are not in the order."""
    numbers = {}
    for order in latest:
        of_its_dates = Q(business_date__range=(order.first_date, order.last_date))
        numbers[f"all_{order.pk}"] = Count("pk", filter=of_its_dates)
        numbers[f"beside_{order.pk}"] = Count("pk", filter=of_its_dates & ~Q(order=order))
    return Posting.objects.filter(book=book, state=SyncState.ERROR).aggregate(**numbers)


def all_of(connection: Connection, book: Book, *, latest: Iterable[Run]) -> list[Progress]:
    """Everything that runs in a book now: orders of past events, the backlog when there is none, imports, deeds."""
    running = [run for run in latest if run.waiting]
    found = [_of_run(connection, book, run) for run in running]
    if not found and (backlog := of_backlog(connection, book)):
        found.append(backlog)
    found += [_of_import(order) for order in connection.imports.filter(ended_at=None)[:1]]
    unfinished = bulk.unfinished().filter(book=book).select_related("book").order_by("pk")
    return found + [of_deed(row) for row in unfinished[:3]]


def _of_run(connection: Connection, book: Book, run: Run) -> Progress:
    posted = JournalEntry.objects.filter(book=book, postings__order=run.order)
    pace = _pace(posted)
    why = waits_for(connection, book, lest=_left(pace, run.waiting))
    words = f"{run.sentence}. {why}"
    order = run.order
    title = f"Past events, {order.first_date:%b %-d, %Y} to {order.last_date:%b %-d, %Y}"
    return Progress(f"run-{order.pk}", title, run.synced, run.scope, words, bool(pace))


def of_backlog(connection: Connection, book: Book) -> Progress | None:
    """What waits without an order of past events: live sales and retries. There is no end to count up to."""
    rows = Posting.objects.filter(book=book, state__in=WAITING)
    waiting = rows.order_by()[: LARGEST_BACKLOG + 1].count()
    if not waiting:
        return None
    pace = _pace(JournalEntry.objects.filter(book=book))
    shown = f"{LARGEST_BACKLOG:,}+ events" if waiting > LARGEST_BACKLOG else counted(waiting, "event")
    left = _left(pace, waiting) if waiting <= LARGEST_BACKLOG else _speed(pace)
    words = waits_for(connection, book, lest=left)
    moves = bool(pace) and words == left
    return Progress("backlog", "Sync", 0, None, f"{shown} waiting. {words}", moves, "" if moves else words)


def _of_import(order: AccountImport) -> Progress:
    """How many accounts there are is known when the last page has come, so there is no time left to tell."""
    now = database_now()
    if order.started_at is None:
        return Progress("import", "Import of accounts", 0, None, "Ordered; a worker begins in a moment.", False)
    minutes = (now - order.started_at).total_seconds() / 60
    pace = order.accounts / minutes if order.accounts and minutes * 60 > FEWEST_SECONDS else 0
    speed = f", {pace:,.0f} per minute" if pace else ""
    words = f"{counted(order.accounts, 'account')} read{speed}. Their number is known when the last one has come."
    return Progress("import", "Import of accounts", order.accounts, None, words)


def of_deed(row: BulkDeed) -> Progress:
    """How far a deed on many events is."""
    so_far = bulk.progress(row)
    done = so_far["done"] + so_far["left"]
    seconds = (database_now() - row.ordered_at).total_seconds()
    pace = done / seconds * 60 if done and seconds > FEWEST_SECONDS else 0
    left = f", {so_far['left']:,} left as they were" if so_far["left"] else ""
    rest = row.problem or _left(pace, so_far["waiting"]) or "A worker begins in a moment."
    words = f"{so_far['done']:,} of {counted(row.events, 'event')} done{left}. {rest}"
    return Progress(f"deed-{row.pk}", row.get_kind_display(), done, row.events, words, bool(pace))


def _pace(entries: QuerySet[JournalEntry]) -> float:
    """Entries a minute over the last minutes; 0 when none was posted in the last one, or too few to tell."""
    now = database_now()
    seen = entries.filter(posted_at__gt=now - LOOKED_BACK)
    found = seen.aggregate(n=Count("pk"), first=Min("posted_at"))
    if not found["n"] or not seen.filter(posted_at__gt=now - STANDS_STILL).exists():
        return 0
    seconds = (now - found["first"]).total_seconds()
    return found["n"] / seconds * 60 if seconds >= FEWEST_SECONDS else 0


def _speed(pace: float) -> str:
    return f"{pace:,.0f} per minute." if pace >= 1 else "Less than one per minute." if pace else ""


def _left(pace: float, waiting: int) -> str:
    """The speed and the time that the rest takes at it; empty when nothing moves."""
    if not pace or not waiting:
        return ""
    seconds = waiting / pace * 60
    return f"{_speed(pace)} About {duration(seconds)} left."


def duration(seconds: float) -> str:
    """How long, in words."""
    if seconds < 60:
        return "less than a minute"
    minutes = round(seconds / 60)
    if minutes < 90:
        return counted(minutes, "minute")
    hours = round(minutes / 60)
    return counted(hours, "hour") if hours < 48 else counted(round(hours / 24), "day")


def waits_for(connection: Connection, book: Book, *, lest: str = "") -> str:
    """Why nothing moves, in one sentence, by what our rows say; `lest`: what is said where nothing stopped it."""
    label = vendors.VENDORS[connection.vendor].label
    if connection.state == Connection.State.UNCONNECTED:
        return f"Waiting: {label} is not connected."
    if connection.state == Connection.State.ACTION_REQUIRED:
        return f"Waiting: the connection to {label} must be renewed."
    if not book.uses_financials:
        return "Waiting: “Use the financial system” is off."
    if not book.syncing:
        return "Waiting: the sync is stopped."
    return (
        _nobody_calls(connection, book, label)
        or lest
        or _of_the_limit(connection, book, label)
        or _of_the_entries(book, label)
        or _of_the_worker(book)
        or "Waiting for its turn: the first answer has not come yet."
    )


def _nobody_calls(connection: Connection, book: Book, label: str) -> str:
    """A pause that the vendor asked for, or a rest while it does not answer: whatever moved lately has stopped."""
    if pause := vendors.limiter(connection).paused_until():
        return f"Waiting: {label} asked for a pause until {_clock(pause, book)}; it goes on by itself."
    if rest := rests_until(connection.pk):
        return f"Waiting: {label} does not answer; Daybook asks again at {_clock(rest, book)}, by itself."
    return ""


def _of_the_limit(connection: Connection, book: Book, label: str) -> str:
    """Each minute anew, as long as there is more to send than the vendor takes."""
    if place := vendors.limiter(connection).next_batch():
        return f"Waiting: the limit of {label} is used up until {_clock(place, book)}; it goes on by itself."
    return ""


def _of_the_entries(book: Book, label: str) -> str:
    """What the entries that were tried wait for."""
    now = database_now()
    later = under_way(book).filter(state=DeliveryState.READY)
    ready = later.filter(next_attempt_at=None) | later.filter(next_attempt_at__lte=now)
    due = later.filter(next_attempt_at__gt=now).aggregate(at=Min("next_attempt_at"))["at"]
    if due and not ready.exists():
        return f"Waiting: {label} could not be reached at the last try; the next one is at {_clock(due, book)}."
    if under_way(book).filter(state=DeliveryState.UNKNOWN).exists():
        return f"Waiting: an answer of {label} was lost; Daybook looks the entries up before it goes on."
    return ""


def _of_the_worker(book: Book) -> str:
    """The heartbeat is written by a task, so that a worker that hangs gives none."""
    last = machines.last_sign()
    if last and last < database_now() - SILENT_WORKER:
        return f"Waiting: no worker has given a sign of life since {_clock(last, book)}. Tell your administrator."
    return ""


def _clock(moment: datetime, book: Book) -> str:
    return plain(moment, zone_of_book(book), seconds=True)
