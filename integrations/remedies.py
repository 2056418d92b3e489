"""What to do about each cause of an alert: the steps in order, the place where they begin, and a store's own words.

One table, by how a cause begins; the longest beginning that fits decides.
"""

from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlencode

from django.urls import reverse

from integrations import vendors
from integrations.admin_views.access import address_of
from integrations.document_steps import STEPS
from integrations.models import Alert, Connection
from integrations.own_steps import MESSAGES_STEPS, SILENT_MACHINE_STEPS
from integrations.seeing import CHANGED_SINCE, OUTCOME_UNKNOWN
from ledger.admin.scoping import Person, is_store_manager
from ledger.errors import AT_THE_TILL, BY_HAND, Flaw
from ledger.models import Book


@dataclass(frozen=True)
class Where:
    """One cause at one place. `door` is the connection through which its events go or come."""

    cause: str
    book: Book | None
    door: Connection | None

    @property
    def there(self) -> str:
        """What the other side is called."""
        return vendors.VENDORS[self.door.vendor].label if self.door else "the accounting system"


@dataclass(frozen=True)
class Remedy:
    """What a person does, in order, and the button that leads there."""

    steps: tuple[str, ...]
    cure: str = ""
    cure_link: str = ""


@dataclass(frozen=True)
class Row:
    """One line of the table; `{there}` in a step is the other side's name."""

    cure: str
    link: Callable[[Where], str]
    steps: tuple[str, ...]


def where(alert: Alert) -> Where:
    """The place of an alert: its own connection, or that of its book."""
    door = alert.connection or (getattr(alert.book, "connection", None) if alert.book else None)
    return Where(alert.cause, alert.book, door)


def remedy(place: Where) -> Remedy:
    """The steps for whoever may see the whole company."""
    row = next((TABLE[prefix] for prefix in _BY_LENGTH if _begins(place.cause, prefix)), UNLISTED)
    link = row.link(place)
    steps = tuple(step.format(there=place.there) for step in row.steps)
    return Remedy(steps, row.cure if link else "", link)


def remedy_of_a_store(place: Where) -> Remedy:
    """The steps for a store manager: the documents are theirs, accounts and periods are not."""
    if is_a_stores(place.cause):
        return Remedy(remedy(place).steps, "Open the events", _events(place))
    if _is_by_hand(place.cause):
        return Remedy(("Your accountant books these by hand; there is nothing to do for you.",))
    return Remedy(("Your accountant does this; there is nothing to do for you.", _ITSELF))


def words_of_a_store(cause: str, *, said: str) -> str:
    """What has happened, without accounting: the document's own sentence, or that somebody else must act."""
    if is_a_stores(cause):
        return said
    return _WAITS["by_hand" if _is_by_hand(cause) else _family(cause)]


def is_a_stores(cause: str) -> bool:
    """Whether the store itself mends it, at the till."""
    return cause in AT_THE_TILL


def cause_for(person: Person, cause: str) -> str:
    """The cause as programs of this person read it: of what only the accountant mends, a store manager's read none."""
    return cause if is_a_stores(cause) or not is_store_manager(person) else ""


def _is_by_hand(cause: str) -> bool:
    return cause in {flaw.cause for flaw in BY_HAND}


def _family(cause: str) -> str:
    family = cause.split(":")[0]
    return family if family in _WAITS else ""


def _begins(cause: str, prefix: str) -> bool:
    return cause == prefix or cause.startswith(f"{prefix}:")


def _events(place: Where) -> str:
    if place.book is None or place.door is None:
        return ""
    chosen = {"cause": place.cause}
    if place.cause == CHANGED_SINCE:
        chosen = {"state": "changed"}
    if place.cause == OUTCOME_UNKNOWN:
        chosen = {"state": "unanswered"}
    return f"{reverse('integrations:events', args=[place.door.pk])}?{urlencode(chosen)}"


def _page(place: Where) -> str:
    return address_of(place.door) if place.door else ""


def _keys(place: Where) -> str:
    return f"{_page(place)}#connection" if place.door else ""


def _mapping(place: Where) -> str:
    if place.book is None:
        return ""
    role = place.cause.split(":")[1] if ":" in place.cause else ""
    address = reverse("mappings:configuration", args=[place.book.pk])
    return f"{address}#role-{role}" if role else address


def _tills(place: Where) -> str:
    till = next(name for name, vendor in vendors.VENDORS.items() if vendor.kind == vendors.TILL)
    return reverse("integrations:vendor", args=[till])


def _hearers(place: Where) -> str:
    return reverse("integrations:hearers")


