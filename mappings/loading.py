"""Applying a whole set of mappings at once, by names: for templates and for setting up a book in one step."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.db import transaction

from ledger.audit import Actor, note
from ledger.journal import orders
from ledger.locks import locked
from ledger.models import Account, Book, Store
from ledger.terms import ROLES, Role
from mappings.models import Mapping


@dataclass(frozen=True)
class MappingRow:
    """One row by names: the account by its full name, the store by its name (empty: every store)."""

    role: str
    account: str
    tender: str = ""
    tax_jurisdiction: str = ""
    item_class: str = ""
    store: str = ""


class UnknownName(ValueError):
    """A row names a role, account or store that does not exist here, or an account that does not fit."""


def apply(book: Book, rows: Iterable[MappingRow], *, actor: Actor = None) -> int:
    """Create or change the rows of a book; all of them or none. Raises UnknownName with every problem."""
    accounts = {a.full_name: a for a in Account.objects.filter(book=book, deleted_at=None, active=True)}
    stores = {s.name: s for s in Store.objects.filter(source__feeds__book=book)}
    rows = list(rows)
    problems = [problem for row in rows if (problem := _problem(row, accounts, stores))]
    if problems:
        raise UnknownName("; ".join(problems))
    wanted = [_mapping(book, row, accounts, stores) for row in rows]
    with transaction.atomic():
        write(book, wanted)
        note(actor, "applied a mapping template to", book, after={"rows": [vars(row) for row in rows]})
        orders.requeue_unmapped(book)
    return len(rows)


def _mapping(book: Book, row: MappingRow, accounts: dict[str, Account], stores: dict[str, Store]) -> Mapping:
    return Mapping(
        book=book,
        role=row.role,
        tender=row.tender,
        tax_jurisdiction=row.tax_jurisdiction,
        item_class=row.item_class,
        store=stores.get(row.store),
        account=accounts[row.account],
    )


def write(book: Book, wanted: Iterable[Mapping]) -> None:
    """Change the rows whose selectors stand already, create the others; inside the caller's transaction."""
    standing = {_key(mapping): mapping for mapping in locked(Mapping.objects.filter(book=book))}
    fresh: dict[tuple[object, ...], Mapping] = {}
    for mapping in wanted:
        if _key(mapping) in standing:
            standing[_key(mapping)].account = mapping.account
        else:
            fresh[_key(mapping)] = mapping
    Mapping.objects.bulk_update(standing.values(), ["account"])
    Mapping.objects.bulk_create(fresh.values())


def _key(mapping: Mapping) -> tuple[object, ...]:
    return (mapping.role, *sorted(mapping.selectors().items()))


def _problem(row: MappingRow, accounts: dict[str, Account], stores: dict[str, Store]) -> str:
    if row.role not in list(Role):
        return f"there is no role {row.role!r}"
    account = accounts.get(row.account)
    if account is None:
        return f"there is no account {row.account!r}"
    if row.store and row.store not in stores:
        return f"there is no store {row.store!r}"
    return refusal(Role(row.role), account)


def refusal(role: Role, account: Account) -> str:
    """Why an account cannot serve a role; empty when it can."""
    if account.type in {"receivable", "payable"}:
        return (
            f"{account} is an accounts {account.type} account: every line on it would need a customer or vendor, "
            "which a sale at the till does not have. Choose a current asset or liability account instead"
        )
    if account.type not in ROLES[role].fits:
        fits = ", ".join(sorted(kind.replace("_", " ") for kind in ROLES[role].fits))
        return f"{account} is of type {account.get_type_display()}; {ROLES[role].label} takes {fits}"
    return ""
