"""Sending what is due: claim, commit, send, mark. What one person hears by one channel leaves as one message.

At least once, on purpose: a worker that dies between sending and marking leaves a notice that is sent again, for a
message that comes twice does less harm than an alert that nobody heard of. The message keeps its key, which is the
Message-ID of an e-mail, so that a mail system can tell the copy; a chat has no such key and shows it twice.
"""

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet

from integrations import channels, hearing, wording
from integrations.channels import Message, NotDelivered
from integrations.hearing import When
from integrations.models import Notice, Subscription
from integrations.notices import BEGINNINGS
from ledger.clock import database_now
from ledger.errors import STUMBLES
from ledger.locks import locked

log = structlog.get_logger(__name__)
State = Notice.State

LEASE = timedelta(minutes=5)
"""Far longer than `channels.TIMEOUT`, in which a message has left or not."""
APART = timedelta(seconds=60)
"""What follows a message within a minute is collected for the next one."""
PAUSES = tuple(timedelta(minutes=minutes) for minutes in (1, 2, 5, 10, 30, 60, 120))
"""Before each further try; after the last one, about four hours later, the notice is given up."""
WORN_OUT = "It was begun again and again and never came to an end. Please report it."
AT_A_TIME = 500
TRIAL_SECONDS = 8.0
"""Somebody sits before the screen while a test message leaves."""


@dataclass(frozen=True)
class Claim:
    """Notices of one message, which only the holder of `owner` may mark."""

    owner: str
    key: str
    notices: tuple[Notice, ...]

    @property
    def subscription(self) -> Subscription:
        return self.notices[0].subscription

    @property
    def channel(self) -> str:
        return self.notices[0].channel

    @property
    def tries(self) -> int:
        return max(notice.attempts_made for notice in self.notices)

    def rows(self) -> QuerySet[Notice]:
        return Notice.objects.filter(pk__in=[notice.pk for notice in self.notices], owner=self.owner)


def are_due() -> bool:
    """Whether a worker should look."""
    return _free(database_now()).exists()


def send_next() -> bool:
    """Send one message, if one is due. Whether there was one."""
    claim = claim_next()
    if claim is None:
        return False
    claim = _without_the_past(claim)
    if claim.notices:
        _send(claim)
    return True


# --- Claim ----------------------------------------------------------------------------------------


def claim_next() -> Claim | None:
    """Everything that is due for one person by one channel, longest waiting first."""
    with transaction.atomic():
        now = database_now()
        due = locked(_free(now), skip_locked=True).select_related("subscription__user", "alert__book")
        chosen = _one_message(_still_free(list(due.order_by("due_at", "pk")[:AT_A_TIME]), now))
        if not chosen:
            return None
        owner = str(uuid.uuid4())
        for notice in chosen:
            notice.message_key = notice.message_key or owner
            notice.owner, notice.state, notice.lease_until = owner, State.SENDING, now + LEASE
            notice.attempts_made += 1
        Notice.objects.bulk_update(chosen, ["message_key", "owner", "state", "lease_until", "attempts_made"])
    return Claim(owner, chosen[0].message_key, tuple(chosen))


def _due(now: datetime) -> Q:
    return Q(state=State.WAITING, due_at__lte=now) | Q(state=State.SENDING, due_at__lte=now, lease_until__lt=now)


def _free(now: datetime) -> QuerySet[Notice]:
    """What is due, but not for who was told something by that channel within the last minute, or is being told now.

    That something is over is not told before it is settled whether its beginning was.
    """
    same = Notice.objects.filter(subscription=OuterRef("subscription"), channel=OuterRef("channel"))
    busy = Q(state=State.SENDING, lease_until__gte=now) | Q(state=State.SENT, sent_at__gt=now - APART)
    resting = same.filter(busy).exclude(occasion__startswith="test:")
    unsettled = same.filter(BEGINNINGS, alert=OuterRef("alert"), state__in=[State.WAITING, State.SENDING])
    held = Q(occasion__startswith="closed:") & Exists(unsettled)
    return Notice.objects.filter(_due(now)).exclude(Exists(resting)).exclude(held)


def _still_free(rows: list[Notice], now: datetime) -> list[Notice]:
    """The locked rows without those whose person somebody else began to tell meanwhile; what was worn out ends here."""
    worn = [notice.pk for notice in rows if notice.attempts_made > len(PAUSES)]
    Notice.objects.filter(pk__in=worn).update(**_ended(State.FAILED), problem=WORN_OUT)
    free = set(_free(now).filter(pk__in=[notice.pk for notice in rows]).values_list("pk", flat=True))
    return [notice for notice in rows if notice.pk in free]


def _one_message(free: list[Notice]) -> list[Notice]:
    if not free:
        return []
    first = _belongs_to(free[0])
    return [notice for notice in free if _belongs_to(notice) == first]


def _belongs_to(notice: Notice) -> tuple[object, ...]:
    """What may have left already stays together as it was; a digest is a message of its own."""
    return notice.subscription_id, notice.channel, notice.message_key, notice.alert_id is None and notice.occasion


