"""Which alerts a person sees, with whose counts and words, and which events stand behind one. Read only.

Each row carries `own_events`, `own_amount` and `own_sentence`: of everything, or of the stores somebody is limited to.
"""

from datetime import timedelta
from typing import Any

from django.contrib.auth.models import User
from django.db.models import (
    Case,
    Count,
    Exists,
    F,
    IntegerField,
    Max,
    Min,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Sum,
    TextField,
    Value,
    When,
)
from django.db.models.functions import Cast, Concat

from integrations.hearing import ACT, MODEL_BACKEND, acting, may_view
from integrations.models import Alert
from ledger.admin.scoping import Person, is_store_manager, may, own_stores, visible
from ledger.clock import database_now
from ledger.errors import AT_THE_TILL
from ledger.models import Attempt, Posting
from ledger.models.fields import AmountField
from ledger.terms import DeliveryState, SyncState

CHANGED_SINCE, OUTCOME_UNKNOWN, UNREACHABLE = "changed_since", "outcome_unknown", "unreachable"
ON_THEIR_WAY = (DeliveryState.UNKNOWN, DeliveryState.SENDING)
LASTS_MINUTES = 15
EXAMPLE = "events, for example:"
"""Stands before one event's own sentence where the sentences of a group differ."""


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
        own_sentence=_said(by_cause),
    )


def _said(by_cause: QuerySet[Posting, Any]) -> Subquery:
    """What events of one cause say, as `alerts.about` does it for the whole company."""
    first, number = Min("error"), Cast(Count("pk"), TextField())
    example = Concat(number, Value(f" {EXAMPLE} "), first, output_field=TextField())
    said = Case(When(least=F("most"), then=first), default=example, output_field=TextField())
    told = by_cause.annotate(least=first, most=Max("error"), said=said)
    return Subquery(told.values("said"), output_field=TextField())


def may_mend(alert: Alert, person: Person) -> bool:
    """Whether this person may answer for an alert: a manager of some stores for what is mended at the till."""
    return may(person, ACT) and (alert.cause in AT_THE_TILL or not is_store_manager(person))


def who_may_mend(alert: Alert) -> QuerySet[User]:
    """Who may be given an alert: whoever acts for the whole company, and its stores' managers if they mend it."""
    people = acting()
    if alert.cause in AT_THE_TILL:
        held_up = Posting.objects.filter(book=alert.book_id, state=SyncState.ERROR, cause=alert.cause)
        managers = User.objects.with_perm(ACT, backend=MODEL_BACKEND).filter(pk__in=may_view())
        managers = managers.filter(stores__in=held_up.order_by().values("store"))
        people = User.objects.filter(Q(pk__in=people.values("pk")) | Q(pk__in=managers.values("pk")))
    return people.order_by("username")


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
    return rows.filter(Exists(lost), state=SyncState.PROCESSING, entry__state__in=ON_THEIR_WAY)
