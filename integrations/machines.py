"""The worker machines by their heartbeats: one row for each tree of processes, written by a task that ran in it.

A tree is named after its machine and the supervisor's process, `till-server:4711`. It listens on a queue of its own
beside the shared one, so that a heartbeat that was ordered from it proves something about it alone.
"""

import hashlib
import os
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django_q.brokers import get_broker

from integrations.models import Heartbeat
from ledger.clock import database_now

TREE = "DAYBOOK_TREE"
"""The variable by which a supervisor tells its children the name of their tree."""

FORGOTTEN = timedelta(hours=1)
"""A tree that was silent for so long is gone: a machine that was taken away, or killed without a farewell."""


@dataclass(frozen=True)
class Machine:
    """One tree of processes and its last sign of life, in seconds by the database's clock."""

    name: str
    at: datetime
    seconds_ago: int

    @property
    def is_silent(self) -> bool:
        return self.seconds_ago > settings.HEARTBEAT_SECONDS


def tree() -> str:
    """The tree that this process belongs to; without a supervisor it is one by itself."""
    return os.environ.get(TREE) or f"{settings.MACHINE}:{os.getpid()}"


def queue_of(name: str) -> str:
    """The queue of one tree alone. At most 100 characters, whatever the machine is called."""
    return f"{settings.Q_CLUSTER['name']}@{hashlib.sha256(name.encode()).hexdigest()[:16]}"


def beat(name: str) -> datetime:
    """A task ran in this tree."""
    now = database_now()
    Heartbeat.objects.update_or_create(name=name, defaults={"at": now})
    return now


def last_sign() -> datetime | None:
    """When any worker last gave a sign of life; None if none ever did."""
    return Heartbeat.objects.order_by("-at").values_list("at", flat=True).first()


def machines() -> list[Machine]:
    """Every tree that is not forgotten, by name."""
    now = database_now()
    rows = Heartbeat.objects.order_by("name").values_list("name", "at")
    return [Machine(name, at, max(0, int((now - at).total_seconds()))) for name, at in rows]


def forget(name: str) -> None:
    """A tree has ended: it is no machine that hangs, and nobody will read its queue."""
    Heartbeat.objects.filter(name=name).delete()
    get_broker(queue_of(name)).delete_queue()


def forget_lost() -> None:
    """Trees that ended without a farewell, long ago. The newest stays: that nobody works must still be seen."""
    newest, since = last_sign(), database_now() - FORGOTTEN
    lost = Heartbeat.objects.filter(at__lt=min(newest, since)) if newest else Heartbeat.objects.none()
    for name in list(lost.values_list("name", flat=True)):
        forget(name)
