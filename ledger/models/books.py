"""Sources and their stores, books, which store feeds which book, and the orders people give."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from ledger.models.fields import AmountField, choices
from ledger.terms import Dimension


class Source(models.Model):
    """A point of sale from which financial events come. `code` begins every reference of its entries."""

    code = models.CharField(max_length=3, unique=True, help_text="Two or three capitals, e.g. HR.")
    name = models.CharField(max_length=100)
    currency = models.CharField(max_length=3, default="USD")

    class Meta:
        ordering = ["code"]

    def __str__(self) -> str:
        return self.name


class Store(models.Model):
    """A store of a source. Its clock and the hour at which its day begins decide the business date."""

    source = models.ForeignKey(Source, on_delete=models.PROTECT, related_name="stores")
    external_id = models.CharField(max_length=40)
    name = models.CharField(max_length=200)
    time_zone = models.CharField(max_length=64, default="UTC")
    day_start = models.TimeField(default="00:00", help_text="When the store's business day begins, by its own clock.")
    active = models.BooleanField(default=True)
    managers = models.ManyToManyField(
        settings.AUTH_USER_MODEL,
        blank=True,
        related_name="stores",
        help_text="Store managers: they see the events of their own stores only.",
    )

    class Meta:
        ordering = ["name"]
        constraints = [models.UniqueConstraint(fields=["source", "external_id"], name="one_store_per_id")]

    def __str__(self) -> str:
        return self.name


class Book(models.Model):
    """One company's set of accounts in one accounting system. Holds no secret: see integrations' connections."""

    name = models.CharField(max_length=200, unique=True)
    currency = models.CharField(max_length=3, default="USD")
    uses_financials = models.BooleanField(
        "Use the financial system",
        default=False,
        help_text="Nothing is booked while this is off. Turning it on reveals the account mapping.",
    )
    post_cost = models.BooleanField(
        "Post cost and inventory",
        default=True,
        help_text="Off when the accounting system values stock itself and would count cost twice.",
    )
    sync_started_at = models.DateTimeField(null=True, blank=True, editable=False)
    syncing = models.BooleanField(default=False, editable=False)
    closed_through = models.DateField(null=True, blank=True, editable=False)

    class Meta:
        ordering = ["name"]
        constraints = [
            models.CheckConstraint(
                condition=Q(syncing=False) | Q(sync_started_at__isnull=False), name="syncing_book_was_started"
            )
        ]

    def __str__(self) -> str:
        return self.name


class Feed(models.Model):
    """Which stores of which source feed which book. A store may feed several books."""

    source = models.ForeignKey(Source, on_delete=models.PROTECT, related_name="feeds")
    book = models.ForeignKey(Book, on_delete=models.PROTECT, related_name="feeds")
    all_stores = models.BooleanField(default=True, help_text="Every store of the source, also those that open later.")
    stores = models.ManyToManyField(Store, blank=True, related_name="feeds")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["source", "book"], name="one_feed_per_source_and_book")]

    def __str__(self) -> str:
        return f"{self.source} feeds {self.book}"


class SyncOrder(models.Model):
    """What a person ordered: a start of the sync, or past events of a range of business dates."""

    class Kind(models.TextChoices):
        START = "start", "Start Sync"
        STOP = "stop", "Stop Sync"
        PAST = "past", "Sync Past Events"
        RETRY = "retry", "Retry"

    book = models.ForeignKey(Book, on_delete=models.PROTECT, related_name="orders")
    kind = models.CharField(max_length=10, choices=Kind.choices)
    first_date = models.DateField(null=True)
    last_date = models.DateField(null=True)
    events = models.PositiveIntegerField(default=0)
    amount = AmountField(default=0)
    ordered_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True)
    ordered_at = models.DateTimeField(auto_now_add=True)
    stopped_at = models.DateTimeField(null=True)
    stopped_events = models.PositiveIntegerField(
        default=0, help_text="How many had not begun when it was stopped, and are Never Synced again."
    )

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                condition=~Q(kind="past") | Q(first_date__lte=F("last_date")), name="past_order_has_a_range"
            )
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} ({self.book})"


class DimensionValue(models.Model):
    """A value of a dimension that the source knows or an event bore, with its name. What must be mapped."""

    source = models.ForeignKey(Source, on_delete=models.PROTECT, related_name="dimension_values")
    dimension = models.CharField(max_length=20, choices=choices(Dimension))
    code = models.CharField(max_length=100)
    name = models.CharField(max_length=200)
    active = models.BooleanField(default=True)

    class Meta:
        ordering = ["dimension", "name"]
        constraints = [
            models.UniqueConstraint(fields=["source", "dimension", "code"], name="one_dimension_value_per_code")
        ]

    def __str__(self) -> str:
        return self.name
