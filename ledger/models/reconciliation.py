"""Comparisons of what we posted with what the accounting system shows, and the discrepancies found."""

from django.db import models

from ledger.models.books import Book
from ledger.models.fields import AmountField


class ReconciliationRun(models.Model):
    """One comparison of a book over a range of posting dates."""

    book = models.ForeignKey(Book, on_delete=models.PROTECT, related_name="reconciliations")
    first_date = models.DateField()
    last_date = models.DateField()
    ran_at = models.DateTimeField(auto_now_add=True)
    entries_ours = models.PositiveIntegerField()
    entries_theirs = models.PositiveIntegerField()

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.book}, {self.first_date} to {self.last_date}"


class Discrepancy(models.Model):
    """One disagreement that a reconciliation found."""

    run = models.ForeignKey(ReconciliationRun, on_delete=models.CASCADE, related_name="discrepancies")
    reference = models.CharField(max_length=21)
    kind = models.CharField(max_length=30)
    sentence = models.TextField()
    ours = AmountField(default=0)
    theirs = AmountField(default=0)

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return f"{self.reference}: {self.kind}"
