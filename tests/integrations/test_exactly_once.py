"""Random days of work, with every accident that we know of, against a ledger that counts what stands there.

Whatever happens: never two living entries for one event, Synced exactly when one entry stands there and says what
was booked, no event lost, every sealed entry in balance.
"""

import os
from contextlib import suppress
from datetime import timedelta
from decimal import Decimal
from random import Random
from types import SimpleNamespace

import pytest
from django.db.models import Sum

from integrations import sending, vendors
from integrations.http import NoLimits
from integrations.models import Connection
from ledger import facts as facts_json
from ledger import rules
from ledger.clock import database_now
from ledger.entries import balanced, difference, is_ours
from ledger.journal import delivery, orders
from ledger.journal.orders import Refused
from ledger.models import (
    EventRevision,
    JournalEntry,
    JournalLine,
    Posting,
)
from ledger.terms import DeliveryState, Outcome, SyncState
from ledger.values import (
    EventFacts,
)
from tests.office import Office
from tests.trade import changed, item, paid, sale, unreadable
from tests.vendor_ledger import FATES, VendorLedger, WorkerKilled

SETTLE = 150
SCHEDULES = int(os.environ.get("DAYBOOK_TEST_SCHEDULES", "12"))
"""How many random days are lived; more of them find more."""

DEEDS = {
    "sell": 4,
    "change": 3,
    "become_unreadable": 2,
    "mend": 2,
    "enter": 2,
    "work": 12,
    "work_while_nothing_can_be_looked_up": 3,
    "wait": 10,
    "sweep": 4,
    "retry": 3,
    "set_aside": 2,
    "type_by_hand": 1,
}
"""What can happen, and how often."""

ENTRY_OF: dict[SyncState, set[str | None]] = {
    SyncState.NEVER_SYNCED: {None},
    SyncState.NOT_SYNCED: {None, DeliveryState.READY},
    SyncState.PROCESSING: {DeliveryState.SENDING, DeliveryState.UNKNOWN},
    SyncState.SYNCED: {DeliveryState.POSTED},
    SyncState.ERROR: {None, DeliveryState.REJECTED},
}
"""In which state the entry of a posting may be, if there is one."""


@pytest.fixture
def connection(office: Office, monkeypatch: pytest.MonkeyPatch) -> Connection:
    """A connection whose books are a ledger in memory, without limits."""
    monkeypatch.setattr(vendors, "http", lambda connection: SimpleNamespace(limiter=NoLimits()))
    return Connection.objects.create(vendor="quickbooks", book=office.book, settle_seconds=SETTLE)


