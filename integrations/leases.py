"""Named leases: who may do a periodic job now. Losing one does no harm, for every task may run twice.

Whoever lost a lease is told so when it is to be renewed, and stops: another process is at it. A renewal inside the
transaction of a write is that write's fence, for nobody takes the lease before the transaction ends.
"""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta

from django.db.models import Q

from integrations.models import Lease
from ledger.clock import database_now

LASTS = timedelta(seconds=30)


class LeaseLost(Exception):
    """Another process is at it, or has done it: whoever is told so writes nothing more."""


@dataclass(frozen=True)
class Held:
    name: str
    owner: str
    lasts: timedelta = LASTS

    def renew(self) -> bool:
        """Keep the lease for another while; False when it is another's meanwhile."""
        until = database_now() + self.lasts
        return bool(Lease.objects.filter(name=self.name, owner=self.owner).update(until=until))

    def keep(self) -> None:
        """The same for who is deep in the work. Raises LeaseLost."""
        if not self.renew():
            raise LeaseLost(self.name)


@contextmanager
def held(name: str, *, lasts: timedelta = LASTS) -> Iterator[Held | None]:
    """The lease of that name, or None while another process holds it. `lasts`: longer than one call of the work."""
    Lease.objects.get_or_create(name=name)
    now, owner = database_now(), str(uuid.uuid4())
    free = Lease.objects.filter(Q(until=None) | Q(until__lt=now), name=name)
    if not free.update(owner=owner, until=now + lasts):
        yield None
        return
    try:
        yield Held(name, owner, lasts)
    finally:
        Lease.objects.filter(name=name, owner=owner).update(owner="", until=None)
