"""The one way to lock rows: FOR NO KEY UPDATE of the rows themselves.

Plain FOR UPDATE also stops the foreign-key checks of other transactions (FOR KEY SHARE at their commit), so a worker
that inserts beside a capture ends in a deadlock on PostgreSQL. This lock still excludes itself. SQLite has one writer
at a time (transaction_mode IMMEDIATE), so there it says nothing.
"""

from typing import TypeVar

from django.db.models import Model, QuerySet

M = TypeVar("M", bound=Model)


def locked(rows: QuerySet[M], *, skip_locked: bool = False) -> QuerySet[M]:
    """The same rows, locked until the transaction ends; with `skip_locked` those that others hold are left out."""
    return rows.select_for_update(of=("self",), no_key=True, skip_locked=skip_locked)
