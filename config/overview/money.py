"""The money: what the till took in a period, what of it is posted, and in which state the difference stands."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from itertools import groupby

from config.overview.sums import Outside, States, Status, Sums, Tally, Today, total
from ledger.models import Book

OPEN = tuple(status for status in Status if status is not Status.SYNCED)
Address = Callable[..., str]
"""The address of the list of events behind a figure, by its filters."""


@dataclass(frozen=True)
class Period:
    """Some business dates, both ends included, with a name."""

    name: str
    first: date
    last: date

    @property
    def dates(self) -> str:
        """Such as "Nov 20" or "Nov 14 to Nov 20"."""
        if self.first == self.last:
            return f"{self.first:%b %-d}"
        return f"{self.first:%b %-d} to {self.last:%b %-d}"


@dataclass(frozen=True)
class Part:
    """Events of one status, as a link."""

    status: Status
    tally: Tally
    link: str


@dataclass(frozen=True)
class Rest:
    """What waits, or was set aside, on days that no period covers."""

    name: str
    dates: str
    parts: tuple[Part, ...]

    @property
    def all(self) -> Tally:
        return total(part.tally for part in self.parts)


@dataclass(frozen=True)
class MoneyRow:
    """One period of one book."""

    period: Period
    till: Tally
    posted: Tally
    parts: tuple[Part, ...]
    till_link: str
    posted_link: str
    open_link: str
    changed_link: str

    @property
    def difference(self) -> Decimal:
        return self.till.amount - self.posted.amount

    @property
    def days(self) -> int:
        return (self.period.last - self.period.first).days + 1

    @property
    def is_whole(self) -> bool:
        """Whether everything the till knows is in the books."""
        return not self.parts


def periods(today: Today) -> list[Period]:
    """Yesterday, the week to it, this month and the last; of an old till the same around its latest sale."""
    day, before = today.last, today.day - timedelta(days=1)
    month = day.replace(day=1)
    last_month = (month - timedelta(days=1)).replace(day=1)
    names = ["Yesterday", "Last 7 days", "This month", "Last month"]
    if not today.is_real:
        names = ["The latest day", "The 7 days to it", f"{month:%B %Y}", f"{last_month:%B %Y}"]
    return [
        Period(names[0], before, before),
        Period(names[1], before - timedelta(days=6), before),
        Period(names[2], month, day),
        Period(names[3], last_month, month - timedelta(days=1)),
    ]


def money_rows(book: Book, sums: Sums, *, address: Address) -> list[MoneyRow]:
    """A row for each period."""
    return [money_row(book, sums, period, address=address) for period in periods(sums.today)]


def rests(book: Book, sums: Sums, *, address: Address) -> list[Rest]:
    """What is stuck beside the periods. Earlier days are always told of, the others when there is something."""
    found = sums.outside.get(book.pk, {})
    known = periods(sums.today)
    first, last = min(period.first for period in known), sums.today.last
    before, after = first - timedelta(days=1), last + timedelta(days=1)
    rows = [
        _rest("Earlier", f"before {first:%b %-d, %Y}", found, Outside.EARLIER, address, last=before.isoformat()),
        _rest("Later", f"after {last:%b %-d, %Y}", found, Outside.LATER, address, first=after.isoformat()),
        # No filter names what has no date; oldest first, the list begins with it.
        _rest("Without a date", "the list begins with these", found, Outside.UNDATED, address, sort="oldest"),
    ]
    return [rows[0], *(row for row in rows[1:] if row.parts)]


def _rest(
    name: str, dates: str, found: Mapping[Outside, States], place: Outside, address: Address, **chosen: str
) -> Rest:
    return Rest(name, dates, _parts(found.get(place, {}), address, **chosen))


def _parts(states: States, address: Address, **chosen: str) -> tuple[Part, ...]:
    return tuple(
        Part(status, states[status], address(state=status.value, **chosen))
        for status in OPEN
        if status in states and states[status].events
    )


def money_row(book: Book, sums: Sums, period: Period, *, address: Address) -> MoneyRow:
    """The figures of some days, each with the list of events behind it."""
    states = sums.between(book, period.first, period.last)
    days = {"first": period.first.isoformat(), "last": period.last.isoformat()}
    return MoneyRow(
        period=period,
        till=total(states.values()),
        posted=states.get(Status.SYNCED, Tally()),
        parts=_parts(states, address, **days),
        till_link=address(**days),
        posted_link=address(state=Status.SYNCED.value, **days),
        open_link=address(state="open", **days),
        changed_link=address(state="changed", **days),
    )


def day_rows(book: Book, sums: Sums, days: list[date], *, address: Address) -> list[MoneyRow]:
    """The same for single days, newest first; days in a row without a sale are one row."""
    sold = {day for day, states in sums.days.get(book.pk, {}).items() if total(states.values()).events}
    spans = [
        span
        for is_quiet, run in groupby(sorted(days, reverse=True), key=lambda day: day not in sold)
        for span in ([list(run)] if is_quiet else [[day] for day in run])
    ]
    return [money_row(book, sums, _of_days(span[-1], span[0]), address=address) for span in spans]


def _of_days(first: date, last: date) -> Period:
    named = Period("", first, last)
    return Period(f"{first:%a, %b %-d}" if first == last else named.dates, first, last)
