"""Where each financial event stands in each book."""

from django.db import models
from django.db.models import Q

from ledger.models.books import Book, Store, SyncOrder
from ledger.models.events import FinancialEvent
from ledger.models.fields import AmountField, choices, is_one_of
from ledger.terms import Outcome, Priority, SyncState


class Posting(models.Model):
    """One event in one book. Number, store, date and amount repeat the event's, so that lists need no join.

    `entry` is the entry that carries it now; empty while there is none. `cause` groups errors that one repair mends.
    """

    event = models.ForeignKey(FinancialEvent, on_delete=models.PROTECT, related_name="postings")
    book = models.ForeignKey(Book, on_delete=models.PROTECT, related_name="postings")
    state = models.CharField(max_length=20, choices=choices(SyncState), default=SyncState.NEVER_SYNCED)
    outcome = models.CharField(max_length=20, choices=choices(Outcome), blank=True)
    error_code = models.CharField(max_length=40, blank=True)
    cause = models.CharField(max_length=200, blank=True)
    error = models.TextField(blank=True)
    error_detail = models.TextField(blank=True)
    priority = models.SmallIntegerField(default=Priority.LIVE)
    order = models.ForeignKey(SyncOrder, on_delete=models.PROTECT, null=True, related_name="postings")
    entry = models.ForeignKey("ledger.JournalEntry", on_delete=models.PROTECT, null=True, related_name="postings")
    booked_revision = models.PositiveIntegerField(null=True)
    changed_since = models.BooleanField(default=False)
    set_aside_reason = models.CharField(max_length=300, blank=True)
    number = models.CharField(max_length=60)
    store = models.ForeignKey(Store, on_delete=models.PROTECT, null=True, related_name="+")
    business_date = models.DateField(null=True)
    amount = AmountField(null=True)
    updated_at = models.DateTimeField()

    class Meta:
        ordering = ["-id"]
        permissions = [
            ("retry_posting", "Can retry failed events"),
            ("set_aside_posting", "Can set an event aside"),
            ("adopt_posting", "Can adopt an entry of the accounting system"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["event", "book"], name="one_posting_per_event_and_book"),
            is_one_of("state", SyncState, name="posting_state_is_known"),
            models.CheckConstraint(
                condition=Q(state=SyncState.SYNCED, outcome__gt="") | (~Q(state=SyncState.SYNCED) & Q(outcome="")),
                name="synced_posting_has_an_outcome",
            ),
            models.CheckConstraint(
                condition=Q(state=SyncState.ERROR, error__gt="") | ~Q(state=SyncState.ERROR),
                name="error_posting_says_why",
            ),
        ]
        indexes = [
            models.Index(fields=["book", "-id"]),
            models.Index(fields=["book", "state", "-id"]),
            models.Index(fields=["book", "business_date", "id"]),
            models.Index(fields=["number"]),
            models.Index(
                fields=["book", "priority", "id"],
                name="posting_to_book",
                condition=Q(state=SyncState.NOT_SYNCED, entry=None),
            ),
            models.Index(fields=["book", "cause"], name="posting_in_error", condition=Q(state=SyncState.ERROR)),
        ]

    def __str__(self) -> str:
        return f"{self.number} in {self.book}"
