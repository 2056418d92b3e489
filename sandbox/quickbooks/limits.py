"""The vendor's rate limits as token buckets that start full."""

from __future__ import annotations

import threading
import time


class Bucket:
    """Holds `size` requests and fills at `size` per `seconds`."""

    def __init__(self, size: int, *, seconds: float) -> None:
        self.size = size
        self.level = float(size)
        self.rate = size / seconds
        self.filled = time.monotonic()

    def has_one(self, moment: float) -> bool:
        self.level = min(self.size, self.level + (moment - self.filled) * self.rate)
        self.filled = moment
        return self.level >= 1


class Limits:
    """10 requests a second and 500 a minute for the company, 40 batches a minute."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._every = [Bucket(10, seconds=1), Bucket(500, seconds=60)]
        self._batch = Bucket(40, seconds=60)

    def admit(self, *, batch: bool) -> bool:
        """Take one from every bucket concerned, or nothing from any."""
        buckets = [*self._every, self._batch] if batch else self._every
        moment = time.monotonic()
        with self._lock:
            if sum(bucket.has_one(moment) for bucket in buckets) < len(buckets):
                return False
            for bucket in buckets:
                bucket.level -= 1
            return True
