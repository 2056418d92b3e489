"""What this room adds to the audit: the events of a deed on many, which a record only counts, and a reader's clock."""

from collections.abc import Sequence
from datetime import tzinfo
from zoneinfo import ZoneInfo

from django.contrib.auth.models import User
from django.db.models import Q, QuerySet
from django.urls import reverse

from integrations.admin_views.health import events_address
from integrations.models import BulkItem, Connection, Subscription
from ledger.admin import upstairs
from ledger.admin.scoping import Person, may_for_all
from ledger.admin.upstairs import Touched
from ledger.models import AuditRecord, Posting

BOOK = "ledger.book"
"""What the record of a deed on many events names as its subject."""

FIRST = 10
MOST_DEEDS = 1_000


def install() -> None:
    """Fill in what the audit asks for. Called once, when the application starts."""
    upstairs.deeds_on_many[:] = [deeds_on]
    upstairs.tell_touched_by(touched)
    upstairs.read_clocks_by(clock)


def deeds_on(postings: Sequence[Posting]) -> Q:
    """The records of deeds and orders that one of these events was part of."""
    items = BulkItem.objects.filter(posting__in=[posting.pk for posting in postings])
    bulk = list(items.values_list("deed_id", flat=True)[:MOST_DEEDS])
    orders = {posting.order_id for posting in postings} - {None}
    books = {str(posting.book_id) for posting in postings}
    numbered = Q(after__bulk__in=bulk) | Q(after__order__in=sorted(orders))
    return Q(numbered, subject_kind=BOOK, subject_id__in=books)


def touched(record: AuditRecord, reader: Person) -> Touched | None:
    """The events of a deed on many, or of an order, as far as they are known; None for any other deed."""
    if record.subject_kind != BOOK or not may_for_all(reader, "ledger.view_posting"):
        return None
    if bulk := record.after.get("bulk"):
        of_deed = Posting.objects.filter(pk__in=BulkItem.objects.filter(deed=bulk).values("posting"))
        return _of(record, of_deed, reverse("integrations:deed", args=[bulk]))
    if order := record.after.get("order"):
        connection = Connection.objects.filter(book=int(record.subject_id)).first()
        address = events_address(connection, order=str(order)) if connection else ""
        return _of(record, Posting.objects.filter(order=order), address)
    return None


def _of(record: AuditRecord, events: QuerySet[Posting], address: str) -> Touched:
    first = tuple(events.order_by("pk")[:FIRST])
    return Touched(first, int(record.after.get("events", len(first))), address)


def clock(reader: Person) -> tzinfo | None:
    """The zone that a person has chosen for being told of alerts.

    UTC is no choice: a person who is told unasked begins with it while no store is known.
    """
    chosen = Subscription.objects.filter(user=reader.pk) if isinstance(reader, User) else Subscription.objects.none()
    zone = chosen.exclude(time_zone="UTC").values_list("time_zone", flat=True).first()
    return ZoneInfo(zone) if zone else None