_ITSELF = "The events that wait go on by themselves after that."
_WAITS = {
    "unmapped": "Something new was sold, paid or taxed in your stores; your accountant has to say where it is booked.",
    "period_closed": "These sales bear a date that the books are closed on; your accountant decides.",
    "by_hand": "These documents have a form that Daybook cannot read; at the till nothing is wrong.",
    "": "These events cannot be booked until your accountant has acted.",
}
_OUTAGE = (
    "Nothing is lost, and nothing must be entered by hand: what is due waits, and goes on in order by itself.",
    "Does it last? See the status page of {there}, and whether this server reaches the internet.",
    "Press Test on its page: it asks at once.",
)
_IN_VAIN = (
    "Open an event: its attempts show when it was sent, and that it was not there when it was looked up.",
    "Do other entries go through? Then press Retry on one event, and when it is Synced, Retry Failed.",
    "Does it fail again? Book it in {there} by hand, and set it aside with that reason.",
)
_DEFECT = (
    "Nothing was sent wrongly, and other events go on.",
    "Report it to the developers of Daybook with the number of one event.",
    "Until an update mends it: book these events by hand in {there} and set them aside with that reason, or wait.",
)

TABLE = {
    "unmapped": Row(
        "Choose the account",
        _mapping,
        (
            "Open the mapping: the row without an account is marked in red.",
            "Choose the account, and press Save. If you are not sure which, ask whoever closes the books.",
            "Nothing more: the events that wait are sent by themselves within a minute.",
        ),
    ),
    "auth_expired": Row(
        "Connect again",
        _keys,
        (
            "Open the page of {there} and press Connect (or enter its token).",
            "Log in there as somebody who may use this company. If it keeps failing, press Disconnect first.",
            f"{_ITSELF} Press Retry Failed for those in Error.",
        ),
    ),
    "period_closed": Row(
        "Open the events",
        _events,
        (
            "Decide with whoever closed the books whether these events belong into the closed period.",
            "If they do: open the period in {there}, then press Retry Failed here.",
            "If they do not: book them in {there} by hand, and set each aside with that reason.",
        ),
    ),
    "foreign_entry": Row(
        "Open the events, to compare and adopt",
        _events,
        (
            "Open an event and press Compare: it shows our entry beside the one that stands in {there}.",
            "Is it the same event? Adopt it, and say why if it differs.",
            "Is it something else? Give that one another number in {there}, then press Retry.",
        ),
    ),
    "rejected": Row(
        "Open the events",
        _events,
        (
            "Do what the sentence above says. The words of {there} stand on each event's page.",
            "Was it an account? Import Accounts on the page of {there}, then choose another in the mapping.",
            "Press Retry on one event; when that is Synced, press Retry Failed for the others.",
        ),
    ),
    "unreadable": Row(
        "Open the documents",
        _events,
        (
            "Open an event: it names the document at the till, and what is wrong with it.",
            "Open that document in Heartland Retail and mend it; complete it, or void it, if it is open.",
            "Nothing more: it is read again within a minute. Retry reads it at once.",
            "Is there nothing wrong with it? Then it has a form that Daybook does not know: report it.",
        ),
    ),
    **{
        flaw.cause: Row("Open the documents", _events, steps) for flaw, steps in STEPS.items() if flaw is not Flaw.STORE
    },
    Flaw.STORE.cause: Row("Open the till's page", _tills, STEPS[Flaw.STORE]),
    "unreachable": Row("Open the page of the connection", _page, _OUTAGE),
    "sent_in_vain": Row("Open the events", _events, _IN_VAIN),
    "unsupported": Row(
        "Open the events",
        _events,
        (
            "Open an event: it says what {there} or Daybook cannot express.",
            "Book it in {there} by hand, and set it aside with that reason.",
        ),
    ),
    "unbalanced": Row("Open the events", _events, _DEFECT),
    "internal": Row("Open the events", _events, _DEFECT),
    CHANGED_SINCE: Row(
        "Open the events",
        _events,
        (
            "Open each event and compare the document with its entry: the entry stays as it was posted.",
            "Correct it in {there} by hand where the books must follow.",
            "Acknowledge this alert: it is told again only when twice as many events have changed.",
        ),
    ),
    OUTCOME_UNKNOWN: Row(
        "Open the page of the connection",
        _page,
        (
            "Do not enter these by hand: they may stand in the books already, and Daybook looks for them.",
            "See whether {there} can be reached: press Test on its page, and look at its own status page.",
            "Nothing more: each is found, or sent again, and this alert closes by itself.",
        ),
    ),
    "capture": Row(
        "Open the till's page",
        _page,
        (
            "Read the sentence above: it is what the till answered.",
            "Press Test on the till's page. A refused token is renewed there; an outage passes by itself.",
        ),
    ),
    "till_silent": Row(
        "Open the till's page",
        _page,
        (
            "See whether the worker of Daybook runs; a restart of everything is always safe.",
            "Press Test on the till's page.",
            "Nothing is lost: what was sold meanwhile is read when it runs again.",
        ),
    ),
    "till_unconnected": Row(
        "Connect the till",
        _keys,
        (
            "Open the till's page and press Connect, or enter its token and press Test.",
            "Nothing is lost: what was sold meanwhile is read then.",
        ),
    ),
    "messages": Row("See who hears what", _hearers, MESSAGES_STEPS),
    "worker_silent": Row("", lambda place: "", SILENT_MACHINE_STEPS),
}
UNLISTED = Row(
    "Open the events",
    _events,
    (
        "Do what the sentence above says.",
        "Press Retry. If it comes back, report it with the number of one event.",
    ),
)
_BY_LENGTH = sorted(TABLE, key=len, reverse=True)
