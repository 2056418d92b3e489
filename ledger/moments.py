"""Moments as their reader lives them: in the store's own time, with the other time on hover.

What concerns a book, or the whole house, and no one store is told in the zone in which most of its stores live, so that
one instant reads the same on every page.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.db.models import Count
from django.utils.html import format_html
from django.utils.safestring import SafeString

from ledger.models import Book, Feed, Store


def zone_of(store: Store | None) -> tzinfo:
    """The time of a store; UTC where there is no store, or where the till named a zone that nobody knows."""
    return UTC if store is None else _named(store.time_zone)


def zone_of_book(book: Book) -> tzinfo:
    """The time in which most stores that feed the book live; of the whole house where none does. Three queries."""
    return zones_of_books([book])[book.pk]


def zones_of_books(books: Iterable[Book]) -> dict[int, tzinfo]:
    """The same for several books, by their id, in no more queries."""
    ids = {book.pk for book in books}
    every = Feed.objects.filter(book__in=ids, all_stores=True, source__stores__active=True).order_by()
    some = Feed.objects.filter(book__in=ids, all_stores=False, stores__active=True).order_by()
    counted: dict[int, Counter[str]] = defaultdict(Counter)
    for feeds, path in ((every, "source__stores"), (some, "stores")):
        for book, zone, stores in feeds.values_list("book", f"{path}__time_zone").annotate(n=Count(path)):
            counted[book][zone] += stores
    house = zone_of_house() if ids - counted.keys() else UTC
    return {pk: _named(min(counted[pk], key=_most_first(counted[pk]))) if pk in counted else house for pk in ids}


def _most_first(counted: Counter[str]) -> Callable[[str], tuple[int, str]]:
    return lambda zone: (-counted[zone], zone)


def zone_of_house() -> tzinfo:
    """The time in which most stores live; UTC while none is known. One query."""
    by_number = Store.objects.filter(active=True).order_by().values("time_zone").annotate(n=Count("pk"))
    found = by_number.order_by("-n", "time_zone").values_list("time_zone", flat=True).first()
    return UTC if found is None else _named(found)


def _named(zone: str) -> tzinfo:
    try:
        return ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError):
        return UTC


def shown(moment: datetime | None, zone: tzinfo, *, seconds: bool = False) -> SafeString | str:
    """Such as "Dec 3, 2010, 18:42 PST", and in UTC on hover."""
    if moment is None:
        return "-"
    universal = moment.astimezone(UTC)
    return format_html(
        '<time datetime="{}" title="{}">{}</time>',
        universal.isoformat(timespec="seconds"),
        f"{universal:%b %-d, %Y, %H:%M:%S} UTC ({zone})",
        plain(moment, zone, seconds=seconds),
    )


def plain(moment: datetime, zone: tzinfo, *, seconds: bool = False) -> str:
    """The same for a sentence, which has no hover."""
    local, clock = moment.astimezone(zone), "%H:%M:%S" if seconds else "%H:%M"
    return f"{local:%b %-d, %Y}, {local:{clock}} {local:%Z}"
