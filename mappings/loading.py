"""A whole set of mapping rows at once, by names: what would change, and applying exactly that or nothing.

For a file, a template, the mapping of another book, and for setting up a book in one step.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field

from django.db import transaction

from ledger.audit import Actor, note
from ledger.journal import orders
from ledger.locks import locked
from ledger.models import Account, Book
from ledger.terms import ROLES, Dimension, Role
from mappings.models import SELECTORS, Mapping
from mappings.names import Known, Unknown
from mappings.table import unusable

Key = tuple[object, ...]
"""Role and selectors: what makes two rows the same place."""


@dataclass(frozen=True)
class MappingRow:
    """One row as it is written: the role by its label or code, the account by its number, else its full name.

    `value` is that of the dimension by which the role is told apart, by its name; the columns of the dimensions hold
    codes. An empty store means every store. `line`: where it stands in a file. `problem`: why it cannot be read.
    """

    role: str
    account: str = ""
    tender: str = ""
    tax_jurisdiction: str = ""
    item_class: str = ""
    store: str = ""
    reason: str = ""
    category: str = ""
    value: str = ""
    number: str = ""
    line: int = 0
    problem: str = ""

    @property
    def said(self) -> str:
        """The row in a few words, to be found again."""
        dimensions = [getattr(self, dimension.value) for dimension in SELECTORS]
        return ", ".join(filter(None, [self.role, self.value, *dimensions, self.store])) or "an empty row"


class UnknownName(ValueError):
    """Rows name a role, account, value or store that does not exist here, or an account that does not fit."""


@dataclass(frozen=True)
class Change:
    """A row that would be new, or would get another account."""

    label: str
    wanted: Mapping
    before: Account | None


@dataclass(frozen=True)
class Refused:
    line: int
    said: str
    reason: str


@dataclass
class Plan:
    """What a set of rows would do to the mapping of a book as it stands now."""

    changes: list[Change] = field(default_factory=list)
    refused: list[Refused] = field(default_factory=list)
    unchanged: int = 0
    untouched: int = 0

    @property
    def fingerprint(self) -> str:
        """The same only while the same rows would do the same to the same mapping."""
        changes = [(_key(c.wanted), c.before and c.before.pk, c.wanted.account_id) for c in self.changes]
        return hashlib.sha256(repr([changes, self.refused, self.unchanged]).encode()).hexdigest()


def plan(book: Book, rows: Iterable[MappingRow]) -> Plan:
    """Compare rows with the mapping as it stands; writes nothing."""
    standing = {_key(row): row for row in Mapping.objects.filter(book=book).select_related("account", "store")}
    known = Known(book, rows=standing.values())
    made, lines = Plan(), dict[Key, int]()
    for row in rows:
        try:
            _put(made, book, row, known=known, standing=standing, lines=lines)
        except Unknown as reason:
            made.refused.append(Refused(row.line, row.said, str(reason)))
    made.untouched = len(standing.keys() - lines.keys())
    return made


def _put(
    made: Plan, book: Book, row: MappingRow, *, known: Known, standing: dict[Key, Mapping], lines: dict[Key, int]
) -> None:
    """Add one row to the plan. Raises Unknown with the reason why it is refused."""
    if row.problem:
        raise Unknown(row.problem)
    wanted = _mapping(book, row, known)
    key = _key(wanted)
    if key in lines:
        raise Unknown(f"the same as line {lines[key]}" if lines[key] else "the same row stands before it")
    lines[key] = row.line
    before = standing.get(key)
    account = known.account(row.number, row.account, standing=before.account if before else None)
    if before and before.account_id == account.pk:
        made.unchanged += 1
        return
    if problem := _incomplete(wanted) or refusal(Role(wanted.role), account) or unusable(account):
        raise Unknown(problem)
    wanted.account = account
    made.changes.append(Change(label(wanted, known), wanted, before.account if before else None))


def carry_out(book: Book, made: Plan, *, actor: Actor, deed: str) -> int:
    """Write the changes of a plan with one audit record, inside the caller's transaction; what waited goes on."""
    if not made.changes:
        return 0
    write(book, [change.wanted for change in made.changes])
    before = {change.label: str(change.before or "") for change in made.changes}
    after = {change.label: str(change.wanted.account) for change in made.changes}
    note(actor, deed, book, before=before, after=after)
    orders.requeue_unmapped(book)
    return len(made.changes)


def apply(book: Book, rows: Iterable[MappingRow], *, actor: Actor = None) -> int:
    """Create or change the rows of a book; all of them or none. Raises UnknownName with every problem."""
    rows = list(rows)
    with transaction.atomic():
        held = locked(Book.objects.all()).get(pk=book.pk)
        made = plan(held, rows)
        if made.refused:
            raise UnknownName("; ".join(refused.reason for refused in made.refused))
        carry_out(held, made, actor=actor, deed="applied a mapping template to")
    return len(rows)


def _mapping(book: Book, row: MappingRow, known: Known) -> Mapping:
    """The row with codes for names, still without its account. Raises Unknown."""
    role = role_of(row.role)
    codes: dict[Dimension, str] = {
        d: known.coded(d, text) for d in SELECTORS if (text := getattr(row, d.value).strip())
    }
    required = ROLES[role].required
    if row.value.strip():
        if required is None:
            raise Unknown(f"{ROLES[role].label} is not told apart by a value; leave the value empty")
        codes[required] = known.code(required, row.value)
    store = known.stores[known.code(Dimension.STORE, row.store)] if row.store.strip() else None
    return Mapping(book=book, role=role, store=store, **{d.value: code for d, code in codes.items()})


def role_of(text: str) -> Role:
    """The role by its label or its code. Raises Unknown."""
    wanted = " ".join(text.split()).casefold()
    for role, needs in ROLES.items():
        if wanted in (role.value, needs.label.casefold()):
            return role
    raise Unknown(f"there is no role {text!r}")


def label(row: Mapping, known: Known) -> str:
    """A row in the words of the screen: `Payment account: Cash, Chicago only`."""
    role = Role(row.role)
    parts = [known.called(d, code) for d, code in row.selectors().items() if d is not Dimension.STORE]
    named = f"{ROLES[role].label}: {', '.join(parts)}" if parts else ROLES[role].label
    return f"{named}, {row.store} only" if row.store else named


def _incomplete(wanted: Mapping) -> str:
    needs = ROLES[Role(wanted.role)]
    if needs.required and not needs.one_default and not getattr(wanted, needs.required.value):
        return f"{needs.label} needs a value: its {needs.required.replace('_', ' ')}"
    return ""


def write(book: Book, wanted: Iterable[Mapping]) -> None:
    """Change the rows whose selectors stand already, create the others; inside the caller's transaction."""
    standing = {_key(mapping): mapping for mapping in locked(Mapping.objects.filter(book=book))}
    changed: list[Mapping] = []
    fresh: dict[Key, Mapping] = {}
    for mapping in wanted:
        if _key(mapping) in standing:
            standing[_key(mapping)].account = mapping.account
            changed.append(standing[_key(mapping)])
        else:
            fresh[_key(mapping)] = mapping
    Mapping.objects.bulk_update(changed, ["account"], batch_size=500)
    Mapping.objects.bulk_create(fresh.values())


def _key(mapping: Mapping) -> Key:
    return (mapping.role, *sorted(mapping.selectors().items()))


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
