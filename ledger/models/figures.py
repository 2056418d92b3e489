"""Summary rows: how many events and how much money stand in which state, by book, store and business date.

Screens read them in place of the postings, of which there may be millions. `ledger.journal.figures` keeps them.
"""

from django.db import models
from django.db.models import Q

from ledger.models.books import Book, Store
from ledger.models.fields import AmountField, choices, is_one_of
from ledger.terms import SyncState


class DayFigure(models.Model):
    """The postings of one book, store, business date and state, summed. Store and date are empty where theirs are."""

    book = models.ForeignKey(Book, on_delete=models.CASCADE, related_name="day_figures")
    store = models.ForeignKey(Store, on_delete=models.PROTECT, null=True, related_name="+")
    business_date = models.DateField(null=True)
    state = models.CharField(max_length=20, choices=choices(SyncState))
    events = models.PositiveIntegerField()
    amount = AmountField()
    changed = models.PositiveIntegerField(default=0, help_text="How many were changed at the till after their sync.")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["book", "business_date", "store", "state"], name="one_figure_per_day"),
            models.UniqueConstraint(
                fields=["book", "business_date", "state"],
                condition=Q(store=None, business_date__isnull=False),
                name="one_figure_per_day_without_store",
            ),
            is_one_of("state", SyncState, name="figure_state_is_known"),
        ]
        indexes = [models.Index(fields=["book", "state", "store", "events"])]

    def __str__(self) -> str:
        return f"{self.book}, {self.business_date}: {self.events} {self.get_state_display()}"


class StaleDay(models.Model):
    """A day of a book whose figures must be summed again: written by the database itself with each change.

    Rows are only added and taken away, never updated, and the same day may be noted twice, so that workers do not wait
    for each other.
    """

    book = models.ForeignKey(Book, on_delete=models.CASCADE, related_name="+", db_index=False)
    business_date = models.DateField(null=True)

    class Meta:
        indexes = [models.Index(fields=["book", "business_date"])]

    def __str__(self) -> str:
        return f"{self.business_date} of book {self.book_id}"


class FiguresTaken(models.Model):
    """When the figures of a book were last true."""

    book = models.OneToOneField(Book, on_delete=models.CASCADE, related_name="figures_taken")
    at = models.DateTimeField()

    def __str__(self) -> str:
        return f"Figures of {self.book} at {self.at}"
