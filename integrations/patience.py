"""Which class of error is tried again by itself, how often, and who acts then: one table, with the numbers in use."""

from dataclasses import dataclass
from datetime import timedelta

from integrations import vendors
from integrations.breaker import FIRST_REST, LONGEST_REST, OPENS_AFTER
from integrations.models import Connection
from integrations.sending import MOST_SENDS
from ledger import errors
from ledger.errors import DaybookError
from ledger.journal.marking import LONGEST_PAUSE, UNTOLD_PAUSE

Kinds = tuple[type[DaybookError], ...]


@dataclass(frozen=True)
class Patience:
    """One row: what happens, when it is tried again by itself, how often, and what becomes of it then."""

    kinds: Kinds
    what: str
    again: str
    most: str
    then: str


PAUSES = f"1 second to {LONGEST_PAUSE / 60:.0f} minutes, growing"
RESTS = f"{FIRST_REST:.0f} seconds to {LONGEST_REST / 60:.0f} minutes, growing"
WITHOUT_END = "Without end"

UNREACHABLE = Patience(
    (errors.Unreachable,),
    "No answer, and nothing was sent",
    f"After {PAUSES}. After {OPENS_AFTER} calls in a row without an answer nobody calls for {RESTS}; then one call "
    "probes.",
    WITHOUT_END,
    "It goes on by itself, in order. A rest opens one alert.",
)
RATE_LIMITED = Patience(
    (errors.RateLimited,),
    "The other system asks to slow down",
    f"When it says; else after {UNTOLD_PAUSE:.0f} seconds. Everybody waits.",
    WITHOUT_END,
    "It goes on by itself.",
)
AUTH_EXPIRED = Patience(
    (errors.AuthExpired,),
    "The connection is no longer accepted",
    "When an administrator has connected again.",
    "Once connected",
    "One alert; what is due waits and goes on by itself.",
)
UNMAPPED = Patience(
    (errors.UnmappedAccount,),
    "No account is mapped",
    "When the account is mapped.",
    "Once mapped",
    "Error until then; the accountant maps it.",
)
UNREADABLE = Patience(
    (errors.Unreadable,),
    "The document cannot be read",
    "When it was changed at the till.",
    "At each change",
    "Error until then; the store mends it, or Retry reads it again.",
)
REFUSED = Patience(
    (
        errors.Rejected,
        errors.PeriodClosed,
        errors.ForeignEntry,
        errors.Unsupported,
        errors.SentInVain,
        errors.UnbalancedEntry,
    ),
    "A definite refusal: by the other system, a closed period, a number that is taken, or Daybook itself",
    "Not by itself.",
    "Never",
    "Error: the accountant mends it, then Retry.",
)


def table(connection: Connection) -> list[Patience]:
    """The rows that hold for a connection, with its own time to settle."""
    unknown = Patience(
        (errors.OutcomeUnknown,),
        "Sent, and no definite answer",
        f"Looked up by its number after {_settle(connection).total_seconds():,.0f} seconds. Only what is not there is "
        "sent again, later each time.",
        f"{MOST_SENDS} times",
        "Error: a person sees whether it can be booked at all.",
    )
    return [UNREACHABLE, RATE_LIMITED, unknown, AUTH_EXPIRED, UNMAPPED, UNREADABLE, REFUSED]


def _settle(connection: Connection) -> timedelta:
    """The page that tells it must open also where the address of the connection is no good."""
    try:
        return vendors.settle(connection)
    except DaybookError:
        return timedelta(seconds=vendors.shortest_settle(connection.vendor))
