"""The entry of the accounting system that a person adopted for an event, as the audit kept it."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from ledger import money
from ledger.models import Account, AuditRecord, Posting
from ledger.terms import Outcome, Side

ADOPTED = "adopted an entry"


@dataclass(frozen=True)
class Adopted:
    """The entry over there that stands for an event. `lines`: account, debit, credit; empty when none were kept."""

    remote_id: str
    link: str
    posting_date: date | None
    memo: str
    reason: str
    lines: list[dict[str, str]]
    total: str
    differs_by: str


def adopted(posting: Posting) -> Adopted | None:
    """The entry that was adopted for a posting; None when none was."""
    entry = posting.entry
    if posting.outcome != Outcome.ADOPTED or entry is None:
        return None
    records = AuditRecord.objects.filter(subject_kind="ledger.posting", subject_id=str(posting.pk), deed=ADOPTED)
    record = records.first()
    kept: dict[str, Any] = record.after if record else {}
    lines = kept.get("lines", [])
    total = sum((Decimal(line["amount"]) for line in lines if line["side"] == Side.DEBIT), Decimal(0))
    return Adopted(
        remote_id=entry.remote_id,
        link=entry.remote_link,
        posting_date=date.fromisoformat(kept["date"]) if kept else None,
        memo=kept.get("memo", ""),
        reason=kept.get("reason", ""),
        lines=_lines(posting, lines, currency=entry.currency),
        total=money.shown(total, currency=entry.currency),
        differs_by=money.shown(total - entry.total, currency=entry.currency) if lines and total != entry.total else "",
    )


def _lines(posting: Posting, lines: list[dict[str, str]], *, currency: str) -> list[dict[str, str]]:
    """As a reader sees them: accounts by name where we know them, debits left and credits right."""
    known = Account.objects.filter(book=posting.book_id, external_id__in=[line["account"] for line in lines])
    names = {account.external_id: str(account) for account in known}
    rows = []
    for line in lines:
        amount = money.shown(Decimal(line["amount"]), currency=currency)
        debit, credit = (amount, "") if line["side"] == Side.DEBIT else ("", amount)
        rows.append({"account": names.get(line["account"], line["account"]), "debit": debit, "credit": credit})
    return rows
