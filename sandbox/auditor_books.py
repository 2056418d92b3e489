"""The books' side of the audit: the journal entries QuickBooks Online shows, and which of them are ours."""

import datetime
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from sandbox.auditor_http import AuditFailed, Reader
from sandbox.auditor_rules import CREDIT, DEBIT, ZERO, Amounts, Document, Unbookable, number

QUERY = "/quickbooks/v3/company/9130000000000001/query"
PAGE = 1000
MARK = "[Daybook "
OF_A_TICKET = re.compile(r"HR-T(\d+)(?:-.*)?")


@dataclass(frozen=True)
class Entry:
    """One journal entry of ours, its amounts summed per account id and side."""

    id: str
    reference: str
    note: str
    day: datetime.date
    ticket: int | None
    amounts: Amounts = field(default_factory=dict)

    def sum_of(self, side: str) -> Decimal:
        return sum((amount for (_, of), amount in self.amounts.items() if of == side), ZERO)


@dataclass(frozen=True)
class Books:
    account_names: Mapping[str, str]  # id -> full name
    entries: list[Entry]


def read_books(reader: Reader) -> Books:
    accounts = _query(reader, "Account", "WHERE Active IN (true, false) ")
    names = {str(one["Id"]): str(one["FullyQualifiedName"]) for one in accounts}
    entries = [_entry(one) for one in _query(reader, "JournalEntry", "") if is_ours(one)]
    return Books(account_names=names, entries=entries)


def is_ours(document: Document) -> bool:
    """Somebody else's entry bears no mark, whatever its number says."""
    return str(document.get("PrivateNote") or "").startswith(MARK)


def _query(reader: Reader, entity: str, where: str) -> list[dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for rows in _pages(reader, entity, where):
        found.update((str(row["Id"]), row) for row in rows)
    return list(found.values())


def _pages(reader: Reader, entity: str, where: str) -> Iterator[list[dict[str, Any]]]:
    start, last = 1, False
    while not last:
        statement = f"SELECT * FROM {entity} {where}ORDERBY Id STARTPOSITION {start} MAXRESULTS {PAGE}"
        answer = reader.get(QUERY, [("query", statement), ("minorversion", "75")])
        if "QueryResponse" not in answer:
            raise AuditFailed(f"QuickBooks refused to list {entity}: {answer}")
        rows = answer["QueryResponse"].get(entity, [])
        yield rows
        start, last = start + PAGE, len(rows) < PAGE


def _entry(document: Document) -> Entry:
    reference = str(document.get("DocNumber") or "")
    named = OF_A_TICKET.fullmatch(reference)
    return Entry(
        id=str(document["Id"]),
        reference=reference,
        note=str(document["PrivateNote"]),
        day=datetime.date.fromisoformat(str(document["TxnDate"])[:10]),
        ticket=int(named[1]) if named else None,
        amounts=_amounts(document),
    )


def _amounts(document: Document) -> Amounts:
    sums: Amounts = {}
    for line in document.get("Line") or []:
        detail = line.get("JournalEntryLineDetail")
        if not detail:
            continue  # a description only, no money
        side = {"debit": DEBIT, "credit": CREDIT}[str(detail["PostingType"]).casefold()]
        key = (str(detail["AccountRef"]["value"]), side)
        sums[key] = sums.get(key, ZERO) + _exact(line.get("Amount"), document)
    return sums


def _exact(value: object, document: Document) -> Decimal:
    """As it stands, a third decimal included: the books are to be judged, not repaired."""
    try:
        return number(value, "amount")
    except Unbookable as reason:
        raise AuditFailed(f"journal entry {document['Id']} in QuickBooks: {reason}") from None
