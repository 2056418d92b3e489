"""Which alerts a person sees, with whose counts and words, and which events stand behind one. Read only.

Each row carries `own_events`, `own_amount` and `own_sentence`: of everything, or of the stores somebody is limited to.
"""

from datetime import timedelta

from django.db.models import Count, Exists, F, IntegerField, Min, OuterRef, QuerySet, Subquery, Sum, TextField

from integrations.models import Alert
from ledger.admin.scoping import Person, own_stores, visible
from ledger.clock import database_now
from ledger.models import Attempt, Posting
from ledger.models.fields import AmountField
from ledger.terms import DeliveryState, SyncState

CHANGED_SINCE, OUTCOME_UNKNOWN = "changed_since", "outcome_unknown"
ON_THEIR_WAY = (DeliveryState.UNKNOWN, DeliveryState.SENDING)
LASTS_MINUTES = 15


def alerts_seen_by(person: Person) -> QuerySet[Alert]:
    """Every alert; of whoever is limited to some stores, the open ones that hold up an event of theirs."""
    rows = Alert.objects.select_related(
        "book__connection", "connection__book", "connection__source", "assigned_to", "acknowledged_by"
    )
    stores = own_stores(person)
    if stores is None:
        return rows.annotate(own_events=F("events"), own_amount=F("amount"), own_sentence=F("sentence"))
    mine = Posting.objects.filter(
        book=OuterRef("book"), cause=OuterRef("cause"), state=SyncState.ERROR, store__in=stores
    )
    by_cause = mine.order_by().values("cause")
    return rows.filter(Exists(mine), connection=None, closed_at=None).annotate(
        own_events=Subquery(by_cause.annotate(n=Count("pk")).values("n"), output_field=IntegerField()),
        own_amount=Subquery(by_cause.annotate(sum=Sum("amount")).values("sum"), output_field=AmountField()),
        own_sentence=Subquery(by_cause.annotate(said=Min("error")).values("said"), output_field=TextField()),
    )


def affected(alert: Alert, *, person: Person) -> QuerySet[Posting]:
    """The events that an open alert holds up or names, as far as this person sees them."""
    rows = visible(Posting.objects.filter(book=alert.book_id), to=person)
    if alert.closed_at or alert.book_id is None:
        return rows.none()
    if alert.cause == CHANGED_SINCE:
        return rows.filter(changed_since=True)
    if alert.cause == OUTCOME_UNKNOWN:
        return long_unknown(rows)
    return rows.filter(state=SyncState.ERROR, cause=alert.cause)


def long_unknown(rows: QuerySet[Posting]) -> QuerySet[Posting]:
    """Events on their way whose outcome nobody could find out for a quarter of an hour."""
    since = database_now() - timedelta(minutes=LASTS_MINUTES)
    lost = Attempt.objects.filter(entry=OuterRef("entry"), result=Attempt.Result.UNKNOWN, started_at__lt=since)
    return rows.filter(Exists(lost), entry__state__in=ON_THEIR_WAY)
