"""The summary rows say what a sum over all postings says, whoever wrote a posting, in whatever order."""

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import hypothesis
import pytest
from django.core.management import call_command
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from hypothesis import strategies

from ledger import guards
from ledger.clock import database_now
from ledger.errors import Refused, Rejected
from ledger.journal import feeds, figures, orders
from ledger.models import Book, DayFigure, Feed, FiguresTaken, Posting, StaleDay, Store
from ledger.terms import Outcome, SyncState
from ledger.values import EventFacts
from tests.ledger.test_side_by_side import at_once
from tests.office import Office
from tests.trade import NOON, changed, item, paid, sale, unreadable

DAY = date(2010, 12, 14)
Sums = dict[tuple[int | None, date | None, str], tuple[int, Decimal, int]]


def kept(book: Book) -> Sums:
    """What the summary rows say; two rows of one kind would show here."""
    rows = [
        ((f.store_id, f.business_date, f.state), (f.events, f.amount, f.changed))
        for f in DayFigure.objects.filter(book=book)
    ]
    assert len(dict(rows)) == len(rows)
    return dict(rows)


def counted(book: Book) -> Sums:
    """What the postings say, added up one by one."""
    sums: Sums = {}
    for p in Posting.objects.filter(book=book):
        key = (p.store_id, p.business_date, p.state)
        events, amount, changes = sums.get(key, (0, Decimal(0), 0))
        sold = Decimal(0) if p.outcome == Outcome.VOIDED_BEFORE_SYNC else p.amount or Decimal(0)
        sums[key] = (events + 1, amount + sold, changes + p.changed_since)
    return sums


@pytest.fixture
def taken(office: Office) -> Office:
    """An office with sales in three stores on three days, whose figures were taken."""
    for number, store in enumerate(("100001", "100002", "100003")):
        office.record(sale("20.00", store=store, day=DAY + timedelta(days=number)))
    figures.refresh(office.book)
    assert not StaleDay.objects.exists()
    return office


def test_the_figures_are_the_sums_of_the_postings(taken: Office) -> None:
    assert kept(taken.book) == counted(taken.book)
    assert sum(amount for _, amount, _ in kept(taken.book).values()) == Decimal("60.00")


def test_a_change_notes_its_day_and_no_other(taken: Office) -> None:
    Posting.objects.filter(business_date=DAY).update(state=SyncState.NOT_SYNCED)
    assert {note.business_date for note in StaleDay.objects.all()} == {DAY}
    assert figures.refresh(taken.book) == 1
    assert kept(taken.book) == counted(taken.book)


@pytest.mark.parametrize(
    "change",
    [
        {"amount": Decimal("7.00")},
        {"changed_since": True},
        {"business_date": date(2011, 1, 1)},
        {"business_date": None},
        {"store": None},
        {"state": SyncState.SYNCED, "outcome": Outcome.VOIDED_BEFORE_SYNC},
    ],
    ids=lambda change: "-".join(change),
)
def test_every_column_that_counts_is_followed(taken: Office, change: dict[str, Any]) -> None:
    Posting.objects.filter(business_date=DAY).update(**change)
    figures.refresh(taken.book)
    assert kept(taken.book) == counted(taken.book)


def test_a_change_of_what_does_not_count_notes_nothing(taken: Office) -> None:
    Posting.objects.update(updated_at=database_now(), error="Said otherwise.", priority=5, state=SyncState.NEVER_SYNCED)
    assert not StaleDay.objects.exists()


def test_a_posting_that_moves_to_another_book_leaves_the_first(taken: Office) -> None:
    other = Book.objects.create(name="The other company")
    Posting.objects.filter(business_date=DAY).update(book=other)
    for book in (taken.book, other):
        figures.refresh(book)
        assert kept(book) == counted(book)
    assert len(kept(other)) == 1 and len(kept(taken.book)) == 2


def test_what_a_person_deletes_at_the_database_is_followed(taken: Office) -> None:
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM ledger_posting WHERE business_date = %s", [DAY])
    figures.refresh(taken.book)
    assert kept(taken.book) == counted(taken.book) and len(kept(taken.book)) == 2


