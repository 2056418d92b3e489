"""The money: what the till took in a period, what of it is posted, and in which state the difference stands."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from config.overview.sums import Sums, Tally, Today, total
from ledger.models import Book
from ledger.terms import SyncState

OPEN = tuple(state for state in reversed(SyncState) if state is not SyncState.SYNCED)
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
    """Events of one state, as a link."""

    state: SyncState
    tally: Tally
    link: str

    @property
    def label(self) -> str:
        return self.state.label


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
    def is_whole(self) -> bool:
        """Whether everything the till knows is in the books."""
        return not self.parts


def periods(today: Today) -> list[Period]:
    """Yesterday, the week to it, this month and the last; of an old till the same around its latest sale."""
    day, before = today.day, today.day - timedelta(days=1)
    month = day.replace(day=1)
    if not today.is_real:
        month = before.replace(day=1)
        day = before
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


def money_row(book: Book, sums: Sums, period: Period, *, address: Address) -> MoneyRow:
    """The figures of some days, each with the list of events behind it."""
    states = sums.between(book, period.first, period.last)
    days = {"first": period.first.isoformat(), "last": period.last.isoformat()}
    return MoneyRow(
        period=period,
        till=total(states.values()),
        posted=states.get(SyncState.SYNCED, Tally()),
        parts=tuple(
            Part(state, states[state], address(state=state.value, **days))
            for state in OPEN
            if state in states and states[state].events
        ),
        till_link=address(**days),
        posted_link=address(state=SyncState.SYNCED.value, **days),
        open_link=address(state="open", **days),
        changed_link=address(state="changed", **days),
    )


def day_rows(book: Book, sums: Sums, days: list[date], *, address: Address) -> list[MoneyRow]:
    """The same for single days, newest first; a day without a sale is a row as well."""
    return [money_row(book, sums, Period(f"{day:%a, %b %-d}", day, day), address=address) for day in sorted(days)[::-1]]
