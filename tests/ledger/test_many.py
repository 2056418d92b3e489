"""What is done to many events at once, and an order of past events that is called back."""

from datetime import date, timedelta

import pytest
from django.contrib.auth.models import User

from ledger.clock import database_now
from ledger.errors import Refused, Rejected
from ledger.journal import many, orders
from ledger.models import AuditRecord, Feed, Posting, Store, SyncOrder
from ledger.terms import DeliveryState, SyncState
from ledger.values import EventFacts
from tests.office import Office
from tests.trade import sale, unreadable

DAY = date(2010, 12, 14)


def past(office: Office, count: int) -> tuple[SyncOrder, list[EventFacts]]:
    """So many past events, ordered."""
    facts = [sale() for _ in range(count)]
    office.record(*facts)
    return orders.order_past(office.book, DAY, DAY, actor=None), facts


def ids(office: Office, facts: list[EventFacts]) -> list[int]:
    return [office.posting(one).pk for one in facts]


def retrying(office: Office) -> SyncOrder:
    return SyncOrder.objects.create(book=office.book, kind=SyncOrder.Kind.RETRY)


# --- Stopping an order of past events -------------------------------------------------------------


def test_what_of_an_order_has_not_begun_is_never_synced_again(office: Office, admin_user: User) -> None:
    order, facts = past(office, 3)
    assert orders.stop_past(order, actor=admin_user) == 3
    assert set(office.states(facts)) == {SyncState.NEVER_SYNCED}
    assert office.enter().total == 0
    order.refresh_from_db()
    assert order.stopped_at is not None and order.stopped_events == 3
    said = AuditRecord.objects.get(deed="stopped an order of past events")
    assert said.actor == admin_user and said.after["events"] == 3


def test_what_is_being_sent_stays_and_what_was_only_made_ready_is_discarded(office: Office) -> None:
    order, facts = past(office, 3)
    office.enter()
    office.sent(limit=1)
    ready = [office.entry(one) for one in facts[1:]]
    assert orders.stop_past(order, actor=None) == 2
    assert office.states(facts) == [SyncState.PROCESSING, SyncState.NEVER_SYNCED, SyncState.NEVER_SYNCED]
    for entry in ready:
        entry.refresh_from_db()
        assert entry.state == DeliveryState.DISCARDED
    assert office.claim() is None


def test_an_entry_that_may_be_over_there_is_not_called_back(office: Office) -> None:
    order, facts = past(office, 2)
    office.enter()
    office.sent(limit=1)
    office.later(600)
    assert orders.stop_past(order, actor=None) == 1
    assert office.posting(facts[0]).state == SyncState.PROCESSING


def test_an_order_of_which_nothing_waits_cannot_be_stopped(office: Office) -> None:
    order, _ = past(office, 1)
    office.post()
    with pytest.raises(Refused, match="Nothing of this order waits"):
        orders.stop_past(order, actor=None)
    assert not AuditRecord.objects.filter(deed="stopped an order of past events").exists()


def test_what_was_called_back_can_be_ordered_again(office: Office) -> None:
    order, facts = past(office, 2)
    orders.stop_past(order, actor=None)
    assert orders.order_past(office.book, DAY, DAY, actor=None).events == 2
    office.post()
    assert set(office.states(facts)) == {SyncState.SYNCED}


def test_other_orders_are_left_alone(office: Office) -> None:
    order, _ = past(office, 1)
    office.record(live := sale(at=database_now() + timedelta(hours=1)))
    orders.stop_past(order, actor=None)
    assert office.posting(live).state == SyncState.NOT_SYNCED


def test_an_event_that_is_retried_stays_in_the_order_that_asked_for_it(office: Office) -> None:
    order, facts = past(office, 1)
    office.enter()
    office.answer(office.sent(), error=Rejected("The account is inactive.", vendor_code="610"))
    orders.retry(Posting.objects.filter(book=office.book), actor=None)
    assert office.posting(facts[0]).order == order


# --- Blocks ---------------------------------------------------------------------------------------


def test_a_block_is_retried_and_what_did_not_fail_is_left_with_its_reason(office: Office) -> None:
    order, (failed, synced) = past(office, 2)
    office.enter()
    office.answer(office.sent(limit=1), error=Rejected("The account is inactive."))
    office.answer(office.sent(limit=1))
    entry = office.entry(failed)
    block = many.retry(ids(office, [failed, synced]), order=retrying(office))
    assert (block.done, block.left) == (ids(office, [failed]), {office.posting(synced).pk: many.IS_NOT_FAILED})
    entry.refresh_from_db()
    assert entry.state == DeliveryState.DISCARDED and office.posting(failed).state == SyncState.NOT_SYNCED
    office.post()
    assert office.posting(failed).state == SyncState.SYNCED and office.posting(failed).order == order


def test_documents_that_could_not_be_read_are_named_for_a_new_reading(office: Office) -> None:
    office.record(unreadable("3", readable=True))
    posting = Posting.objects.get()
    block = many.retry([posting.pk], order=retrying(office))
    assert block.unread == [(office.source.pk, posting.event_id)]


def test_a_block_is_set_aside_but_for_what_is_synced_or_leaving(office: Office) -> None:
    _, (synced, leaving, ready, refused) = past(office, 4)
    office.enter()
    office.answer(office.sent(limit=1))
    office.sent(limit=1)
    posted = office.sent(limit=2)
    office.answer(posted, error=Rejected("The account is inactive."))
    orders.retry(Posting.objects.filter(pk=office.posting(ready).pk), actor=None)
    office.enter()
    facts = [synced, leaving, ready, refused]
    block = many.set_aside(ids(office, facts), reason="Training")
    assert block.left == {
        office.posting(synced).pk: many.IS_SYNCED,
        office.posting(leaving).pk: many.IS_LEAVING,
    }
    never = SyncState.NEVER_SYNCED
    assert office.states(facts) == [SyncState.SYNCED, SyncState.PROCESSING, never, never]
    assert office.posting(ready).set_aside_reason == "Training" and office.posting(ready).entry is None
    again = many.set_aside(ids(office, [ready]), reason="Once more")
    assert again.left == {office.posting(ready).pk: many.IS_ASIDE}


def test_a_block_is_taken_back_to_where_each_event_belongs(office: Office) -> None:
    _, (ordered,) = past(office, 1)
    office.record(never := sale(), other := sale())
    many.set_aside(ids(office, [ordered, never]), reason="Training")
    block = many.take_back(ids(office, [ordered, never, other]), book=office.book)
    assert block.left == {office.posting(other).pk: many.IS_NOT_ASIDE}
    assert office.states([ordered, never]) == [SyncState.NOT_SYNCED, SyncState.NEVER_SYNCED]
    assert {office.posting(one).set_aside_reason for one in (ordered, never)} == {""}


def test_what_its_store_does_not_feed_stays_aside(office: Office, feed: Feed) -> None:
    office.record(facts := sale())
    many.set_aside(ids(office, [facts]), reason="Training")
    Feed.objects.filter(pk=feed.pk).update(all_stores=False)
    assert many.take_back(ids(office, [facts]), book=office.book).left == {office.posting(facts).pk: many.IS_NOT_FED}
    feed.stores.set(Store.objects.filter(external_id=facts.header.store_external_id))
    assert many.take_back(ids(office, [facts]), book=office.book).done == ids(office, [facts])
