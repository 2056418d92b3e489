"""Where each financial event stands in each book."""

from django.db import models
from django.db.models import Q

from ledger.models.books import Book, Store, SyncOrder
from ledger.models.events import FinancialEvent
from ledger.models.fields import AmountField, NewestFirst, choices, is_one_of
from ledger.terms import EventKind, Outcome, Priority, SyncState

BY_DATE = (NewestFirst("business_date"), models.F("id").desc())


class Posting(models.Model):
    """One event in one book. Kind, number, store, date and amount repeat the event's, so that lists need no join.

    `entry` is the entry that carries it now; empty while there is none. `cause` groups errors that one repair mends.
    """

    # No index of their own: the unique one begins with the event, and the lists' begin with the book.
    event = models.ForeignKey(FinancialEvent, on_delete=models.PROTECT, related_name="postings", db_index=False)
    book = models.ForeignKey(Book, on_delete=models.PROTECT, related_name="postings", db_index=False)
    state = models.CharField(max_length=20, choices=choices(SyncState), default=SyncState.NEVER_SYNCED)
    outcome = models.CharField(max_length=20, choices=choices(Outcome), blank=True)
    error_code = models.CharField(max_length=40, blank=True)
    cause = models.CharField(max_length=200, blank=True)
    error = models.TextField(blank=True)
    error_detail = models.TextField(blank=True)
    priority = models.SmallIntegerField(default=Priority.LIVE)
    order = models.ForeignKey(SyncOrder, on_delete=models.PROTECT, null=True, related_name="postings", db_index=False)
    entry = models.ForeignKey("ledger.JournalEntry", on_delete=models.PROTECT, null=True, related_name="postings")
    booked_revision = models.PositiveIntegerField(null=True)
    changed_since = models.BooleanField(default=False)
    set_aside_reason = models.CharField(max_length=300, blank=True)
    kind = models.CharField(max_length=20, choices=choices(EventKind), default=EventKind.TICKET)
    number = models.CharField(max_length=60)
    store = models.ForeignKey(Store, on_delete=models.PROTECT, null=True, related_name="+")
    business_date = models.DateField(null=True)
    amount = AmountField(null=True)
    updated_at = models.DateTimeField()

    class Meta:
        ordering = ["-id"]
        verbose_name = "event in a book"
        verbose_name_plural = "events of all books"
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
            # The API walks by id.
            models.Index(fields=["book", "-id"]),
            models.Index(fields=["book", "state", "-id"]),
            # Each list is newest first and may be read from its other end: benchmarks/lists.py measures them.
            models.Index("book", *BY_DATE, name="posting_newest"),
            models.Index("book", "state", *BY_DATE, name="posting_by_state"),
            models.Index("book", "store", *BY_DATE, name="posting_by_store"),
            models.Index("book", *BY_DATE, name="posting_not_synced_yet", condition=~Q(state=SyncState.SYNCED)),
            models.Index("book", *BY_DATE, name="posting_changed_since", condition=Q(changed_since=True)),
            models.Index("book", *BY_DATE, name="posting_set_aside", condition=~Q(set_aside_reason="")),
            models.Index("book", "cause", *BY_DATE, name="posting_in_error", condition=Q(state=SyncState.ERROR)),
            models.Index("order", "state", *BY_DATE, name="posting_of_order", condition=Q(order__isnull=False)),
            models.Index(fields=["book", "amount", "id"], name="posting_by_amount"),
            models.Index(fields=["number"]),
            models.Index(
                fields=["book", "priority", "id"],
                name="posting_to_book",
                condition=Q(state=SyncState.NOT_SYNCED, entry=None),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.number} in {self.book}"

    @property
    def standing(self) -> str:
        """Its state as people read it: what was set aside is not told as what nobody asked for."""
        return "Set aside" if self.set_aside_reason else SyncState(self.state).label
