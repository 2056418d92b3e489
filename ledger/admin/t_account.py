"""An entry as accountants read it: debits left, credits right, with the reason behind each line and who gave it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from django.db.models import QuerySet

from ledger import money
from ledger.admin.upstairs import who_mapped
from ledger.models import Attempt, AuditRecord, JournalEntry, JournalLine
from ledger.terms import ROLES, Role


@dataclass(frozen=True)
class Line:
    """One line with its account, what it is, why it went there, and whose deed that was, if the audit tells."""

    account: str
    role: str
    label: str
    text: str
    why: str
    amount: str
    mapped: AuditRecord | None


@dataclass(frozen=True)
class TAccount:
    """Both sides of an entry; the totals are equal or the entry would not exist."""

    debits: tuple[Line, ...]
    credits: tuple[Line, ...]
    debit_total: str
    credit_total: str

    @property
    def both(self) -> tuple[tuple[str, tuple[Line, ...], str], ...]:
        """Left and right, each with its title and total."""
        return ("Debit", self.debits, self.debit_total), ("Credit", self.credits, self.credit_total)


def t_account(entry: JournalEntry) -> TAccount:
    """The lines of an entry by side, in the order they were entered."""
    found = JournalLine.objects.filter(entry=entry).select_related("account", "posting__store")
    rows = list(found.order_by("id"))
    mapped = who_mapped(rows, entry)
    debits = [row for row in rows if row.debit]
    credits = [row for row in rows if row.credit]
    return TAccount(
        debits=tuple(_line(row, row.debit, entry.currency, mapped) for row in debits),
        credits=tuple(_line(row, row.credit, entry.currency, mapped) for row in credits),
        debit_total=money.shown(sum((row.debit for row in debits), Decimal(0)), currency=entry.currency),
        credit_total=money.shown(sum((row.credit for row in credits), Decimal(0)), currency=entry.currency),
    )


def _line(row: JournalLine, amount: Decimal, currency: str, mapped: Mapping[int, AuditRecord]) -> Line:
    return Line(
        account=str(row.account),
        role=row.role,
        label=ROLES[Role(row.role)].label,
        text=row.text,
        why=row.why,
        amount=money.shown(amount, currency=currency),
        mapped=mapped.get(row.pk),
    )


def attempts_of(entries: Sequence[JournalEntry]) -> QuerySet[Attempt]:
    """Every try to send these entries, in order."""
    return Attempt.objects.filter(entry__in=entries).select_related("entry").order_by("id")
