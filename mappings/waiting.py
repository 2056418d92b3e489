"""What waits in Error for want of an account: how many events and how much money, by the place that would mend it."""

from dataclasses import dataclass, field
from decimal import Decimal

from django.db.models import Count, Sum

from ledger.errors import UnmappedAccount
from ledger.models import Book, Posting
from ledger.money import ZERO
from ledger.terms import SyncState
from mappings.use import Value

MOST = 20_000
"""So many events are counted at most: a whole chain that waits must not make the screen slow."""


@dataclass(frozen=True)
class Held:
    """Events that wait, and the money in them."""

    events: int = 0
    amount: Decimal = ZERO

    def __add__(self, other: "Held") -> "Held":
        return Held(self.events + other.events, self.amount + other.amount)

    def __bool__(self) -> bool:
        return self.events > 0


@dataclass(frozen=True)
class Waiting:
    """By role, value and store's primary key. Not `is_all`: there are more, and each figure is "at least"."""

    by: dict[tuple[Value, str], Held] = field(default_factory=dict)
    is_all: bool = True

    @property
    def total(self) -> Held:
        return sum(self.by.values(), Held())

    def by_value(self) -> dict[Value, Held]:
        found: dict[Value, Held] = {}
        for (value, _), held in self.by.items():
            found[value] = found.get(value, Held()) + held
        return found


def cause_of(role: str, value: str) -> str:
    """As the postings that wait for it bear it (`UnmappedAccount`)."""
    return f"{UnmappedAccount.code}:{role}:{value}"


def read(book: Book) -> Waiting:
    """One query, whatever the number of events."""
    errors = Posting.objects.filter(book=book, state=SyncState.ERROR, error_code=UnmappedAccount.code)
    some = errors.order_by().values("pk")[: MOST + 1]
    rows = Posting.objects.filter(pk__in=some).order_by().values("cause", "store_id")
    found: dict[tuple[Value, str], Held] = {}
    for row in rows.annotate(events=Count("pk"), money=Sum("amount")):
        _, role, value = row["cause"].split(":", 2)
        found[(role, value), str(row["store_id"] or "")] = Held(row["events"], row["money"] or ZERO)
    return Waiting(found, sum(held.events for held in found.values()) <= MOST)
