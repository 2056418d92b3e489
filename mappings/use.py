"""What the events of the last 90 days bear: by role and value, how many events and how much money.

Counted day by day from the facts of the events, and kept, so that a screen reads at most 90 rows. Nothing is booked
from these figures: they say which places of the mapping matter.
"""

import time
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from math import inf
from typing import Any

from django.db.models import Count, F, Sum

from ledger import facts as facts_json
from ledger import money, rules
from ledger.clock import database_now
from ledger.errors import STUMBLES, DaybookError
from ledger.models import Book, EventRevision, Posting
from ledger.models.postings import BY_DATE
from ledger.money import ZERO
from ledger.terms import ROLES, Role, Side
from ledger.values import DraftLine
from mappings.models import DayUse

DAYS = 90
EVERY = timedelta(minutes=10)
"""The figures are this old at most while the worker runs."""

CREDITED = frozenset(
    {
        Role.SALES,
        Role.SHIPPING_INCOME,
        Role.TIPS_PAYABLE,
        Role.TAX_PAYABLE,
        Role.GIFT_CARD_LIABILITY,
        Role.INVENTORY_ON_HAND,
        Role.ROUNDING,
    }
)
"""Roles whose money is credits less debits, so that a usual day is above zero."""

Value = tuple[str, str]
"""A role, and the code by which it is told apart; empty for a role that is not."""


@dataclass(frozen=True)
class Use:
    """`amount`: what went this role's usual way, less what went the other."""

    events: int = 0
    amount: Decimal = ZERO

    def __add__(self, other: "Use") -> "Use":
        return Use(self.events + other.events, self.amount + other.amount)


@dataclass(frozen=True)
class Uses:
    """What 90 days bear, both ends included. `at`: when the latest of them was counted."""

    by: dict[Value, Use] = field(default_factory=dict)
    first: date | None = None
    last: date | None = None
    at: datetime | None = None

    def of(self, role: str, value: str) -> Use:
        return self.by.get((role, value), Use())


def read(book: Book) -> Uses:
    """The figures as they were counted last; empty while they never were. One query of at most 90 rows."""
    days = list(DayUse.objects.filter(book=book).order_by("business_date"))
    if not days:
        return Uses()
    found: dict[Value, Use] = defaultdict(Use)
    for day in days:
        for role, values in day.found.items():
            for value, (events, amount) in values.items():
                found[role, value] += Use(events, _usual_way(role, Decimal(amount)))
    last = days[-1].business_date
    return Uses(dict(found), last - timedelta(days=DAYS - 1), last, days[-1].counted_at)


def _usual_way(role: str, amount: Decimal) -> Decimal:
    return -amount if role in CREDITED else amount


# --- Counting -------------------------------------------------------------------------------------


def refresh(book: Book, *, until: float = inf) -> int:
    """Count the days that have changed, at most every ten minutes. Returns how many were counted.

    `until`: a moment of the monotonic clock after which no further day is begun; the next call goes on.
    """
    now = database_now()
    last = last_day(book, now)
    if last is None or DayUse.objects.filter(book=book, counted_at__gt=now - EVERY, business_date=last).exists():
        return 0
    return _count(book, last, now, until)


def _count(book: Book, last: date, now: datetime, until: float) -> int:
    done = 0
    there = _there(book, last)
    kept = {day.business_date: (day.events, day.revisions) for day in DayUse.objects.filter(book=book)}
    DayUse.objects.filter(book=book).exclude(business_date__in=list(there)).delete()
    # The newest last and always: it bears the time of the whole.
    for day in (day for day in sorted(there) if day == last or kept.get(day) != there[day]):
        if time.monotonic() > until:
            break
        _keep(book, day, there[day], now)
        done += 1
    return done


def last_day(book: Book, now: datetime) -> date | None:
    """The latest business date, with which the 90 days end; the till's clock may be ahead of ours, but not by years."""
    dated = Posting.objects.filter(book=book, business_date__lte=now.date() + timedelta(days=1))
    return dated.order_by(*BY_DATE).values_list("business_date", flat=True).first()


def _there(book: Book, last: date) -> dict[date, tuple[int, int]]:
    """The days of the period with their events, and the sum of the latest revisions."""
    days = Posting.objects.filter(book=book, business_date__range=(last - timedelta(days=DAYS - 1), last)).order_by()
    rows = days.values("business_date").annotate(events=Count("pk"), revisions=Sum("event__revision"))
    return {day: (row["events"], row["revisions"]) for row in rows if (day := row["business_date"])}


def _keep(book: Book, day: date, there: tuple[int, int], now: datetime) -> None:
    events, revisions = there
    figures = {"events": events, "revisions": revisions, "found": _found(book, day), "counted_at": now}
    DayUse.objects.update_or_create(book=book, business_date=day, defaults=figures)


def _found(book: Book, day: date) -> dict[str, dict[str, list[Any]]]:
    latest = EventRevision.objects.filter(
        n=F("event__revision"), event__postings__book=book, event__postings__business_date=day
    )
    found: dict[str, dict[str, list[Any]]] = defaultdict(dict)
    for (role, value), one in _summed(latest.values_list("facts", flat=True).iterator(chunk_size=500), book).items():
        found[role][value] = [one.events, money.text(one.amount)]
    return found


def _summed(every: Iterable[dict[str, Any]], book: Book) -> dict[Value, Use]:
    found: dict[Value, Use] = defaultdict(Use)
    for plain in every:
        for value, amount in _borne(plain, book).items():
            found[value] += Use(1, amount)
    return found


def _borne(plain: dict[str, Any], book: Book) -> dict[Value, Decimal]:
    """What one event bears, debits less credits."""
    borne: dict[Value, Decimal] = defaultdict(Decimal)
    for line in _drafted(plain, book):
        required = ROLES[line.role].required
        value = dict(line.dimensions).get(required, "") if required else ""
        borne[line.role.value, value] += line.amount if line.side is Side.DEBIT else -line.amount
    return borne


def _drafted(plain: dict[str, Any], book: Book) -> list[DraftLine]:
    """The lines of an event; without its cost where that is not known. What cannot be read bears nothing."""
    for post_cost in (True, False):
        try:
            facts = facts_json.from_json(plain)
            return rules.draft(facts, post_cost=post_cost) if facts.currency == book.currency else []
        except (DaybookError, *STUMBLES):
            continue
    return []
