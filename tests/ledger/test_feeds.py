"""A feed that changes: events join the book, leave it or come back, and what was sent stays."""

from dataclasses import replace
from datetime import date, timedelta

import pytest

from ledger.clock import database_now
from ledger.errors import Refused
from ledger.journal import feeds, orders
from ledger.models import Feed, JournalEntry, Posting, Store
from ledger.terms import DeliveryState, SyncState
from ledger.values import EventFacts
from tests.office import Office
from tests.trade import sale, unreadable

NEXT_DAY = date(2010, 12, 15)


def live(store: str = "100003") -> EventFacts:
    """A sale in Chicago after the start."""
    return sale(store=store, at=database_now() + timedelta(hours=1))


def only(office: Office, *stores: Store) -> feeds.Followed:
    """From now on these stores alone feed the book; none of them means every store again."""
    feed = Feed.objects.get(book=office.book)
    feed.all_stores = not stores
    feed.save()
    feed.stores.set(stores)
    return feeds.follow(office.book, office.source)


def test_what_waits_leaves_with_its_store(office: Office, stores: dict[str, Store]) -> None:
    here, there = live("100001"), live()
    office.record(here, there)
    office.enter()
    assert only(office, stores["Main Street"]).left == 1
    assert office.states([here, there]) == [SyncState.NOT_SYNCED, SyncState.NEVER_SYNCED]
    assert office.posting(there).set_aside_reason == feeds.NOT_FED
    assert JournalEntry.objects.filter(state=DeliveryState.DISCARDED).count() == 1


def test_what_was_sent_stays(office: Office, stores: dict[str, Store]) -> None:
    office.record(done := live())
    office.post()
    office.record(on_its_way := live())
    office.enter()
    claim = office.sent()
    assert only(office, stores["Main Street"]).left == 0
    assert office.states([done, on_its_way]) == [SyncState.SYNCED, SyncState.PROCESSING]
    office.answer(claim)
    assert office.posting(on_its_way).state == SyncState.SYNCED


def test_what_left_is_not_taken_by_a_range(office: Office, stores: dict[str, Store]) -> None:
    office.record(facts := sale(store="100003"))
    only(office, stores["Main Street"])
    day = facts.header.business_date
    assert day is not None
    assert orders.order_past(office.book, day, day, actor=None).events == 0


def test_what_left_comes_back_with_its_store_as_it_was(office: Office, stores: dict[str, Store]) -> None:
    past, now, ordered = sale(store="100003"), live(), sale(store="100003", day=NEXT_DAY)
    office.record(past, now, ordered)
    orders.order_past(office.book, NEXT_DAY, NEXT_DAY, actor=None)
    before = office.states([past, now, ordered])
    only(office, stores["Main Street"])
    assert set(office.states([past, now, ordered])) == {SyncState.NEVER_SYNCED}
    assert only(office).joined == 3
    assert office.states([past, now, ordered]) == before == ["never_synced", "not_synced", "not_synced"]


def test_what_a_person_set_aside_does_not_come_back_by_itself(office: Office, stores: dict[str, Store]) -> None:
    office.record(facts := live())
    orders.set_aside(office.posting(facts), "By hand", actor=None)
    only(office, stores["Main Street"])
    only(office)
    posting = office.posting(facts)
    assert (posting.state, posting.set_aside_reason) == (SyncState.NEVER_SYNCED, "By hand")


def test_an_unreadable_event_comes_back_as_an_error(office: Office, stores: dict[str, Store]) -> None:
    facts = live()
    office.record(facts, unreadable(facts.header.external_id))
    office.record(unreadable(facts.header.external_id))
    only(office, stores["Main Street"])
    only(office)
    assert office.posting(facts).state == SyncState.ERROR


def test_a_second_time_nothing_moves(office: Office, stores: dict[str, Store]) -> None:
    office.record(live(), live("100001"))
    only(office, stores["Main Street"])
    assert feeds.follow(office.book, office.source) == feeds.Followed(joined=0, left=0)


def test_without_a_feed_everything_that_waits_leaves(office: Office) -> None:
    office.record(live(), live("100001"))
    Feed.objects.all().delete()
    assert feeds.follow(office.book, office.source).left == 2


# --- Taking back what was set aside ---------------------------------------------------------------


def test_what_was_ordered_is_ordered_again_when_it_is_taken_back(office: Office) -> None:
    office.record(facts := live())
    orders.set_aside(office.posting(facts), "By hand", actor=None)
    orders.take_back(office.posting(facts), actor=None)
    assert office.posting(facts).state == SyncState.NOT_SYNCED
    assert office.enter().entries == 1


def test_what_was_never_ordered_waits_again_when_it_is_taken_back(office: Office) -> None:
    office.record(facts := sale())
    orders.set_aside(office.posting(facts), "By hand", actor=None)
    orders.take_back(office.posting(facts), actor=None)
    posting = office.posting(facts)
    assert (posting.state, posting.set_aside_reason) == (SyncState.NEVER_SYNCED, "")


def test_what_was_not_set_aside_is_not_taken_back(office: Office) -> None:
    office.record(facts := live())
    with pytest.raises(Refused, match="is not set aside"):
        orders.take_back(office.posting(facts), actor=None)


def test_what_left_with_its_store_is_not_taken_back(office: Office, stores: dict[str, Store]) -> None:
    office.record(facts := live())
    only(office, stores["Main Street"])
    with pytest.raises(Refused, match="does not feed"):
        orders.take_back(office.posting(facts), actor=None)


def test_an_event_that_was_posted_and_adopted_is_told_when_its_document_is_opened_again(office: Office) -> None:
    """The till says that it is not complete any more; its entry stands, and somebody must look."""
    office.record(facts := live())
    office.post()
    again = replace(unreadable(facts.header.external_id), problem=None)
    office.record(again)
    posting = office.posting(facts)
    assert (posting.state, posting.changed_since) == (SyncState.SYNCED, True)
    assert "is not any more" in posting.event.problem


def test_a_document_that_is_opened_again_before_it_was_sent_does_not_go(office: Office) -> None:
    office.record(facts := live())
    office.enter()
    office.record(replace(unreadable(facts.header.external_id), problem=None))
    assert office.posting(facts).state == SyncState.ERROR
    assert office.claim() is None
    assert Posting.objects.count() == 1
