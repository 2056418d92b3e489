"""The mapping as a person edits it: every place with its account, and saving all changes or none."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from django.db import transaction

from ledger.audit import Actor, note
from ledger.journal import orders
from ledger.models import Account, Book, DimensionValue, Store
from ledger.terms import ROLES, Dimension, Role
from mappings import coverage, use, waiting
from mappings.coverage import Slot
from mappings.loading import refusal, write
from mappings.models import Mapping
from mappings.table import MappingTable, Names, unusable
from mappings.use import Use, Uses, Value
from mappings.waiting import Held, Waiting

Key = tuple[str, str, str]
"""Role, value of its dimension, store's primary key; the latter two may be empty."""

EVERY_OTHER = "every other jurisdiction"
"""The name of the default of sales tax, on the screen and in the audit."""

OPTIONAL = (Role.SALES_RETURNS, Role.GIFT_CARD_LIABILITY, Role.TIPS_PAYABLE)
"""Offered though not missing: they fall back to another role, or their lines are rare."""

SAYS_WHEN_EMPTY = {
    Role.SALES_RETURNS: "Empty: returns go to the sales account of their class.",
    Role.GIFT_CARD_LIABILITY: "Empty: gift cards sold go to the payment account of the gift card.",
    Role.TIPS_PAYABLE: "Needed as soon as a ticket holds a tip.",
    Role.TAX_PAYABLE: "Empty: each jurisdiction needs its own account above.",
}


@dataclass(frozen=True)
class Figures:
    """What the events of the last 90 days bear, and what waits in Error for want of an account."""

    uses: Uses = field(default_factory=Uses)
    waiting: Waiting = field(default_factory=Waiting)

    def asked_for(self) -> set[Value]:
        """What must have an account, whether the till still lists it or not."""
        used = {value for value in self.uses.by if not ROLES[Role(value[0])].falls_back_to}
        return used | set(self.waiting.by_value())


def figures(book: Book) -> Figures:
    """Two queries."""
    return Figures(use.read(book), waiting.read(book))


@dataclass
class Place:
    """One row of the screen: lines of this role and value (in one store only) go to this account.

    `is_urgent`: it lacks an account, and events wait for it or would. The figures are those of every store.
    """

    role: Role
    value: str
    name: str
    store: Store | None = None
    mapping: Mapping | None = None
    needed: bool = True
    missing: str = ""
    is_urgent: bool = False
    used: Use = Use()
    held: Held = Held()
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
    def cause(self) -> str:
        """What the events say that wait for it."""
        return waiting.cause_of(self.role.value, self.value)

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


def places(book: Book, known_figures: Figures | None = None) -> list[Place]:
    """Every row: what must be filled, what may be filled, and what was narrowed to one store."""
    told = known_figures or Figures()
    table = MappingTable(book)
    slots, optional = wanted(book, told, table.names), {place.key: place for place in _optional(book)}
    found = [Place(slot.role, slot.value, slot.name) for slot in slots if _key(slot) not in optional]
    found += optional.values()
    known = {place.key: place for place in found}
    for slot in slots:
        known[_key(slot)].needed = True
    _put_in(book, found, known)
    sentences = {_key(gap.slot): gap.sentence for gap in coverage.missing(book, among=slots, table=table)}
    held = told.waiting.by_value()
    for place in found:
        place.missing = sentences.get(place.key, "")
        _tell(place, told, held)
    return found


def _put_in(book: Book, found: list[Place], known: dict[Key, Place]) -> None:
    """Each row of the mapping into its place; one narrowed to a store is a place of its own."""
    rows = {_key_of(mapping): mapping for mapping in _editable(book)}
    names = {(place.role.value, place.value): place.name for place in found}
    for key, mapping in rows.items():
        place = known.get(key)
        if place is None:
            name = names.get(key[:2], key[1])
            place = Place(Role(key[0]), key[1], name, store=mapping.store, needed=False)
            found.append(place)
        place.mapping, place.chosen = mapping, str(mapping.account_id)


def _tell(place: Place, told: Figures, held: dict[Value, Held]) -> None:
    """While nothing was counted yet, nobody knows what is needed: then everything is."""
    if place.store is None:
        place.used = told.uses.of(place.role, place.value)
        place.held = held.get((place.role.value, place.value), Held())
    place.is_urgent = bool(place.missing) and (bool(place.held) or place.used.events > 0 or not told.uses.by)


def wanted(book: Book, told: Figures, names: Names) -> list[Slot]:
    """Every place that must have an account: what the till lists, and what events bear or wait for besides."""
    listed = list(coverage.slots(book))
    return [*listed, *_unlisted(book, listed, told, names)]


def _unlisted(book: Book, slots: Iterable[Slot], told: Figures, names: Names) -> list[Slot]:
    """What events bear or wait for, though the till lists it no more, or it is seldom needed."""
    listed = {(slot.role.value, slot.value) for slot in slots}
    others = sorted(told.asked_for() - listed)
    return [_slot(Role(role), value, names) for role, value in others if book.post_cost or role not in coverage.COST]


def _slot(role: Role, value: str, names: Names) -> Slot:
    dimension = ROLES[role].required
    return Slot(role, dimension, value, names.get((dimension, value), value) if dimension else value)


def _key(slot: Slot) -> Key:
    return slot.role.value, slot.value, ""


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
    return [*returns, *others, Place(Role.TAX_PAYABLE, "", EVERY_OTHER, needed=False)]


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


def real(changes: Iterable[Change]) -> list[Change]:
    """Those that change anything."""
    return [change for change in changes if change.account != change.place.account]


def save(book: Book, changes: Iterable[Change], *, actor: Actor) -> int:
    """Write all changes in one transaction, with one audit record; what waited for them is queued again."""
    changed = real(changes)
    if not changed:
        return 0
    before = {change.place.label: str(change.place.account or "") for change in changed}
    after = {change.place.label: str(change.account or "") for change in changed}
    with transaction.atomic():
        emptied = [c.place.mapping.pk for c in changed if c.account is None and c.place.mapping]
        Mapping.objects.filter(pk__in=emptied).delete()
        write(book, [row_of(book, change.place, change.account) for change in changed if change.account])
        note(actor, "changed the mapping", book, before=before, after=after)
        orders.requeue_unmapped(book)
    return len(changed)


def row_of(book: Book, place: Place, account: Account) -> Mapping:
    """The row of the mapping that fills a place, not yet saved."""
    dimension = ROLES[place.role].required
    selectors = {dimension.value: place.value} if dimension and place.value else {}
    return Mapping(book=book, role=place.role, store=place.store, account=account, **selectors)
