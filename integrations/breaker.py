"""Whether a vendor answers at all: one circuit per connection, a row that every process shares.

Repeated failures open it: nobody calls, and nothing is lost, for what is due stays due. After a rest one call alone
probes; an answer closes the circuit, another failure makes the rest longer.
"""

from datetime import datetime, timedelta
from random import uniform

import structlog
from django.db import transaction

from integrations.models import Circuit
from ledger.clock import database_now
from ledger.errors import Unreachable
from ledger.locks import locked

log = structlog.get_logger(__name__)

OPENS_AFTER = 5
"""Failures in a row."""

FIRST_REST, LONGEST_REST = 5.0, 300.0
"""Seconds; each probe that fails doubles the rest, up to the longest."""


class CircuitBreaker:
    """Implements integrations.http.Breaker for one connection. Not shared between threads.

    `probe_seconds`: as long as a call may take, for so long nobody else calls while one probes.
    """

    def __init__(self, connection_id: int, *, probe_seconds: float) -> None:
        self._rows = Circuit.objects.filter(connection=connection_id)
        self._connection_id = connection_id
        self._probe = timedelta(seconds=probe_seconds)
        self._failures_seen = False
        self._probing = False

    def allow(self) -> None:
        """Raises Unreachable while the circuit rests, or while another call probes."""
        circuit = self._rows.first()
        self._failures_seen, self._probing = bool(circuit and circuit.failures), False
        if circuit is None or circuit.rests_until is None:
            return
        now = database_now()
        ended = circuit.rests_until <= now
        # By its old value: of several who saw the rest end, one probes.
        if ended and self._rows.filter(rests_until=circuit.rests_until).update(rests_until=now + self._probe):
            self._probing = True
            return
        raise Unreachable("The other system has not answered lately. Daybook rests, then tries again by itself.")

    def ask_now(self) -> None:
        """A person wants to know: the rest is over, and the next call probes."""
        self._rows.exclude(rests_until=None).update(rests_until=database_now())

    def note(self, *, reached: bool) -> None:
        """An answer closes the circuit; the failure of a probe, or of many calls in a row, opens it for a while."""
        if not reached:
            self._failed()
        elif self._failures_seen:
            self._rows.update(**CLOSED)
            if self._probing:
                log.info("circuit closed", connection=self._connection_id)
        self._probing = False

    def rests_until(self) -> datetime | None:
        """When the next call may probe; None when calls go through."""
        return rests_until(self._connection_id)

    def _failed(self) -> None:
        with transaction.atomic():
            circuit, _ = locked(Circuit.objects.all()).get_or_create(connection_id=self._connection_id)
            circuit.failures += 1
            is_open = circuit.rests_until is not None
            # What was under way when the circuit opened fails too, and says nothing new.
            if self._probing or (not is_open and circuit.failures >= OPENS_AFTER):
                self._rest(circuit)
            circuit.save(update_fields=["failures", "rests", "opened_at", "rests_until"])

    def _rest(self, circuit: Circuit) -> None:
        now = database_now()
        seconds = min(LONGEST_REST, FIRST_REST * 2.0 ** min(circuit.rests, 10)) * uniform(1.0, 1.2)
        circuit.rests += 1
        circuit.opened_at = circuit.opened_at or now
        circuit.rests_until = now + timedelta(seconds=seconds)
        log.warning("circuit open", connection=self._connection_id, failures=circuit.failures, seconds=int(seconds))


def rests_until(connection_id: int) -> datetime | None:
    """When a connection's next call may probe; None when calls go through."""
    rows = Circuit.objects.filter(connection=connection_id, rests_until__gt=database_now())
    return rows.values_list("rests_until", flat=True).first()


CLOSED = {"failures": 0, "rests": 0, "opened_at": None, "rests_until": None}
