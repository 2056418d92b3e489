"""What has happened to an alert: opened, told to whom, taken by whom, solved."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from integrations.models import Alert, Notice
from ledger.models import AuditRecord


@dataclass(frozen=True)
class Moment:
    at: datetime
    said: str


def history(alert: Alert) -> list[Moment]:
    """In order of time."""
    return sorted(_moments(alert), key=lambda moment: moment.at)


def _moments(alert: Alert) -> Iterable[Moment]:
    yield Moment(alert.first_seen_at, "Opened")
    told = Notice.objects.filter(alert=alert, state__in=[Notice.State.SENT, Notice.State.FAILED])
    for notice in told.select_related("subscription__user").order_by("pk")[:200]:
        yield _told(notice)
    deeds = AuditRecord.objects.filter(subject_kind=alert._meta.label_lower, subject_id=str(alert.pk))
    for record in deeds[:200]:
        yield Moment(record.at, _done(record))
    if alert.closed_at:
        yield Moment(alert.closed_at, "Closed by itself: its cause is gone")


def _told(notice: Notice) -> Moment:
    what = {"opened": "", "again": " that it has become worse", "closed": " that it is solved"}
    whom, by = notice.subscription.user, Notice.Channel(notice.channel).label.lower()
    kind = what.get(notice.occasion.split(":")[0], "")
    if notice.state == Notice.State.SENT and notice.sent_at:
        return Moment(notice.sent_at, f"Told {whom}{kind} by {by}")
    return Moment(notice.due_at, f"Could not tell {whom}{kind} by {by}: {notice.problem}")


def _done(record: AuditRecord) -> str:
    if "assigned_to" in record.after:
        to = record.after["assigned_to"]
        return f"{record.actor_name} gave it to {to}" if to else f"{record.actor_name} took it from everybody"
    return f"{record.actor_name} acknowledged it"
