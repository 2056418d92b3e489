"""Who sees what: a store manager sees the own stores only; everybody else what their permissions say."""

from typing import TypeVar

from django.contrib.auth.models import AnonymousUser, User
from django.db.models import Model, QuerySet

ADMINISTRATOR, ACCOUNTANT = "Administrator", "Accountant"
STORE_MANAGER, AUDITOR = "Store manager", "Auditor"
"""The groups that come with Daybook; what each may do is a table in `config/groups.py`."""

Person = User | AnonymousUser
Row = TypeVar("Row", bound=Model)


def own_stores(person: Person) -> frozenset[int] | None:
    """The stores somebody is limited to, which may be none at all; None for who is not limited.

    Whoever manages a store is limited to it, whatever the permissions, and so is every member of the group of store
    managers: one whose last store was taken away sees nothing, not everything. Read once for each request's person.
    """
    if not isinstance(person, User) or person.is_superuser:
        return None
    if "_own_stores" not in person.__dict__:
        # Read as whole rows, so that whoever asks for many people may fetch them together.
        managed = frozenset(store.pk for store in person.stores.all())
        limited = bool(managed) or any(group.name == STORE_MANAGER for group in person.groups.all())
        person.__dict__["_own_stores"] = managed if limited else None
    stores: frozenset[int] | None = person.__dict__["_own_stores"]
    return stores


def is_store_manager(person: Person) -> bool:
    """Whether this person sees the own stores only."""
    return own_stores(person) is not None


def visible(rows: QuerySet[Row], *, to: Person, store: str = "store") -> QuerySet[Row]:
    """The rows of a person's own stores; a row without a store is shown to nobody who is limited to stores."""
    stores = own_stores(to)
    return rows if stores is None else rows.filter(**{f"{store}__in": stores})


def may(person: Person, permission: str) -> bool:
    """Whether a person has a permission that can be used on a store's own events."""
    return person.is_active and person.has_perm(permission)


def may_for_all(person: Person, permission: str) -> bool:
    """Whether a person has a permission on what concerns the whole company: never a manager of some stores."""
    return may(person, permission) and not is_store_manager(person)
