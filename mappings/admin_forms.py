"""The forms of Settings > Financial: the switches of a book, and the whole account mapping as one form."""

from collections.abc import Mapping as MappingOf
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django import forms
from django.db.models import Count

from ledger.models import Account, Book, Store
from ledger.money import ZERO
from ledger.terms import ROLES, AccountType, Dimension, Role
from mappings import coverage
from mappings.editing import SAYS_WHEN_EMPTY, Change, Place, figures, places, refused
from mappings.waiting import Held

DIMENSIONS = {
    Dimension.TENDER: "payment type",
    Dimension.ITEM_CLASS: "item class",
    Dimension.TAX_JURISDICTION: "tax jurisdiction",
}


MOST_OPTIONS = 4_000
"""With more options in all choosers together the page would be too heavy: then each asks for what one types."""

NEEDS_A_PARTY = (AccountType.RECEIVABLE, AccountType.PAYABLE)
"""People look for them, so the chooser names them and says why they cannot be taken."""


class SwitchForm(forms.ModelForm):
    """The switches of a book that decide what is booked at all."""

    class Meta:
        model = Book
        fields = ["uses_financials", "post_cost"]


@dataclass
class Group:
    """The rows of one role, what holds events up first, then by money; and an empty row for one store only."""

    role: Role
    rows: list[Place]
    accounts: list[Account]
    refused: list[Account]
    values: list[tuple[str, str]]
    added: "Added"
    added_own: list[tuple[Account, str]]

    @property
    def heading(self) -> str:
        dimension = ROLES[self.role].required
        return f"{ROLES[self.role].label} by {DIMENSIONS[dimension]}" if dimension else ROLES[self.role].label

    @property
    def missing(self) -> int:
        return sum(row.is_urgent for row in self.rows)

    @property
    def held(self) -> Decimal:
        """The money of the events that wait for an account of this role."""
        return sum((row.held.amount for row in self.rows), ZERO)

    @property
    def says_when_empty(self) -> str:
        return SAYS_WHEN_EMPTY.get(self.role, "")

    @property
    def fits(self) -> str:
        return ", ".join(sorted(kind.replace("_", " ") for kind in ROLES[self.role].fits))


@dataclass
class Added:
    """The row "for one store only" as it was filled in."""

    value: str = ""
    store: str = ""
    account: str = ""
    error: str = ""

    @property
    def is_empty(self) -> bool:
        return not (self.store or self.account)


