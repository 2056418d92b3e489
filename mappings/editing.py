"""The mapping as a person edits it: every place with its account, and saving all changes or none."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from django.db import transaction

from ledger.audit import Actor, note
from ledger.journal import orders
from ledger.models import Account, Book, DimensionValue, Store
from ledger.terms import ROLES, Dimension, Role
from mappings import coverage
from mappings.loading import refusal, write
from mappings.models import Mapping
from mappings.table import unusable

Key = tuple[str, str, str]
"""Role, value of its dimension, store's primary key; the latter two may be empty."""

OPTIONAL = (Role.SALES_RETURNS, Role.GIFT_CARD_LIABILITY, Role.TIPS_PAYABLE)
"""Offered though not missing: they fall back to another role, or their lines are rare."""

SAYS_WHEN_EMPTY = {
    Role.SALES_RETURNS: "Empty: returns go to the sales account of their class.",
    Role.GIFT_CARD_LIABILITY: "Empty: gift cards sold go to the payment account of the gift card.",
    Role.TIPS_PAYABLE: "Needed as soon as a ticket holds a tip.",
    Role.TAX_PAYABLE: "Empty: each jurisdiction needs its own account above.",
}


@dataclass
class Place:
    """One row of the screen: lines of this role and value (in one store only) go to this account."""

    role: Role
    value: str
    name: str
    store: Store | None = None
    mapping: Mapping | None = None
    needed: bool = True
    missing: str = ""
    errors: list[str] = field(default_factory=list)
    chosen: str = ""
    own: list[tuple[Account, str]] = field(default_factory=list)
    """Accounts that its chooser lists besides those that fit: what stands there, and why it cannot be chosen anew."""

    @property
    def key(self) -> Key:
        return self.role.value, self.value, str(self.store.pk) if self.store else ""

    @property
    def field_name(self) -> str:
        return "account:" + ":".join(self.key)

    @property
    def label(self) -> str:
        named = f"{ROLES[self.role].label}: {self.name}" if self.name else ROLES[self.role].label
        return f"{named}, {self.store} only" if self.store else named

    @property
    def by_store(self) -> bool:
        """Needed, empty, and yet nothing is missing: each store has a row of its own, or a default serves."""
        return self.needed and not self.mapping and not self.missing

    @property
    def account(self) -> Account | None:
        return self.mapping.account if self.mapping else None


def places(book: Book) -> list[Place]:
    """Every row: what must be filled, what may be filled, and what was narrowed to one store."""
    rows = {_key_of(mapping): mapping for mapping in _editable(book)}
    gaps = {(gap.slot.role.value, gap.slot.value, ""): gap.sentence for gap in coverage.missing(book)}
    found = [Place(slot.role, slot.value, slot.name) for slot in coverage.slots(book)]
    found += _optional(book)
    known = {place.key: place for place in found}
    names = {(place.role.value, place.value): place.name for place in found}
    for key, mapping in rows.items():
        place = known.get(key)
        if place is None:
            name = names.get(key[:2], key[1])
            place = Place(Role(key[0]), key[1], name, store=mapping.store, needed=False)
            found.append(place)
        place.mapping, place.chosen = mapping, str(mapping.account_id)
    for place in found:
        place.missing = gaps.get(place.key, "")
    return found


def _editable(book: Book) -> list[Mapping]:
    """The rows that this screen edits."""
    return [row for row in _rows(book) if not row.further()]


def narrowed(book: Book) -> list[Mapping]:
    """The rows that are narrowed further than this screen edits, such as by category: they came by a file."""
    return [row for row in _rows(book) if row.further()]


def _rows(book: Book) -> list[Mapping]:
    mine = Mapping.objects.filter(book=book).select_related("account", "store")
    return list(mine.order_by("store__name", "pk"))


def delete_row(row: Mapping, *, said: str, actor: Actor) -> None:
    """Take one row out of the mapping, with an audit record."""
    with transaction.atomic():
        note(actor, "deleted a row of the mapping of", row.book, before={said: str(row.account)})
        row.delete()


def _key_of(mapping: Mapping) -> Key:
    dimension = ROLES[Role(mapping.role)].required
    value = getattr(mapping, dimension.value) if dimension else ""
    return mapping.role, value, str(mapping.store_id or "")


def _optional(book: Book) -> list[Place]:
    classes = DimensionValue.objects.filter(
        source__feeds__book=book, dimension=Dimension.ITEM_CLASS, active=True
    ).distinct()
    returns = [Place(Role.SALES_RETURNS, value.code, value.name, needed=False) for value in classes]
    others = [Place(role, "", "", needed=False) for role in OPTIONAL if ROLES[role].required is None]
    return [*returns, *others, Place(Role.TAX_PAYABLE, "", "every other jurisdiction", needed=False)]


def refused(place: Place, account: Account | None) -> str:
    """Why an account cannot be chosen for a place; empty when it can. What stands there already may stay."""
    if account is None or account == place.account:
        return ""
    return refusal(place.role, account) or unusable(account)


@dataclass(frozen=True)
class Change:
    """A place and its new account; None empties it."""

    place: Place
    account: Account | None


def save(book: Book, changes: Iterable[Change], *, actor: Actor) -> int:
    """Write all changes in one transaction, with one audit record; what waited for them is queued again."""
    changed = [change for change in changes if change.account != change.place.account]
    if not changed:
        return 0
    before = {change.place.label: str(change.place.account or "") for change in changed}
    after = {change.place.label: str(change.account or "") for change in changed}
    with transaction.atomic():
        emptied = [c.place.mapping.pk for c in changed if c.account is None and c.place.mapping]
        Mapping.objects.filter(pk__in=emptied).delete()
        write(book, [_row(book, change.place, change.account) for change in changed if change.account])
        note(actor, "changed the mapping", book, before=before, after=after)
        orders.requeue_unmapped(book)
    return len(changed)


def _row(book: Book, place: Place, account: Account) -> Mapping:
    dimension = ROLES[place.role].required
    selectors = {dimension.value: place.value} if dimension and place.value else {}
    return Mapping(book=book, role=place.role, store=place.store, account=account, **selectors)
