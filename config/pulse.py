"""The pulse of one tree of processes: a wake-up that only its own workers can answer, by a new time in its row.

The queue's own "is alive" stays true while its workers hang; a task that ran does not lie.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from django.db import Error as DatabaseError
from django.db import close_old_connections
from django_q.brokers import get_broker
from django_q.tasks import async_task
from redis.exceptions import RedisError

from config.watchdog import PulseUnavailable
from integrations import machines


@contextmanager
def reachable() -> Iterator[None]:
    close_old_connections()
    try:
        yield
    except (DatabaseError, RedisError) as error:
        close_old_connections()
        raise PulseUnavailable(str(error)) from error


class QueuePulse:
    """The pulse of the tree that this process belongs to."""

    def __init__(self) -> None:
        self.tree = machines.tree()
        self.begun: datetime | None = None

    def last(self) -> datetime | None:
        with reachable():
            return machines.last_sign_of(self.tree)

    def ask(self) -> None:
        """Another machine that works must not answer for one that hangs: the question goes to its own queue.

        Before the first one its row is written; what this machine left behind when it was killed is silent by and by.
        """
        with reachable():
            self.begun = self.begun or machines.begin(self.tree)
            machines.forget_predecessors(self.tree, begun=self.begun)
            async_task("integrations.tasks.heartbeat", self.tree, broker=get_broker(machines.queue_of(self.tree)))

    def sweep(self) -> None:
        with reachable():
            async_task("integrations.tasks.sweep")

    def farewell(self) -> None:
        """The tree has ended as it should."""
        with reachable():
            machines.farewell(self.tree)
