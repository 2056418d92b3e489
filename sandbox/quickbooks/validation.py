"""What the vendor checks before it takes a journal entry, stage by stage; the first with errors answers.

Shape, then fields, then references, then the rules of bookkeeping. The vendor's own order is not known.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from decimal import Decimal
from itertools import chain
from typing import Any

from sandbox.faults import Faults
from sandbox.quickbooks import clock, refusals
from sandbox.quickbooks.chart import Chart
from sandbox.quickbooks.refusals import Refusal, Refused

ENTRY = {
    *(
        "Id",
        "SyncToken",
        "sparse",
        "domain",
        "DocNumber",
        "TxnDate",
        "PrivateNote",
        "CurrencyRef",
        "ExchangeRate",
    ),
    *("Adjustment", "Line", "TxnTaxDetail", "TotalAmt", "HomeTotalAmt", "MetaData"),
}
LINE = {
    *(
        "Id",
        "LineNum",
        "Description",
        "Amount",
        "DetailType",
        "JournalEntryLineDetail",
        "DescriptionLineDetail",
    ),
    "ProjectRef",
}
DETAIL = {"PostingType", "AccountRef", "ClassRef", "DepartmentRef", "Entity", "BillableStatus"}
REFERENCE = {"value", "name", "type"}
ENTITY = {"Type", "EntityRef"}
MOST_DIGITS = 15

# The only names in this company, so that lines on receivables and payables can be tried.
NAMES = {"1": ("Customer", "House Account Customer"), "2": ("Vendor", "Wholesale Supplies")}

Body = Mapping[str, Any]


def check(body: Body, *, chart: Chart, faults: Faults, taken: Refusal | None = None) -> None:
    """Raise Refused unless the entry could be saved; closed books and SyncTokens are checked elsewhere.

    `taken` says that the number is in use: recorded faults name that together with missing fields.
    """
    _refuse(_shape(body))
    _refuse(chain([taken] if taken else [], _fields(body)))
    lines = list(_details(body))
    _refuse(_references(lines, chart=chart, faults=faults))
    _refuse(_business(lines, chart=chart, faults=faults))


def _refuse(found: Iterator[Refusal]) -> None:
    errors = list(found)
    if errors:
        raise Refused(*errors)


def _shape(body: Body) -> Iterator[Refusal]:
    yield from _unknown(body, ENTRY)
    if not isinstance(body, dict):
        return
    if body.get("Line") is not None and not isinstance(body["Line"], list):
        yield refusals.unsupported("Line")
        return
    for line in body.get("Line") or []:
        yield from _unknown(line, LINE)
        detail = line.get("JournalEntryLineDetail") if isinstance(line, dict) else None
        if detail is not None:
            yield from _unknown(detail, DETAIL)
            yield from _shape_of_references(detail)


def _shape_of_references(detail: object) -> Iterator[Refusal]:
    if not isinstance(detail, dict):
        return
    for name in ("AccountRef", "ClassRef", "DepartmentRef"):
        if detail.get(name) is not None:
            yield from _unknown(detail[name], REFERENCE)
    if detail.get("Entity") is not None:
        yield from _unknown(detail["Entity"], ENTITY)


def _unknown(value: object, known: set[str]) -> Iterator[Refusal]:
    if not isinstance(value, dict):
        yield refusals.unsupported(str(value))
    else:
        yield from (refusals.unsupported(name) for name in value if name not in known)


def _fields(body: Body) -> Iterator[Refusal]:
    for name, most in (("DocNumber", 21), ("PrivateNote", 4000)):
        if len(str(body.get(name) or "")) > most:
            yield refusals.wrong_length(name, most=most, supplied=len(str(body[name])))
    if body.get("TxnDate") is not None and not _is_date(body["TxnDate"]):
        yield refusals.bad_date("TxnDate", body["TxnDate"])
    if reference(body, "CurrencyRef") not in ("", "USD"):
        yield refusals.business("Multicurrency is not turned on for this company.")
    if body.get("Line") is None:
        yield refusals.required("Line")
    seen: set[str] = set()
    for line in body.get("Line") or []:
        for error in _line_fields(line):
            # The recorded faults name a missing element once, however many lines lack it.
            if error.code != "2020" or error.detail not in seen:
                yield error
            seen.add(error.detail)


def _line_fields(line: Body) -> Iterator[Refusal]:
    if len(str(line.get("Description") or "")) > 4000:
        yield refusals.wrong_length("Description", most=4000, supplied=len(str(line["Description"])))
    if line.get("DetailType") == "DescriptionOnly":
        return
    if line.get("DetailType") != "JournalEntryLineDetail":
        yield refusals.required("DetailType")
        return
    yield from _amount(line.get("Amount"))
    detail = line.get("JournalEntryLineDetail") or {}
    if not reference(detail, "AccountRef"):
        yield refusals.required("AccountRef")
    if detail.get("PostingType") not in ("Debit", "Credit"):
        yield refusals.no_posting_type()


def _amount(value: object) -> Iterator[Refusal]:
    amount = number(value)
    if value is None:
        yield refusals.required("Amount")
    elif amount is None:
        yield refusals.bad_number("Amount", value)
    elif _digits(amount) > MOST_DIGITS:
        yield refusals.wrong_length("Amount", most=MOST_DIGITS, supplied=_digits(amount))
    elif amount != round(amount, 2):
        yield refusals.bad_number("Amount", value)
    elif amount < 0:
        yield refusals.negative("Amount")


def _digits(amount: Decimal) -> int:
    exponent = int(amount.as_tuple().exponent)
    return max(amount.adjusted(), 0) + 1 + max(-exponent, 0)


def number(value: object) -> Decimal | None:
    """A JSON number, or text that spells one, as exact Decimal; None when it is neither."""
    if isinstance(value, bool) or not isinstance(value, int | Decimal | str):
        return None
    try:
        amount = Decimal(value)
    except ArithmeticError:
        return None
    return amount if amount.is_finite() else None


def reference(holder: Body, name: str) -> str:
    """The id in a reference, empty when there is none."""
    held = holder.get(name)
    value = held.get("value") if isinstance(held, dict) else None
    return "" if value is None else str(value)


def _is_date(value: object) -> bool:
    try:
        return isinstance(value, str) and len(value) == 10 and bool(date.fromisoformat(value))
    except ValueError:
        return False


def posting_date(body: Body) -> str:
    """The date of an entry; the company's day when it gives none."""
    return body.get("TxnDate") or clock.today().isoformat()


