"""QuickBooks Online's JSON <-> our values. Pure: no HTTP, no clock.

Source: Intuit's API reference (JournalEntry, Account, CompanyInfo, Preferences), minor version 75.
Field names of theirs stand here and in `client`, nowhere else.
"""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal

from ledger import money
from ledger.errors import Flaw, Unreadable, Unsupported
from ledger.terms import AccountType, Side
from ledger.values import Company, OutgoingEntry, OutgoingLine, RemoteAccount, RemoteEntry

Json = Mapping[str, object]

REFERENCE_LENGTH = 21
"""DocNumber: a longer one is refused with code 2050."""
MAX_LINES = 200
"""Intuit documents no limit of lines; this one is ours."""
TEXT_LENGTH = 4000
"""PrivateNote and Description."""

ACCOUNT_TYPES = {
    "bank": AccountType.BANK,
    "accounts receivable": AccountType.RECEIVABLE,
    "other current asset": AccountType.CURRENT_ASSET,
    "fixed asset": AccountType.FIXED_ASSET,
    "other asset": AccountType.OTHER_ASSET,
    "accounts payable": AccountType.PAYABLE,
    "credit card": AccountType.CREDIT_CARD,
    "other current liability": AccountType.CURRENT_LIABILITY,
    "long term liability": AccountType.LONG_TERM_LIABILITY,
    "equity": AccountType.EQUITY,
    "income": AccountType.INCOME,
    "cost of goods sold": AccountType.COST_OF_GOODS_SOLD,
    "expense": AccountType.EXPENSE,
    "other income": AccountType.OTHER_INCOME,
    "other expense": AccountType.OTHER_EXPENSE,
    "non-posting": AccountType.NON_POSTING,
}

_SALES_TAX_AGENCY = frozenset({"globaltaxpayable", "salestaxpayable"})
_SALES_TAX_WARNING = (
    "This account belongs to QuickBooks' own sales tax feature: what journal entries post to it is missing "
    "from the Sales Tax Center, and QuickBooks may refuse it. Prefer an ordinary current liability account."
)
_SIDES = {"debit": Side.DEBIT, "credit": Side.CREDIT}
_POSTING_TYPES = {Side.DEBIT: "Debit", Side.CREDIT: "Credit"}
_REFERENCE = re.compile(r"[A-Z0-9-]+")


# Ours -> theirs


def entry_json(entry: OutgoingEntry) -> str:
    """The JSON text of a JournalEntry to create, amounts exact; the same entry gives the same text.

    Raises Unsupported for what QuickBooks cannot take; nothing has been sent then.
    """
    _check(entry)
    return json_text(
        {
            "DocNumber": entry.reference,
            "TxnDate": entry.posting_date.isoformat(),
            "PrivateNote": entry.memo,
            "CurrencyRef": {"value": entry.currency},
            "Line": [_line_json(line, currency=entry.currency) for line in entry.lines],
        }
    )


def batch_json(creations: Iterable[tuple[str, str]]) -> str:
    """The body of a batch that creates entries: of each a name within the batch and its `entry_json`."""
    items = (f'{{"bId":{json_text(name)},"operation":"create","JournalEntry":{entry}}}' for name, entry in creations)
    return f'{{"BatchItemRequest":[{",".join(items)}]}}'


