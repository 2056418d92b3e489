"""What the queue runs to hear of new sales soon: every few seconds the connected tills are asked what changed.

In short turns, each of which wakes the next, so that a worker is free in between for whatever else waits, and for a
stop. The capture of each minute goes on beside it: it walks the histories, and begins the turns anew when one was lost.
"""

import time
from functools import partial

from django.conf import settings
from django.db import transaction
from django_q.tasks import async_task

from integrations import leases, tasks, vendors
from integrations.models import Connection

TURN = 10.0
"""Seconds of one turn, about."""


def listen() -> str:
    """Ask the tills again and again, for one turn; the next one follows unless there is no till to ask."""
    every, until, asked = settings.TILL_POLL_SECONDS, time.monotonic() + TURN, 0
    if every <= 0:
        return "Each minute is enough: DAYBOOK_TILL_POLL_SECONDS says so."
    with leases.held("listen") as lease:
        if lease is None:
            return "Another worker is at it."
        while lease.renew() and (tills := _answering()):
            for till in tills:
                tasks.capture(till.pk)
            asked += len(tills)
            time.sleep(every)
            if time.monotonic() >= until:
                break
    if asked:
        transaction.on_commit(partial(async_task, "integrations.listening.listen"))
    return f"Asked {asked} times."


def _answering() -> list[Connection]:
    """Tills whose history was read and that may be called now; a failing one is left to the capture of each minute."""
    connected = vendors.till_connections().filter(state=Connection.State.CONNECTED)
    read = connected.filter(capture__history_done=True, capture__problem="")
    return [till for till in read.order_by("pk") if vendors.waits_until(till) is None]
