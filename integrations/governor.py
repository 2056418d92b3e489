"""Keeping inside a vendor's limits: token buckets in rows of the database, shared by every process of a connection."""

import time
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Max

from integrations.models import Bucket
from ledger.clock import database_now
from ledger.errors import RateLimited
from ledger.locks import locked

PLACE = 1000
"""Levels are kept in thousandths of a place."""

LONGEST_WAIT = 15.0
"""Seconds; a longer wait is left to the next attempt, so that no worker sleeps on a claim."""


@dataclass(frozen=True)
class Rate:
    """So many calls in so many seconds; `burst` stays below the vendor's bucket, for calls bunch up on the way."""

    calls: int
    seconds: int
    burst: int

    @property
    def per_second(self) -> float:
        return self.calls / self.seconds


Rates = dict[str, tuple[Rate, ...]]


@dataclass(frozen=True)
class Use:
    """How much of the limit of one kind of call is taken now: places of the bucket that have not come back yet."""

    kind: str
    taken: int
    rate: Rate


class BucketLimiter:
    """Implements integrations.http.Limiter for one connection; `rates` by kind of call, each of them binding."""

    def __init__(self, connection_id: int, rates: Rates) -> None:
        self._connection_id = connection_id
        self._rates = rates

    def take(self, kind: str) -> None:
        """Wait for a place in every bucket of this kind; raises RateLimited when that takes too long."""
        for place, rate in enumerate(self._rates.get(kind, ())):
            self._take(f"{kind}-{place}", rate)

    def pause(self, seconds: float) -> None:
        """Empty every bucket until the pause is over, for all processes."""
        until = database_now() + timedelta(seconds=seconds)
        Bucket.objects.filter(connection=self._connection_id).update(paused_until=until)

    def paused_until(self) -> datetime | None:
        """When a pause that the vendor asked for ends; None when there is none."""
        now = database_now()
        pauses = Bucket.objects.filter(connection=self._connection_id, paused_until__gt=now)
        latest: datetime | None = pauses.aggregate(at=Max("paused_until"))["at"]
        return latest

    def use(self) -> list[Use]:
        """What is taken now of the longest limit of each kind."""
        now = database_now()
        rows = {bucket.kind: bucket for bucket in Bucket.objects.filter(connection=self._connection_id)}
        found = []
        for kind, rates in self._rates.items():
            place, rate = max(enumerate(rates), key=lambda one: one[1].seconds)
            bucket = rows.get(f"{kind}-{place}")
            level = _level(bucket, rate, now) if bucket else rate.burst * PLACE
            found.append(Use(kind, rate.burst - level // PLACE, rate))
        return found

    def _take(self, name: str, rate: Rate) -> None:
        deadline = time.monotonic() + LONGEST_WAIT
        while (wait := self._try(name, rate)) > 0:
            if time.monotonic() + wait > deadline:
                raise RateLimited(
                    "The limit of the other system is used up. Daybook waits by itself.", retry_after=wait
                )
            time.sleep(wait)

    def _try(self, name: str, rate: Rate) -> float:
        """Take a place and return 0, or return how many seconds to wait."""
        with transaction.atomic():
            now = database_now()
            fresh = {"level": rate.burst * PLACE, "filled_at": now}
            bucket, _ = locked(Bucket.objects.all()).get_or_create(
                connection_id=self._connection_id, kind=name, defaults=fresh
            )
            if bucket.paused_until and bucket.paused_until > now:
                return (bucket.paused_until - now).total_seconds()
            level = _level(bucket, rate, now)
            if level < PLACE:
                return (PLACE - level) / PLACE / rate.per_second
            bucket.level, bucket.filled_at, bucket.paused_until = level - PLACE, now, None
            bucket.save(update_fields=["level", "filled_at", "paused_until"])
        return 0.0


def _level(bucket: Bucket, rate: Rate, now: datetime) -> int:
    gone = max(0.0, (now - bucket.filled_at).total_seconds())
    return min(rate.burst * PLACE, bucket.level + int(gone * rate.per_second * PLACE))
