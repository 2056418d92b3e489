"""One tree of errors. Each carries a sentence for the person (what happened, what to do) and facts for the log.

Two questions decide everything: may we try again by ourselves, and could it already be there?
"""

from datetime import date
from decimal import Decimal
from enum import StrEnum

from ledger.terms import ROLES, Dimension, Role
from ledger.values import EventHeader

STUMBLES = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError)
"""What a defect of ours, or data in a form that nobody expected, raises: one event's, never all events' problem."""


class DaybookError(Exception):
    """`code` is stable; `cause` groups what one repair mends; `str(error)` is the sentence for the person.

    `request_id`: the vendor's name for the call that failed, for its support; blank when it gave none.
    """

    code = "error"
    request_id: str = ""

    def __init__(self, sentence: str, *, cause: str = "", detail: str = "") -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.cause = cause or self.code
        self.detail = detail


class Flaw(StrEnum):
    """What keeps a document from being read or booked; events of one flaw are told together and mended alike."""

    JSON = "json"
    TYPE = "type"
    LINE = "line"
    PARTS = "parts"
    ITEM = "item"
    ID = "id"
    STORE = "store"
    NO_STORE = "no_store"
    TIME = "time"
    TENDER = "tender"
    AMOUNT = "amount"
    COST = "cost"
    TOTAL = "total"
    PAYMENTS = "payments"
    REOPENED = "reopened"
    FORM = "form"
    ANSWER = "answer"

    @property
    def cause(self) -> str:
        """As postings and alerts carry it: `unreadable:amount`."""
        return f"{Unreadable.code}:{self}"


class Unreadable(DaybookError):
    """A document that cannot be read; `header` is what could be read of it."""

    code = "unreadable"

    def __init__(
        self, document: str, what: str, *, header: EventHeader | None = None, flaw: Flaw | None = None
    ) -> None:
        super().__init__(f"{document}: {what}", cause=flaw.cause if flaw else self.code)
        self.header = header


BY_HAND = frozenset({Flaw.TYPE, Flaw.LINE, Flaw.JSON, Flaw.ID, Flaw.FORM})
"""Nothing is to be mended at the till: somebody who keeps the books enters these."""

AT_THE_TILL = frozenset(
    {Unreadable.code, *(flaw.cause for flaw in Flaw if flaw not in BY_HAND | {Flaw.STORE, Flaw.ANSWER})}
)
"""The causes that the store itself mends, at the till; of all others somebody else has to act."""


class UnbalancedEntry(DaybookError):
    """Debits and credits differ: a rule is wrong. Such an entry never leaves the house."""

    code = "unbalanced"

    def __init__(self, *, debits: Decimal, credits: Decimal) -> None:
        super().__init__(
            f"The entry does not balance: debits {debits}, credits {credits}. "
            "Nothing was posted; please report this to the developers of Daybook."
        )


class UnmappedAccount(DaybookError):
    """No mapping row serves this role and these dimensions."""

    code = "unmapped"

    def __init__(
        self, role: Role, dimensions: dict[Dimension, str], *, value_name: str = "", instead: str = ""
    ) -> None:
        needs = ROLES[role]
        value = dimensions.get(needs.required, "") if needs.required else ""
        named = value_name or value
        what = f"{needs.required.replace('_', ' ')} {named!r}" if needs.required and value else "this book"
        kind = needs.label.lower()
        lacking = f"No {kind} is mapped for" if kind.endswith("account") else f"No account is mapped for {kind} of"
        super().__init__(
            f"{instead or f'{lacking} {what}'}. Choose an account under Settings > Financial > "
            "Configuration; the event is then posted by itself.",
            cause=f"{self.code}:{role}:{value}",
        )
        self.role = role
        self.dimensions = dimensions


class PeriodClosed(DaybookError):
    """The books are closed on that date."""

    code = "period_closed"

    def __init__(self, day: date | None = None, *, detail: str = "") -> None:
        which = f"{day:%b %-d, %Y}" if day else "The date of this entry"
        super().__init__(
            f"{which} lies in a closed period. Open the period in the accounting system and press Retry, or book the "
            "event there by hand and set it aside here.",
            detail=detail,
        )


class ForeignEntry(DaybookError):
    """The number is taken by an entry that is not ours, or that says something else than ours."""

    code = "foreign_entry"

    def __init__(self, reference: str, *, remote_id: str, why: str) -> None:
        super().__init__(
            f"The number {reference} is already used in the accounting system by entry {remote_id}, {why}. "
            "Compare the two; then Adopt that entry as this event's, or renumber it there and press Retry.",
            cause=self.code,
        )
        self.remote_id = remote_id


class Unreachable(DaybookError):
    """Nothing was sent, or it was a read: safe to try again later."""

    code = "unreachable"


class RateLimited(DaybookError):
    """The vendor asks us to wait `retry_after` seconds (None when it did not say how long)."""

    code = "rate_limited"

    def __init__(self, sentence: str, *, retry_after: float | None = None) -> None:
        super().__init__(sentence)
        self.retry_after = retry_after


class AuthExpired(DaybookError):
    """The connection must be renewed by a person."""

    code = "auth_expired"


class Rejected(DaybookError):
    """The vendor definitely refused: nothing was booked. `vendor_code` and `vendor_message` are its words."""

    code = "rejected"

    def __init__(self, sentence: str, *, vendor_code: str = "", vendor_message: str = "", cause: str = "") -> None:
        super().__init__(sentence, cause=cause or f"rejected:{vendor_code}", detail=vendor_message)
        self.vendor_code = vendor_code
        self.vendor_message = vendor_message


class Unsupported(DaybookError):
    """We or the vendor cannot express this; refused before sending."""

    code = "unsupported"


class OutcomeUnknown(DaybookError):
    """A write left this house without a definite answer: it could already be there."""

    code = "outcome_unknown"


class SentInVain(DaybookError):
    """Sent again and again without a definite answer, and not there when looked up: so nothing was booked."""

    code = "sent_in_vain"

    def __init__(self, reference: str, *, times: int) -> None:
        super().__init__(
            f"{reference} was sent {times} times, no definite answer ever came, and a look-up does not find it. "
            "Nothing was booked. See whether other entries go through, then press Retry; or book it by hand and set it "
            "aside here."
        )


class Refused(DaybookError):
    """What a person asked for cannot be done now; the sentence says why."""

    code = "refused"
