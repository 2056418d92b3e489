"""What recording knows of a source: its stores, and which books they feed. Read once for a page of documents."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from ledger.clock import database_now
from ledger.locks import locked
from ledger.models import Book, Feed, Source, Store
from ledger.values import EventHeader


@dataclass(frozen=True)
class Known:
    """A source as it stands in this transaction."""

    source: Source
    stores: dict[str, Store]
    feeds: list[tuple[Feed, frozenset[int]]]
    now: datetime

    def store(self, header: EventHeader) -> Store | None:
        return self.stores.get(header.store_external_id or "")

    def books_of(self, store: Store | None) -> Iterable[Book]:
        """The books that a store feeds; for an event whose store cannot be read, every book of the source."""
        for feed, chosen in self.feeds:
            if feed.all_stores or store is None or store.pk in chosen:
                yield feed.book


def look(source: Source) -> Known:
    """Read a source and lock its books, inside the caller's transaction."""
    # One page or one change of a feed at a time: an event recorded while its first book is added must not miss it.
    source = locked(Source.objects.all()).get(pk=source.pk)
    stores = {store.external_id: store for store in Store.objects.filter(source=source)}
    feeds = Feed.objects.filter(source=source).prefetch_related("stores")
    # The books are locked, so that Start Sync falls before or after this page and never into its middle.
    books = {b.pk: b for b in locked(Book.objects.filter(feeds__source=source)).order_by("pk")}
    pairs = []
    for feed in feeds:
        feed.book = books[feed.book_id]
        pairs.append((feed, frozenset(store.pk for store in feed.stores.all())))
    return Known(source, stores, pairs, database_now())
