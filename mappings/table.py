"""Resolving a line: which account a role goes to in one book, and why. The most specific row wins."""

from collections import defaultdict
from collections.abc import Iterable
from collections.abc import Mapping as MappingOf
from dataclasses import dataclass

from ledger.errors import UnmappedAccount
from ledger.models import Account, Book, DimensionValue, Store
from ledger.terms import DEFAULT_CLASS, ROLES, Dimension, Role
from mappings.models import Mapping

Names = dict[tuple[Dimension, str], str]
Where = tuple[Role, str, str]
"""Role, value of the dimension that it requires, store: with 200 stores no line looks through every row."""
Candidate = tuple[dict[Dimension, str], Mapping]


@dataclass(frozen=True)
class Resolution:
    """The account a line goes to, and the sentence that says why."""

    account_id: int
    account: str
    why: str


class MappingTable:
    """All rows of one book, read once: resolving asks the database nothing, and works out what is alike once.

    `rows`: in their place, those that a change would leave; each with its account.
    """

    def __init__(self, book: Book, rows: Iterable[Mapping] | None = None) -> None:
        self._rows: dict[Where, list[Candidate]] = defaultdict(list)
        self._found: dict[tuple[Role, frozenset[tuple[Dimension, str]]], Resolution] = {}
        for row in Mapping.objects.filter(book=book).select_related("account") if rows is None else rows:
            selectors = row.selectors()
            self._rows[_where(Role(row.role), selectors)].append((selectors, row))
        self.names = dimension_names(book)

    def resolve(self, role: Role, dimensions: MappingOf[Dimension, str]) -> Resolution:
        """The account for a line; the store is named by its primary key. Raises UnmappedAccount."""
        asked = role, frozenset(dimensions.items())
        if asked not in self._found:
            self._found[asked] = self._resolution(role, dimensions)
        return self._found[asked]

    def _resolution(self, role: Role, dimensions: MappingOf[Dimension, str]) -> Resolution:
        row = self._row_for(role, dimensions)
        if row is None:
            told_by = ROLES[role].told_by
            name = self.names.get((told_by, dimensions.get(told_by, "")), "")
            raise UnmappedAccount(role, dict(dimensions), value_name=name)
        problem = unusable(row.account)
        if problem:
            raise UnmappedAccount(role, dict(dimensions), instead=f"{self._said(row)}: {problem}")
        return Resolution(row.account_id, row.account.external_id, f"Mapping {self._said(row)}")

    def _row_for(self, role: Role, dimensions: MappingOf[Dimension, str]) -> Mapping | None:
        needs = ROLES[role]
        row = self._matching(role, dimensions)
        if row is None and needs.default_class:
            row = self._matching(role, {**dimensions, Dimension.ITEM_CLASS: DEFAULT_CLASS})
        if row is None and needs.falls_back_to:
            row = self._row_for(needs.falls_back_to, dimensions)
        return row

    def _matching(self, role: Role, dimensions: MappingOf[Dimension, str]) -> Mapping | None:
        fitting = [
            candidate
            for place in _all_where(role, dimensions)
            for candidate in self._rows.get(place, ())
            if all(dimensions.get(dimension) == code for dimension, code in candidate[0].items())
        ]
        return min(fitting, key=_most_specific_first)[1] if fitting else None

    def _said(self, row: Mapping) -> str:
        parts = [self.names.get((d, code), code) for d, code in row.selectors().items()]
        label = ROLES[Role(row.role)].label
        return f"{label} ({', '.join(parts)}) to {row.account}" if parts else f"{label} to {row.account}"


def dimension_names(book: Book) -> Names:
    """What people call the values of dimensions; stores by their primary key."""
    values = DimensionValue.objects.filter(source__feeds__book=book)
    names = {(Dimension(v.dimension), v.code): v.name for v in values}
    stores = Store.objects.filter(source__feeds__book=book)
    return names | {(Dimension.STORE, str(store.pk)): store.name for store in stores}


def unusable(account: Account) -> str:
    """Why nothing can be posted to an account; empty when it is fine."""
    if account.deleted_at:
        return f"the account {account} was deleted from the list; import the accounts or choose another"
    if not account.active:
        return f"the account {account} is inactive in the accounting system; activate it there or choose another"
    return ""


def _where(role: Role, dimensions: MappingOf[Dimension, str]) -> Where:
    required = ROLES[role].required
    return role, dimensions.get(required, "") if required else "", dimensions.get(Dimension.STORE, "")


def _all_where(role: Role, dimensions: MappingOf[Dimension, str]) -> set[Where]:
    """Where the rows for a line can stand. One without the dimension that its role requires serves as default only."""
    needs = ROLES[role]
    _, value, store = _where(role, dimensions)
    values = {value, ""} if needs.one_default or not needs.required else {value} - {""}
    return {(role, each, where) for each in values for where in (store, "")}


def _most_specific_first(candidate: Candidate) -> tuple[int, tuple[bool, ...]]:
    selectors, _ = candidate
    return -len(selectors), tuple(dimension not in selectors for dimension in Dimension)
