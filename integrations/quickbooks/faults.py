"""What QuickBooks Online's faults mean to us: one table of their codes, words and types -> our errors. Pure.

Source: Intuit's error-code table and "handling common errors", and answers as they were recorded.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum, auto

from integrations.http import lost
from integrations.quickbooks.payloads import Json, part, parts, text
from ledger.errors import AuthExpired, DaybookError, OutcomeUnknown, PeriodClosed, RateLimited, Rejected

PAUSE = 60.0
"""Seconds to wait after a refusal for too many requests; Intuit names no other figure."""


class Means(IntEnum):
    """What a fault tells us. Of several in one answer the lowest decides: caution first."""

    MAYBE_BOOKED = auto()
    SLOW_DOWN = auto()
    RECONNECT = auto()
    CLOSED = auto()
    REFUSED = auto()


@dataclass(frozen=True)
class Meaning:
    """A row of the table: it fits a fault of this code whose words hold `words` and whose type holds `kind`.

    Blank fits any. The words quote names that the customer chose, so what the type tells is asked of the type alone.
    """

    code: str
    means: Means
    sentence: str = ""
    words: str = ""
    kind: str = ""

    def fits(self, fault: "Fault") -> bool:
        words = f"{fault.message} {fault.detail}".lower()
        return self.code in {"", fault.code} and self.words in words and self.kind in fault.kind.lower()


_LOOK_UP = "Daybook looks the entry up before it sends anything again."
_TELL_US = "Nothing was posted; please report this to the developers of Daybook."
_REMAP = "Import the accounts, choose active ones under Settings > Financial > Configuration, then press Retry."
_TROUBLE = f"QuickBooks had trouble while saving. {_LOOK_UP}"
_TAKEN = f"QuickBooks already has an entry of this number. {_LOOK_UP}"
_AGAIN = "QuickBooks no longer accepts this connection. Connect QuickBooks again."
_NEEDS_NAME = (
    "An account of this entry needs a customer or vendor on the line, which Daybook does not write. "
    "Map another current asset or current liability account, then press Retry."
)
_KEYS = (
    "These keys may not use this QuickBooks company: development keys reach sandbox companies only, "
    "production keys real ones only. Check the keys and who connected, then connect QuickBooks again."
)
_RIGHTS = (
    "The person who connected QuickBooks no longer has access to this company. "
    "Let a company administrator connect it again."
)
_SUBSCRIPTION = (
    "The QuickBooks subscription has ended or has a billing problem. Renew it in QuickBooks, then connect again."
)
_PLAN = (
    "The QuickBooks plan, or the person who connected it, lacks the right to journal entries. "
    "Change that in QuickBooks, then connect again."
)
_NAME_TAKEN = (
    "QuickBooks has an account of this name already, of another type or inactive. Choose another name, or use that one."
)
_OTHER_KIND = "Another kind of transaction bears this number in QuickBooks. Renumber that one there, then press Retry."

FAULTS = (
    # The first row that fits decides. Texts come before codes: these were seen under 6000 and others.
    Meaning("", Means.CLOSED, words="closing date"),
    Meaning("", Means.CLOSED, words="period closed"),
    Meaning("", Means.CLOSED, words="period has closed"),
    Meaning("", Means.MAYBE_BOOKED, _TROUBLE, words="unexpected error occurred"),  # yet the entry was saved
    Meaning("10000", Means.MAYBE_BOOKED, _TROUBLE),
    Meaning("600", Means.MAYBE_BOOKED, f"QuickBooks has seen this request before. {_LOOK_UP}"),
    Meaning("6140", Means.MAYBE_BOOKED, _TAKEN, words="txntype=journal"),
    Meaning("6140", Means.REFUSED, _OTHER_KIND, words="txntype="),
    Meaning("6140", Means.MAYBE_BOOKED, _TAKEN),
    Meaning("3001", Means.SLOW_DOWN),
    Meaning("3200", Means.RECONNECT, _AGAIN),
    Meaning("HTTP 401", Means.RECONNECT, _AGAIN),
    Meaning("3100", Means.RECONNECT, _KEYS),
    Meaning("120", Means.RECONNECT, _RIGHTS),
    Meaning("6190", Means.RECONNECT, _SUBSCRIPTION),
    Meaning("5020", Means.RECONNECT, _PLAN),
    Meaning("6200", Means.CLOSED),
    Meaning("6210", Means.CLOSED),
    Meaning("610", Means.REFUSED, f"An account of this entry is inactive or gone in QuickBooks. {_REMAP}"),
    Meaning("2500", Means.REFUSED, f"QuickBooks does not know an account of this entry. {_REMAP}"),
    Meaning("2020", Means.REFUSED, f"QuickBooks misses a part of this entry. {_TELL_US}"),
    Meaning("2050", Means.REFUSED, f"A text of this entry is too long for QuickBooks. {_TELL_US}"),
    Meaning("2300", Means.REFUSED, f"QuickBooks finds that this entry does not balance. {_TELL_US}"),
    Meaning("6240", Means.REFUSED, _NAME_TAKEN),
    Meaning("HTTP 413", Means.REFUSED, f"The request was too large for QuickBooks. {_TELL_US}"),
    Meaning("6000", Means.REFUSED, _NEEDS_NAME, words="in the name field"),
    Meaning("6000", Means.REFUSED, "QuickBooks refused this entry. Do what it says, then press Retry."),
    # Codes that are not in the table, by the fault's type; "AuthorizatonFault" is how the schema spells it.
    Meaning("", Means.RECONNECT, _AGAIN, kind="authentication"),
    Meaning("", Means.RECONNECT, _AGAIN, kind="authorizat"),
    Meaning("", Means.MAYBE_BOOKED, _TROUBLE, kind="systemfault"),
    Meaning("", Means.REFUSED, "QuickBooks refused this. Do what it says, then press Retry."),
)


@dataclass(frozen=True)
class Fault:
    """One error of an answer; `kind` is the type of the fault that holds it."""

    code: str
    message: str = ""
    detail: str = ""
    kind: str = ""

    @property
    def meaning(self) -> Meaning:
        return next(row for row in FAULTS if row.fits(self))


def faults_in(data: Json) -> list[Fault]:
    """Every error of a Fault, in either casing and either form of code; an empty Fault counts as one."""
    fault = part(data, "Fault") or part(data, "fault")
    if not fault:
        return []
    kind = text(fault, "type")
    errors = parts(fault, "Error") or parts(fault, "error")
    return [_fault(error, kind=kind) for error in errors] or [Fault("", kind=kind)]


def fault_error(faults: Sequence[Fault], *, write: bool) -> DaybookError:
    """Our error for the faults of one answer: the most cautious meaning decides, all their words are kept."""
    telling = min(faults, key=lambda fault: fault.meaning.means)
    meaning, code = telling.meaning, telling.code
    words = "; ".join(filter(None, (fault.detail or fault.message for fault in faults)))
    match meaning.means:
        case Means.MAYBE_BOOKED if not write:
            return lost(f"QuickBooks code {code}", write=False)
        case Means.MAYBE_BOOKED:
            return OutcomeUnknown(meaning.sentence, cause=f"{OutcomeUnknown.code}:{code}", detail=words)
        case Means.SLOW_DOWN:
            return RateLimited("QuickBooks asks us to slow down. Daybook waits by itself.", retry_after=PAUSE)
        case Means.RECONNECT:
            return AuthExpired(meaning.sentence, cause=f"{AuthExpired.code}:{code}", detail=words)
        case Means.CLOSED:
            return PeriodClosed(detail=words)
        case Means.REFUSED:
            cause = _cause(telling)
            return Rejected(meaning.sentence, vendor_code=code, vendor_message=words, cause=cause)


def _fault(error: Json, *, kind: str) -> Fault:
    message = text(error, "Message") or text(error, "message")
    code = text(error, "code") or "".join(re.findall(r"errorCode=(\d+)", message)[:1])
    return Fault(code.lstrip("0"), message, text(error, "Detail") or text(error, "detail"), kind)


def _cause(fault: Fault) -> str:
    """What one repair mends: for one, all entries that name the same unknown account."""
    named = re.search(r"(\w+) element id (\w+)", fault.detail)
    return f"rejected:{fault.code}:{named[1]}:{named[2]}" if named else f"rejected:{fault.code}"
