"""What is taken away by itself, each day, in small blocks: bodies that left, old notes, what is left of sessions.

Money is never taken away: events, revisions, postings, entries, lines, attempts and the audit stay. What grows and how
long it is kept stands in docs/runbook.md.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import structlog
from axes.models import AccessAttempt, AccessFailureLog, AccessLog
from django.conf import settings
from django.contrib.sessions.models import Session
from django.db import DatabaseError, connection, transaction
from django.db.models import QuerySet
from django_q.models import Task

from integrations import leases, leaving
from integrations.models import Alert, Cleared, Lease, Notice, OAuthRequest
from integrations.waking import wake_housekeeping
from ledger.clock import database_now
from ledger.errors import STUMBLES
from ledger.journal.forgetting import forget_bodies

log = structlog.get_logger(__name__)

BUDGET = 20.0
"""Seconds that one task takes away; it wakes itself for what it did not reach."""

ENDED_DAYS, FAILED_DAYS, SIGN_IN_DAYS = 1, 30, 90

TOLD = (Notice.State.SENT, Notice.State.DROPPED, Notice.State.FAILED)
ATTEMPTS = "attempts"

GoOn = Callable[[], bool]


@dataclass(frozen=True)
class Kept:
    """Rows of one table that go after so many days; 0 or less keeps them for ever. `rows`: those before a time."""

    name: str
    days: Callable[[], int]
    rows: Callable[[datetime], QuerySet[Any]]


def notes_days() -> int:
    return int(settings.KEEP_NOTES_DAYS)


KEPT = (
    Kept("sessions", lambda: ENDED_DAYS, lambda at: Session.objects.filter(expire_date__lt=at)),
    Kept("log-ins at a vendor", lambda: ENDED_DAYS, lambda at: OAuthRequest.objects.filter(begun_at__lt=at)),
    Kept("failed tasks", lambda: FAILED_DAYS, lambda at: Task.objects.filter(stopped__lt=at)),
    Kept("sign-ins", lambda: SIGN_IN_DAYS, lambda at: AccessLog.objects.filter(attempt_time__lt=at)),
    Kept("wrong passwords", lambda: SIGN_IN_DAYS, lambda at: AccessAttempt.objects.filter(attempt_time__lt=at)),
    Kept("lockouts", lambda: SIGN_IN_DAYS, lambda at: AccessFailureLog.objects.filter(attempt_time__lt=at)),
    # The notices of an open alert say what was told already: they go with it.
    Kept("closed alerts", notes_days, lambda at: Alert.objects.filter(closed_at__lt=at)),
    Kept("messages", notes_days, lambda at: Notice.objects.filter(alert=None, state__in=TOLD, due_at__lt=at)),
    # Each deed on many events has a lease of its own name. Nobody holds these: whoever wants one makes it anew.
    Kept("leases", lambda: ENDED_DAYS, lambda at: Lease.objects.filter(name__startswith="deed:", until=None)),
)


def block_size() -> int:
    """SQLite has one writer at a time, who must not keep a sale waiting."""
    return 2000 if connection.vendor == "postgresql" else 200


def tidy() -> str:
    """Take away what has had its time, until nothing is left or the time is up."""
    until = time.monotonic() + BUDGET
    with leases.held("housekeeping") as lease:
        if lease is None:
            return "Another worker is at it."

        def go_on() -> bool:
            return time.monotonic() < until and not leaving.is_leaving() and lease.renew()

        gone = {kept.name: _or_none(kept.name, partial(_take_away, kept, go_on)) for kept in KEPT}
        gone["bodies that left"] = _or_none("bodies that left", partial(_forget, go_on))
        done = go_on()
    said = {name: number for name, number in gone.items() if number}
    log.info("tidied up", done=done, gone=said)
    if not done:
        wake_housekeeping()
    return f"{sum(said.values())} rows tidied up."


def _or_none(name: str, take_away: Callable[[], int]) -> int:
    """A table that refuses must not keep the others from being tidied up: it is logged and tried again tomorrow."""
    try:
        return take_away()
    except (DatabaseError, *STUMBLES):
        log.error("not tidied up", table=name, exc_info=True)
        return 0


def _take_away(kept: Kept, go_on: GoOn) -> int:
    """Block by block, each committed, so that no writer waits longer than for one."""
    if kept.days() <= 0:
        return 0
    rows, gone = kept.rows(_before(kept.days())).order_by(), 0
    while go_on() and (ids := list(rows.values_list("pk", flat=True)[: block_size()])):
        with transaction.atomic():
            rows.filter(pk__in=ids).delete()  # asked once more: a row may have become needed again
        gone += len(ids)
    return gone


def _forget(go_on: GoOn) -> int:
    """How many entries were emptied. How far it came is written down, so that no day begins at the first attempt."""
    days = int(settings.KEEP_BODIES_DAYS)
    if days <= 0:
        return 0
    walked, _ = Cleared.objects.get_or_create(name=ATTEMPTS)
    before, emptied = _before(days), 0
    while go_on() and (block := forget_bodies(after=walked.through, before=before, most=block_size())):
        walked.through, entries = block
        walked.save(update_fields=["through"])
        emptied += entries
    return emptied


def _before(days: int) -> datetime:
    return database_now() - timedelta(days=days)
