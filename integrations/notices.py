"""What is told to whom: a notice for each alert that opens, worsens or closes, and for each digest. Sends nothing.

Written in the transaction that changes the alert, so that nothing happens untold and nothing is told that did not
happen. An alert of which somebody was not told yet takes its notices with it when it closes.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import OuterRef, Q, Subquery

from integrations.hearing import Channel, Listener, When, free_at, listeners, reaches, severities
from integrations.hearing import digest_day as day_of_digest
from integrations.models import Alert, Notice, Subscription
from ledger.clock import database_now
from ledger.models import Posting
from ledger.terms import SyncState

State = Notice.State
MESSAGES = "messages"
"""How the cause of an alert begins that says that a channel delivers nothing."""
BEGINNINGS = Q(occasion__startswith="opened:") | Q(occasion__startswith="again:")
"""What makes somebody know of an alert: whoever was told one of these hears the end."""


@dataclass(frozen=True)
class Changes:
    """What came of one look at the problems: alerts that stand, and among or beside them what is news."""

    standing: Sequence[Alert] = ()
    opened: Sequence[Alert] = ()
    again: Sequence[Alert] = ()
    closed: Sequence[Alert] = ()


def tell(changes: Changes) -> None:
    """Write the notices of these changes. A store manager also hears when an older alert first touches an own store."""
    if changes.closed:
        _close(changes.closed)
    if not changes.standing:
        return
    people = listeners()
    touched = _touched(changes.standing) if any(one.stores is not None for one in people) else {}
    rows = [*_openings(people, changes, touched), *_agains(people, changes, touched)]
    Notice.objects.bulk_create(rows, ignore_conflicts=True)  # told once, whoever else looks at the same time


def _openings(people: list[Listener], changes: Changes, touched: dict[str, set[int]]) -> Iterable[Notice]:
    for person in people:
        for alert in changes.opened if person.stores is None else changes.standing:
            if _concerns(person, alert, touched):
                yield from _notices(person, alert, f"opened:{alert.pk}")


def _agains(people: list[Listener], changes: Changes, touched: dict[str, set[int]]) -> Iterable[Notice]:
    for person in people:
        for alert in changes.again:
            if _concerns(person, alert, touched):
                yield from _notices(person, alert, f"again:{alert.pk}:{alert.events}")


def _notices(person: Listener, alert: Alert, occasion: str) -> Iterable[Notice]:
    due = free_at(person.subscription, database_now())
    for channel in Channel.values:
        if person.wants(alert, channel) and alert.cause != f"{MESSAGES}:{channel}":
            yield Notice(subscription=person.subscription, alert=alert, channel=channel, occasion=occasion, due_at=due)


def _concerns(person: Listener, alert: Alert, touched: dict[str, set[int]]) -> bool:
    if person.stores is None:
        return True
    return alert.connection_id is None and bool(person.stores & touched.get(alert.cause, set()))


def _touched(standing: Sequence[Alert]) -> dict[str, set[int]]:
    """The stores whose events each cause holds up. The alerts are those of one book."""
    causes = [alert.cause for alert in standing if alert.book_id]
    books = {alert.book_id for alert in standing if alert.book_id}
    held_up = Posting.objects.filter(book__in=books, state=SyncState.ERROR, cause__in=causes, store__isnull=False)
    stores: dict[str, set[int]] = {}
    for cause, store in held_up.order_by().values_list("cause", "store").distinct():
        stores.setdefault(cause, set()).add(store)
    return stores


def _close(closed: Sequence[Alert]) -> None:
    """Who was not told yet hears nothing; who was, or is being told now, hears that it is over."""
    waiting = Notice.objects.filter(alert__in=closed, state=State.WAITING, message_key="")
    waiting.update(state=State.DROPPED, problem="It was solved before it was told.")
    beginnings = Notice.objects.filter(BEGINNINGS, alert__in=closed)
    told = beginnings.filter(Q(state__in=[State.SENDING, State.SENT]) | (Q(state=State.WAITING) & ~Q(message_key="")))
    now = database_now()
    rows = [
        Notice(
            subscription=notice.subscription,
            alert_id=notice.alert_id,
            channel=notice.channel,
            occasion=f"closed:{notice.alert_id}",
            due_at=free_at(notice.subscription, now),
        )
        for notice in told.select_related("subscription")
    ]
    Notice.objects.bulk_create(rows, ignore_conflicts=True)


# --- The digest -----------------------------------------------------------------------------------


def plan_digests(now: datetime) -> None:
    """A notice for each digest whose hour has come, once a day by each person's own clock."""
    due = {(one.subscription, channel): day for one in listeners() for channel, day in _digests(one, now)}
    occasions = {f"digest:{day}" for day in due.values()}
    known = set(Notice.objects.filter(occasion__in=occasions).values_list("subscription_id", "channel", "occasion"))
    rows = [
        Notice(
            subscription=subscription,
            channel=channel,
            occasion=f"digest:{day}",
            due_at=free_at(subscription, now),
        )
        for (subscription, channel), day in due.items()
        if (subscription.pk, channel, f"digest:{day}") not in known
    ]
    Notice.objects.bulk_create(rows, ignore_conflicts=True)


def _digests(person: Listener, now: datetime) -> Iterable[tuple[str, object]]:
    day = day_of_digest(person.subscription, now)
    for channel in Channel.values:
        wanted = severities(person.subscription, channel, When.DAILY)
        if day and wanted and reaches(person.subscription, channel):
            yield channel, day


# --- What could not be told -----------------------------------------------------------------------


def undelivered() -> dict[str, list[str]]:
    """Channel to the people who were to hear something by it, and to whom the latest message was given up."""
    people = [one.subscription for one in listeners()]
    failed = given_up(people)
    return {
        channel: names
        for channel in Channel.values
        if (names := [str(one.user) for one in people if (one.pk, channel) in failed and _listens(one, channel)])
    }


def given_up(people: Iterable[Subscription]) -> dict[tuple[int, str], str]:
    """Subscription and channel by which the latest message was given up and nothing went through since, and why."""
    rows = Subscription.objects.filter(pk__in=[one.pk for one in people])
    latest = rows.annotate(**{f"last_{channel}": _latest(channel) for channel in Channel.values})
    ids = [pk for found in latest.values_list(*[f"last_{channel}" for channel in Channel.values]) for pk in found if pk]
    failed = Notice.objects.filter(pk__in=ids, state=State.FAILED)
    return {(pk, channel): why for pk, channel, why in failed.values_list("subscription", "channel", "problem")}


def _latest(channel: str) -> Subquery:
    ended = Notice.objects.filter(subscription=OuterRef("pk"), channel=channel, state__in=[State.SENT, State.FAILED])
    return Subquery(ended.order_by("-pk").values("pk")[:1])


def _listens(subscription: Subscription, channel: str) -> bool:
    return bool(severities(subscription, channel, When.AT_ONCE, When.DAILY)) and reaches(subscription, channel)
