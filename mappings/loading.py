"""A whole set of mapping rows at once, by names: what would change, and applying exactly that or nothing.

For a file, a template, the mapping of another book, and for setting up a book in one step.
"""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

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


Named = tuple[MappingRow, Mapping]
"""A row as it is written, and what it asks for."""


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
        changes = [(key_of(c.wanted), c.before and c.before.pk, c.wanted.account_id) for c in self.changes]
        return hashlib.sha256(repr([changes, self.refused, self.unchanged]).encode()).hexdigest()


def as_numbered(book: Book, rows: Iterable[MappingRow]) -> list[MappingRow]:
    """Rows that were made in another book, without their numbers where this book gives its accounts none."""
    has_numbers = Account.objects.filter(book=book).exclude(number="").exists()
    return [row if has_numbers or not row.account else replace(row, number="") for row in rows]


def plan(book: Book, rows: Iterable[MappingRow]) -> Plan:
    """Compare rows with the mapping as it stands; writes nothing."""
    standing = {key_of(row): row for row in Mapping.objects.filter(book=book).select_related("account", "store")}
    known = Known(book, rows=standing.values())
    made, named = Plan(), defaultdict[Key, list[Named]](list)
    for row in rows:
        try:
            wanted = _mapping(book, row, known)
            alike, before = named[key_of(wanted)], standing.get(key_of(wanted))
            wanted.account = known.account(row.number, row.account, standing=before.account if before else None)
            alike.append((row, wanted))
        except Unknown as reason:
            made.refused.append(Refused(row.line, row.said, str(reason)))
    for key, alike in named.items():
        if alike:
            _put(made, alike, standing.get(key), known)
    made.refused.sort(key=lambda refused: refused.line)
    made.untouched = len(standing.keys() - named.keys())
    return made


def _put(made: Plan, alike: Sequence[Named], before: Mapping | None, known: Known) -> None:
    """Add the rows of one place to the plan: one of them counts, none where they name several accounts."""
    first = alike[0]
    other = next((named for named in alike if named[1].account_id != first[1].account_id), None)
    for row, wanted in alike:
        against = first if wanted.account_id != first[1].account_id else other
        problem = _contradiction((row, wanted), against) if against else _repeated(row, first[0])
        if problem := problem or _unfit(wanted, before):
            made.refused.append(Refused(row.line, row.said, problem))
        elif before and before.account_id == wanted.account_id:
            made.unchanged += 1
        else:
            made.changes.append(Change(label(wanted, known), wanted, before.account if before else None))


def _contradiction(*two: Named) -> str:
    (first, one), (second, other) = sorted(two, key=lambda named: named[0].line)
    which = f"lines {first.line} and {second.line}" if first.line else "two rows"
    return f"{which} contradict each other: {one.account} and {other.account}; keep one"


def _repeated(row: MappingRow, first: MappingRow) -> str:
    if row is first:
        return ""
    return f"the same as line {first.line}" if first.line else "the same row stands before it"


def _unfit(wanted: Mapping, before: Mapping | None) -> str:
    """Why a row cannot be; one that stands already is never refused."""
    if before and before.account_id == wanted.account_id:
        return ""
    return _incomplete(wanted) or refusal(Role(wanted.role), wanted.account) or unusable(wanted.account)


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
    """The row with codes for names, still without its account. Raises Unknown with the reason why it is refused."""
    if row.problem:
        raise Unknown(row.problem)
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
    standing = {key_of(mapping): mapping for mapping in locked(Mapping.objects.filter(book=book))}
    changed: list[Mapping] = []
    fresh: dict[Key, Mapping] = {}
    for mapping in wanted:
        if key_of(mapping) in standing:
            standing[key_of(mapping)].account = mapping.account
            changed.append(standing[key_of(mapping)])
        else:
            fresh[key_of(mapping)] = mapping
    Mapping.objects.bulk_update(changed, ["account"], batch_size=500)
    Mapping.objects.bulk_create(fresh.values())


def key_of(mapping: Mapping) -> Key:
    """The same for two rows of one place."""
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