class MappingForm:
    """All rows of a book's mapping: read from the request, checked row by row, saved together."""

    def __init__(self, book: Book, data: MappingOf[str, Any] | None = None) -> None:
        self.book = book
        self.figures = figures(book)
        self.rows = places(book, self.figures)
        self.stores = coverage.stores_of(book)
        known = Account.objects.filter(book=book, deleted_at=None)
        self._counts = dict(known.filter(active=True).order_by().values_list("type").annotate(Count("pk")))
        self.has_accounts = bool(self._counts)
        self.asks = self._options > MOST_OPTIONS
        shown = known.order_by("full_name") if not self.asks else known.filter(pk__in=_numbers(data or {}))
        self.accounts = {str(account.pk): account for account in shown}
        self.added: dict[Role, Added] = {}
        self.changes: list[Change] = []
        if data is not None:
            self._read(data)

    @property
    def is_valid(self) -> bool:
        return not any(row.errors for row in self.rows) and not any(added.error for added in self.added.values())

    @property
    def groups(self) -> list[Group]:
        """By role in the order of the rows; what holds up the most money comes first."""
        roles = list(dict.fromkeys(row.role for row in self.rows))
        groups = [self._group(role) for role in roles]
        return sorted(groups, key=lambda group: (not group.missing, -group.held))

    @property
    def needed(self) -> int:
        """How many places must have an account, now or one day."""
        return sum(row.needed for row in self.rows)

    @property
    def held(self) -> Held:
        """The events that wait for any account."""
        return self.figures.waiting.total

    @property
    def urgent(self) -> int:
        return sum(row.is_urgent for row in self.rows)

    @property
    def idle(self) -> int:
        """Places without an account for which no event of the last 90 days has asked."""
        return sum(bool(row.missing) and not row.is_urgent for row in self.rows)

    @property
    def _options(self) -> int:
        """How many options the choosers would hold if each listed everything that fits."""
        kinds = [{*ROLES[row.role].fits, *NEEDS_A_PARTY} for row in self.rows]
        return sum(self._counts.get(kind.value, 0) for fitting in kinds for kind in fitting)

    def _group(self, role: Role) -> Group:
        rows = [row for row in self.rows if row.role == role]
        values = list(dict.fromkeys((row.value, row.name) for row in rows if row.store is None))
        listed = [] if self.asks else [account for account in self.accounts.values() if account.active]
        fitting = [account for account in listed if account.type in ROLES[role].fits]
        parties = [account for account in listed if account.type in NEEDS_A_PARTY]
        for row in rows:
            row.own = self._own(role, [row.account, self.accounts.get(row.chosen)], fitting)
        added = self.added.get(role, Added())
        added_own = self._own(role, [self.accounts.get(added.account)], fitting)
        return Group(role, _important_first(rows), fitting, parties, values, added, added_own)

    def _own(self, role: Role, wanted: list[Account | None], listed: list[Account]) -> list[tuple[Account, str]]:
        there = {account.pk for account in listed}
        own = {account.pk: account for account in wanted if account and account.pk not in there}
        return [
            (account, "cannot be used any more" if refused(Place(role, "", ""), account) else "")
            for account in own.values()
        ]

    def _read(self, data: MappingOf[str, Any]) -> None:
        for row in self.rows:
            if row.field_name in data:
                self._read_row(row, str(data[row.field_name]))
        for role in {row.role for row in self.rows}:
            self._read_added(role, data)

    def _read_row(self, row: Place, chosen: str) -> None:
        row.chosen = chosen
        account = self._account(row, chosen)
        if chosen and account is None:
            row.errors.append("This account is not on the list any more. Choose another, or import the accounts.")
        elif problem := refused(row, account):
            row.errors.append(f"{problem}.")
        else:
            self.changes.append(Change(row, account))

    def _account(self, row: Place, chosen: str) -> Account | None:
        if row.account and chosen == str(row.account.pk):
            return row.account
        return self.accounts.get(chosen)

    def _read_added(self, role: Role, data: MappingOf[str, Any]) -> None:
        added = Added(*(str(data.get(f"added:{role}:{part}", "")) for part in ("value", "store", "account")))
        self.added[role] = added
        if added.is_empty:
            return
        store = next((store for store in self.stores if str(store.pk) == added.store), None)
        account = self.accounts.get(added.account)
        added.error = self._refused_addition(role, added, store, account)
        if not added.error and store:
            self.changes.append(Change(Place(role, added.value, added.value, store=store), account))

    def _refused_addition(self, role: Role, added: Added, store: Store | None, account: Account | None) -> str:
        values = {row.value for row in self.rows if row.role == role}
        if store is None or account is None or added.value not in values:
            return "Choose the value, the store and the account, or leave the whole row empty."
        if any(row.key == (role.value, added.value, added.store) for row in self.rows):
            return "There is a row for this store already; change that one."
        return refused(Place(role, added.value, ""), account)


def _important_first(rows: list[Place]) -> list[Place]:
    """What holds events up, what lacks an account, then by money; a row for one store stays below its value's."""
    heads = {row.value: row for row in rows if row.store is None}

    def place(row: Place) -> tuple[object, ...]:
        head = heads.get(row.value, row)
        rank = (not head.is_urgent, not head.missing, -head.held.amount, -abs(head.used.amount))
        return (*rank, row.name, row.value, row.store is not None, str(row.store or ""))

    return sorted(rows, key=place)


def _numbers(data: MappingOf[str, Any]) -> set[int]:
    """The accounts that a request may name, by their keys."""
    values = map(str, data.values())
    return {int(value) for value in values if value.isascii() and value.isdecimal() and len(value) < 19}