# --- What need not be told any more ---------------------------------------------------------------


def _without_the_past(claim: Claim) -> Claim:
    """Drop what has no reader or no reason any more; what may have left already is repeated as it was."""
    why = _nobody(claim.subscription, claim.channel)
    ends = _told_beginnings(claim)
    reasons = {notice.pk: why or _no_reason(notice, ends) for notice in claim.notices}
    for reason in {reason for reason in reasons.values() if reason}:
        gone = [pk for pk, said in reasons.items() if said == reason]
        claim.rows().filter(pk__in=gone).update(**_ended(State.DROPPED), problem=reason)
    return Claim(claim.owner, claim.key, tuple(notice for notice in claim.notices if not reasons[notice.pk]))


def _nobody(subscription: Subscription, channel: str) -> str:
    if not hearing.may_view().filter(pk=subscription.user_id).exists():
        return "This person may not view alerts any more."
    return "" if hearing.reaches(subscription, channel) else "There is no address any more."


def _no_reason(notice: Notice, told: set[int]) -> str:
    alert = notice.alert
    if alert is None or notice.message_key != notice.owner:
        return ""
    if notice.occasion.startswith("closed:"):
        return "" if alert.pk in told else "Its beginning was never told."
    if alert.closed_at:
        return "It was solved before it was told."
    wanted = hearing.choice(notice.subscription, notice.channel, alert.severity) == When.AT_ONCE
    return "" if wanted else "This person wants it otherwise now."


def _told_beginnings(claim: Claim) -> set[int]:
    sent = Notice.objects.filter(
        subscription=claim.subscription,
        channel=claim.channel,
        state=State.SENT,
        alert__in=[notice.alert_id for notice in claim.notices],
    ).filter(BEGINNINGS)
    return {pk for pk in sent.values_list("alert_id", flat=True) if pk is not None}


# --- Send and mark --------------------------------------------------------------------------------


def _composed(claim: Claim) -> Message | None:
    """The words of a claim; a digest without anything to say is not sent."""
    first = claim.notices[0]
    if first.alert_id is not None:
        return wording.at_once(claim.notices, key=claim.key)
    message = wording.digest(first, key=claim.key)
    if message is None:
        claim.rows().update(**_ended(State.DROPPED), problem="There was nothing to tell.")
    return message


def _send(claim: Claim) -> None:
    try:
        message = _composed(claim)
        if message is None:
            return
        channels.deliver(message, subscription=claim.subscription, channel=claim.channel)
    except NotDelivered as failure:
        _failed(claim, failure)
    except STUMBLES as defect:
        log.exception("a message could not be written", message=claim.key)
        if len(claim.notices) > 1:
            _each_alone(claim)
            return
        _failed(claim, NotDelivered(f"A defect of Daybook ({type(defect).__name__}). Please report it.", final=True))
    else:
        claim.rows().update(**_ended(State.SENT), sent_at=database_now(), problem="")
        log.info("message sent", message=claim.key, channel=claim.channel, notices=len(claim.notices))


def _each_alone(claim: Claim) -> None:
    """What cannot be told takes nothing else with it: from now on each of them is a message of its own."""
    with transaction.atomic():
        rows = list(locked(claim.rows()))
        for notice in rows:
            notice.message_key, notice.state = str(uuid.uuid4()), State.WAITING
            notice.owner, notice.lease_until = "", None
        Notice.objects.bulk_update(rows, ["message_key", "state", "owner", "lease_until"])


def _failed(claim: Claim, failure: NotDelivered) -> None:
    log.warning("message not sent", message=claim.key, channel=claim.channel, tries=claim.tries, final=failure.final)
    if failure.final or claim.tries > len(PAUSES):
        claim.rows().update(**_ended(State.FAILED), problem=failure.sentence)
        return
    pause = max(PAUSES[claim.tries - 1], timedelta(seconds=failure.retry_after or 0))
    due = hearing.free_at(claim.subscription, database_now() + pause)
    again = {"due_at": due, "problem": failure.sentence, "owner": "", "lease_until": None}
    # What surely did not arrive may leave with others; what may have arrived is repeated as it was.
    kept = "" if failure.surely else claim.key
    claim.rows().update(state=State.WAITING, message_key=kept, **again)


def _ended(state: str) -> dict[str, object]:
    return {"state": state, "owner": "", "lease_until": None}


def send_trial(subscription: Subscription, *, channel: str) -> None:
    """A test message, now; what came of it stands among the notices. Raises NotDelivered."""
    now, key = database_now(), str(uuid.uuid4())
    message = wording.trial(subscription, key=key)
    row = {"subscription": subscription, "channel": channel, "occasion": f"test:{now.isoformat()}", "due_at": now}
    try:
        channels.deliver(message, subscription=subscription, channel=channel, seconds=TRIAL_SECONDS)
    except NotDelivered as failure:
        Notice.objects.create(**row, state=State.FAILED, problem=failure.sentence, attempts_made=1)
        raise
    Notice.objects.create(**row, state=State.SENT, sent_at=database_now(), message_key=key, attempts_made=1)
