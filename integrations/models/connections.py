"""Connections to the vendors with their credentials, and how far each has come."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from integrations.secrets import EncryptedJSONField
from ledger.models import Book, Source

LIMITS = ("requests_per_minute", "requests_per_second", "in_flight", "batches_per_minute", "items_per_batch")
"""The columns of what a vendor permits; empty: what it says of itself (`integrations.windows.Limits`)."""


class Connection(models.Model):
    """One door: a vendor's account, joined to the book or the source that it serves."""

    class State(models.TextChoices):
        UNCONNECTED = "unconnected", "Not connected"
        CONNECTED = "connected", "Connected"
        ACTION_REQUIRED = "action_required", "Action required"

    vendor = models.CharField(max_length=40)
    book = models.OneToOneField(Book, on_delete=models.PROTECT, null=True, blank=True, related_name="connection")
    source = models.OneToOneField(Source, on_delete=models.PROTECT, null=True, blank=True, related_name="connection")
    base_url = models.CharField(
        "address", max_length=300, blank=True, help_text="Empty: the vendor's own address for production."
    )
    settle_seconds = models.PositiveIntegerField(
        null=True,
        blank=True,
        help_text="How long the other system may go on working on a request whose answer was lost. "
        "Empty: the vendor's documented value.",
    )
    requests_per_minute = models.PositiveIntegerField(null=True, blank=True)
    requests_per_second = models.PositiveIntegerField(null=True, blank=True)
    in_flight = models.PositiveIntegerField("calls under way", null=True, blank=True)
    batches_per_minute = models.PositiveIntegerField(null=True, blank=True)
    items_per_batch = models.PositiveIntegerField(null=True, blank=True)
    credentials = EncryptedJSONField(blank=True, default=dict, editable=False)
    token_version = models.PositiveIntegerField(default=0, editable=False)
    token_expires_at = models.DateTimeField(null=True, editable=False)
    refresh_lease_until = models.DateTimeField(null=True, editable=False)
    state = models.CharField(max_length=20, choices=State.choices, default=State.UNCONNECTED, editable=False)
    problem = models.TextField(blank=True, editable=False)
    account_id = models.CharField(max_length=64, blank=True, editable=False)
    company_name = models.CharField(max_length=200, blank=True, editable=False)
    installation_id = models.CharField(max_length=64, blank=True, editable=False)
    connected_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, editable=False, related_name="+"
    )
    connected_at = models.DateTimeField(null=True, editable=False)
    answered_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        permissions = [("operate_sync", "Can start and stop the sync and order past events")]
        constraints = [
            models.CheckConstraint(
                condition=Q(book__isnull=False, source=None) | Q(book=None, source__isnull=False),
                name="connection_serves_a_book_or_a_source",
            ),
            *(
                models.CheckConstraint(condition=Q(**{name: None}) | Q(**{f"{name}__gt": 0}), name=f"some_{name}")
                for name in LIMITS
            ),
        ]

    def __str__(self) -> str:
        return f"{self.company_name or self.book or self.source} ({self.vendor})"


class Capture(models.Model):
    """How far the documents of a source have been captured. Live sales and history walk apart."""

    connection = models.OneToOneField(Connection, on_delete=models.CASCADE, related_name="capture")
    live_since = models.DateTimeField(help_text="The live walk's latest time of change.")
    history_since = models.DateTimeField(null=True)
    history_after_id = models.BigIntegerField(default=0)
    history_until = models.DateTimeField()
    history_done = models.BooleanField(default=False)
    last_run_at = models.DateTimeField(null=True)
    problem = models.TextField(blank=True)

    def __str__(self) -> str:
        return f"Capture of {self.connection}"


class AccountImport(models.Model):
    """One import of a chart of accounts: ordered, running, done or failed, with its counts."""

    connection = models.ForeignKey(Connection, on_delete=models.CASCADE, related_name="imports")
    ordered_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    ordered_at = models.DateTimeField(auto_now_add=True)
    started_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    accounts = models.PositiveIntegerField(default=0)
    problem = models.TextField(blank=True)

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"Import of {self.connection}"


class AccountCreation(models.Model):
    """Accounts that a person ordered to be created in the accounting system, and what became of each.

    `rows`: of each its name, type, role, number, the places of the mapping it is for, the request key, its state
    (waiting, unknown, created, found, refused), when it was sent, the id over there, and why not, in a sentence.
    """

    connection = models.ForeignKey(Connection, on_delete=models.CASCADE, related_name="account_creations")
    ordered_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    ordered_at = models.DateTimeField(auto_now_add=True)
    rows = models.JSONField()
    fill_mapping = models.BooleanField(default=False)
    filled = models.PositiveIntegerField(default=0, help_text="Places of the mapping that were filled afterwards.")
    started_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    problem = models.TextField(blank=True)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["connection"], condition=Q(ended_at=None), name="one_creation_of_accounts_at_a_time"
            )
        ]

    def __str__(self) -> str:
        return f"Accounts for {self.connection}"
