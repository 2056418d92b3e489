"""Alerts, who wants to hear of them, and each message that tells somebody."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from integrations.models.connections import Connection
from integrations.secrets import SealableJSONField
from ledger.models import Book
from ledger.models.fields import AmountField


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
    amount = AmountField(default=0, help_text="The money of the events it holds up.")
    first_seen_at = models.DateTimeField()
    last_seen_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True)
    acknowledged_at = models.DateTimeField(null=True)
    acknowledged_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    known_events = models.PositiveIntegerField(
        default=0, help_text="How many events it held up when people were last told of it, or acknowledged it."
    )
    assigned_to = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="assigned_alerts"
    )

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
            models.UniqueConstraint(
                fields=["cause"],
                condition=Q(closed_at=None, book=None, connection=None),
                name="one_open_alert_per_cause_of_daybook",
            ),
        ]
        indexes = [models.Index(fields=["closed_at"], name="alert_closed", condition=Q(closed_at__isnull=False))]

    def __str__(self) -> str:
        return self.sentence


class Subscription(models.Model):
    """How one person wants to hear of alerts: which severity by which channel, at once or once a day, and when not."""

    class When(models.TextChoices):
        NEVER = "never", "Not at all"
        AT_ONCE = "at_once", "At once"
        DAILY = "daily", "In the daily digest"

    class Chat(models.TextChoices):
        SLACK = "slack", "Slack"
        TEAMS = "teams", "Microsoft Teams"

    user = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="subscription")
    email_errors = models.CharField(max_length=8, choices=When.choices, default=When.AT_ONCE)
    email_warnings = models.CharField(max_length=8, choices=When.choices, default=When.DAILY)
    chat_errors = models.CharField(max_length=8, choices=When.choices, default=When.NEVER)
    chat_warnings = models.CharField(max_length=8, choices=When.choices, default=When.NEVER)
    chat = models.CharField(max_length=5, choices=Chat.choices, default=Chat.SLACK)
    chat_address = SealableJSONField(blank=True, default=dict, editable=False)
    digest_at = models.TimeField(default="08:00")
    quiet_from = models.TimeField(null=True, blank=True)
    quiet_until = models.TimeField(null=True, blank=True)
    time_zone = models.CharField(max_length=64, default="UTC")

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(quiet_from=None, quiet_until=None) | Q(quiet_from__isnull=False, quiet_until__isnull=False),
                name="quiet_hours_have_both_ends",
            )
        ]

    def __str__(self) -> str:
        return f"Alerts for {self.user}"


class Notice(models.Model):
    """One thing told to one person by one channel: written when its reason arises, sent when it is due.

    `occasion` names what it tells, so that the same is never told twice: `opened:<alert>`, `again:<alert>:<events>`,
    `closed:<alert>`, `digest:<date>`, `test:<moment>`. Notices that are due together leave in one message;
    `message_key` is that message's, kept while it may have arrived.
    """

    class Channel(models.TextChoices):
        EMAIL = "email", "E-mail"
        CHAT = "chat", "Chat"

    class State(models.TextChoices):
        WAITING = "waiting", "Waiting"
        SENDING = "sending", "Sending"
        SENT = "sent", "Sent"
        DROPPED = "dropped", "Not needed any more"
        FAILED = "failed", "Given up"

    subscription = models.ForeignKey(Subscription, on_delete=models.CASCADE, related_name="notices")
    alert = models.ForeignKey(Alert, on_delete=models.CASCADE, null=True, related_name="notices")
    channel = models.CharField(max_length=5, choices=Channel.choices)
    occasion = models.CharField(max_length=60)
    state = models.CharField(max_length=8, choices=State.choices, default=State.WAITING)
    due_at = models.DateTimeField()
    message_key = models.CharField(max_length=36, blank=True)
    owner = models.CharField(max_length=36, blank=True)
    lease_until = models.DateTimeField(null=True)
    attempts_made = models.PositiveIntegerField(default=0)
    problem = models.TextField(blank=True)
    sent_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["subscription", "channel", "occasion"], name="one_notice_per_occasion")
        ]
        indexes = [
            models.Index(fields=["due_at"], name="notice_to_send", condition=Q(state__in=["waiting", "sending"])),
            models.Index(fields=["alert", "due_at"], name="notice_told", condition=Q(alert=None)),
        ]

    def __str__(self) -> str:
        return f"{self.get_channel_display()} to {self.subscription.user}: {self.occasion}"
