"""What a person compared before adopting an entry: kept in the audit, shown on the event's page."""

from dataclasses import dataclass
from datetime import date
from typing import Any

from ledger import money
from ledger.audit import Actor, note
from ledger.models import AuditRecord, Posting
from ledger.terms import Outcome, Side
from ledger.values import RemoteEntry

COMPARED = "compared an entry to adopt"


@dataclass(frozen=True)
class Adopted:
    """The entry over there that stands for an event. `lines`: account, debit, credit; empty when none were kept."""

    remote_id: str
    link: str
    posting_date: date | None
    memo: str
    lines: list[dict[str, str]]
    differences: list[str]
    reason: str


def remember(
    posting: Posting,
    remote: RemoteEntry,
    *,
    names: dict[str, str],
    differences: list[str],
    reason: str,
    actor: Actor,
) -> None:
    """Keep what was compared, in the caller's transaction: the entry over there may be edited later."""
    currency = posting.entry.currency if posting.entry else posting.book.currency
    after = {
        "entry": remote.remote_id,
        "date": remote.posting_date.isoformat(),
        "memo": remote.memo,
        "lines": remote_lines(remote, names=names, currency=currency),
        "differences": differences,
        "reason": reason,
    }
    note(actor, COMPARED, posting, after=after)


def remote_lines(remote: RemoteEntry, *, names: dict[str, str], currency: str) -> list[dict[str, str]]:
    """The lines of an entry found there, with the accounts' names where we know them."""
    rows = []
    for line in remote.lines:
        amount = money.shown(line.amount, currency=currency)
        debit, credit = (amount, "") if line.side is Side.DEBIT else ("", amount)
        rows.append({"account": names.get(line.account, line.account), "debit": debit, "credit": credit})
    return rows


def adopted(posting: Posting) -> Adopted | None:
    """The entry that was adopted for a posting; None when none was."""
    if posting.outcome != Outcome.ADOPTED or posting.entry is None:
        return None
    records = AuditRecord.objects.filter(subject_kind="ledger.posting", subject_id=str(posting.pk), deed=COMPARED)
    record = records.first()
    kept: dict[str, Any] = record.after if record else {}
    return Adopted(
        remote_id=posting.entry.remote_id,
        link=posting.entry.remote_link,
        posting_date=date.fromisoformat(kept["date"]) if kept else None,
        memo=kept.get("memo", ""),
        lines=kept.get("lines", []),
        differences=kept.get("differences", []),
        reason=kept.get("reason", ""),
    )