def _details(body: Body) -> Iterator[Body]:
    return (line for line in body["Line"] if line.get("DetailType") == "JournalEntryLineDetail")


def _references(lines: list[Body], *, chart: Chart, faults: Faults) -> Iterator[Refusal]:
    for detail in (line["JournalEntryLineDetail"] for line in lines):
        account = chart.get(reference(detail, "AccountRef"))
        if account is None:
            yield refusals.unknown_reference("Accounts", reference(detail, "AccountRef"))
        elif not account.active:
            yield (refusals.inactive_reference() if faults.hit("quickbooks.inactive_as_2500") else refusals.inactive())
        # Class and location tracking are off in this company: no class and no department exists.
        for name, kind in (("ClassRef", "Klasses"), ("DepartmentRef", "Depts")):
            if reference(detail, name):
                yield refusals.unknown_reference(kind, reference(detail, name))
        party = reference(detail.get("Entity") or {}, "EntityRef")
        if party and party not in NAMES:
            yield refusals.unknown_reference("Names", party)


def _business(lines: list[Body], *, chart: Chart, faults: Faults) -> Iterator[Refusal]:
    amounts = [(line["JournalEntryLineDetail"], number(line["Amount"]) or Decimal(0)) for line in lines]
    if sum(1 for _, amount in amounts if amount) < 2:
        yield refusals.business("Fill out at least two detail lines to continue.")
        return
    for detail, _ in amounts:
        yield from _party(detail, chart=chart)
    if sum(amount if detail["PostingType"] == "Debit" else -amount for detail, amount in amounts):
        hidden = faults.hit("quickbooks.unbalanced_as_6000")
        yield refusals.business("Please balance debits and credits.") if hidden else refusals.unbalanced()


def _party(detail: Body, *, chart: Chart) -> Iterator[Refusal]:
    account = chart.get(reference(detail, "AccountRef"))
    wanted = {"Accounts Receivable": "Customer", "Accounts Payable": "Vendor"}.get(account.type if account else "")
    party = reference(detail.get("Entity") or {}, "EntityRef")
    if account is None or wanted is None or NAMES.get(party, ("", ""))[0] == wanted:
        return
    yield refusals.business(f"When you use {account.type}, you must choose a {wanted.lower()} in the Name field.")
