"""The queue's brokers: each cluster takes from the queue of its own tree of processes first, then from the shared one.

Everything is put into the shared queue but what asks one tree whether it works (`config/pulse.py`).
"""

from typing import Any

import redis
from django.utils import timezone
from django_q.brokers.orm import ORM
from django_q.brokers.redis_broker import Redis
from django_q.conf import Conf

from integrations import machines

CONNECT_SECONDS, ANSWER_SECONDS = 2.0, 10.0
"""A click that wakes a worker must not wait for a Redis that is away; a fetch waits one second by itself."""

Fetched = list[tuple[Any, Any]] | None


class OwnAndSharedRows(ORM):
    """The queue in the database."""

    def dequeue(self) -> Fetched:
        own = machines.queue_of(machines.tree())
        rows = self.get_connection().filter(key=own, lock__lt=timezone.now())
        fetched: Fetched = ORM(list_key=own).dequeue() if rows.exists() else super().dequeue()
        return fetched


class OwnAndSharedLists(Redis):
    """The queue in Redis."""

    def dequeue(self) -> Fetched:
        own = Redis(list_key=machines.queue_of(machines.tree())).list_key
        found = self.connection.blpop([own, self.list_key], 1)
        return [(None, found[1])] if found else None

    @staticmethod
    def get_connection(list_key: str | None = None) -> Any:
        return redis.from_url(Conf.REDIS, socket_connect_timeout=CONNECT_SECONDS, socket_timeout=ANSWER_SECONDS)
