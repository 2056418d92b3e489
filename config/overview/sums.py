"""What the first page reads of the summary rows: a few queries, whatever the number of events, stores and books."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.db.models import Count, F, OuterRef, QuerySet, Subquery, Sum

from ledger.admin.scoping import Person, visible
from ledger.clock import database_now
from ledger.models import Book, DayFigure, FiguresTaken, Posting, Store
from ledger.money import ZERO
from ledger.terms import SyncState

DAYS = 30
WAITING = (SyncState.ERROR, SyncState.NOT_SYNCED, SyncState.PROCESSING)
"""States of events that belong in the books and are not there."""


@dataclass(frozen=True)
class Tally:
    """Some events: how many, their money, and how many were changed at the till after their sync."""

    events: int = 0
    amount: Decimal = ZERO
    changed: int = 0

    def __add__(self, other: "Tally") -> "Tally":
        return Tally(self.events + other.events, self.amount + other.amount, self.changed + other.changed)


States = Mapping[SyncState, Tally]


def total(of: Iterable[Tally]) -> Tally:
    """All of them together."""
    return sum(of, Tally())


@dataclass(frozen=True)
class Today:
    """The day it is for most of the stores, or the day after the latest sale when none is known of a whole month."""

    day: date
    is_real: bool
    zone: str


@dataclass
class Sums:
    """What is known of some books: by day and state, in all by state, and the oldest event that waits in each."""

    today: Today
    days: dict[int, dict[date, dict[SyncState, Tally]]]
    in_all: dict[int, dict[SyncState, int]]
    oldest: dict[int, Posting]
    knows_any: bool

    def between(self, book: Book, first: date, last: date) -> States:
        """The events of a book in some days, both ends included, by state."""
        found: dict[SyncState, Tally] = defaultdict(Tally)
        for day, states in self.days.get(book.pk, {}).items():
            if first <= day <= last:
                for state, summed in states.items():
                    found[state] += summed
        return found


def read(books: Sequence[Book], *, person: Person) -> Sums:
    """As far as this person may see: the figures of the own stores only, for who is limited to some."""
    figures = visible(DayFigure.objects.filter(book__in=books), to=person)
    latest, oldest = _ends(books, figures, person)
    today = _today(latest, person)
    first = min(_first_of_last_month(today.day), today.day - timedelta(days=DAYS - 1))
    return Sums(
        today=today,
        days=_by_day(figures.filter(business_date__gte=first)),
        in_all=_in_all(figures),
        oldest=oldest,
        knows_any=latest is not None,
    )


def _by_day(figures: QuerySet[DayFigure]) -> dict[int, dict[date, dict[SyncState, Tally]]]:
    days: dict[int, dict[date, dict[SyncState, Tally]]] = defaultdict(lambda: defaultdict(dict))
    grouped = figures.order_by().values("book_id", "business_date", "state")
    for row in grouped.annotate(n=Sum("events"), money=Sum("amount"), changes=Sum("changed")):
        if row["business_date"]:
            tally = Tally(row["n"], row["money"], row["changes"])
            days[row["book_id"]][row["business_date"]][SyncState(row["state"])] = tally
    return days


def _in_all(figures: QuerySet[DayFigure]) -> dict[int, dict[SyncState, int]]:
    found: dict[int, dict[SyncState, int]] = defaultdict(dict)
    for row in figures.order_by().values("book_id", "state").annotate(n=Sum("events")):
        found[row["book_id"]][SyncState(row["state"])] = row["n"]
    return found


def _ends(
    books: Sequence[Book], figures: QuerySet[DayFigure], person: Person
) -> tuple[date | None, dict[int, Posting]]:
    """The latest business date that is known, and the oldest event that waits in each book."""
    dated = figures.filter(book=OuterRef("pk"), business_date__isnull=False).order_by("-business_date")
    rows = Book.objects.filter(pk__in=[book.pk for book in books]).annotate(
        latest=Subquery(dated.values("business_date")[:1]),
        **{f"oldest_{state}": Subquery(_oldest(state, person).values("pk")[:1]) for state in WAITING},
    )
    named = list(rows.values("latest", *(f"oldest_{state}" for state in WAITING)))
    ids = [row[f"oldest_{state}"] for row in named for state in WAITING if row[f"oldest_{state}"]]
    oldest: dict[int, Posting] = {}
    for posting in Posting.objects.filter(pk__in=ids).order_by("-business_date", "-pk"):
        oldest[posting.book_id] = posting
    return max((row["latest"] for row in named if row["latest"]), default=None), oldest


def _oldest(state: SyncState, person: Person) -> QuerySet[Posting]:
    """The other end of the index that lists a book's events of one state, newest first."""
    rows = visible(Posting.objects.filter(book=OuterRef("pk"), state=state, business_date__isnull=False), to=person)
    return rows.order_by(F("business_date").asc(nulls_first=True), "pk")


def taken_at(books: Sequence[Book]) -> datetime | None:
    """Since when the figures of all books are known; None while those of one were never taken."""
    times = list(FiguresTaken.objects.filter(book__in=books).values_list("at", flat=True))
    return min(times) if times and len(times) == len(books) else None


def _today(latest: date | None, person: Person) -> Today:
    zone, day = _local_day(person)
    if latest is None or latest > day - timedelta(days=DAYS):
        return Today(day, True, zone)
    return Today(latest + timedelta(days=1), False, zone)


def _local_day(person: Person) -> tuple[str, date]:
    """The business date it is now by the clock of most stores."""
    stores = visible(Store.objects.filter(active=True), to=person, store="pk")
    clocks = stores.order_by().values("time_zone", "day_start").annotate(n=Count("pk"))
    clock = clocks.order_by("-n", "time_zone").first()
    now = database_now()
    if clock is None:
        return "UTC", now.date()
    try:
        local = now.astimezone(ZoneInfo(clock["time_zone"]))
    except (ZoneInfoNotFoundError, ValueError):
        return "UTC", now.date()
    start = clock["day_start"]
    return clock["time_zone"], (local - timedelta(hours=start.hour, minutes=start.minute)).date()


def _first_of_last_month(day: date) -> date:
    return (day.replace(day=1) - timedelta(days=1)).replace(day=1)
