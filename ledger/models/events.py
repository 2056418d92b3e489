"""Financial events, their revisions and the raw documents they were read from."""

import zlib

from django.db import models

from ledger.models.books import Source, Store
from ledger.models.fields import AmountField, choices
from ledger.terms import EventKind


class FinancialEvent(models.Model):
    """One document of the source. Store and date are empty while the document cannot be read."""

    source = models.ForeignKey(Source, on_delete=models.PROTECT, related_name="events")
    kind = models.CharField(max_length=20, choices=choices(EventKind))
    external_id = models.CharField(max_length=40)
    number = models.CharField(max_length=60)
    store = models.ForeignKey(Store, on_delete=models.PROTECT, null=True, related_name="events")
    business_date = models.DateField(null=True)
    completed_at = models.DateTimeField(null=True)
    amount = AmountField(null=True)
    currency = models.CharField(max_length=3)
    revision = models.PositiveIntegerField(default=0, help_text="The latest revision; 0 while it was never readable.")
    facts_hash = models.CharField(max_length=64, blank=True)
    problem = models.TextField(blank=True, help_text="Why the latest state of the document cannot be read.")
    problem_cause = models.CharField(
        max_length=60, blank=True, default="", help_text="What one repair mends; blank where only the words are known."
    )
    voided = models.BooleanField(default=False)
    captured_at = models.DateTimeField()

    class Meta:
        ordering = ["-id"]
        constraints = [models.UniqueConstraint(fields=["source", "kind", "external_id"], name="one_event_per_document")]
        indexes = [
            models.Index(fields=["business_date", "id"]),
            models.Index(fields=["number"]),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.number}"


class EventRevision(models.Model):
    """The financial facts of an event as they stood; added only when the facts themselves differ."""

    event = models.ForeignKey(FinancialEvent, on_delete=models.PROTECT, related_name="revisions")
    n = models.PositiveIntegerField()
    facts = models.JSONField()
    facts_hash = models.CharField(max_length=64)
    captured_at = models.DateTimeField()

    class Meta:
        ordering = ["n"]
        constraints = [models.UniqueConstraint(fields=["event", "n"], name="one_revision_per_n")]

    def __str__(self) -> str:
        return f"{self.event}, revision {self.n}"


class RawDocument(models.Model):
    """The document as it came, compressed; kept apart so that it can be erased without touching the books."""

    event = models.OneToOneField(FinancialEvent, on_delete=models.CASCADE, related_name="raw")
    body = models.BinaryField()
    updated_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"Document of {self.event}"

    @staticmethod
    def compress(raw: bytes) -> bytes:
        return zlib.compress(raw, 6)

    @property
    def text(self) -> str:
        return zlib.decompress(self.body).decode()
