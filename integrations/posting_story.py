"""What this room adds to the core's pages: alerts, deeds on many events, names of systems, pages of connections."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from django.db.models import Q
from django.urls import reverse

from integrations import remedies, vendors
from integrations.admin_views.access import address_of
from integrations.admin_views.progress import waits_for
from integrations.models import Alert, BulkDeed, BulkItem, Connection
from integrations.seeing import CHANGED_SINCE, OUTCOME_UNKNOWN, alerts_seen_by
from ledger.admin import upstairs
from ledger.admin.happenings import BAD, GOOD, PLAIN, Happening
from ledger.admin.scoping import Person, is_store_manager, may, may_for_all
from ledger.models import Attempt, AuditRecord, Book, Feed, Posting
from ledger.terms import SyncState

MOST_ALERTS = 20


def install() -> None:
    """Fill in what the core's pages ask for. Called once, when the application starts."""
    upstairs.name_systems_by(system)
    upstairs.say_to_stores_by(words_of_a_store)
    upstairs.say_waits_by(wait)
    upstairs.tell(alerts)
    upstairs.tell(bulk_deeds)
    upstairs.name_pages_of_books_by(_pages_of_books)
    upstairs.links["integrations.connection"] = _page_of_connection
    upstairs.links["ledger.book"] = _page_of_book
    upstairs.links["ledger.feed"] = _page_of_feed


def system(book: Book) -> str:
    """What the accounting system of a book is called."""
    connection = Connection.objects.filter(book=book).only("vendor").first()
    return vendors.VENDORS[connection.vendor].label if connection else ""


def words_of_a_store(posting: Posting) -> str:
    """What holds an event up, for who runs the store and not the books."""
    return remedies.words_of_a_store(posting.cause, said=posting.error)


def wait(book: Book) -> str:
    """What is due in a book waits for this."""
    connection = Connection.objects.filter(book=book).first()
    return waits_for(connection, book) if connection else "Waiting: the book is not connected."


# --- Alerts ---------------------------------------------------------------------------------------


def alerts(posting: Posting, reader: Person) -> Iterator[Happening]:
    """The alerts that this event was part of: of the cause that holds it up, or of what its attempts or deeds say.

    Whoever is limited to some stores reads of the open ones only, for an alert's words may name another store's event.
    """
    if not may(reader, "integrations.view_alert"):
        return
    told = alerts_seen_by(reader).filter(book=posting.book_id, connection=None).filter(_about(posting))
    captured = posting.event.captured_at
    lived = Q(closed_at=None) | Q(closed_at__gte=captured)
    for alert in told.filter(lived).order_by("first_seen_at")[:MOST_ALERTS]:
        yield from _alert(alert, captured, limited=is_store_manager(reader))


def _alert(alert: Alert, captured: datetime, *, limited: bool) -> Iterator[Happening]:
    link = reverse("admin:integrations_alert_change", args=[alert.pk])
    yield Happening(
        max(alert.first_seen_at, captured),
        "Part of an alert.",
        tone=BAD,
        lines=() if limited else (alert.sentence,),
        link=link,
        link_words="See the alert",
        place=46,
    )
    if alert.closed_at:
        yield Happening(alert.closed_at, "The alert closed: its cause was gone.", tone=GOOD, place=47)


def _about(posting: Posting) -> Q:
    causes = {posting.cause} if posting.state == SyncState.ERROR else set()
    words = set()
    for attempt in Attempt.objects.filter(entry__lines__posting=posting).distinct():
        if attempt.result in {Attempt.Result.REJECTED, Attempt.Result.NOT_SENT}:
            words.add(attempt.message)
        elif attempt.result == Attempt.Result.UNKNOWN and posting.state == SyncState.PROCESSING:
            causes.add(OUTCOME_UNKNOWN)
    if posting.changed_since:
        causes.add(CHANGED_SINCE)
    retried = AuditRecord.objects.filter(subject_kind="ledger.posting", subject_id=str(posting.pk))
    for record in retried:
        causes |= set(record.after.get("causes", []))
        words.add(record.before.get("error", ""))
    return Q(cause__in=causes - {""}) | Q(sentence__in=words - {""})


# --- Deeds on many events -------------------------------------------------------------------------


def bulk_deeds(posting: Posting, reader: Person) -> Iterator[Happening]:
    """What was done to this event together with others. Its own audit names the book, not the event.

    Whoever is limited to some stores reads of another person's deed what became of this event, and nothing of the rest;
    of an adoption nothing, for it is a matter of the books.
    """
    items = BulkItem.objects.filter(posting=posting).select_related("deed__ordered_by")
    for item in items.exclude(deed__kind=BulkDeed.Kind.ADOPT) if is_store_manager(reader) else items:
        deed = item.deed
        who = deed.ordered_by.get_username() if deed.ordered_by else "Daybook"
        whole = not is_store_manager(reader) or deed.ordered_by_id == reader.pk
        others = deed.events - 1 if whole else 0
        together = f", with {others:,} other{'' if others == 1 else 's'}" if others > 0 else ""
        lines = [f"Reason: {deed.reason}"] if deed.reason and whole else []
        if item.outcome == BulkItem.Outcome.LEFT:
            lines.append(f"Left as it was: {item.reason}")
        elif item.outcome == BulkItem.Outcome.WAITING:
            lines.append("Not done yet.")
        link = _page_of_deed(deed, reader)
        yield Happening(
            deed.ordered_at,
            f"{deed.get_kind_display()}, chosen by {who}{together}.",
            tone=BAD if item.outcome == BulkItem.Outcome.LEFT else PLAIN,
            lines=tuple(lines),
            link=link,
            link_words="See what became of all of them" if link else "",
            place=21,
        )


def _page_of_deed(deed: BulkDeed, reader: Person) -> str:
    return reverse("integrations:deed", args=[deed.pk]) if may_for_all(reader, "ledger.view_posting") else ""


# --- Pages of what a deed was done to -------------------------------------------------------------


def _page_of_connection(pk: str, reader: Person) -> str:
    return _address(Connection.objects.filter(pk=pk).first(), reader)


def _page_of_book(pk: str, reader: Person) -> str:
    return _address(Connection.objects.filter(book_id=int(pk)).first(), reader)


def _pages_of_books(books: Sequence[Book], reader: Person) -> dict[int, str]:
    if not may_for_all(reader, "integrations.view_connection"):
        return {}
    return {c.book_id: address_of(c) for c in Connection.objects.filter(book__in=books) if c.book_id}


def _page_of_feed(pk: str, reader: Person) -> str:
    feed = Feed.objects.filter(pk=pk).first()
    return _address(Connection.objects.filter(source=feed.source_id).first(), reader) if feed else ""


def _address(connection: Connection | None, reader: Person) -> str:
    allowed = connection is not None and may_for_all(reader, "integrations.view_connection")
    return address_of(connection) if connection and allowed else ""
