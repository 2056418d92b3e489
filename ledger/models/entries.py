"""Journal entries, their lines, the batches they travel in and every attempt to send them.

The guards of `ledger.guards` stand on these tables: an entry that does not balance cannot be sealed, and nothing
changes under a sealed one.
"""

from django.db import models
from django.db.models import Q

from ledger.models.accounts import Account
from ledger.models.books import Book, Store
from ledger.models.fields import AmountField, choices, is_one_of
from ledger.terms import DeliveryState, EntryKind, Priority, Role

UNDER_WAY = Q(state=DeliveryState.READY) | Q(state=DeliveryState.SENDING) | Q(state=DeliveryState.UNKNOWN)
"""What waits or is being sent. Said as an OR, because SQLite finds the index of these by exactly these words."""


class Batch(models.Model):
    """Entries that were sent in one call: in this order, under this key, with this content."""

    book = models.ForeignKey(Book, on_delete=models.PROTECT, related_name="batches")
    request_key = models.CharField(max_length=36, unique=True)
    references = models.JSONField()
    sent_hash = models.CharField(max_length=64)
    sent_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"Batch {self.request_key}"


class Delivery(models.Model):
    """Something that is sent to another system exactly once: claim, lease, keys and the id over there.

    `owner` is the fencing token of the claim: a late write of a lost claim changes no row.
    `sent_at` is set while it may be over there: from before the call until an answer or a look-up says otherwise.
    """

    state = models.CharField(max_length=12, choices=choices(DeliveryState), default=DeliveryState.DRAFTING)
    owner = models.CharField(max_length=36, blank=True)
    lease_until = models.DateTimeField(null=True)
    next_attempt_at = models.DateTimeField(null=True)
    attempts_made = models.PositiveIntegerField(default=0)
    request_key = models.CharField(max_length=36)
    sent_at = models.DateTimeField(null=True)
    batch = models.ForeignKey(Batch, on_delete=models.PROTECT, null=True, related_name="+")
    remote_id = models.CharField(max_length=64, blank=True)
    remote_link = models.CharField(max_length=300, blank=True)
    sent_body = models.TextField(blank=True, help_text="The body as it left, as proof.")
    posted_at = models.DateTimeField(null=True)

    class Meta:
        abstract = True


class JournalEntry(Delivery):
    """A balanced set of lines with one date and one currency in one book."""

    book = models.ForeignKey(Book, on_delete=models.PROTECT, related_name="entries")
    reference = models.CharField(max_length=21)
    kind = models.CharField(max_length=15, choices=choices(EntryKind), default=EntryKind.ORIGINAL)
    reverses = models.ForeignKey("self", on_delete=models.PROTECT, null=True, related_name="reversals")
    store = models.ForeignKey(Store, on_delete=models.PROTECT, null=True, related_name="+")
    posting_date = models.DateField()
    currency = models.CharField(max_length=3)
    memo = models.CharField(max_length=1000)
    total = AmountField(help_text="The sum of its debits, which is the sum of its credits.")
    priority = models.SmallIntegerField(default=0)
    sealed = models.BooleanField(default=False)
    created_at = models.DateTimeField()

    class Meta:
        ordering = ["-id"]
        verbose_name_plural = "journal entries"
        constraints = [
            models.UniqueConstraint(
                fields=["book", "reference"],
                condition=~Q(state=DeliveryState.DISCARDED),
                name="one_living_entry_per_reference",
            ),
            is_one_of("state", DeliveryState, name="entry_state_is_known"),
            models.CheckConstraint(
                condition=Q(sealed=True) | Q(state__in=[DeliveryState.DRAFTING, DeliveryState.DISCARDED]),
                name="only_sealed_entries_are_sent",
            ),
            models.CheckConstraint(
                condition=~Q(state=DeliveryState.POSTED) | Q(remote_id__gt=""),
                name="posted_entry_has_its_remote_id",
            ),
            models.CheckConstraint(
                condition=~Q(state=DeliveryState.UNKNOWN) | Q(sent_at__isnull=False), name="unknown_entry_was_sent"
            ),
            models.CheckConstraint(
                condition=Q(kind=EntryKind.REVERSAL, reverses__isnull=False) | ~Q(kind=EntryKind.REVERSAL),
                name="reversal_names_its_original",
            ),
        ]
        indexes = [
            models.Index(
                fields=["book", "priority", "id"],
                name="entry_to_send",
                condition=UNDER_WAY,
            ),
            models.Index(fields=["book", "posting_date"]),
            models.Index(fields=["book", "posted_at"], name="entry_by_time", condition=Q(posted_at__isnull=False)),
            models.Index(fields=["reference"]),
            models.Index(fields=["remote_id"]),
        ]

    def __str__(self) -> str:
        return self.reference


def under_way(book: Book) -> models.QuerySet[JournalEntry]:
    """The entries of a book that wait or are being sent: few, whatever the number of all.

    The priority is named for SQLite, which else takes the index of the whole book; each entry has one.
    """
    return JournalEntry.objects.filter(UNDER_WAY, book=book, priority__gte=Priority.LIVE)


class JournalLine(models.Model):
    """A line of an entry, kept per posting, with the account it went to and why."""

    entry = models.ForeignKey(JournalEntry, on_delete=models.PROTECT, related_name="lines")
    posting = models.ForeignKey("ledger.Posting", on_delete=models.PROTECT, related_name="lines")
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="lines")
    role = models.CharField(max_length=30, choices=[(role.value, role.value) for role in Role])
    dimensions = models.JSONField(default=dict)
    debit = AmountField(default=0)
    credit = AmountField(default=0)
    text = models.CharField(max_length=200, blank=True)
    why = models.CharField(max_length=300, help_text="The mapping that chose the account, in words.")

    class Meta:
        ordering = ["id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(debit__gt=0, credit=0) | Q(credit__gt=0, debit=0), name="line_has_one_side"
            )
        ]

    def __str__(self) -> str:
        return f"{self.account}: {self.debit or -self.credit}"


class Attempt(models.Model):
    """One try to send an entry: recorded before the call, its outcome after it."""

    class Result(models.TextChoices):
        SENDING = "sending", "Sending"
        POSTED = "posted", "Posted"
        FOUND = "found", "Found there already"
        ADOPTED = "adopted", "Adopted"
        REJECTED = "rejected", "Refused"
        UNKNOWN = "unknown", "No definite answer"
        NOT_SENT = "not_sent", "Not sent"

    entry = models.ForeignKey(JournalEntry, on_delete=models.PROTECT, related_name="attempts")
    batch = models.ForeignKey(Batch, on_delete=models.PROTECT, null=True, related_name="attempts")
    owner = models.CharField(max_length=36, blank=True)
    request_key = models.CharField(max_length=36)
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    result = models.CharField(max_length=12, choices=Result.choices, default=Result.SENDING)
    code = models.CharField(max_length=40, blank=True)
    message = models.TextField(blank=True)
    vendor_message = models.TextField(blank=True)
    vendor_request_id = models.CharField(max_length=100, blank=True)

    class Meta:
        ordering = ["id"]
        indexes = [models.Index(fields=["started_at"])]

    def __str__(self) -> str:
        return f"{self.entry}: {self.get_result_display()}"
