"""Rows that the database does not take, whoever writes them."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import ProtectedError

from ledger.clock import database_now
from ledger.models import Account, Book, Feed, FinancialEvent, JournalEntry, Posting, Store, SyncOrder
from ledger.values import EventFacts
from tests.office import Office
from tests.trade import sale


@pytest.fixture
def sold(office: Office) -> EventFacts:
    """A sale that is booked and ready to go."""
    facts = sale(at=database_now() + timedelta(hours=1))
    office.record(facts)
    office.enter()
    return facts


@contextmanager
def refused(name: str) -> Iterator[None]:
    """The constraint of that name refuses; SQLite names the columns of a unique one instead."""
    with pytest.raises(IntegrityError, match=name), transaction.atomic():
        yield


def copy_of(entry: JournalEntry, **changes: Any) -> JournalEntry:
    fields = ("book_id", "reference", "posting_date", "currency", "memo", "total", "created_at")
    return JournalEntry.objects.create(**{name: getattr(entry, name) for name in fields} | changes)


def test_a_reference_has_one_living_entry(office: Office, sold: EventFacts) -> None:
    entry = office.entry(sold)
    with refused("one_living_entry_per_reference|journalentry.reference"):
        copy_of(entry)


def test_a_discarded_entry_makes_room_for_another_of_its_reference(office: Office, sold: EventFacts) -> None:
    entry = office.entry(sold)
    JournalEntry.objects.filter(pk=entry.pk).update(state="discarded")
    assert copy_of(entry).reference == entry.reference
    with refused("one_living_entry_per_reference|journalentry.reference"):
        JournalEntry.objects.filter(pk=entry.pk).update(state="ready")


def test_two_books_may_use_the_same_reference(office: Office, sold: EventFacts) -> None:
    other = Book.objects.create(name="Second company")
    assert copy_of(office.entry(sold), book_id=other.pk).pk


BAD_ENTRIES: dict[str, dict[str, Any]] = {
    "entry_state_is_known": {"state": "almost"},
    "only_sealed_entries_are_sent": {"state": "ready"},
    "reversal_names_its_original": {"kind": "reversal"},
}


@pytest.mark.parametrize("name", BAD_ENTRIES)
def test_an_entry_that_makes_no_sense_is_not_taken(office: Office, sold: EventFacts, name: str) -> None:
    with refused(name):
        copy_of(office.entry(sold), reference="HR-T1", **BAD_ENTRIES[name])


def test_a_posted_entry_has_its_id(office: Office, sold: EventFacts) -> None:
    with refused("posted_entry_has_its_remote_id"):
        JournalEntry.objects.filter(pk=office.entry(sold).pk).update(state="posted")


BAD_POSTINGS: dict[str, dict[str, Any]] = {
    "posting_state_is_known": {"state": "nearly"},
    "error_posting_says_why": {"state": "error"},
    "synced_posting_has_an_outcome": {"state": "synced"},
}


@pytest.mark.parametrize("name", BAD_POSTINGS)
def test_a_posting_that_makes_no_sense_is_not_taken(office: Office, sold: EventFacts, name: str) -> None:
    with refused(name):
        Posting.objects.filter(pk=office.posting(sold).pk).update(**BAD_POSTINGS[name])


def test_only_a_synced_posting_has_an_outcome(office: Office, sold: EventFacts) -> None:
    with refused("synced_posting_has_an_outcome"):
        Posting.objects.filter(pk=office.posting(sold).pk).update(outcome="posted")


def test_an_event_stands_once_in_a_book(office: Office, sold: EventFacts) -> None:
    posting = office.posting(sold)
    with refused("one_posting_per_event_and_book|posting.event_id"):
        Posting.objects.create(event=posting.event, book=posting.book, number="1", updated_at=posting.updated_at)


def test_a_document_is_one_event(office: Office, sold: EventFacts) -> None:
    event = office.posting(sold).event
    with refused("one_event_per_document|financialevent.source_id"):
        FinancialEvent.objects.create(
            source=event.source, kind=event.kind, external_id=event.external_id, captured_at=event.captured_at
        )


def test_a_source_feeds_a_book_once(feed: Feed) -> None:
    with refused("one_feed_per_source_and_book|feed.source_id"):
        Feed.objects.create(source=feed.source, book=feed.book)


def test_a_past_order_has_a_range_that_begins_before_it_ends(book: Book) -> None:
    with refused("past_order_has_a_range"):
        SyncOrder.objects.create(book=book, kind="past", first_date=date(2010, 12, 2), last_date=date(2010, 12, 1))


def test_a_book_that_syncs_was_started(book: Book) -> None:
    with refused("syncing_book_was_started"):
        Book.objects.filter(pk=book.pk).update(syncing=True)


def test_a_type_of_account_outside_the_vocabulary_is_not_taken(chart: dict[str, Account]) -> None:
    with refused("account_type_is_known"):
        Account.objects.filter(pk=chart["Checking"].pk).update(type="piggy bank")


OWNERS: dict[str, Callable[[EventFacts, Office], Any]] = {
    "an event with its postings": lambda facts, office: office.posting(facts).event,
    "a store with its events": lambda facts, office: office.posting(facts).store,
    "a book with its entries": lambda facts, office: office.book,
    "an account with its lines": lambda facts, office: office.entry(facts).lines.earliest("pk").account,
    "a posting with its lines": lambda facts, office: office.posting(facts),
}


@pytest.mark.parametrize("owner", OWNERS.values(), ids=OWNERS)
def test_nothing_that_the_books_rest_on_is_deleted(
    office: Office, sold: EventFacts, owner: Callable[[EventFacts, Office], Any]
) -> None:
    with pytest.raises(ProtectedError):
        owner(sold, office).delete()


@pytest.mark.parametrize("amount", ["1.005", "one", 1.5, "NaN"])
def test_a_column_of_money_takes_no_fraction_of_a_cent_and_no_float(book: Book, amount: Any) -> None:
    with pytest.raises((ValidationError, ValueError)):
        SyncOrder.objects.create(book=book, kind="start", amount=amount)


def test_a_store_bears_an_id_once_in_its_source(stores: dict[str, Store]) -> None:
    with refused("one_store_per_id|store.source_id"):
        Store.objects.create(source=stores["Chicago"].source, external_id="100003", name="Chicago again")
