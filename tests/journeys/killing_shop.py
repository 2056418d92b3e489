"""The installation of a kill run: connected, mapped and started by the project's own functions, and its orders."""

import csv
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from django.contrib.auth.models import User
from django.db.models import Count

from integrations import connecting, tasks
from integrations.models import Capture, Connection, Lease
from ledger.clock import database_now
from ledger.journal import orders
from ledger.models import Book, Feed, FinancialEvent, JournalEntry, Posting, Source
from ledger.terms import DeliveryState, SyncState
from mappings import coverage, files, loading
from tests.journeys.killing_plan import ENOUGH
from tests.sandbox_fixture import ROOT, Sandbox

FIRST_DAY = date(2010, 12, 1)
SHORT, LONG = date(2010, 12, 20), date(2011, 3, 1)
"""The last day of a short run and of a long one, which takes as many of the days as it needs."""

OPEN = (SyncState.NOT_SYNCED, SyncState.PROCESSING)

SOON = timedelta(seconds=1.5)


@dataclass
class Shop:
    """One till and one book; `ordered_to`: the last day that was ordered."""

    user: User
    book: Book
    till: Connection
    books: Connection
    last_day: date = SHORT
    ordered_to: date = FIRST_DAY - timedelta(days=1)

    def captured(self) -> bool:
        return Capture.objects.filter(connection=self.till, history_done=True).exists()

    def known(self) -> int:
        return FinancialEvent.objects.count()

    def waiting(self) -> int:
        """Events that were ordered and whose end is not known."""
        return Posting.objects.filter(book=self.book, state__in=OPEN).count()

    def order_days(self, *, until: Callable[[], bool]) -> None:
        """Order one captured day after the other, as Sync Past Events does, until that is enough or none is left."""
        while not until() and self.ordered_to < self.last_day:
            day = self.ordered_to + timedelta(days=1)
            orders.order_past(self.book, day, day, actor=self.user)
            self.ordered_to = day
            tasks.wake(self.books.pk)

    def ordered(self) -> int:
        return Posting.objects.filter(book=self.book).exclude(order=None).count()

    def posted(self) -> int:
        """Entries that are marked: by them the run tells its time."""
        return JournalEntry.objects.filter(book=self.book, state=DeliveryState.POSTED).count()

    def shorten_leases(self) -> None:
        """A dead worker's lease would keep the others out for half a minute; a live one renews its own in time."""
        soon = database_now() + SOON
        Lease.objects.filter(until__gt=soon).update(until=soon)

    def states(self) -> dict[str, int]:
        ordered = Posting.objects.filter(book=self.book).exclude(order=None)
        return dict(ordered.values_list("state").annotate(Count("pk")).order_by("state"))

    def remote_ids(self) -> dict[str, str]:
        """What we believe: the vendor's id of each entry by its reference."""
        posted = JournalEntry.objects.filter(book=self.book, state=DeliveryState.POSTED)
        return dict(posted.values_list("reference", "remote_id"))

    def trouble(self) -> list[str]:
        """What is not Synced at the end, in the words of its posting."""
        left = Posting.objects.filter(book=self.book).exclude(order=None).exclude(state=SyncState.SYNCED)
        return [f"{p} {p.state} {p.entry and p.entry.state}: {p.error} {p.error_detail}" for p in left[:10]]


def open_shop(sandbox: Sandbox, *, events: int) -> Shop:
    """From an empty database to Start Sync; the worker will capture the till when it starts."""
    last_day = SHORT if events <= ENOUGH else LONG
    user = User.objects.create(username="bookkeeper", is_staff=True, is_superuser=True)
    source = Source.objects.create(code="HR", name="Heartland Retail")
    book = Book.objects.create(name="Main Street Trading", uses_financials=True)
    Feed.objects.create(source=source, book=book)
    shop = Shop(
        user=user,
        book=book,
        till=Connection.objects.create(vendor="heartland_retail", source=source),
        books=Connection.objects.create(vendor="quickbooks", book=book),
        last_day=last_day,
    )
    _connect(shop, sandbox)
    _map(book, user)
    orders.start_sync(book, actor=user)
    return shop


def _connect(shop: Shop, sandbox: Sandbox) -> None:
    connecting.save_keys(shop.till, {"api_token": "sandbox-heartland-token"}, shop.user)
    connecting.test(shop.till, shop.user)
    keys = {"client_id": "sandbox-quickbooks-client", "client_secret": "sandbox-quickbooks-secret"}
    connecting.save_keys(shop.books, keys, shop.user)
    page = connecting.begin(shop.books, shop.user, "http://127.0.0.1:9/admin/callback")
    connecting.complete(sandbox.callback(page), shop.user)
    shop.books.refresh_from_db()
    Capture.objects.filter(connection=shop.till).update(history_until=_captured_to(shop.last_day))
    tasks.import_accounts(connecting.order_import(shop.books, shop.user).pk)


def _captured_to(last_day: date) -> datetime:
    """A day's sales are all there when those of the day after are."""
    return datetime.combine(last_day + timedelta(days=2), time(12), tzinfo=UTC)


def _map(book: Book, user: User) -> None:
    with (ROOT / "config" / "demo" / "mapping.csv").open(newline="") as file:
        rows = files.from_dicts(csv.DictReader(file))
    loading.apply(book, rows, actor=user)
    missing = [str(gap) for gap in coverage.missing(book)]
    if missing:
        raise RuntimeError(f"The demo's mapping does not cover the book: {missing}")
