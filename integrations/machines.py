"""The worker machines by their heartbeats: one row for each tree of processes, written by a task that ran in it.

A tree is named after its machine, the supervisor's process and chance, `till-server:4711-9f3a61c2`: in containers each
supervisor has the same number. It listens on a queue of its own beside the shared one, so that a heartbeat that was
ordered from it proves something about it alone.
"""

import hashlib
import os
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache

from django.conf import settings
from django.db.models import Q, QuerySet
from django_q.brokers import get_broker

from integrations.models import Heartbeat
from ledger.clock import database_now

TREE = "DAYBOOK_TREE"
"""The variable by which a supervisor tells its children the name of their tree."""

FORGOTTEN = timedelta(hours=1)
"""A tree that was silent for so long is gone: a machine that was taken away, or killed without a farewell."""


@dataclass(frozen=True)
class Machine:
    """One tree of processes and its last sign of life, in seconds by the database's clock.

    One that `starts` has given none yet; its seconds are those since it was begun.
    """

    name: str
    at: datetime
    seconds_ago: int
    starts: bool = False

    @property
    def is_silent(self) -> bool:
        return self.seconds_ago > settings.HEARTBEAT_SECONDS

    @property
    def works(self) -> bool:
        return not self.starts and not self.is_silent


def tree() -> str:
    """The tree that this process belongs to; without a supervisor it is one by itself."""
    return os.environ.get(TREE) or _own_name()


@cache
def _own_name() -> str:
    return f"{settings.MACHINE}:{os.getpid()}-{secrets.token_hex(4)}"


def queue_of(name: str) -> str:
    """The queue of one tree alone. At most 100 characters, whatever the machine is called."""
    return f"{settings.Q_CLUSTER['name']}@{hashlib.sha256(name.encode()).hexdigest()[:16]}"


def begin(name: str) -> datetime:
    """A supervisor starts this tree: no sign of life, but its queue can be found should it never give one."""
    row, _ = Heartbeat.objects.get_or_create(
        name=name, defaults={"at": database_now(), "state": Heartbeat.State.STARTS}
    )
    return row.at


def beat(name: str) -> datetime:
    """A task ran in this tree."""
    now = database_now()
    Heartbeat.objects.update_or_create(name=name, defaults={"at": now, "state": Heartbeat.State.WORKS})
    return now


def last_sign() -> datetime | None:
    """When any worker last gave a sign of life; None if none ever did."""
    return _signs().order_by("-at").values_list("at", flat=True).first()


def last_sign_of(name: str) -> datetime | None:
    return _signs().filter(name=name).values_list("at", flat=True).first()


def machines() -> list[Machine]:
    """Every tree that is not forgotten and has not ended, by name."""
    now = database_now()
    return [
        Machine(row.name, row.at, max(0, int((now - row.at).total_seconds())), row.state == Heartbeat.State.STARTS)
        for row in Heartbeat.objects.exclude(state=Heartbeat.State.ENDED).order_by("name")
    ]


def farewell(name: str) -> None:
    """A tree has ended as it should: it is no machine that hangs. Its sign of life stays while it is the newest."""
    Heartbeat.objects.filter(name=name, state=Heartbeat.State.STARTS).delete()
    Heartbeat.objects.filter(name=name).update(state=Heartbeat.State.ENDED)
    get_broker(queue_of(name)).delete_queue()


def forget_lost() -> None:
    """Trees that ended, or were lost long ago."""
    gone = Q(state=Heartbeat.State.ENDED) | Q(at__lt=database_now() - FORGOTTEN)
    _forget(Heartbeat.objects.filter(gone))


def forget_predecessors(name: str, *, begun: datetime) -> None:
    """Trees of the same machine that are silent since before this one was begun: it came back in their place."""
    silent = database_now() - timedelta(seconds=settings.HEARTBEAT_SECONDS)
    before = Heartbeat.objects.filter(at__lt=min(begun, silent), name__startswith=f"{settings.MACHINE}:")
    _forget(before.exclude(name=name))


def _signs() -> QuerySet[Heartbeat]:
    return Heartbeat.objects.exclude(state=Heartbeat.State.STARTS)


def _forget(rows: QuerySet[Heartbeat]) -> None:
    """Nobody will read their queues. The newest sign of all stays: that nobody works must still be seen."""
    newest = _signs().order_by("-at").values_list("name", flat=True).first()
    for name in [name for name in rows.values_list("name", flat=True) if name != newest]:
        Heartbeat.objects.filter(name=name).delete()
        get_broker(queue_of(name)).delete_queue()
