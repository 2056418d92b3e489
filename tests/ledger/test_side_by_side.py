"""Several workers at once, each on a connection of its own: nothing twice, nothing lost, nobody blocked for ever."""

from collections import Counter
from collections.abc import Callable, Sequence
from datetime import timedelta
from threading import Barrier, Thread

import pytest
from django.db import connection

from ledger.clock import database_now
from ledger.journal import booking, delivery, marking, orders
from ledger.journal.orders import Refused
from ledger.models import EventRevision, FinancialEvent, JournalEntry, Posting
from ledger.terms import DeliveryState, SyncState
from ledger.values import Delivered, EventFacts
from mappings.table import MappingTable
from tests.office import LEASE, SETTLE, Office, begin
from tests.trade import changed, item, paid, sale

pytestmark = pytest.mark.django_db(transaction=True)


def at_once(*deeds: Callable[[], object]) -> None:
    """Run deeds side by side; the first error of any of them is raised here."""
    together, errors = Barrier(len(deeds)), list[BaseException]()

    def run(deed: Callable[[], object]) -> None:
        try:
            together.wait(timeout=10)
            deed()
        except BaseException as error:
            errors.append(error)
        finally:
            connection.close()

    threads = [Thread(target=run, args=(deed,)) for deed in deeds]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert not any(thread.is_alive() for thread in threads), "somebody waits for ever"
    if errors:
        raise errors[0]


@pytest.fixture
def sales(office: Office) -> list[EventFacts]:
    facts = [sale(at=database_now() + timedelta(hours=1)) for _ in range(24)]
    office.record(*facts)
    return facts


def states(sales: Sequence[EventFacts]) -> Counter[str]:
    return Counter(Posting.objects.values_list("state", flat=True))


def test_two_bookers_book_every_sale_once(office: Office, sales: list[EventFacts]) -> None:
    table = MappingTable(office.book)

    def book() -> None:
        while booking.book_next(office.book, table).total:
            pass

    at_once(book, book)
    assert JournalEntry.objects.filter(state=DeliveryState.READY, sealed=True).count() == len(sales)
    assert Posting.objects.filter(entry=None).count() == 0


def test_claims_made_at_once_share_no_entry(office: Office, sales: list[EventFacts]) -> None:
    office.enter()
    claimed: list[int] = []

    def work() -> None:
        while claim := delivery.claim(office.book, limit=5, lease=LEASE, settle=SETTLE):
            claimed.extend(entry.pk for entry in claim.entries)

    at_once(work, work, work)
    assert sorted(claimed) == sorted(JournalEntry.objects.values_list("pk", flat=True))


def test_two_captures_of_one_page_record_it_once(office: Office) -> None:
    facts = [sale() for _ in range(10)]
    at_once(lambda: office.record(*facts), lambda: office.record(*reversed(facts)))
    assert FinancialEvent.objects.count() == EventRevision.objects.count() == Posting.objects.count() == 10


def test_a_change_beside_the_booking_is_booked_or_told(office: Office, sales: list[EventFacts]) -> None:
    """Whoever comes first: what is synced in the end is the latest revision, or is marked as changed since."""
    renewed = [changed(facts, item("99.00"), paid("99.00")) for facts in sales]
    at_once(office.enter, lambda: office.record(*renewed))
    while office.enter().total:
        pass
    office.post()
    for posting in Posting.objects.select_related("event", "entry"):
        latest = posting.booked_revision == posting.event.revision
        assert posting.state == SyncState.SYNCED
        assert latest or posting.changed_since
        assert posting.entry is not None
        facts = EventRevision.objects.get(event=posting.event, n=posting.booked_revision or 0).facts
        assert posting.entry.lines.filter(role="sales").get().credit == posting.amount or posting.changed_since
        assert str(posting.entry.lines.get(role="sales").credit) == facts["total"]


def test_a_change_beside_a_claim_neither_doubles_nor_loses(office: Office, sales: list[EventFacts]) -> None:
    office.enter()
    renewed = [changed(facts, item("99.00"), paid("99.00")) for facts in sales]

    def work() -> None:
        while claim := delivery.claim(office.book, limit=3, lease=LEASE, settle=SETTLE):
            kept = begin(claim, claim.entries)
            marking.finish(claim, [Delivered(entry.reference, remote_id=str(entry.pk)) for entry in kept], {})

    at_once(work, lambda: [office.record(facts) for facts in renewed])
    office.post()
    assert states(sales) == {SyncState.SYNCED: len(sales)}
    living = JournalEntry.objects.exclude(state=DeliveryState.DISCARDED)
    assert Counter(living.values_list("state", flat=True)) == {DeliveryState.POSTED: len(sales)}


def test_to_set_aside_beside_a_claim_ends_one_way_or_the_other(office: Office, sales: list[EventFacts]) -> None:
    office.enter()

    def set_aside() -> None:
        for facts in sales:
            try:
                orders.set_aside(office.posting(facts), "By hand", actor=None)
            except Refused:
                continue

    def work() -> None:
        for _ in range(len(sales)):
            delivery.claim(office.book, limit=1, lease=LEASE, settle=SETTLE)

    at_once(set_aside, work)
    for posting in Posting.objects.select_related("entry"):
        carried = posting.entry.state if posting.entry else None
        assert (posting.state, carried) in {("never_synced", None), ("processing", "sending")}
    sending = JournalEntry.objects.filter(state=DeliveryState.SENDING).count()
    assert sending == Posting.objects.filter(state=SyncState.PROCESSING).count()


def test_the_start_falls_before_or_after_a_page_never_into_it(office: Office) -> None:
    """Every event that was completed after the start is ordered, however the two transactions interleave."""
    type(office.book).objects.filter(pk=office.book.pk).update(syncing=False, sync_started_at=None)
    facts = [sale(at=database_now() + timedelta(hours=1)) for _ in range(20)]
    at_once(lambda: office.record(*facts), lambda: orders.start_sync(office.book, actor=None))
    assert len(states(facts)) == 1


def test_an_order_given_twice_at_once_counts_every_event_once(office: Office) -> None:
    facts = [sale() for _ in range(10)]
    office.record(*facts)
    day = facts[0].header.business_date
    assert day is not None
    given: list[int] = []

    def order() -> None:
        given.append(orders.order_past(office.book, day, day, actor=None).events)

    at_once(order, order)
    assert sorted(given) == [0, 10]


def test_a_retry_pressed_twice_at_once_is_one(office: Office, sales: list[EventFacts]) -> None:
    office.enter()
    JournalEntry.objects.update(state=DeliveryState.REJECTED)
    Posting.objects.update(state=SyncState.ERROR, error="Refused.", error_code="rejected")
    counts: list[int] = []

    def retry() -> None:
        counts.append(orders.retry(Posting.objects.filter(book=office.book), actor=None))

    at_once(retry, retry)
    assert sorted(counts) == [0, len(sales)]
    office.post()
    assert states(sales) == {SyncState.SYNCED: len(sales)}