def test_an_update_of_a_thousand_rows_notes_each_day_once(office: Office) -> None:
    office.record(*(sale(day=DAY + timedelta(days=n % 3)) for n in range(60)))
    StaleDay.objects.all().delete()
    Posting.objects.update(state=SyncState.NOT_SYNCED)
    assert StaleDay.objects.count() == 3


def test_a_second_time_nothing_changes(taken: Office) -> None:
    before = kept(taken.book)
    assert figures.refresh(taken.book) == 0
    assert kept(taken.book) == before


def test_when_they_were_last_true_is_told_each_time(taken: Office) -> None:
    first = FiguresTaken.objects.get(book=taken.book).at
    figures.refresh(taken.book)
    assert FiguresTaken.objects.get(book=taken.book).at > first


def test_many_days_are_summed_in_blocks(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    office.record(*(sale(day=DAY + timedelta(days=n)) for n in range(25)))
    monkeypatch.setattr(figures, "block_size", lambda: 4)
    monkeypatch.setattr(figures, "NOTES", 7)
    assert figures.refresh(office.book) >= 25
    assert kept(office.book) == counted(office.book)


def test_a_block_takes_the_same_number_of_queries_for_one_event_and_for_many(office: Office) -> None:
    office.record(sale())
    with CaptureQueriesContext(connection) as for_one:
        figures.refresh(office.book)
    office.record(*(sale(store="100002") for _ in range(40)))
    with CaptureQueriesContext(connection) as for_many:
        figures.refresh(office.book)
    # The first time the row that says when is made as well.
    assert len(for_many) <= len(for_one)


def test_figures_that_somebody_spoiled_are_rebuilt(taken: Office) -> None:
    DayFigure.objects.filter(business_date=DAY).update(events=99)
    DayFigure.objects.create(book=taken.book, business_date=date(1999, 1, 1), state="error", events=1, amount=1)
    DayFigure.objects.filter(business_date=DAY + timedelta(days=1)).delete()
    figures.rebuild(taken.book)
    assert kept(taken.book) == counted(taken.book)


# --- Installing and migrating -----------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_after_a_migration_every_day_is_summed_again(taken: Office) -> None:
    """What was written while the triggers stood aside was not noted by them."""
    guards.drop(connection)
    Posting.objects.filter(business_date=DAY).update(state=SyncState.NOT_SYNCED)
    assert not StaleDay.objects.exists()
    call_command("migrate", verbosity=0)
    assert guards.missing(connection) == set()
    figures.refresh(taken.book)
    assert kept(taken.book) == counted(taken.book)


# --- Any sequence ---------------------------------------------------------------------------------


class Shop:
    """A till and a book in which things happen in any order; what is refused is refused."""

    def __init__(self, office: Office, seed: int) -> None:
        self.office, self.chance, self.sold = office, random.Random(seed), list[EventFacts]()

    def happen(self, deed: str) -> None:
        with suppress(Refused):
            getattr(self, deed)()

    def sell(self) -> None:
        live = self.chance.random() < 0.6
        facts = sale(
            f"{self.chance.randint(1, 900)}.{self.chance.randint(0, 99):02}",
            store=self.chance.choice(["100001", "100002", "100003", "999999"]),
            day=DAY + timedelta(days=self.chance.randint(0, 3)),
            at=database_now() + timedelta(hours=1) if live else NOON,
        )
        self.sold.append(facts)
        self.office.record(facts)

    def sell_unreadably(self) -> None:
        self.office.record(unreadable(f"9{len(self.sold):05}", readable=self.chance.random() < 0.5))

    def change(self) -> None:
        if self.sold:
            value = f"{self.chance.randint(1, 900)}.00"
            facts = changed(self.chance.choice(self.sold), item(value), paid(value))
            self.office.record(facts)

    def move(self) -> None:
        """The document turns up in another store, on another day."""
        if self.sold:
            facts = self.chance.choice(self.sold)
            other_day = DAY + timedelta(days=self.chance.randint(0, 3))
            header = replace(facts.header, store_external_id="100002", business_date=other_day)
            self.office.record(replace(facts, header=header))

    def void(self) -> None:
        if self.sold:
            self.office.record(replace(self.chance.choice(self.sold), voided=True))

    def break_it(self) -> None:
        if self.sold:
            self.office.record(unreadable(self.chance.choice(self.sold).header.external_id))

    def book(self) -> None:
        self.office.enter()

    def post(self) -> None:
        self.office.post()

    def be_refused(self) -> None:
        self.office.enter()
        if claim := self.office.claim(limit=2):
            self.office.answer(claim, error=Rejected("No."))

    def order(self) -> None:
        orders.order_past(self.office.book, DAY, DAY + timedelta(days=self.chance.randint(0, 3)), actor=None)

    def retry(self) -> None:
        orders.retry(Posting.objects.filter(book=self.office.book), actor=None)

    def set_aside(self) -> None:
        if posting := self._any():
            orders.set_aside(posting, "By hand", actor=None)

    def take_back(self) -> None:
        if posting := Posting.objects.exclude(set_aside_reason="").first():
            orders.take_back(posting, actor=None)

    def feed_one_store(self) -> None:
        self._feed(self.chance.choice(["Main Street", "Los Angeles"]))

    def feed_all_stores(self) -> None:
        self._feed()

    def refresh(self) -> None:
        figures.refresh(self.office.book)

    def _any(self) -> Posting | None:
        found = list(Posting.objects.all())
        return self.chance.choice(found) if found else None

    def _feed(self, *names: str) -> None:
        feed = Feed.objects.get(book=self.office.book)
        Feed.objects.filter(pk=feed.pk).update(all_stores=not names)
        feed.stores.set(Store.objects.filter(name__in=names))
        feeds.follow(self.office.book, self.office.source)


DEEDS = [name for name in vars(Shop) if not name.startswith("_") and name != "happen"]


@contextmanager
def undone() -> Iterator[None]:
    """One example leaves nothing to the next."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


# The rows of an example are rolled back before the next one.
@hypothesis.settings(
    max_examples=25,
    suppress_health_check=[hypothesis.HealthCheck.function_scoped_fixture, hypothesis.HealthCheck.too_slow],
)
@hypothesis.given(
    deeds=strategies.lists(strategies.sampled_from(DEEDS), min_size=5, max_size=40), seed=strategies.integers(0, 10**6)
)
def test_whatever_happens_in_whatever_order(office: Office, deeds: list[str], seed: int) -> None:
    with undone():
        shop = Shop(office, seed)
        shop.sell()
        for deed in deeds:
            shop.happen(deed)
        figures.refresh(office.book)
        assert kept(office.book) == counted(office.book)
        assert not StaleDay.objects.exists()


# --- Side by side ---------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_who_sums_beside_who_writes_misses_nothing(office: Office) -> None:
    """Writers of the same days and two who sum, each on a connection of its own; the last sum is true."""
    table = [sale(store=store, day=DAY) for store in ("100001", "100002", "100003") for _ in range(8)]
    office.record(*table)

    def write() -> None:
        for facts in table:
            office.record(changed(facts, item("3.00"), paid("3.00")))

    def order() -> None:
        orders.order_past(office.book, DAY, DAY, actor=None)
        for _ in range(5):
            Posting.objects.filter(state=SyncState.NOT_SYNCED, store=None).update(changed_since=True)
            office.enter()

    def add_up() -> None:
        for _ in range(15):
            figures.refresh(office.book)

    at_once(write, order, add_up, add_up)
    figures.refresh(office.book)
    assert kept(office.book) == counted(office.book)


@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif("connection.vendor != 'postgresql'", reason="SQLite has one writer at a time")
def test_a_change_that_is_committed_after_the_sum_is_not_lost(taken: Office) -> None:
    """It was made before the day was summed and could not be seen; its own note stays."""

    def sum_meanwhile() -> None:
        figures.refresh(taken.book)

    beside: Callable[[], object] = sum_meanwhile
    with transaction.atomic():
        Posting.objects.filter(business_date=DAY).update(state=SyncState.NOT_SYNCED)
        at_once(beside)
        assert counted(taken.book) != kept(taken.book)
    figures.refresh(taken.book)
    assert kept(taken.book) == counted(taken.book)