class Days:
    """One book and its accounting system; each deed is something that happens, drawn by chance and weight."""

    def __init__(self, office: Office, connection: Connection, *, seed: int) -> None:
        self.office, self.connection = office, connection
        self.chance = Random(seed)
        self.there = VendorLedger(meanwhile=self.another_worker)
        self.sales: list[EventFacts] = []
        self.broken: set[str] = set()
        self.aside: set[str] = set()
        self.told: list[str] = []
        """What happened so far, for whoever has to find out why."""

    def live(self, *, deeds: int) -> None:
        names = list(DEEDS)
        for name in self.chance.choices(names, weights=[DEEDS[each] for each in names], k=deeds):
            self.told.append(name)
            getattr(self, name)()
            self.all_is_true()
        self.calm_down()
        self.all_is_true()

    # --- What happens -----------------------------------------------------------------------------

    def sell(self) -> None:
        facts = [sale(self.amount(), at=database_now() + timedelta(hours=1)) for _ in range(self.chance.randint(1, 6))]
        self.office.record(*facts)
        self.sales += facts

    def change(self) -> None:
        if self.sales:
            n, amount = self.chance.randrange(len(self.sales)), self.amount()
            self.sales[n] = changed(self.sales[n], item(amount), paid(amount))
            self.office.record(self.sales[n])
            self.broken.discard(self.sales[n].header.external_id)

    def become_unreadable(self) -> None:
        for facts in self.one_sale():
            self.office.record(unreadable(facts.header.external_id))
            self.broken.add(facts.header.external_id)

    def mend(self) -> None:
        self.office.record(*[facts for facts in self.sales if facts.header.external_id in self.broken])
        self.broken.clear()

    def enter(self) -> None:
        self.office.enter()

    def work(self) -> None:
        """A worker books and sends until it is done or dead."""
        self.office.enter()
        self.there.fates = self.chance.choices(FATES, k=self.chance.randint(0, 4))
        self.there.lags = self.chance.random() < 0.3
        self.told.append(f"{self.there.fates}")
        self.send()
        self.there.fates, self.there.lags = [], False

    def work_while_nothing_can_be_looked_up(self) -> None:
        self.there.blind = True
        self.send()
        self.there.blind = False

    def wait(self) -> None:
        self.pass_time(self.chance.choice([1, 20, 125, 160]))

    def sweep(self) -> None:
        delivery.expire(self.office.book)

    def retry(self) -> None:
        orders.retry(Posting.objects.filter(book=self.office.book), actor=None)

    def set_aside(self) -> None:
        for facts in self.one_sale():
            with suppress(Refused):
                orders.set_aside(self.office.posting(facts), "By hand", actor=None)
                self.aside.add(facts.header.external_id)

    def type_by_hand(self) -> None:
        for facts in self.one_sale():
            entry = self.office.posting(facts).entry
            if entry and entry.state == DeliveryState.READY and not self.there.standing(entry.reference):
                self.there.type_by_hand(delivery.outgoing([entry])[entry.reference])

    def one_sale(self) -> list[EventFacts]:
        return [self.chance.choice(self.sales)] if self.sales else []

    def amount(self) -> str:
        return f"{Decimal(self.chance.randint(1, 99_999)) / 100:.2f}"

    def pass_time(self, seconds: float) -> None:
        self.office.later(seconds)
        self.there.pass_time(seconds)

    def send(self) -> None:
        with suppress(WorkerKilled):
            while sending.send(self.connection, self.there):
                pass

    def another_worker(self) -> None:
        """While one hangs, its lease lapses, and another does its work."""
        self.pass_time(SETTLE + 10)
        delivery.expire(self.office.book)
        sending.send(self.connection, self.there)

    # --- What must be true ------------------------------------------------------------------------

    def no_event_stands_there_twice(self) -> None:
        references = [entry.reference for _, _, entry in self.there.committed if is_ours(entry)]
        assert len(references) == len(set(references)), references

    def what_is_synced_stands_there_as_it_was_booked(self) -> None:
        synced = Posting.objects.filter(state=SyncState.SYNCED, outcome=Outcome.POSTED).select_related("entry")
        entries = {posting.pk: posting.entry for posting in synced if posting.entry}
        outgoing = delivery.outgoing(list(entries.values()))
        revisions = {(each.event_id, each.n): each.facts for each in EventRevision.objects.all()}
        for posting in synced:
            entry = entries[posting.pk]
            (remote,) = [each for each in self.there.standing(entry.reference) if is_ours(each)]
            assert remote.remote_id == entry.remote_id
            assert difference(outgoing[entry.reference], remote) == ""
            facts = facts_json.from_json(revisions[posting.event_id, posting.booked_revision or 0])
            assert balanced(rules.draft(facts, post_cost=True)) == entry.total

    def what_stands_there_is_posted_or_may_be_found(self) -> None:
        """Nobody may take it for unsent: it could be set aside, or booked anew, beside the one that stands there."""
        living = JournalEntry.objects.exclude(state=DeliveryState.DISCARDED)
        states = dict(living.values_list("reference", "state"))
        for _, _, remote in self.there.committed:
            if is_ours(remote):
                known = states[remote.reference]
                assert known in {DeliveryState.SENDING, DeliveryState.UNKNOWN, DeliveryState.POSTED}, known

    def every_posting_is_somewhere(self) -> None:
        postings = Posting.objects.select_related("entry")
        assert len(postings) == len(self.sales)
        for posting in postings:
            entry = posting.entry.state if posting.entry else None
            empty = posting.outcome in {Outcome.NOTHING_TO_POST, Outcome.VOIDED_BEFORE_SYNC}
            assert entry in ENTRY_OF[SyncState(posting.state)] or (empty and entry is None), (posting.state, entry)

    def every_sealed_entry_balances(self) -> None:
        sums = JournalLine.objects.filter(entry__sealed=True).values("entry")
        assert all(row["d"] == row["c"] for row in sums.annotate(d=Sum("debit"), c=Sum("credit")))
        assert not JournalEntry.objects.filter(sealed=False).exists()

    def all_is_true(self) -> None:
        self.no_event_stands_there_twice()
        self.what_is_synced_stands_there_as_it_was_booked()
        self.what_stands_there_is_posted_or_may_be_found()
        self.every_posting_is_somewhere()
        self.every_sealed_entry_balances()

    def calm_down(self) -> None:
        """The storm is over: everything that was ordered and not set aside gets there."""
        self.mend()
        self.there.renumber()
        for _ in range(4):
            self.retry()
            self.office.enter()
            self.send()
            self.pass_time(400)
            self.sweep()
        for facts in self.sales:
            aside = facts.header.external_id in self.aside
            state = self.office.posting(facts).state
            assert state == SyncState.SYNCED or (aside and state == SyncState.NEVER_SYNCED), state


@pytest.mark.parametrize("seed", range(SCHEDULES))
def test_whatever_happens_each_event_is_posted_exactly_once(office: Office, connection: Connection, seed: int) -> None:
    days = Days(office, connection, seed=seed)
    try:
        days.live(deeds=60)
    except BaseException:
        print(*days.told, sep="\n")
        raise
