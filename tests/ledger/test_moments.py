"""In which zone a moment is told that belongs to a book, or to no store."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from ledger.models import Book, Feed, Source, Store
from ledger.moments import shown, zone_of, zone_of_book, zone_of_house

pytestmark = pytest.mark.django_db


def stores_in(source: Source, *zones: str, active: bool = True) -> list[Store]:
    first = Store.objects.count()
    return [
        Store.objects.create(source=source, external_id=str(n), name=f"Store {n}", time_zone=zone, active=active)
        for n, zone in enumerate(zones, first)
    ]


@pytest.fixture
def source() -> Source:
    return Source.objects.create(code="ZZ", name="Till of zones")


@pytest.fixture
def book() -> Book:
    return Book.objects.create(name="Zones")


def test_a_book_is_told_in_the_time_of_most_of_its_stores(source: Source, book: Book) -> None:
    chosen = stores_in(source, "America/Chicago", "America/Chicago", "Europe/Berlin")
    stores_in(source, "Asia/Tokyo", "Asia/Tokyo", "Asia/Tokyo")
    feed = Feed.objects.create(source=source, book=book, all_stores=False)
    feed.stores.set(chosen)
    assert zone_of_book(book) == ZoneInfo("America/Chicago")
    assert zone_of_house() == ZoneInfo("Asia/Tokyo")
    feed.all_stores = True
    feed.save()
    assert zone_of_book(book) == ZoneInfo("Asia/Tokyo")


def test_a_book_that_no_store_feeds_is_told_in_the_time_of_the_house(source: Source, book: Book) -> None:
    stores_in(source, "Asia/Tokyo", "Asia/Tokyo", active=False)
    stores_in(source, "America/Denver")
    assert zone_of_book(book) == ZoneInfo("America/Denver")


def test_without_stores_and_in_a_zone_nobody_knows_it_is_utc(source: Source, book: Book) -> None:
    assert (zone_of_house(), zone_of_book(book), zone_of(None)) == (UTC, UTC, UTC)
    (store,) = stores_in(source, "Mars/Olympus")
    assert (zone_of(store), zone_of_house()) == (UTC, UTC)


def test_the_moment_bears_its_zone_and_utc_on_hover() -> None:
    told = str(shown(datetime(2010, 12, 4, 2, 42, tzinfo=UTC), ZoneInfo("America/Los_Angeles")))
    assert "Dec 3, 2010, 18:42 PST" in told
    assert "Dec 4, 2010, 02:42:00 UTC (America/Los_Angeles)" in told
