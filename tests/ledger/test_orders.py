"""What people decide: start, stop, past events, retry, set aside, adopt; and what of it stands in the audit."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.contrib.auth.models import User
from django.db.models import QuerySet

from ledger.clock import database_now
from ledger.errors import ForeignEntry, Rejected
from ledger.journal import marking, orders
from ledger.journal.orders import Refused
from ledger.models import AuditRecord, Book, JournalEntry, Posting, SyncOrder
from ledger.terms import DeliveryState, Outcome, Priority, SyncState
from ledger.values import EventFacts, RemoteEntry
from mappings.models import Mapping
from tests.office import Office
from tests.trade import item, paid, reading, sale, ticket, unreadable

DAY = date(2010, 12, 14)


def live(value: str = "20.00") -> EventFacts:
    """A sale that was completed after the start."""
    return sale(value, at=database_now() + timedelta(hours=1))


def one(office: Office, facts: EventFacts) -> QuerySet[Posting]:
    return Posting.objects.filter(pk=office.posting(facts).pk)


# --- Start and stop -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("seconds", "state"),
    [(-1, SyncState.NEVER_SYNCED), (0, SyncState.NOT_SYNCED), (1, SyncState.NOT_SYNCED)],
    ids=["before", "at", "after"],
)
def test_the_start_compares_the_time_of_completion(office: Office, seconds: int, state: SyncState) -> None:
    started = office.book.sync_started_at
    assert started is not None
    facts = sale(at=started + timedelta(seconds=seconds))
    office.record(facts)
    assert office.posting(facts).state == state


def test_events_that_occur_while_the_sync_is_stopped_are_ordered_too(office: Office) -> None:
    orders.stop_sync(office.book, actor=None)
    facts = live()
    office.record(facts)
    assert office.posting(facts).state == SyncState.NOT_SYNCED


def test_started_again_the_first_start_counts(office: Office) -> None:
    first = office.book.sync_started_at
    orders.stop_sync(office.book, actor=None)
    orders.start_sync(office.book, actor=None)
    assert (office.book.sync_started_at, office.book.syncing) == (first, True)


def test_a_book_whose_financial_system_is_off_does_not_start(book: Book) -> None:
    Book.objects.filter(pk=book.pk).update(uses_financials=False)
    with pytest.raises(Refused, match="Turn on"):
        orders.start_sync(book, actor=None)
    assert not SyncOrder.objects.exists()


def test_what_people_order_is_kept_with_their_names(office: Office, admin_user: User) -> None:
    orders.stop_sync(office.book, actor=admin_user)
    orders.start_sync(office.book, actor=admin_user)
    deeds = list(AuditRecord.objects.filter(actor=admin_user).order_by("id").values_list("deed", flat=True))
    assert deeds == ["stopped the sync", "started the sync"]
    assert list(SyncOrder.objects.order_by("id").values_list("kind", flat=True)) == ["start", "stop", "start"]


# --- Past events ----------------------------------------------------------------------------------


def test_a_range_takes_both_its_ends_and_nothing_else(office: Office) -> None:
    days = [replaced_day(n) for n in range(12, 18)]
    office.record(*days)
    order = orders.order_past(office.book, date(2010, 12, 13), date(2010, 12, 16), actor=None)
    assert office.states(days) == ["never_synced", *["not_synced"] * 4, "never_synced"]
    assert (order.events, order.amount) == (4, Decimal("80.00"))


def replaced_day(day: int) -> EventFacts:
    return sale(day=date(2010, 12, day))


def test_the_preview_of_a_range_tells_what_the_order_then_takes(office: Office) -> None:
    office.record(sale("10.00"), sale("12.50"), sale(day=date(2010, 12, 20)))
    preview = orders.past_range(office.book, DAY, DAY)
    order = orders.order_past(office.book, DAY, DAY, actor=None)
    assert (preview.events, preview.amount) == (order.events, order.amount) == (2, Decimal("22.50"))


def test_one_order_given_twice_takes_nothing_the_second_time(office: Office) -> None:
    office.record(sale(), sale())
    orders.order_past(office.book, DAY, DAY, actor=None)
    office.post()
    again = orders.order_past(office.book, DAY, DAY, actor=None)
    assert (again.events, again.amount) == (0, 0)
    assert JournalEntry.objects.count() == 2


def test_a_range_passes_by_what_was_set_aside_what_failed_and_what_waits(office: Office) -> None:
    aside, waiting, broken = sale(), live(), sale()
    office.record(aside, waiting, unreadable(broken.header.external_id, readable=True))
    orders.set_aside(office.posting(aside), "Training", actor=None)
    assert orders.order_past(office.book, DAY, DAY, actor=None).events == 0
    assert office.states([aside, waiting, broken]) == ["never_synced", "not_synced", "error"]


def test_past_events_go_behind_the_live_ones(office: Office) -> None:
    past, now = sale(), live()
    office.record(past, now)
    orders.order_past(office.book, DAY, DAY, actor=None)
    assert office.posting(past).priority == Priority.BACKLOG > office.posting(now).priority


def test_a_range_that_ends_before_it_begins_is_refused(office: Office) -> None:
    with pytest.raises(Refused, match="after the end date"):
        orders.order_past(office.book, date(2010, 12, 2), date(2010, 12, 1), actor=None)


def test_past_events_cannot_be_ordered_before_the_start(book: Book) -> None:
    with pytest.raises(Refused, match="Start Sync first"):
        orders.order_past(book, DAY, DAY, actor=None)


def test_an_order_touches_no_other_book(office: Office) -> None:
    other = Book.objects.create(name="Second company")
    office.record(facts := sale())
    like = office.posting(facts)
    posting = Posting.objects.create(
        event=like.event, book=other, number="1", business_date=DAY, updated_at=like.updated_at
    )
    orders.order_past(office.book, DAY, DAY, actor=None)
    posting.refresh_from_db()
    assert posting.state == SyncState.NEVER_SYNCED


# --- Retry ----------------------------------------------------------------------------------------


def refused(office: Office, facts: EventFacts, *, error: Rejected | ForeignEntry | None = None) -> JournalEntry:
    """A sale that went out and was definitely refused."""
    office.record(facts)
    office.enter()
    office.answer(office.sent(), error=error or Rejected("The account is inactive.", vendor_code="610"))
    return office.entry(facts)


def test_a_refused_event_says_why_and_waits_for_a_person(office: Office) -> None:
    entry = refused(office, facts := live())
    posting = office.posting(facts)
    assert (entry.state, posting.state, posting.error) == ("rejected", "error", "The account is inactive.")
    assert posting.cause == "rejected:610"
    assert office.enter().total == 0 and office.claim() is None


def test_a_retry_books_anew_under_the_same_number_and_another_key(office: Office) -> None:
    first = refused(office, facts := live())
    assert orders.retry(one(office, facts), actor=None) == 1
    assert office.enter().entries == 1
    first.refresh_from_db()
    second = office.entry(facts)
    assert (first.state, second.reference) == (DeliveryState.DISCARDED, first.reference)
    assert second.request_key != first.request_key
    assert first.lines.count() == second.lines.count()


def test_a_retry_leaves_what_did_not_fail_alone(office: Office) -> None:
    past, waiting, done = sale(), live(), live()
    office.record(done)
    office.post()
    office.record(past, waiting)
    assert orders.retry(Posting.objects.all(), actor=None) == 0
    assert office.states([past, waiting, done]) == ["never_synced", "not_synced", "synced"]


def test_a_retry_of_what_still_fails_fails_again_with_the_same_words(office: Office) -> None:
    facts = ticket(item("20.00", kind="9"), paid("20.00"), at=database_now() + timedelta(hours=1))
    office.record(facts)
    office.enter()
    before = office.posting(facts)
    orders.retry(one(office, facts), actor=None)
    office.enter()
    assert (office.posting(facts).state, office.posting(facts).error) == (SyncState.ERROR, before.error)


def test_what_failed_for_want_of_an_account_goes_on_once_it_is_mapped(office: Office) -> None:
    facts = ticket(item("20.00", kind="9", tracked=False), paid("20.00"), at=database_now() + timedelta(hours=1))
    office.record(facts, other := live())
    refused(office, other)
    account = Mapping.objects.get(book=office.book, role="sales", item_class="1").account
    Mapping.objects.create(book=office.book, role="sales", item_class="9", account=account)
    assert orders.requeue_unmapped(office.book) == 1
    assert office.states([facts, other]) == [SyncState.NOT_SYNCED, SyncState.ERROR]
    assert office.enter().entries == 1


# --- Set aside ------------------------------------------------------------------------------------


def test_an_event_is_set_aside_with_a_reason_and_is_not_posted(office: Office, admin_user: User) -> None:
    office.record(facts := live())
    office.enter()
    entry = office.entry(facts)
    orders.set_aside(office.posting(facts), "Test sale", actor=admin_user)
    entry.refresh_from_db()
    assert (entry.state, office.posting(facts).state) == (DeliveryState.DISCARDED, SyncState.NEVER_SYNCED)
    assert office.claim() is None and office.enter().total == 0
    assert AuditRecord.objects.get(deed="set aside an event").after == {"reason": "Test sale"}


def test_setting_aside_needs_a_reason(office: Office) -> None:
    office.record(facts := live())
    with pytest.raises(Refused, match="Say why"):
        orders.set_aside(office.posting(facts), "  ", actor=None)


def test_a_synced_event_is_not_set_aside(office: Office) -> None:
    office.record(facts := live())
    office.post()
    with pytest.raises(Refused, match="is Synced"):
        orders.set_aside(office.posting(facts), "Oops", actor=None)


def test_an_event_on_its_way_is_not_set_aside(office: Office) -> None:
    office.record(facts := live())
    office.enter()
    office.sent()
    with pytest.raises(Refused, match="being sent"):
        orders.set_aside(office.posting(facts), "Oops", actor=None)


def test_a_refused_event_that_was_set_aside_leaves_its_entry_as_proof(office: Office) -> None:
    entry = refused(office, facts := live())
    orders.set_aside(office.posting(facts), "Booked by hand", actor=None)
    entry.refresh_from_db()
    assert (entry.state, entry.lines.count()) == (DeliveryState.DISCARDED, 4)
    assert office.posting(facts).error == ""


# --- Adopt ----------------------------------------------------------------------------------------


def there(entry: JournalEntry) -> RemoteEntry:
    return RemoteEntry("77", entry.reference, entry.posting_date, "typed by hand", ())


def test_a_person_adopts_the_entry_that_stands_there(office: Office, admin_user: User) -> None:
    problem = ForeignEntry("HR-T1", remote_id="77", why="which Daybook did not write")
    entry = refused(office, facts := live(), error=problem)
    orders.adopt(office.posting(facts), there(entry), link="https://books/77", actor=admin_user)
    entry.refresh_from_db()
    posting = office.posting(facts)
    assert (posting.state, posting.outcome, posting.error) == (SyncState.SYNCED, Outcome.ADOPTED, "")
    assert (entry.state, entry.remote_id, entry.remote_link) == (DeliveryState.POSTED, "77", "https://books/77")
    assert AuditRecord.objects.get(deed="adopted an entry").after["entry"] == "77"


def test_there_is_nothing_to_adopt_while_nothing_was_refused(office: Office) -> None:
    office.record(facts := live())
    office.enter()
    with pytest.raises(Refused, match="nothing to adopt"):
        orders.adopt(office.posting(facts), there(office.entry(facts)), link="", actor=None)


def test_an_adopted_event_is_not_adopted_twice(office: Office) -> None:
    entry = refused(office, facts := live())
    orders.adopt(office.posting(facts), there(entry), link="", actor=None)
    with pytest.raises(Refused):
        orders.adopt(office.posting(facts), there(entry), link="", actor=None)


def test_a_late_answer_does_not_undo_an_adoption(office: Office) -> None:
    office.record(facts := live())
    office.enter()
    claim = office.sent()
    office.answer(claim, error=Rejected("No.", vendor_code="1"))
    orders.adopt(office.posting(facts), there(office.entry(facts)), link="", actor=None)
    office.answer(claim)
    marking.release(claim, Rejected("Later.", vendor_code="1"))
    assert office.entry(facts).remote_id == "77"
    assert office.posting(facts).outcome == Outcome.ADOPTED


def test_a_change_at_the_till_does_not_bring_an_adopted_event_back(office: Office) -> None:
    entry = refused(office, facts := live())
    orders.adopt(office.posting(facts), there(entry), link="", actor=None)
    office.record(reading(replace(facts, voided=True)))
    posting = office.posting(facts)
    assert (posting.state, posting.changed_since) == (SyncState.SYNCED, True)


def test_an_event_of_a_store_that_does_not_feed_the_book_cannot_be_taken_back(office: Office) -> None:
    facts = sale()
    office.record(facts)
    orders.set_aside(office.posting(facts), "Elsewhere", actor=None)
    office.book.feeds.update(all_stores=False)
    with pytest.raises(Refused, match="does not feed"):
        orders.take_back(office.posting(facts), actor=None)
