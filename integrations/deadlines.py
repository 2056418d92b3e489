"""One deadline over a whole conversation with a stranger: the look-up of a name, the handshake, the whole answer.

The timeout of a socket counts from one byte to the next, so that who drips bytes could hold a worker without end. Here
a thread of its own talks, and whoever waits for it hangs up when the time is over. It must not touch the database.
"""

import socket
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import suppress
from contextvars import copy_context
from threading import Lock
from typing import TypeVar

T = TypeVar("T")


class OutOfTime(Exception):
    """The deadline has passed; whether anything arrived over there nobody knows."""


class Call:
    """The sockets of a conversation, so that somebody else can hang up."""

    def __init__(self) -> None:
        self._sockets: list[socket.socket] = []
        self._lock = Lock()
        self._over = False

    def open(self, sock: socket.socket) -> None:
        """Remember a socket; where it is over already, nothing is said through it any more."""
        with self._lock:
            # A second handle on the same connection: TLS takes the first one into its own.
            self._sockets.append(sock.dup())
            over = self._over
        if over:
            self.hang_up()

    def hang_up(self) -> None:
        """End the conversation, also in the middle of a read."""
        with self._lock:
            self._over = True
            for sock in self._sockets:
                with suppress(OSError), sock:
                    sock.shutdown(socket.SHUT_RDWR)
            self._sockets.clear()


def within(seconds: float, talk: Callable[[Call], T]) -> T:
    """What `talk` returns or raises, or OutOfTime. It opens its sockets on the call that it is given."""
    call, aside = Call(), ThreadPoolExecutor(max_workers=1)
    future = aside.submit(copy_context().run, talk, call)
    try:
        if future in wait([future], timeout=seconds).done:
            return future.result()
    finally:
        call.hang_up()
        aside.shutdown(wait=False)
    raise OutOfTime
