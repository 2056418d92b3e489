"""What stands in our tables, as numbers for a monitor: computed when asked, from indexes and summary rows alone.

Each function asks a handful of questions whatever the number of events. SQLite does not take the partial indexes for
the lags, and reads what the book holds.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, Q, Sum
from django_q.brokers import get_broker
from redis.exceptions import RedisError

from integrations import vendors
from integrations.models import Alert, Circuit, Connection
from ledger.clock import database_now
from ledger.journal import booking
from ledger.models import Attempt, Book, DayFigure, JournalEntry
from ledger.models.entries import UNDER_WAY
from ledger.terms import DeliveryState, Priority, SyncState

PRIORITIES = {"new": Priority.LIVE, "past": Priority.BACKLOG}

STUCK = timedelta(minutes=15)
"""A new entry that nothing holds up leaves within seconds; after so long somebody must look."""


@dataclass(frozen=True)
class Lag:
    """Seconds that the oldest waiting event, or entry that has not arrived, has been waiting; 0 without one."""

    book: Book
    priority: str
    seconds: float


@dataclass(frozen=True)
class Places:
    """How many calls of one kind may be made now, before one limit of the vendor makes us wait.

    `within`: minute or second, or "under way" for the calls that may be so at once.
    """

    connection: Connection
    kind: str
    within: str
    left: int


def events_by_state() -> list[tuple[Book, SyncState, int]]:
    """As the workers last summed them, a minute ago at most; states without an event are 0."""
    sums = DayFigure.objects.values_list("book", "state").order_by().annotate(events=Sum("events"))
    known = {(book, state): events for book, state, events in sums}
    return [(book, state, known.get((book.pk, state), 0)) for book in _books() for state in SyncState]


def lags() -> list[Lag]:
    """By book, for new events and for past ones that were ordered."""
    now = database_now()
    return [
        Lag(book, name, _seconds(now, _oldest(book, priority)))
        for book in _books()
        for name, priority in PRIORITIES.items()
    ]


def _oldest(book: Book, priority: int) -> datetime | None:
    """Since when the first in its turn has been waiting: both questions read one row of a partial index."""
    waiting = booking.unbooked(book).filter(priority=priority)
    sent = JournalEntry.objects.filter(UNDER_WAY, book=book, priority=priority)
    times = [
        waiting.order_by("priority", "id").values_list("updated_at", flat=True).first(),
        sent.order_by("priority", "id").values_list("created_at", flat=True).first(),
    ]
    return min((time for time in times if time), default=None)


def _seconds(now: datetime, since: datetime | None) -> float:
    return max(0.0, (now - since).total_seconds()) if since else 0.0


def is_stuck() -> bool:
    """Whether new events are due for long that nothing holds up, neither a person nor the vendor, and nobody works."""
    before = database_now() - STUCK
    running = vendors.books_connections().filter(state=Connection.State.CONNECTED, book__syncing=True)
    return any(
        connection.book is not None and _is_long_due(connection.book, before) and not vendors.waits_until(connection)
        for connection in running.filter(book__uses_financials=True)
    )


def _is_long_due(book: Book, before: datetime) -> bool:
    """While anything of the book is tried, whatever is due is in a queue that moves."""
    ready = JournalEntry.objects.filter(UNDER_WAY, book=book, priority=Priority.LIVE, state=DeliveryState.READY)
    due = ready.filter(Q(next_attempt_at=None) | Q(next_attempt_at__lte=before), created_at__lte=before)
    waiting = booking.unbooked(book).filter(priority=Priority.LIVE, updated_at__lte=before)
    tried = Attempt.objects.filter(started_at__gt=before, entry__book=book)
    return (due.exists() or waiting.exists()) and not tried.exists()


def attempts_of_the_last_hour() -> dict[str, int]:
    """How many attempts began in the last hour, by what became of them."""
    lately = Attempt.objects.filter(started_at__gt=database_now() - timedelta(hours=1)).order_by()
    found = dict(lately.values_list("result").annotate(n=Count("pk")))
    return {result.value: found.get(result.value, 0) for result in Attempt.Result}


def posted_in_the_last_minute() -> list[tuple[Book, int]]:
    since = database_now() - timedelta(minutes=1)
    return [(book, JournalEntry.objects.filter(book=book, posted_at__gt=since).count()) for book in _books()]


def places() -> Iterator[Places]:
    for connection in _connections():
        for use in vendors.limiter(connection).use():
            yield Places(connection, use.kind, use.within, use.most - use.taken)


def pauses() -> list[tuple[Connection, float]]:
    """Seconds until each vendor may be asked again, as it wished itself; 0 without such a wish."""
    now = database_now()
    found = [(connection, vendors.limiter(connection).paused_until()) for connection in _connections()]
    return [(connection, max(0.0, (until - now).total_seconds()) if until else 0.0) for connection, until in found]


def open_circuits() -> list[tuple[Connection, bool]]:
    """Whether each connection rests because the other side does not answer."""
    resting = set(Circuit.objects.exclude(opened_at=None).values_list("connection", flat=True))
    return [(connection, connection.pk in resting) for connection in _connections()]


def open_alerts() -> dict[str, int]:
    found = dict(Alert.objects.filter(closed_at=None).order_by().values_list("severity").annotate(n=Count("pk")))
    return {severity.value: found.get(severity.value, 0) for severity in Alert.Severity}


def queue_depth() -> int | None:
    """Wake-ups that nobody has taken yet; None when the queue cannot be asked."""
    try:
        return int(get_broker().queue_size())
    except RedisError:
        return None


def _books() -> list[Book]:
    return list(Book.objects.order_by("pk"))


def _connections() -> list[Connection]:
    return list(Connection.objects.order_by("pk"))
