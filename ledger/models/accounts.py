"""The chart of accounts of a book, mirrored from the accounting system and never edited here."""

from django.db import models

from ledger.models.books import Book
from ledger.models.fields import choices, is_one_of
from ledger.terms import AccountType


class Account(models.Model):
    """An account. `deleted_at`: a person took it off the list here; the next import brings it back."""

    book = models.ForeignKey(Book, on_delete=models.PROTECT, related_name="accounts")
    external_id = models.CharField(max_length=64)
    number = models.CharField(max_length=40, blank=True)
    name = models.CharField(max_length=200)
    full_name = models.CharField(max_length=600)
    type = models.CharField(max_length=24, choices=choices(AccountType))
    detail = models.CharField(max_length=100, blank=True)
    currency = models.CharField(max_length=3, blank=True)
    active = models.BooleanField(default=True)
    warning = models.CharField(max_length=300, blank=True)
    deleted_at = models.DateTimeField(null=True, blank=True)
    imported_at = models.DateTimeField()

    class Meta:
        ordering = ["full_name"]
        constraints = [
            models.UniqueConstraint(fields=["book", "external_id"], name="one_account_per_id"),
            is_one_of("type", AccountType, name="account_type_is_known"),
        ]

    def __str__(self) -> str:
        return f"{self.number} {self.full_name}".strip()
