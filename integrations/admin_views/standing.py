"""What a book stands on: is it connected, switched on, started, fed, and do sales arrive? In one sentence each."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo

from django.urls import reverse

from integrations import vendors
from integrations.admin_views.access import address_of
from integrations.alerts import SILENT_MINUTES
from integrations.models import Capture, Connection
from ledger.clock import database_now
from ledger.models import Book
from ledger.moments import plain, zone_of_book, zone_of_house


@dataclass(frozen=True)
class Trouble:
    """One problem: what it is, how many events it holds up, since when, and where it is mended."""

    sentence: str
    events: int
    since: datetime | None
    is_error: bool
    events_link: str = ""
    cure_link: str = ""
    cure: str = ""


def standing(connection: Connection, *, waiting: str) -> Iterable[Trouble]:
    """Why nothing at all is sent from a book that was started; it comes before the errors of single events."""
    book = connection.book
    if book is None or book.sync_started_at is None:
        return
    if connection.state == Connection.State.UNCONNECTED:
        label = vendors.VENDORS[connection.vendor].label
        yield _trouble(f"{label} is not connected: nothing is sent. {waiting}", "Connect", address_of(connection))
    if not book.syncing:
        said = f"The sync is stopped: nothing is sent before Start Sync. {waiting}"
        yield _trouble(said, "Start Sync", address_of(connection), is_error=False)
    if not book.uses_financials:
        switch = reverse("mappings:configuration", args=[book.pk])
        yield _trouble(f"“Use the financial system” is off: nothing is booked. {waiting}", "Turn it on", switch)
    if not book.feeds.exists():
        said = "No store feeds this book, so no sale reaches it."
        yield _trouble(said, "Choose the stores", f"{_any_till()}#feeds")


def _trouble(sentence: str, cure: str, link: str, *, is_error: bool = True) -> Trouble:
    return Trouble(sentence.strip(), 0, None, is_error, cure_link=link, cure=cure)


def _any_till() -> str:
    till = vendors.till_connections().order_by("pk").first()
    return address_of(till) if till else reverse("admin:index")


def tills_of(book: Book | None) -> Iterable[Connection]:
    """The tills that feed a book."""
    return Connection.objects.filter(source__feeds__book=book).select_related("source", "capture").distinct()


def till_troubles(connection: Connection) -> Iterable[Trouble]:
    """Tills that feed the book and are not read. Asked now, for a worker that hangs opens no alert."""
    for till in tills_of(connection.book):
        if problem := till_problem(till):
            yield _trouble(f"{till.source}: {problem}", f"Open {till.source}", address_of(till))


def till_problem(till: Connection) -> str:
    """Why no sale arrives from a till; empty when it is connected and was read a moment ago."""
    if till.state == Connection.State.ACTION_REQUIRED:
        return till.problem or "The connection must be renewed; no sale arrives until then."
    if till.state != Connection.State.CONNECTED:
        return "It is not connected: no sale arrives. Connect it under Integrations."
    capture: Capture | None = getattr(till, "capture", None)
    if capture and capture.problem:
        return f"It could not be read: {capture.problem}"
    return _silence(till, capture)


def _silence(till: Connection, capture: Capture | None) -> str:
    last = (capture.last_run_at if capture else None) or till.connected_at
    if last and last > database_now() - timedelta(minutes=SILENT_MINUTES):
        return ""
    when = f"since {plain(last, zone_of_connection(till))}" if last else "yet"
    return f"It was not read {when}: no sale arrives. See whether the worker runs, and press Test on the till's page."


def read_up_to(book: Book, *, zone: tzinfo | None = None) -> str:
    """Until when the sales of all tills of a book are known, in the time of the book if no other is wanted."""
    runs = Capture.objects.filter(connection__in=tills_of(book), last_run_at__isnull=False)
    oldest = runs.order_by("last_run_at").values_list("last_run_at", flat=True).first()
    return f"Sales were read at {plain(oldest, zone or zone_of_book(book))}." if oldest else ""


def zone_of_connection(connection: Connection) -> tzinfo:
    """The time of its book; of a till, that of the first book it feeds, so that both pages tell alike."""
    book = connection.book or Book.objects.filter(feeds__source=connection.source_id).order_by("pk").first()
    return zone_of_book(book) if book else zone_of_house()
