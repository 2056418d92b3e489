"""Connections with their credentials, and the rows by which workers agree: leases, buckets, heartbeats, alerts."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from integrations.secrets import EncryptedJSONField
from ledger.models import Book, Source


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
            )
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


class OAuthRequest(models.Model):
    """A log-in that a person began at a vendor: bound to the person and the connection, used once, short-lived."""

    state_hash = models.CharField(max_length=64, unique=True)
    connection = models.ForeignKey(Connection, on_delete=models.CASCADE)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE)
    redirect_uri = models.CharField(max_length=300)
    begun_at = models.DateTimeField(auto_now_add=True)
    used_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"Log-in to {self.connection}"


class OneTimePassword(models.Model):
    """A generated password that must be changed before anything else can be done with it."""

    user = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="one_time_password")
    password_hash = models.CharField(max_length=200)

    def __str__(self) -> str:
        return f"One-time password of {self.user}"


class Lease(models.Model):
    """A named right to do a periodic job, held by one process at a time."""

    name = models.CharField(max_length=100, unique=True)
    owner = models.CharField(max_length=36, blank=True)
    until = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return self.name


class Bucket(models.Model):
    """A token bucket of a connection, shared by all processes. `level` is in thousandths of a place."""

    connection = models.ForeignKey(Connection, on_delete=models.CASCADE, related_name="buckets")
    kind = models.CharField(max_length=20)
    level = models.BigIntegerField()
    filled_at = models.DateTimeField()
    paused_until = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["connection", "kind"], name="one_bucket_per_kind")]

    def __str__(self) -> str:
        return f"{self.kind} of {self.connection}"


class Heartbeat(models.Model):
    """Proof that tasks really run: written by a task, never by the cluster itself."""

    name = models.CharField(max_length=40, unique=True)
    at = models.DateTimeField()

    def __str__(self) -> str:
        return self.name


class Alert(models.Model):
    """One problem, however many events it holds up. It closes by itself when its cause is gone."""

    class Severity(models.TextChoices):
        WARNING = "warning", "Warning"
        ERROR = "error", "Action required"

    book = models.ForeignKey(Book, on_delete=models.CASCADE, null=True, related_name="alerts")
    connection = models.ForeignKey(Connection, on_delete=models.CASCADE, null=True, related_name="alerts")
    cause = models.CharField(max_length=220)
    severity = models.CharField(max_length=10, choices=Severity.choices, default=Severity.ERROR)
    sentence = models.TextField()
    events = models.PositiveIntegerField(default=0)
    first_seen_at = models.DateTimeField()
    last_seen_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-last_seen_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["book", "cause"],
                condition=Q(closed_at=None, connection=None),
                name="one_open_alert_per_cause",
            ),
            models.UniqueConstraint(
                fields=["connection", "cause"],
                condition=Q(closed_at=None) & Q(connection__isnull=False),
                name="one_open_alert_per_connection_cause",
            ),
        ]

    def __str__(self) -> str:
        return self.sentence
