"""What the first page reads of the summary rows: a few queries, whatever the number of events, stores and books."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.db.models import Case, CharField, Count, F, OuterRef, Q, QuerySet, Subquery, Sum, Value, When

from ledger.admin.base import LARGEST_COUNT
from ledger.admin.scoping import Person, visible
from ledger.clock import database_now
from ledger.journal.states import NOT_FED
from ledger.models import Book, DayFigure, FiguresTaken, Posting, Store
from ledger.money import ZERO
from ledger.terms import SyncState

DAYS = 30
WAITING = (SyncState.ERROR, SyncState.NOT_SYNCED, SyncState.PROCESSING)
"""States of events that belong in the books and are not there."""


class Status(StrEnum):
    """Where events stand: the sync states, and apart from Never Synced what a person has set aside."""

    ERROR = "error"
    PROCESSING = "processing"
    NOT_SYNCED = "not_synced"
    NEVER_SYNCED = "never_synced"
    SET_ASIDE = "set_aside"
    SYNCED = "synced"

    @property
    def label(self) -> str:
        return "Set aside" if self is Status.SET_ASIDE else SyncState(self.value).label


class Outside(StrEnum):
    """Days that no period of the page covers."""

    EARLIER = "earlier"
    LATER = "later"
    UNDATED = "undated"


@dataclass(frozen=True)
class Tally:
    """Some events: how many, their money, and how many were changed at the till after their sync."""

    events: int = 0
    amount: Decimal = ZERO
    changed: int = 0

    def __add__(self, other: "Tally") -> "Tally":
        return Tally(self.events + other.events, self.amount + other.amount, self.changed + other.changed)


States = Mapping[Status, Tally]
ByDay = dict[int, dict[date, dict[Status, Tally]]]
"""Of each book and business date."""


def total(of: Iterable[Tally]) -> Tally:
    """All of them together."""
    return sum(of, Tally())


@dataclass(frozen=True)
class Today:
    """The day it is for most of the stores, or the day after the latest sale when none is known of a whole month."""

    day: date
    is_real: bool
    zone: str

    @property
    def last(self) -> date:
        """The last day that the periods cover."""
        return self.day if self.is_real else self.day - timedelta(days=1)


@dataclass(frozen=True)
class Aside:
    """What was set aside in each book by business date, and of that what Daybook itself set aside.

    It does so when a store no longer feeds the book. `more`: the books that have more than was counted here.
    """

    all: dict[int, dict[date | None, Tally]] = field(default_factory=dict)
    unfed: dict[int, Tally] = field(default_factory=dict)
    more: frozenset[int] = frozenset()

    def by_people(self, book: int) -> Tally:
        """What a person has set aside."""
        every, own = total(self.all.get(book, {}).values()), self.unfed.get(book, Tally())
        return Tally(every.events - own.events, every.amount - own.amount)

    def days(self, book: int) -> Mapping[date | None, Tally]:
        """By day, where all of it was counted: a part would misstate every day."""
        return {} if book in self.more else self.all.get(book, {})


@dataclass
class Sums:
    """What is known of some books: by day and state, in all by state, and the oldest event that waits in each.

    `outside` has what waits, or was set aside, on days that `days` does not reach, so that nothing stuck is left out.
    What was set aside is told apart from Never Synced in the books where all of it was counted.
    """

    today: Today
    days: ByDay
    in_all: dict[int, dict[Status, int]]
    outside: dict[int, dict[Outside, dict[Status, Tally]]]
    aside: Aside
    oldest: dict[int, Posting]
    knows_any: bool

    def between(self, book: Book, first: date, last: date) -> States:
        """The events of a book in some days, both ends included, by state."""
        found: dict[Status, Tally] = defaultdict(Tally)
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
    first = min(_first_of_last_month(today.last), today.last - timedelta(days=DAYS - 1))
    aside = _aside(books, person)
    return Sums(
        today=today,
        days=_by_day(figures.filter(business_date__gte=first), aside),
        in_all=_in_all(figures, aside),
        outside=_outside(figures, aside, today),
        aside=aside,
        oldest=oldest,
        knows_any=latest is not None,
    )


def _aside(books: Sequence[Book], person: Person) -> Aside:
    """The figures know it as Never Synced only; its own index is short. Each book is counted as far as lists are."""
    rows = visible(Posting.objects.filter(book__in=books).exclude(set_aside_reason=""), to=person)
    few = Posting.objects.filter(pk__in=rows.order_by().values("pk")[: LARGEST_COUNT + 1])
    own = Q(set_aside_reason=NOT_FED)
    found = Aside()
    for row in (
        few.order_by()
        .values("book_id", "business_date")
        .annotate(
            n=Count("pk"), money=Sum("amount"), unfed=Count("pk", filter=own), unfed_money=Sum("amount", filter=own)
        )
    ):
        book = row["book_id"]
        found.all.setdefault(book, {})[row["business_date"]] = Tally(row["n"], row["money"] or ZERO)
        found.unfed[book] = found.unfed.get(book, Tally()) + Tally(row["unfed"], row["unfed_money"] or ZERO)
    if sum(total(days.values()).events for days in found.all.values()) <= LARGEST_COUNT:
        return found
    if len(books) == 1:
        return replace(found, more=frozenset(found.all))
    return _together([_aside([book], person) for book in books])


def _together(parts: Sequence[Aside]) -> Aside:
    return Aside(
        {book: days for part in parts for book, days in part.all.items()},
        {book: tally for part in parts for book, tally in part.unfed.items()},
        frozenset(book for part in parts for book in part.more),
    )


def _told_apart(states: dict[Status, Tally], aside: Tally | None) -> dict[Status, Tally]:
    """Never Synced without what was set aside. The figures may be a minute older, so it is never below nothing."""
    if not aside or not aside.events:
        return states
    never = states.get(Status.NEVER_SYNCED, Tally())
    rest = Tally(never.events - aside.events, never.amount - aside.amount) if never.events > aside.events else Tally()
    return {**states, Status.NEVER_SYNCED: rest, Status.SET_ASIDE: aside}


def _by_day(figures: QuerySet[DayFigure], aside: Aside) -> ByDay:
    days: ByDay = defaultdict(lambda: defaultdict(dict))
    grouped = figures.order_by().values("book_id", "business_date", "state")
    for row in grouped.annotate(n=Sum("events"), money=Sum("amount"), changes=Sum("changed")):
        if row["business_date"]:
            tally = Tally(row["n"], row["money"], row["changes"])
            days[row["book_id"]][row["business_date"]][Status(row["state"])] = tally
    for book, dated in days.items():
        for day, states in dated.items():
            dated[day] = _told_apart(states, aside.days(book).get(day))
    return days


def _in_all(figures: QuerySet[DayFigure], aside: Aside) -> dict[int, dict[Status, int]]:
    found: dict[int, dict[Status, Tally]] = defaultdict(dict)
    for row in figures.order_by().values("book_id", "state").annotate(n=Sum("events")):
        found[row["book_id"]][Status(row["state"])] = Tally(row["n"])
    told = {b: _told_apart(states, total(aside.days(b).values())) for b, states in found.items()}
    return {book: {status: tally.events for status, tally in states.items()} for book, states in told.items()}


def _outside(figures: QuerySet[DayFigure], aside: Aside, today: Today) -> dict[int, dict[Outside, dict[Status, Tally]]]:
    """What waits on other days: these rows only, for a long history has many that nobody waits for."""
    begun = _first_of_last_month(today.last)
    found: dict[int, dict[Outside, dict[Status, Tally]]] = defaultdict(lambda: defaultdict(dict))
    earlier, later = Q(business_date__lt=begun), Q(business_date__gt=today.last)
    where = Case(
        When(earlier, then=Value(Outside.EARLIER.value)),
        When(later, then=Value(Outside.LATER.value)),
        default=Value(Outside.UNDATED.value),
        output_field=CharField(),
    )
    waits = figures.filter(earlier | later | Q(business_date=None), state__in=WAITING).annotate(where=where)
    for row in waits.order_by().values("book_id", "where", "state").annotate(n=Sum("events"), money=Sum("amount")):
        found[row["book_id"]][Outside(row["where"])][Status(row["state"])] = Tally(row["n"], row["money"])
    for book in aside.all:
        for day, tally in aside.days(book).items():
            if (outside := _place(day, begun, today.last)) is not None:
                states = found[book][outside]
                states[Status.SET_ASIDE] = states.get(Status.SET_ASIDE, Tally()) + tally
    return found


def _place(day: date | None, first: date, last: date) -> Outside | None:
    """None for the days that the periods cover."""
    if day is None:
        return Outside.UNDATED
    return Outside.EARLIER if day < first else Outside.LATER if day > last else None


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
