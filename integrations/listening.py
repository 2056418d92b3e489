"""What the queue runs to hear of new sales soon: every few seconds the connected tills are asked what changed.

In short turns, each of which wakes the next, so that a worker is free in between for whatever else waits, and for a
stop. The capture of each minute goes on beside it: it walks the histories, and begins the turns anew when one was lost.
"""

import time

import structlog
from django.conf import settings

from integrations import leases, leaving, tasks, vendors
from integrations.models import Connection
from integrations.waking import wake_listening
from ledger.errors import STUMBLES

log = structlog.get_logger(__name__)

TURN = 10.0
"""Seconds of one turn, about; no pause between two questions is longer."""

SLICE = 1.0
"""Seconds after which a pause is looked up from: a process that is to end does not sleep on."""


def listen() -> str:
    """Ask the tills again and again, for one turn; the next one follows unless there is no till to ask."""
    until, asked = time.monotonic() + TURN, 0
    if settings.TILL_POLL_SECONDS <= 0:
        return "Each minute is enough: DAYBOOK_TILL_POLL_SECONDS says so."
    with leases.held("listen") as lease:
        if lease is None:
            return "Another worker is at it."
        while not leaving.is_leaving() and lease.renew() and (tills := _answering()):
            for till in tills:
                _ask(till)
            asked += len(tills)
            _rest(min(settings.TILL_POLL_SECONDS, TURN))
            if time.monotonic() >= until:
                break
    if asked:
        wake_listening()
    return f"Asked {asked} times."


def _ask(till: Connection) -> None:
    """One till; a defect over it silences no other."""
    try:
        tasks.capture(till.pk, follow_always=False)
    except STUMBLES as defect:
        log.error("stumbled over a till", connection=till.pk, kind=type(defect).__name__, exc_info=defect)


def _rest(seconds: float) -> None:
    while seconds > 0 and not leaving.is_leaving():
        time.sleep(min(seconds, SLICE))
        seconds -= SLICE


def _answering() -> list[Connection]:
    """Tills whose history was read and that may be called now; a failing one is left to the capture of each minute."""
    connected = vendors.till_connections().filter(state=Connection.State.CONNECTED)
    read = connected.filter(capture__history_done=True, capture__problem="")
    return [till for till in read.order_by("pk") if vendors.waits_until(till) is None]
