"""Entries: their names, their balance, what is sent of them, and whether one found there is ours. Pure."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from ledger.errors import UnbalancedEntry, Unsupported
from ledger.money import LARGEST, ZERO
from ledger.terms import ROLES, Dimension, EventKind, Role, Side
from ledger.values import DraftLine, OutgoingEntry, OutgoingLine, RemoteEntry

REFERENCE = re.compile(r"[A-Z0-9-]{1,21}")


@dataclass(frozen=True)
class ResolvedLine:
    """A line with its account: the account's id here and at the vendor, and why it was chosen."""

    draft: DraftLine
    account_id: int
    account: str
    why: str
    text: str


def reference_of(source_code: str, kind: EventKind, external_id: str, *, suffix: str = "") -> str:
    """The name of an entry for ever, such as `HR-T100123`; raises Unsupported when it would not fit everywhere."""
    reference = f"{source_code}-{kind.letter}{external_id}" + (f"-{suffix}" if suffix else "")
    if not REFERENCE.fullmatch(reference):
        raise Unsupported(
            f"The document id {external_id!r} cannot be part of an entry's number (at most 21 capitals, digits "
            "and hyphens). Nothing was posted; please report this to the developers of Daybook."
        )
    return reference


def mark(reference: str) -> str:
    """How the memo of an entry of ours begins."""
    return f"[Daybook {reference}]"


def balanced(lines: Sequence[DraftLine]) -> Decimal:
    """The sum of the debits, which is the sum of the credits; raises UnbalancedEntry. Checked last, always."""
    debits = sum((line.amount for line in lines if line.side is Side.DEBIT), ZERO)
    credits = sum((line.amount for line in lines if line.side is Side.CREDIT), ZERO)
    if debits != credits or len(lines) < 2 or any(line.amount <= 0 for line in lines):
        raise UnbalancedEntry(debits=debits, credits=credits)
    if debits > LARGEST:
        raise Unsupported(
            f"Its lines add up to {debits}, more than can be booked. Look for a wrong quantity, price or cost in the "
            "document, correct it there, and press Retry; nothing was posted."
        )
    return debits


def line_text(role: Role, *, value_name: str = "") -> str:
    """What a line says in the books: its role in plain words and what it is told apart by."""
    return f"{ROLES[role].label}: {value_name}" if value_name else ROLES[role].label


def told_apart_by(draft: DraftLine) -> tuple[Dimension, str]:
    """The dimension that matters for this role, for instance the tender, and its value."""
    dimension = ROLES[draft.role].told_by
    return dimension, dict(draft.dimensions).get(dimension, "")


def merged_for_sending(lines: Iterable[OutgoingLine]) -> tuple[OutgoingLine, ...]:
    """One line for each account, side and text: what is sent. Cash received and change given stay two lines."""
    sums: dict[tuple[str, Side, str], OutgoingLine] = {}
    for line in lines:
        key = (line.account, line.side, line.text)
        sums[key] = replace(line, amount=sums[key].amount + line.amount) if key in sums else line
    return tuple(sums.values())


def is_ours(remote: RemoteEntry) -> bool:
    """Whether an entry found there bears our mark."""
    return remote.memo.startswith(mark(remote.reference))


def difference(ours: OutgoingEntry, remote: RemoteEntry) -> str:
    """What an entry found there says otherwise than ours, in words; empty when it is the same entry."""
    if not is_ours(remote):
        return "which Daybook did not write"
    if remote.posting_date != ours.posting_date:
        return f"which bears the date {remote.posting_date} instead of {ours.posting_date}"
    if sums_by_account(remote.lines) != sums_by_account(ours.lines):
        return "whose lines differ from this event's"
    return ""


def sums_by_account(lines: Iterable[OutgoingLine]) -> dict[tuple[str, Side], Decimal]:
    """What each account is debited and credited, however the lines are split."""
    sums: dict[tuple[str, Side], Decimal] = {}
    for line in lines:
        sums[line.account, line.side] = sums.get((line.account, line.side), ZERO) + line.amount
    return {key: amount for key, amount in sums.items() if amount}
