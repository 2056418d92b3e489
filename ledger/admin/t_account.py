"""An entry as accountants read it: debits left, credits right, with the reason behind each line."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from django.db.models import QuerySet

from ledger import money
from ledger.models import Attempt, JournalEntry, JournalLine
from ledger.terms import ROLES, Role


@dataclass(frozen=True)
class Line:
    """One line with its account, what it is, and why it went there."""

    account: str
    role: str
    label: str
    text: str
    why: str
    amount: str


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
    rows = list(JournalLine.objects.filter(entry=entry).select_related("account").order_by("id"))
    debits = [row for row in rows if row.debit]
    credits = [row for row in rows if row.credit]
    return TAccount(
        debits=tuple(_line(row, row.debit, entry.currency) for row in debits),
        credits=tuple(_line(row, row.credit, entry.currency) for row in credits),
        debit_total=money.shown(sum((row.debit for row in debits), Decimal(0)), currency=entry.currency),
        credit_total=money.shown(sum((row.credit for row in credits), Decimal(0)), currency=entry.currency),
    )


def _line(row: JournalLine, amount: Decimal, currency: str) -> Line:
    label = ROLES[Role(row.role)].label
    return Line(str(row.account), row.role, label, row.text, row.why, money.shown(amount, currency=currency))


def attempts_of(entries: Sequence[JournalEntry]) -> QuerySet[Attempt]:
    """Every try to send these entries, in order."""
    return Attempt.objects.filter(entry__in=entries).select_related("entry").order_by("id")