def json_text(value: object) -> str:
    """Compact JSON in which a Decimal is a number written exactly: the json module knows only floats."""
    if isinstance(value, Decimal):
        return money.text(value)
    if isinstance(value, dict):
        return "{" + ",".join(f"{json.dumps(key)}:{json_text(part)}" for key, part in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ",".join(json_text(part) for part in value) + "]"
    if isinstance(value, str):
        return json.dumps(value)
    raise TypeError(f"{type(value).__name__} has no place in a payload")


def _line_json(line: OutgoingLine, *, currency: str) -> dict[str, object]:
    described: dict[str, object] = {"Description": line.text} if line.text else {}
    return described | {
        "Amount": _amount(line.amount, currency=currency),
        "DetailType": "JournalEntryLineDetail",
        "JournalEntryLineDetail": {
            "PostingType": _POSTING_TYPES[line.side],
            "AccountRef": {"value": line.account},
        },
    }


def _amount(amount: Decimal, *, currency: str) -> Decimal:
    """The amount with the decimal places of its currency, never more."""
    try:
        units = money.to_minor(amount, currency=currency)
    except ValueError as reason:
        raise Unsupported(f"{reason}; QuickBooks cannot book it.") from None
    if units <= 0 or amount > money.LARGEST:
        raise Unsupported(f"QuickBooks books amounts above zero of at most 15 digits, not {money.text(amount)}.")
    return money.from_minor(units, currency=currency)


def _check(entry: OutgoingEntry) -> None:
    """Refuse here what QuickBooks would refuse, in words that say what to do."""
    name = entry.reference
    if not _REFERENCE.fullmatch(name) or len(name) > REFERENCE_LENGTH:
        raise Unsupported(f"QuickBooks takes numbers of up to {REFERENCE_LENGTH} characters, not {name!r}.")
    if len(entry.lines) > MAX_LINES:
        raise Unsupported(
            f"Entry {name} has {len(entry.lines)} lines, more than the {MAX_LINES} that Daybook sends. "
            "Let the book post an entry per event."
        )
    if {line.side for line in entry.lines} != {Side.DEBIT, Side.CREDIT}:
        raise Unsupported(f"Entry {name} needs at least one debit and one credit for QuickBooks to take it.")
    if not all(line.account for line in entry.lines):
        raise Unsupported(f"A line of entry {name} names no QuickBooks account. Map it, then press Retry.")
    if len(entry.memo) > TEXT_LENGTH or any(len(line.text) > TEXT_LENGTH for line in entry.lines):
        raise Unsupported(f"A text of entry {name} is longer than the {TEXT_LENGTH} characters of QuickBooks.")


# Theirs -> ours


def remote_entry(data: Json) -> RemoteEntry:
    """An entry of theirs; lines that only describe carry no amount and are left out. Raises Unreadable."""
    name = f"QuickBooks journal entry {text(data, 'Id') or 'without id'}"
    posting_date = _date(data, "TxnDate", document=name)
    if posting_date is None:
        raise _unreadable(name, "it has no date")
    return RemoteEntry(
        remote_id=required(data, "Id", document=name),
        reference=text(data, "DocNumber"),
        posting_date=posting_date,
        memo=text(data, "PrivateNote"),
        lines=tuple(_remote_lines(parts(data, "Line"), document=name)),
    )


def remote_account(data: Json) -> RemoteAccount:
    """An account of their chart. One whose type we do not know is read, with a warning, and fits no role."""
    name = f"QuickBooks account {text(data, 'Id') or 'without id'}"
    kind = ACCOUNT_TYPES.get(text(data, "AccountType").lower())
    leaf = required(data, "Name", document=name)
    return RemoteAccount(
        external_id=required(data, "Id", document=name),
        name=leaf,
        full_name=text(data, "FullyQualifiedName") or leaf,
        number=text(data, "AcctNum"),
        type=kind or AccountType.NON_POSTING,
        detail=text(data, "AccountSubType"),
        currency=text(part(data, "CurrencyRef"), "value"),
        active=text(data, "Active").lower() != "false",
        warning=_warning(data, known=kind is not None),
    )


def company(info: Json, preferences: Json, *, realm: str) -> Company:
    """The company from CompanyInfo and Preferences. BookCloseDate is absent while the books are open."""
    name = text(info, "CompanyName") or text(info, "LegalName") or realm
    document = f"QuickBooks company {name}"
    currency = text(part(part(preferences, "CurrencyPrefs"), "HomeCurrency"), "value")
    if not currency and text(info, "Country").upper() in {"US", "USA"}:
        currency = "USD"
    if not currency:
        raise _unreadable(document, "its preferences name no home currency")
    closed_through = _date(part(preferences, "AccountingInfoPrefs"), "BookCloseDate", document=document)
    return Company(external_id=realm, name=name, currency=currency, closed_through=closed_through)


def _remote_lines(lines: Sequence[Json], *, document: str) -> Iterable[OutgoingLine]:
    for line in lines:
        detail = part(line, "JournalEntryLineDetail")
        if detail:
            yield OutgoingLine(
                account=required(part(detail, "AccountRef"), "value", document=f"{document}, AccountRef"),
                side=_side(detail, document=document),
                amount=_read_amount(line, document=document),
                text=text(line, "Description"),
            )


def _unreadable(document: str, what: str) -> Unreadable:
    return Unreadable(document, what, flaw=Flaw.ANSWER)


def _side(detail: Json, *, document: str) -> Side:
    try:
        return _SIDES[text(detail, "PostingType").lower()]
    except KeyError:
        raise _unreadable(document, f"PostingType {detail.get('PostingType')!r} is neither side") from None


def _read_amount(line: Json, *, document: str) -> Decimal:
    try:
        return money.parse(line.get("Amount"))
    except money.NotAnAmount as reason:
        raise _unreadable(document, str(reason)) from None


def _date(data: Json, key: str, *, document: str) -> date | None:
    """A calendar date; a time of day behind it is ignored, as QuickBooks books by date."""
    written = text(data, key)
    try:
        return date.fromisoformat(written[:10]) if written else None
    except ValueError:
        raise _unreadable(document, f"{key} {written!r} is not a date") from None


def _warning(data: Json, *, known: bool) -> str:
    if not known:
        return f"Daybook does not know the account type {text(data, 'AccountType')!r} and cannot post to it."
    return _SALES_TAX_WARNING if text(data, "AccountSubType").lower() in _SALES_TAX_AGENCY else ""


# Reading JSON of which any field may be missing, null, or text instead of a number


def part(data: Json, key: str) -> Json:
    """The object under a key; empty when there is none."""
    value = data.get(key)
    return value if isinstance(value, dict) else {}


def parts(data: Json, key: str) -> list[Json]:
    """The objects in the list under a key; empty when there is none."""
    value = data.get(key)
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def text(data: Json, key: str) -> str:
    """What stands under a key, as text; blank when it is missing or null."""
    value = data.get(key)
    return "" if value is None else str(value).strip()


def required(data: Json, key: str, *, document: str) -> str:
    """The text under a key that must be there; raises Unreadable."""
    value = text(data, key)
    if not value:
        raise _unreadable(document, f"{key} is missing")
    return value
