"""A clock that a scene turns by hand, so that a picture of it is the same today and next year."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from unittest.mock import patch

MOMENT = datetime(2026, 11, 20, 22, 32, tzinfo=UTC)
"""A Friday in November: half past five in New York, half past two in Los Angeles."""


class Clock:
    """What time it is for Django and for `ledger.clock`."""

    def __init__(self, now: datetime) -> None:
        self.now = now

    def put(self, moment: datetime) -> None:
        self.now = moment

    def ago(self, **duration: float) -> datetime:
        return self.now - timedelta(**duration)


@contextmanager
def standing_clock(moment: datetime = MOMENT) -> Iterator[Clock]:
    """Inside, time stands still unless the clock is put on."""
    clock = Clock(moment)
    # PostgreSQL has a clock of its own, which nobody can stop: here it is not asked.
    no_database = patch("ledger.clock.connection", SimpleNamespace(vendor="none"))
    with no_database, patch("django.utils.timezone.now", lambda: clock.now):
        yield clock
