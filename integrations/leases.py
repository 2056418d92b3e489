"""Named leases: who may do a periodic job now. Losing one does no harm, for every task may run twice."""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta

from django.db.models import Q

from integrations.models import Lease
from ledger.clock import database_now

SECONDS = 30


@dataclass(frozen=True)
class Held:
    name: str
    owner: str

    def renew(self) -> None:
        """Keep the lease for another while."""
        until = database_now() + timedelta(seconds=SECONDS)
        Lease.objects.filter(name=self.name, owner=self.owner).update(until=until)


@contextmanager
def held(name: str) -> Iterator[Held | None]:
    """The lease of that name, or None while another process holds it."""
    Lease.objects.get_or_create(name=name)
    now, owner = database_now(), str(uuid.uuid4())
    free = Lease.objects.filter(Q(until=None) | Q(until__lt=now), name=name)
    if not free.update(owner=owner, until=now + timedelta(seconds=SECONDS)):
        yield None
        return
    try:
        yield Held(name, owner)
    finally:
        Lease.objects.filter(name=name, owner=owner).update(owner="", until=None)
