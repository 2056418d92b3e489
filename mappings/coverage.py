"""What is missing before a book can post: every value its events can bear must resolve to a usable account."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from django.db.models import Q

from ledger.errors import UnmappedAccount
from ledger.models import Book, DimensionValue, Store
from ledger.terms import ROLES, Dimension, Role
from mappings.table import MappingTable


@dataclass(frozen=True)
class Slot:
    """A place of the mapping that must have an account. `value` is empty for roles without a dimension."""

    role: Role
    dimension: Dimension | None
    value: str
    name: str

    @property
    def label(self) -> str:
        return ROLES[self.role].label


@dataclass(frozen=True)
class Missing:
    """A slot without a usable account, and the sentence that says so."""

    slot: Slot
    sentence: str


PER_VALUE: dict[Dimension, tuple[Role, ...]] = {
    Dimension.TENDER: (Role.TENDER, Role.TENDER_DEPOSIT),
    Dimension.ITEM_CLASS: (Role.SALES, Role.COGS, Role.INVENTORY_ON_HAND),
    Dimension.TAX_JURISDICTION: (Role.TAX_PAYABLE,),
}
ALWAYS = (Role.SHIPPING_INCOME, Role.ROUNDING, Role.CUSTOMER_BALANCE_CLEARING)
COST = (Role.COGS, Role.INVENTORY_ON_HAND)


def slots(book: Book) -> Iterator[Slot]:
    """Every place that must be filled, in the order of the mapping screen."""
    for value in DimensionValue.objects.filter(source__feeds__book=book, active=True):
        dimension = Dimension(value.dimension)
        for role in PER_VALUE.get(dimension, ()):
            if book.post_cost or role not in COST:
                yield Slot(role, dimension, value.code, value.name)
    for role in ALWAYS:
        yield Slot(role, None, "", "")


def missing(book: Book, *, among: Iterable[Slot] | None = None, table: MappingTable | None = None) -> list[Missing]:
    """The slots without a usable account for at least one of the stores that feed the book.

    `among`: the slots to look at, in place of what the till lists. `table`: the mapping as it would be.
    """
    table, wanted = table or MappingTable(book), slots(book) if among is None else among
    stores = [str(store.pk) for store in stores_of(book)] or [""]
    return [gap for slot in wanted if (gap := _gap(table, slot, stores))]


def stores_of(book: Book) -> list[Store]:
    """The stores that feed a book."""
    every = Q(source__feeds__book=book, source__feeds__all_stores=True)
    some = Q(feeds__book=book, feeds__all_stores=False)
    return list(Store.objects.filter(every | some, active=True).distinct())


def _gap(table: MappingTable, slot: Slot, stores: list[str]) -> Missing | None:
    for store in stores:
        dimensions = {Dimension.STORE: store} if store else {}
        if slot.dimension:
            dimensions[slot.dimension] = slot.value
        try:
            table.resolve(slot.role, dimensions)
        except UnmappedAccount as gap:
            return Missing(slot, str(gap))
    return None
