"""The set-up path of a newcomer: discover, configure and map, validate, launch. It goes when the book is live."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.urls import reverse

from integrations import vendors
from integrations.admin_views import health
from integrations.admin_views.access import address_of
from integrations.models import Connection
from ledger.admin.base import LARGEST_COUNT
from ledger.admin.scoping import ACCOUNTANT, ADMINISTRATOR, Person, may_for_all
from ledger.models import Book

CONFIGURE, OPERATE, MAP = "integrations.change_connection", "integrations.operate_sync", "mappings.change_mapping"
FEED = "ledger.change_feed"
OF_ADMINISTRATORS = (CONFIGURE, FEED)
"""What of the path an accountant may not do."""


@dataclass(frozen=True)
class Next:
    """The one thing to do now, who may do it, and which step it belongs to."""

    label: str
    link: str
    permission: str
    step: str


@dataclass(frozen=True)
class Step:
    name: str
    is_done: bool
    detail: str


@dataclass(frozen=True)
class Path:
    """The four steps for one book, or for the first one that there will be. `next` is None when there is only to wait.

    `may_go_on`: whether the reader may do the next step; `whose` names the role of who else does it.
    """

    book: Book | None
    steps: tuple[Step, ...]
    next: Next | None
    may_go_on: bool

    @property
    def whose(self) -> str:
        return ADMINISTRATOR if self.next and self.next.permission in OF_ADMINISTRATORS else ACCOUNTANT

    @property
    def done(self) -> int:
        return sum(step.is_done for step in self.steps)


def path(
    connection: Connection | None,
    tills: Sequence[Connection],
    *,
    synced: int,
    mapped: health.Mapped | None,
    person: Person,
) -> Path | None:
    """How far a book is; None once it is live, which stays so though its sync is stopped later."""
    book = connection.book if connection else None
    if book and book.sync_started_at and synced:
        return None
    ahead = _next(connection, tills, mapped)
    steps = (
        Step("Discover", _is_discovered(tills), _discovered(tills)),
        Step("Configure and map", _is_configured(connection, mapped), _configured(connection, mapped)),
        Step("Validate", False, _validated(book)),
        Step("Launch", False, "The book is live with the first entry that is there, and the sync on."),
    )
    return Path(book, steps, ahead, bool(ahead and may_for_all(person, ahead.permission)))


def _is_discovered(tills: Sequence[Connection]) -> bool:
    return any(_is_read(till) for till in tills)


def _is_read(till: Connection) -> bool:
    capture = getattr(till, "capture", None)
    return till.state == Connection.State.CONNECTED and bool(capture and capture.history_done)


def _discovered(tills: Sequence[Connection]) -> str:
    connected = [till for till in tills if till.state == Connection.State.CONNECTED]
    if not connected:
        return "The till is not connected yet. Its whole history is read then; nothing is sent."
    events = sum(_events_of(till) for till in connected)
    shown = f"{LARGEST_COUNT:,}+" if events > LARGEST_COUNT else f"{events:,}"
    if _is_discovered(tills):
        return f"The till is connected and its history is read: {shown} events."
    return f"The till is connected; its history is being read, {shown} events so far."


def _events_of(till: Connection) -> int:
    return till.source.events.order_by()[: LARGEST_COUNT + 1].count() if till.source else 0


def _is_configured(connection: Connection | None, mapped: health.Mapped | None) -> bool:
    if connection is None or connection.book is None or mapped is None:
        return False
    connected = connection.state == Connection.State.CONNECTED
    return connected and mapped.is_complete and connection.book.uses_financials


def _configured(connection: Connection | None, mapped: health.Mapped | None) -> str:
    if connection is None or mapped is None:
        return "There is no book yet."
    if connection.state != Connection.State.CONNECTED:
        return f"{vendors.VENDORS[connection.vendor].label} is not connected yet."
    return f"{mapped.filled:,} of {mapped.all:,} places of the mapping have an account."


def _validated(book: Book | None) -> str:
    if book is None or not book.syncing:
        return "No entry is in the books yet. Start Sync sends what is sold from then on, nothing earlier by itself."
    return "No entry is in the books yet. Send one past day, and compare it there with the till."


def _next(connection: Connection | None, tills: Sequence[Connection], mapped: health.Mapped | None) -> Next | None:
    """Exactly one; None when there is only to wait."""
    if not tills:
        return _set_up(till=True)
    unconnected = [till for till in tills if till.state != Connection.State.CONNECTED]
    if len(unconnected) == len(tills):
        return Next("Connect the till", address_of(unconnected[0]), CONFIGURE, "Discover")
    if connection is None or connection.book is None or mapped is None:
        return _set_up(till=False)
    return _next_of_the_book(connection, connection.book, tills, mapped)


def _set_up(*, till: bool) -> Next:
    vendor = next(name for name, one in vendors.VENDORS.items() if (one.kind != vendors.BOOKS) == till)
    label = f"Set up {vendors.VENDORS[vendor].label}"
    step = "Discover" if till else "Configure and map"
    return Next(label, reverse("integrations:vendor", args=[vendor]), CONFIGURE, step)


def _next_of_the_book(
    connection: Connection, book: Book, tills: Sequence[Connection], mapped: health.Mapped
) -> Next | None:
    page, step = address_of(connection), "Configure and map"
    button = health.next_button(connection, so_far=mapped)
    if button == "connect":
        return Next("Connect to the accounting system", page, CONFIGURE, step)
    if not book.feeds.exists():
        return Next("Choose the stores", f"{address_of(tills[0])}#feeds", FEED, step)
    if button == "import":
        return Next("Import Accounts", page, OPERATE, step)
    if button == "map":
        return Next("Map the accounts", reverse("mappings:configuration", args=[book.pk]), MAP, step)
    if button == "start":
        return Next("Start Sync", page, OPERATE, "Validate")
    return Next("Send one past day", f"{page}#past", OPERATE, "Validate")
