"""Step 3 of the way: what a document that was captured changes, and what it leaves alone."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

from ledger.clock import database_now
from ledger.errors import Flaw
from ledger.journal import feeds, orders
from ledger.models import (
    Book,
    DimensionValue,
    EventRevision,
    Feed,
    FinancialEvent,
    JournalEntry,
    Posting,
    RawDocument,
    Store,
)
from ledger.terms import DeliveryState, Dimension, Outcome, SyncState
from ledger.values import EventFacts
from tests.office import Office
from tests.trade import NOON, changed, item, new_id, paid, reading, sale, ticket, unreadable


def test_a_new_document_becomes_an_event_a_revision_and_a_posting(office: Office) -> None:
    facts = sale("20.00")
    assert office.record(facts).new == 1
    posting = office.posting(facts)
    assert (posting.state, posting.amount, posting.number) == ("never_synced", Decimal("20.00"), facts.header.number)
    assert (posting.event.revision, posting.event.business_date) == (1, facts.header.business_date)
    assert EventRevision.objects.get(event=posting.event).facts["total"] == "20.00"


def test_the_raw_document_is_kept_as_it_came(office: Office) -> None:
    facts = sale()
    office.record(facts)
    assert RawDocument.objects.get().text.encode() == reading(facts).document.raw


def test_unchanged_facts_change_nothing_whatever_the_time_of_change(office: Office) -> None:
    facts = sale()
    office.record(facts)
    again = office.record(reading(facts, updated_at=NOON + timedelta(days=3)))
    assert (again.unchanged, again.changed, again.new) == (1, 0, 0)
    assert EventRevision.objects.count() == 1


def test_another_name_of_an_item_is_no_new_revision(office: Office) -> None:
    facts = sale()
    office.record(facts)
    renamed = replace(facts, items=tuple(replace(each, name="Lantern") for each in facts.items))
    assert office.record(renamed).unchanged == 1


def test_changed_facts_are_a_new_revision_with_the_amounts_of_now(office: Office) -> None:
    facts = sale("20.00")
    office.record(facts)
    assert office.record(changed(facts, item("25.00"), paid("25.00"))).changed == 1
    posting = office.posting(facts)
    assert (posting.event.revision, posting.amount) == (2, Decimal("25.00"))
    assert list(posting.event.revisions.values_list("n", flat=True)) == [1, 2]


def test_of_two_states_of_a_document_on_one_page_the_later_one_counts(office: Office) -> None:
    first = sale("20.00")
    office.record(first, changed(first, item("30.00"), paid("30.00")))
    assert office.posting(first).amount == Decimal("30.00")
    assert FinancialEvent.objects.count() == 1


def test_a_document_that_cannot_be_read_is_an_error_with_its_sentence_and_the_rest_goes_on(office: Office) -> None:
    broken, good = new_id(), sale()
    outcome = office.record(unreadable(broken, what="its total is missing."), good)
    posting = Posting.objects.get(event__external_id=broken)
    assert outcome.new == 2
    assert (posting.state, posting.error_code) == (SyncState.ERROR, "unreadable")
    assert posting.error == f"Ticket T{broken}: its total is missing."
    assert posting.event.raw.text == '{"broken": true}'


def test_documents_of_different_flaws_are_told_apart(office: Office) -> None:
    flaws = [Flaw.TYPE, Flaw.AMOUNT, None]
    office.record(*(unreadable(new_id(), flaw=flaw) for flaw in flaws))
    causes = Posting.objects.order_by("pk").values_list("cause", flat=True)
    assert list(causes) == ["unreadable:type", "unreadable:amount", "unreadable"]


def test_another_flaw_of_the_same_document_is_another_cause(office: Office) -> None:
    broken = new_id()
    office.record(unreadable(broken, flaw=Flaw.TYPE))
    assert office.record(unreadable(broken, what="its total is '?'.", flaw=Flaw.AMOUNT)).changed == 1
    assert Posting.objects.get().cause == "unreadable:amount"


def test_what_was_recorded_without_its_cause_gets_it_when_it_is_read_again(office: Office) -> None:
    broken = new_id()
    office.record(unreadable(broken))
    assert Posting.objects.get().cause == "unreadable"
    office.record(unreadable(broken, flaw=Flaw.TYPE))
    assert Posting.objects.get().cause == "unreadable:type"


def test_an_unreadable_event_that_is_retried_keeps_its_cause(office: Office) -> None:
    office.record(unreadable(new_id(), flaw=Flaw.TYPE))
    orders.retry(Posting.objects.all(), actor=None)
    office.enter()
    assert Posting.objects.get().cause == "unreadable:type"


def test_a_document_that_is_open_again_has_a_cause_of_its_own(office: Office) -> None:
    facts = sale(at=database_now() + timedelta(hours=1))
    office.record(facts)
    office.record(replace(unreadable(facts.header.external_id), problem=None))
    posting = office.posting(facts)
    assert posting.cause == "unreadable:reopened"
    office.record(facts)
    assert (office.posting(facts).cause, office.posting(facts).event.problem_cause) == ("", "")


def test_what_can_be_read_of_an_unreadable_document_is_kept(office: Office) -> None:
    broken = new_id()
    office.record(unreadable(broken, readable=True))
    posting = Posting.objects.get(event__external_id=broken)
    assert posting.store is not None and posting.store.name == "Main Street"
    assert posting.amount == Decimal("20.00")


def test_the_same_unreadable_document_seen_again_changes_nothing(office: Office) -> None:
    broken = new_id()
    office.record(unreadable(broken))
    assert office.record(unreadable(broken)).unchanged == 1


def test_a_mended_document_of_a_sale_after_the_start_is_ordered_by_itself(office: Office) -> None:
    facts = sale(at=database_now() + timedelta(hours=1))
    office.record(unreadable(facts.header.external_id))
    office.record(facts)
    posting = office.posting(facts)
    assert (posting.state, posting.error, posting.event.problem) == (SyncState.NOT_SYNCED, "", "")


def test_a_mended_document_from_before_the_start_waits_for_an_order(office: Office) -> None:
    facts = sale()
    office.record(unreadable(facts.header.external_id))
    office.record(facts)
    assert office.posting(facts).state == SyncState.NEVER_SYNCED


def test_a_document_that_becomes_unreadable_while_it_waits_is_an_error_until_it_is_mended(office: Office) -> None:
    facts = sale(at=database_now() + timedelta(hours=1))
    office.record(facts)
    office.record(unreadable(facts.header.external_id))
    assert office.posting(facts).state == SyncState.ERROR
    office.record(facts)
    assert office.posting(facts).state == SyncState.NOT_SYNCED
    assert EventRevision.objects.count() == 1


def test_an_ordered_past_event_that_was_unreadable_meanwhile_stays_ordered(office: Office) -> None:
    facts = sale()
    office.record(facts)
    day = facts.header.business_date
    assert day is not None
    orders.order_past(office.book, day, day, actor=None)
    office.record(unreadable(facts.header.external_id))
    office.record(facts)
    assert office.posting(facts).state == SyncState.NOT_SYNCED


def test_a_document_voided_before_it_was_captured_is_no_event(office: Office) -> None:
    outcome = office.record(replace(sale(), voided=True))
    assert (outcome.not_financial, FinancialEvent.objects.count()) == (1, 0)


def test_a_sale_voided_before_its_sync_is_synced_with_nothing_to_post(office: Office) -> None:
    facts = sale(at=database_now() + timedelta(hours=1))
    office.record(facts)
    office.record(replace(facts, voided=True))
    office.enter()
    posting = office.posting(facts)
    assert (posting.state, posting.outcome) == (SyncState.SYNCED, Outcome.VOIDED_BEFORE_SYNC)
    assert JournalEntry.objects.count() == 0


def test_a_booked_sale_that_changes_before_it_is_sent_is_booked_anew(office: Office) -> None:
    facts = sale("20.00", at=database_now() + timedelta(hours=1))
    office.record(facts)
    office.enter()
    first = office.entry(facts)
    office.record(changed(facts, item("25.00"), paid("25.00")))
    first.refresh_from_db()
    assert (first.state, office.posting(facts).entry) == (DeliveryState.DISCARDED, None)
    office.enter()
    second = office.entry(facts)
    assert (second.reference, second.total) == (first.reference, Decimal("33.00"))
    assert second.request_key != first.request_key


def test_a_sale_that_changes_after_its_sync_stays_synced_and_is_marked(office: Office) -> None:
    facts = sale(at=database_now() + timedelta(hours=1))
    office.record(facts)
    office.post()
    office.record(changed(facts, item("25.00"), paid("25.00")))
    posting = office.posting(facts)
    assert (posting.state, posting.changed_since, posting.booked_revision) == (SyncState.SYNCED, True, 1)


def test_a_sale_that_changes_on_its_way_is_synced_as_it_was_sent_and_marked(office: Office) -> None:
    facts = sale(at=database_now() + timedelta(hours=1))
    office.record(facts)
    office.enter()
    claim = office.sent()
    office.record(changed(facts, item("25.00"), paid("25.00")))
    office.answer(claim)
    posting = office.posting(facts)
    assert (posting.state, posting.changed_since, posting.booked_revision) == (SyncState.SYNCED, True, 1)


def test_a_sale_that_becomes_unreadable_after_its_sync_stays_synced_and_is_marked(office: Office) -> None:
    facts = sale(at=database_now() + timedelta(hours=1))
    office.record(facts)
    office.post()
    office.record(unreadable(facts.header.external_id))
    posting = office.posting(facts)
    assert (posting.state, posting.changed_since) == (SyncState.SYNCED, True)


def test_a_refused_sale_that_was_mended_at_the_till_is_booked_anew(office: Office) -> None:
    facts = ticket(item("20.00", kind="9"), paid("20.00"), at=database_now() + timedelta(hours=1))
    office.record(facts)
    office.enter()
    assert office.posting(facts).state == SyncState.ERROR
    office.record(changed(facts, item("20.00", kind="2"), paid("20.00")))
    assert office.enter().entries == 1


def test_an_event_set_aside_stays_so_when_its_document_is_broken_and_mended(office: Office) -> None:
    facts = sale(at=database_now() + timedelta(hours=1))
    office.record(facts)
    orders.set_aside(office.posting(facts), "A test sale", actor=None)
    office.record(unreadable(facts.header.external_id))
    office.record(facts)
    posting = office.posting(facts)
    assert (posting.state, posting.set_aside_reason) == (SyncState.NEVER_SYNCED, "A test sale")


def test_new_values_of_dimensions_are_known_by_their_codes(office: Office) -> None:
    office.record(ticket(item("5.00", kind="88"), paid("5.00", by="77")))
    names = dict(DimensionValue.objects.filter(code__in=["77", "88"]).values_list("dimension", "name"))
    assert names == {Dimension.TENDER: "tender 77", Dimension.ITEM_CLASS: "item class 88"}


def test_a_known_name_is_not_overwritten_by_a_document(office: Office) -> None:
    office.record(sale())
    assert DimensionValue.objects.get(dimension=Dimension.TENDER, code="1").name == "Cash"


# --- Books and feeds ------------------------------------------------------------------------------


def second_book(office: Office, *stores: Store) -> Office:
    """Another book of the same source; with stores it takes these alone."""
    book = Book.objects.create(name="Second company", uses_financials=True)
    feed = Feed.objects.create(source=office.source, book=book, all_stores=not stores)
    feed.stores.set(stores)
    feeds.follow(feed.book, feed.source)
    return Office(office.source, book)


def in_books(facts: EventFacts) -> set[str]:
    postings = Posting.objects.filter(event__external_id=facts.header.external_id)
    return set(postings.values_list("book__name", flat=True))


def test_a_store_may_feed_several_books(office: Office) -> None:
    second = second_book(office)
    facts = sale()
    office.record(facts)
    assert in_books(facts) == {office.book.name, second.book.name}


def test_a_feed_of_chosen_stores_takes_no_other_store(office: Office, stores: dict[str, Store]) -> None:
    second = second_book(office, stores["Chicago"])
    here, there = sale(store="100001"), sale(store="100003")
    office.record(here, there)
    assert in_books(here) == {office.book.name}
    assert in_books(there) == {office.book.name, second.book.name}


def test_a_new_book_starts_with_every_known_event_never_synced(office: Office) -> None:
    past, live, broken = sale(), sale(at=database_now() + timedelta(hours=1)), new_id()
    office.record(past, live, unreadable(broken))
    second = second_book(office)
    assert second.states([past, live]) == [SyncState.NEVER_SYNCED] * 2
    assert Posting.objects.get(book=second.book, event__external_id=broken).state == SyncState.ERROR


def test_a_new_book_of_chosen_stores_takes_their_events_only(office: Office, stores: dict[str, Store]) -> None:
    here, there = sale(store="100001"), sale(store="100003")
    office.record(here, there)
    second = second_book(office, stores["Chicago"])
    assert list(Posting.objects.filter(book=second.book)) == [second.posting(there)]


def test_opening_a_feed_twice_doubles_nothing(office: Office) -> None:
    office.record(sale())
    second = second_book(office)
    assert feeds.follow(second.book, second.source).joined == 0


def test_a_mended_document_is_not_posted_to_a_book_its_store_does_not_feed(
    office: Office, stores: dict[str, Store]
) -> None:
    """While its store could not be read it stood as an error in every book."""
    second = second_book(office, stores["Chicago"])
    orders.start_sync(second.book, actor=None)
    facts = sale(store="100001", at=database_now() + timedelta(hours=1))
    office.record(unreadable(facts.header.external_id))
    office.record(facts)
    waiting = Posting.objects.filter(state=SyncState.NOT_SYNCED)
    assert set(waiting.values_list("book__name", flat=True)) == {office.book.name}


def test_an_event_of_an_unknown_store_is_booked_once_its_store_was_read(office: Office) -> None:
    facts = ticket(item("20.00"), paid("20.00", by="2"), store="100009", at=database_now() + timedelta(hours=1))
    office.record(facts)
    office.enter()
    assert "Press Test on the connection" in office.posting(facts).error
    Store.objects.create(source=office.source, external_id="100009", name="Boston", time_zone="America/New_York")
    office.record(facts)
    orders.retry(Posting.objects.filter(pk=office.posting(facts).pk), actor=None)
    assert (office.enter().entries, office.posting(facts).error) == (1, "")
