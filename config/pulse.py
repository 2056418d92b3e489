"""The worker's pulse: a wake-up that only a working worker can answer, by a new time in its heartbeat row.

The queue's own "is alive" stays true while its workers hang; a task that ran does not lie.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from django.db import Error as DatabaseError
from django.db import close_old_connections
from django_q.tasks import async_task
from redis.exceptions import RedisError

from config.watchdog import PulseUnavailable
from integrations.models import Heartbeat

WORKER = "worker"


@contextmanager
def reachable() -> Iterator[None]:
    close_old_connections()
    try:
        yield
    except (DatabaseError, RedisError) as error:
        close_old_connections()
        raise PulseUnavailable(str(error)) from error


class QueuePulse:
    def last(self) -> datetime | None:
        with reachable():
            return Heartbeat.objects.filter(name=WORKER).values_list("at", flat=True).first()

    def ask(self) -> None:
        with reachable():
            async_task("integrations.tasks.heartbeat")

    def sweep(self) -> None:
        with reachable():
            async_task("integrations.tasks.sweep")
