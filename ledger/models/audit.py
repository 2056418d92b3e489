"""What people did to money and settings. The database itself refuses to change or delete a row."""

from django.conf import settings
from django.db import models

from ledger.circumstances import Way
from ledger.deeds import sentence
from ledger.models.fields import choices


class AuditRecord(models.Model):
    """One deed: who, when, what, on which object, by which way, with the values before and after."""

    at = models.DateTimeField(auto_now_add=True)
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    actor_name = models.CharField(max_length=150)
    deed = models.CharField(max_length=60)
    subject_kind = models.CharField(max_length=60)
    subject_id = models.CharField(max_length=40)
    subject = models.CharField(max_length=200)
    before = models.JSONField(default=dict)
    after = models.JSONField(default=dict)
    way = models.CharField(max_length=8, choices=choices(Way), default=Way.OWN)
    address = models.GenericIPAddressField(null=True, help_text="From which address; empty outside of a request.")

    class Meta:
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["subject_kind", "subject_id"]),
            models.Index(fields=["at"]),
            models.Index(fields=["actor_name", "-id"]),
            models.Index(fields=["deed", "-id"]),
        ]

    def __str__(self) -> str:
        return sentence(who=self.actor_name, deed=self.deed, subject=self.subject)
