"""The vendor's rate limits by the strictest reading of its papers: windows that slide, counted when a call arrives."""

from __future__ import annotations

import threading
import time
from collections import deque


class Window:
    """Admits `size` calls in any `seconds`."""

    def __init__(self, size: int, *, seconds: float) -> None:
        self.seconds = seconds
        self.admitted: deque[float] = deque(maxlen=size)

    def has_one(self, moment: float) -> bool:
        full = len(self.admitted) == self.admitted.maxlen
        return not full or moment - self.admitted[0] >= self.seconds


class Limits:
    """10 requests a second and 500 a minute for the company, 40 batches a minute."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._every = [Window(10, seconds=1), Window(500, seconds=60)]
        self._batch = Window(40, seconds=60)

    def admit(self, *, batch: bool) -> bool:
        """Take a place in every window concerned, or in none."""
        windows = [*self._every, self._batch] if batch else self._every
        with self._lock:
            moment = time.monotonic()
            if not all(window.has_one(moment) for window in windows):
                return False
            for window in windows:
                window.admitted.append(moment)
            return True
