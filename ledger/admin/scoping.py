"""Who sees what: a store manager sees the own stores only; everybody else what their permissions say."""

from typing import TypeVar

from django.contrib.auth.models import AnonymousUser, User
from django.db.models import Model, QuerySet

from ledger.models import Store

Person = User | AnonymousUser
Row = TypeVar("Row", bound=Model)


def own_stores(person: Person) -> frozenset[int] | None:
    """The stores a manager is limited to; None for who is not limited. Read once for each request's person."""
    if getattr(person, "is_superuser", False) or not person.is_authenticated:
        return None
    known: frozenset[int] | None = person.__dict__.get("_own_stores")
    if known is None:
        known = frozenset(Store.objects.filter(managers=person.pk).values_list("pk", flat=True))
        person.__dict__["_own_stores"] = known
    return known or None


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
