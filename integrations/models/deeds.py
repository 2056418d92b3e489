"""What a person does to many events at once: which events were chosen, and what became of each.

The events are written down when the person confirms, so that exactly what the preview named is touched, however long
it takes and whatever else begins to match the same filter meanwhile.
"""

from django.conf import settings
from django.db import models
from django.db.models import Q

from ledger.models import Book, Posting, SyncOrder
from ledger.models.fields import AmountField


class BulkDeed(models.Model):
    """One deed on many events of a book: confirmed once, audited once, done in blocks."""

    class Kind(models.TextChoices):
        RETRY = "retry", "Retry"
        SET_ASIDE = "set_aside", "Set aside"
        TAKE_BACK = "take_back", "Take back"
        ADOPT = "adopt", "Adopt"

    book = models.ForeignKey(Book, on_delete=models.PROTECT, related_name="bulk_deeds")
    kind = models.CharField(max_length=10, choices=Kind.choices)
    reason = models.CharField(max_length=300, blank=True)
    filter = models.JSONField(default=dict, help_text="What the list was narrowed to, in words.")
    events = models.PositiveIntegerField(default=0)
    amount = AmountField(default=0)
    order = models.ForeignKey(SyncOrder, on_delete=models.PROTECT, null=True, related_name="+")
    ordered_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    ordered_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    problem = models.TextField(blank=True, help_text="Why it cannot go on now.")

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}, {self.events} events of {self.book}"


class BulkItem(models.Model):
    """One event of a deed: waiting, done, or left as it was, with the `reason`.

    `cause`: what held the event up when it was chosen, empty where nothing did, None where nobody wrote it down.
    """

    class Outcome(models.TextChoices):
        WAITING = "", "Waiting"
        DONE = "done", "Done"
        LEFT = "left", "Left as it was"

    deed = models.ForeignKey(BulkDeed, on_delete=models.CASCADE, related_name="items", db_index=False)
    posting = models.ForeignKey(Posting, on_delete=models.PROTECT, related_name="bulk_items")
    outcome = models.CharField(max_length=5, choices=Outcome.choices, blank=True)
    reason = models.CharField(max_length=300, blank=True)
    cause = models.CharField(max_length=200, blank=True, null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["deed", "posting"], name="one_item_per_event_and_deed"),
            models.CheckConstraint(condition=~Q(outcome="left") | Q(reason__gt=""), name="left_event_says_why"),
        ]
        indexes = [models.Index(fields=["deed", "outcome", "id"])]

    def __str__(self) -> str:
        return f"{self.posting}: {self.get_outcome_display()}"
