"""The words of a message: one line for each alert in the reader's own counts and words, or the day in a digest."""

from collections.abc import Sequence
from datetime import datetime, timedelta, tzinfo
from urllib.parse import urljoin
from zoneinfo import ZoneInfo

from django.conf import settings
from django.contrib.auth.models import User
from django.db.models import Max, Min, Q
from django.urls import reverse

from integrations import remedies, vendors
from integrations.channels import Line, Message
from integrations.hearing import When, severities
from integrations.models import Alert, Notice, Subscription
from integrations.seeing import alerts_seen_by
from ledger import money
from ledger.admin.scoping import Person, is_store_manager
from ledger.masking import mask_cards
from ledger.moments import plain

AT_MOST = timedelta(days=7)
"""So far back a digest goes for what nobody was told."""
SOLVED, AGAIN, NEW = "Solved", "Still there, and worse", "New"


def at_once(notices: Sequence[Notice], *, key: str) -> Message:
    """One line an alert, however many of its notices came together; what is solved last."""
    subscription = notices[0].subscription
    happened = _happened(notices)
    seen = _seen(subscription.user, list(happened))
    told = sorted(notices, key=lambda notice: (happened[notice.alert_id or 0] == SOLVED, notice.pk))
    alerts = {notice.alert_id or 0: notice.alert for notice in told if notice.alert}
    lines = tuple(
        _line(seen.get(pk, alert), happened[pk], reader=subscription, seen=pk in seen) for pk, alert in alerts.items()
    )
    return Message(key, _subject(lines), _intro(lines), lines, _address(_list()))


def digest(notice: Notice, *, key: str) -> Message | None:
    """What is open, and what opened and closed since the last digest; None when there is nothing to say."""
    subscription, since = notice.subscription, _since(notice)
    told = severities(subscription, notice.channel, When.AT_ONCE, When.DAILY)
    rows = alerts_seen_by(subscription.user).filter(severity__in=told)
    alerts = list(rows.filter(Q(closed_at=None) | Q(closed_at__gte=since)).order_by("severity", "first_seen_at"))
    if not alerts:
        return None
    alerts.sort(key=lambda alert: alert.closed_at is not None)
    words = [SOLVED if a.closed_at else NEW if a.first_seen_at >= since else "" for a in alerts]
    lines = tuple(_line(a, w, reader=subscription) for a, w in zip(alerts, words, strict=True))
    solved, new = words.count(SOLVED), words.count(NEW)
    still = len(alerts) - solved
    begun = plain(since, _zone(subscription))
    intro = f"{_counted(still, 'problem')} open, {new} of them new; {solved} solved since {begun}."
    return Message(key, f"Daybook today: {_counted(still, 'problem')} open", intro, lines, _address(_list()))


def trial(subscription: Subscription, *, key: str) -> Message:
    """What the button sends."""
    said = "This is a test message. Alerts will reach you here."
    return Message(key, "Daybook: a test message", said, (), _address(_list()))


def title(alert: Alert, *, person: Person) -> str:
    """What is wrong, in the words of this reader; `alert` is a row of `alerts_seen_by`."""
    said = str(getattr(alert, "own_sentence", alert.sentence))
    return remedies.words_of_a_store(alert.cause, said=said) if is_store_manager(person) else said


def place(alert: Alert) -> str:
    """Where: the vendor and the book or the till; Daybook itself where it is neither."""
    door = remedies.where(alert).door
    whose = alert.book or (door.book or door.source if door else None)
    label = vendors.VENDORS[door.vendor].label if door else "Daybook"
    return f"{label}: {whose}" if whose else label


def currency(alert: Alert) -> str:
    return alert.book.currency if alert.book else "USD"


def _happened(notices: Sequence[Notice]) -> dict[int, str]:
    """The latest that is told of each alert."""
    words: dict[int, str] = {}
    for notice in sorted(notices, key=lambda notice: notice.pk):
        kind = notice.occasion.split(":")[0]
        words[notice.alert_id or 0] = {"closed": SOLVED, "again": AGAIN}.get(kind, "")
    return words


def _seen(person: User, ids: list[int]) -> dict[int, Alert]:
    return {alert.pk: alert for alert in alerts_seen_by(person).filter(pk__in=ids)}


def _line(alert: Alert, word: str, *, reader: Subscription, seen: bool = True) -> Line:
    """`seen`: whether the person can open its page; of what is solved a store manager reads no words of others."""
    grave = str(Alert.Severity(alert.severity).label)
    word = SOLVED if alert.closed_at else word
    said = mask_cards(title(alert, person=reader.user)) if seen or not is_store_manager(reader.user) else _quiet(alert)
    link = _address(reverse("admin:integrations_alert_change", args=[alert.pk])) if seen else ""
    shown = word if word == SOLVED else f"{word}: {grave}" if word else grave
    detail = _detail(alert, solved=word == SOLVED, zone=_zone(reader)) if seen else place(alert)
    return Line(shown, said, detail, link)


def _zone(reader: Subscription) -> tzinfo:
    return ZoneInfo(reader.time_zone)


def _quiet(alert: Alert) -> str:
    """What a store manager reads of an alert that no longer shows them an event of theirs."""
    return remedies.words_of_a_store(alert.cause, said="A document of your stores was mended.")


def _detail(alert: Alert, *, solved: bool, zone: tzinfo) -> str:
    parts = [place(alert)]
    events = int(getattr(alert, "own_events", alert.events))
    amount = getattr(alert, "own_amount", alert.amount)
    if events and not solved:
        parts.append(_counted(events, "event"))
    if amount and not solved:
        parts.append(money.shown(amount, currency=currency(alert)))
    parts.append(f"since {plain(alert.first_seen_at, zone)}")
    return ", ".join(parts)


def _subject(lines: tuple[Line, ...]) -> str:
    if len(lines) == 1:
        return f"Daybook: {lines[0].word}: {lines[0].sentence.split('. ')[0].rstrip('.')[:110]}"
    solved = sum(line.word == SOLVED for line in lines)
    open_now = len(lines) - solved
    parts = [_counted(open_now, "problem")] if open_now else []
    parts += [f"{solved} solved"] if solved else []
    return f"Daybook: {', '.join(parts)}"


def _intro(lines: tuple[Line, ...]) -> str:
    if len(lines) == 1:
        return "It is solved; nothing to do." if lines[0].word == SOLVED else "One problem, and what to do about it:"
    return "What happened, each with what to do about it:"


def _since(notice: Notice) -> datetime:
    """The digest that was told last. One that was given up or dropped told nothing: the next one says it all."""
    earlier = Notice.objects.filter(
        subscription=notice.subscription_id, channel=notice.channel, occasion__startswith="digest:", pk__lt=notice.pk
    )
    told = earlier.filter(state=Notice.State.SENT).aggregate(last=Max("sent_at"))["last"]
    first = earlier.aggregate(first=Min("due_at"))["first"] or notice.due_at
    # A minute earlier than it was sent: what closes between its words and its sending is not lost.
    since: datetime = told - timedelta(minutes=1) if told else first - timedelta(days=1)
    return max(since, notice.due_at - AT_MOST)


def _counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def _list() -> str:
    return reverse("admin:integrations_alert_changelist")


def _address(path: str) -> str:
    """The whole address of a page, where this house knows its own."""
    return urljoin(settings.DAYBOOK_URL, path) if settings.DAYBOOK_URL else ""
