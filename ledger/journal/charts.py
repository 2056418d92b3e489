"""The mirror of a chart of accounts: an import brings every account once, and brings deleted ones back."""

from collections.abc import Iterable

from django.db import transaction

from ledger.audit import Actor, note
from ledger.clock import database_now
from ledger.errors import Refused
from ledger.journal import orders
from ledger.models import Account, Book
from ledger.values import RemoteAccount

MIRRORED = [
    "number",
    "name",
    "full_name",
    "type",
    "detail",
    "currency",
    "active",
    "warning",
    "deleted_at",
    "imported_at",
]


def import_accounts(book: Book, accounts: Iterable[RemoteAccount]) -> int:
    """Insert or update by the vendor's id; what vanished there becomes inactive here. Returns how many came."""
    now = database_now()
    rows = [
        Account(
            book=book,
            external_id=account.external_id,
            number=account.number,
            name=account.name,
            full_name=account.full_name,
            type=account.type,
            detail=account.detail,
            currency=account.currency,
            active=account.active,
            warning=account.warning,
            deleted_at=None,
            imported_at=now,
        )
        for account in accounts
    ]
    with transaction.atomic():
        Account.objects.bulk_create(
            rows,
            update_conflicts=True,
            unique_fields=["book", "external_id"],
            update_fields=MIRRORED,
            batch_size=500,
        )
        Account.objects.filter(book=book, imported_at__lt=now).update(active=False)
        orders.requeue_unmapped(book)  # an account that came back may be what events waited for
    return len(rows)


def delete_account(account: Account, *, actor: Actor, used_by: str) -> None:
    """Take an account off the list until the next import. Refused while a mapping uses it."""
    if used_by:
        raise Refused(f"{account} is used by the mapping {used_by}. Choose another account there first.")
    with transaction.atomic():
        account.deleted_at = database_now()
        account.save(update_fields=["deleted_at"])
        note(actor, "deleted an account from the list", account)
