"""The summary rows that screens read in place of the postings: summed again day by day, whenever a day has changed.

The database itself notes which days those are (`ledger.marks`). A change that is committed while its day is summed
leaves a note of its own, so the figures are true as soon as no note is left.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.db import connection, transaction
from django.db.models import Count, Q, QuerySet, Sum

from ledger.clock import database_now
from ledger.locks import locked
from ledger.models import Book, DayFigure, FiguresTaken, Posting, StaleDay
from ledger.terms import Outcome

NOTES = 2000
"""Notes that are read at once; there may be many of one day."""
FEW_DAYS = 20
"""Changed days that are summed while somebody waits for a page."""


@dataclass(frozen=True)
class _Block:
    """Days that are summed in one transaction, and the notes that asked for them."""

    notes: list[int]
    days: list[date | None]
    is_last: bool


def block_size() -> int:
    """SQLite has one writer at a time, so its transactions stay under about 50 ms."""
    return 60 if connection.vendor == "postgresql" else 8


def refresh(book: Book) -> int:
    """Sum the days of a book that have changed, in blocks of a transaction each. Returns how many days."""
    FiguresTaken.objects.get_or_create(book=book, defaults={"at": database_now()})
    days = 0
    while True:
        block = _refresh_block(book)
        days += len(block.days)
        if block.is_last:
            return days


def catch_up(books: Collection[Book]) -> None:
    """Sum the changed days before a page shows them, where they are few and no worker is at it."""
    noted = StaleDay.objects.filter(book__in=books).order_by().values_list("book", "business_date")
    notes = list(noted[:NOTES])
    if len(notes) == NOTES or len(set(notes)) > FEW_DAYS:
        return
    changed = {pk for pk, _ in notes}
    for book in books:
        if book.pk in changed:
            _catch_up(book)


def _catch_up(book: Book) -> None:
    for _ in range(1 + FEW_DAYS // block_size()):
        if _refresh_block(book, waits=False).is_last:
            return


def is_behind(books: Collection[Book]) -> bool:
    """Whether days have changed since their figures were taken."""
    return StaleDay.objects.filter(book__in=books).exists()


def rebuild(book: Book) -> int:
    """Sum every day of a book anew, also those of which no figure is left to tell."""
    days = {*Posting.objects.filter(book=book).order_by().values_list("business_date", flat=True).distinct()}
    days |= {*book.day_figures.order_by().values_list("business_date", flat=True).distinct()}
    StaleDay.objects.bulk_create([StaleDay(book=book, business_date=day) for day in days], batch_size=500)
    return refresh(book)


def _refresh_block(book: Book, *, waits: bool = True) -> _Block:
    with transaction.atomic():
        # One at a time sums a book. It is not the book that is locked: recording holds that for a whole page.
        if locked(FiguresTaken.objects.filter(book=book), skip_locked=not waits).first() is None:
            return _Block([], [], is_last=True)
        now = database_now()
        # What is summed is read after the notes: whatever left one of these is seen, and these alone are taken away.
        block = _noted(book)
        _sum(book, block.days)
        StaleDay.objects.filter(pk__in=block.notes).delete()
        if block.is_last:
            FiguresTaken.objects.filter(book=book).update(at=now)
    return block


def _noted(book: Book) -> _Block:
    notes = list(StaleDay.objects.filter(book=book).order_by("pk").values_list("pk", "business_date")[:NOTES])
    every = list(dict.fromkeys(day for _, day in notes))
    days = every[: block_size()]
    chosen = [pk for pk, day in notes if day in set(days)]
    return _Block(chosen, days, is_last=len(notes) < NOTES and days == every)


def _sum(book: Book, days: Collection[date | None]) -> None:
    if not days:
        return
    DayFigure.objects.filter(_of(days), book=book).delete()
    DayFigure.objects.bulk_create(
        [DayFigure(book=book, **row) for row in sums(Posting.objects.filter(_of(days), book=book))], batch_size=500
    )


def _of(days: Collection[date | None]) -> Q:
    dated = Q(business_date__in=[day for day in days if day])
    return dated | Q(business_date=None) if None in days else dated


def sums(postings: QuerySet[Posting]) -> Iterable[dict[str, object]]:
    """Postings by store, day and state. What was voided at the till before it was sent is counted, and sold nothing."""
    sold = ~Q(outcome=Outcome.VOIDED_BEFORE_SYNC)
    rows = postings.order_by().values("store_id", "business_date", "state")
    for row in rows.annotate(
        events=Count("pk"), sold=Sum("amount", filter=sold), changed=Count("pk", filter=Q(changed_since=True))
    ):
        found: dict[str, object] = {**row, "amount": row["sold"] or Decimal(0)}
        del found["sold"]
        yield found
