"""The line of each book on the first page: how it stands, since when, whose turn it is, and its figures."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo
from functools import partial
from urllib.parse import urlencode

from django.urls import reverse

from config.overview.causes import Cause, held_up, since
from config.overview.chart import Chart, chart
from config.overview.differing import Differing, differing
from config.overview.money import Address, MoneyRow, Part, Rest, day_rows, money_rows, rests
from config.overview.sums import DAYS, Status, Sums, Tally
from integrations import vendors
from integrations.admin_views import diagnosis, health, progress
from integrations.admin_views.access import address_of
from integrations.admin_views.health import Health, Mapped
from integrations.admin_views.standing import read_up_to
from integrations.admin_views.words import counted
from integrations.models import Connection
from ledger.admin.scoping import Person, may
from ledger.models import Book, Posting
from ledger.terms import SyncState

RECENT = 60
"""Days that are still counted; of what is older only the date is told."""


@dataclass(frozen=True)
class Waiting:
    """The oldest event that belongs in the books and is not there."""

    posting: Posting
    label: str
    age: str
    link: str


@dataclass(frozen=True)
class Red:
    """What the causes say of one book: what they hold up, and since when, told in `zone`; and its signs of life."""

    held_up: Tally | None
    since: datetime | None
    zone: tzinfo
    signs: diagnosis.Signs


@dataclass(frozen=True)
class Told:
    """For who is called because something is red: whose turn it is, and that nothing is lost."""

    held_up_by: str
    safe: str


@dataclass(frozen=True)
class BookLine:
    """One book: its health in words, its events by status, its money, its last 30 days. Times are told in `zone`."""

    connection: Connection
    book: Book
    vendor: str
    link: str
    health: Health
    zone: tzinfo
    held_up: Tally | None
    since: datetime | None
    told: Told | None
    read_up_to: str
    counts: tuple[Part, ...]
    aside: Part | None
    unfed: Part | None
    has_more_aside: bool
    differing: Tally | None
    differing_is_all: bool
    adopted_link: str
    mapped: Mapped
    mapping_link: str
    oldest: Waiting | None
    money: list[MoneyRow]
    rests: list[Rest]
    days: list[MoneyRow]
    chart: Chart

    @property
    def has_events(self) -> bool:
        return any(part.tally.events for part in self.counts)


def book_lines(
    connections: Sequence[Connection],
    tills: Sequence[Connection],
    sums: Sums,
    found: Sequence[Cause],
    zones: Mapping[int, tzinfo],
    person: Person,
) -> list[BookLine]:
    """A line for each connection that has a book."""
    held, begun, seen = held_up(found), since(found), diagnosis.worker_seen()
    books = [(connection, connection.book) for connection in connections if connection.book]
    others = differing([book for _, book in books], person=person)
    lines = []
    for connection, book in books:
        signs = diagnosis.Signs(seen, [till for till in tills if _feeds(till, book)])
        red = Red(held.get(book.pk), begun.get(book.pk), zones[book.pk], signs)
        lines.append(_line(connection, book, sums, red, others, person))
    return lines


def _feeds(till: Connection, book: Book) -> bool:
    return till.source is not None and any(feed.book_id == book.pk for feed in till.source.feeds.all())


def _line(connection: Connection, book: Book, sums: Sums, red: Red, others: Differing, person: Person) -> BookLine:
    address = address_in(connection)
    days = [sums.today.last - timedelta(days=number) for number in range(DAYS)]
    stands = health.health(connection, person=person)
    return BookLine(
        connection=connection,
        book=book,
        vendor=vendors.VENDORS[connection.vendor].label,
        link=address_of(connection) if may(person, "integrations.view_connection") else address(),
        health=stands,
        zone=red.zone,
        held_up=red.held_up,
        since=red.since,
        told=None if stands.is_good else _told_of(connection, book, sums, red),
        read_up_to="" if stands.is_good else read_up_to(book, zone=red.zone),
        counts=_counts(book, sums, address),
        aside=_aside(sums.aside.by_people(book.pk), address),
        unfed=_aside(sums.aside.unfed.get(book.pk, Tally()), address),
        has_more_aside=book.pk in sums.aside.more,
        differing=others.books.get(book.pk),
        differing_is_all=others.is_all,
        adopted_link=address(state="adopted"),
        mapped=health.mapped(book),
        mapping_link=reverse("mappings:configuration", args=[book.pk]),
        oldest=_oldest(book, sums),
        money=money_rows(book, sums, address=address),
        rests=rests(book, sums, address=address),
        days=day_rows(book, sums, days, address=address),
        chart=chart(days, sums.days.get(book.pk, {})),
    )


def _told_of(connection: Connection, book: Book, sums: Sums, red: Red) -> Told | None:
    """Nothing of a book that was never started: what to do there stands in its set-up."""
    if book.sync_started_at is None:
        return None
    known = sums.in_all.get(book.pk, {})
    waiting = known.get(Status.NOT_SYNCED, 0) + known.get(Status.PROCESSING, 0)
    failed = known.get(Status.ERROR, 0)
    backlog = progress.of_backlog(connection, book)
    by = diagnosis.held_up_by(connection, backlog, red.signs, failed=failed, zone=red.zone)
    return Told(by, diagnosis.safe(waiting, failed))


def address_in(connection: Connection) -> Address:
    """Of the list of its events; its own address is looked up once, for hundreds of figures."""
    return partial(_events, health.events_address(connection))


def _events(every: str, **chosen: str) -> str:
    """The list of events with a filter set."""
    return f"{every}?{urlencode(chosen)}" if chosen else every


def _counts(book: Book, sums: Sums, address: Address) -> tuple[Part, ...]:
    """Every status that there is, Synced last; what was set aside has a line of its own, with its money."""
    known = sums.in_all.get(book.pk, {})
    return tuple(
        Part(status, Tally(events=known[status]), address(state=status.value))
        for status in Status
        if known.get(status) and status is not Status.SET_ASIDE
    )


def _aside(tally: Tally, address: Address) -> Part | None:
    return Part(Status.SET_ASIDE, tally, address(state=Status.SET_ASIDE.value)) if tally.events else None


def _oldest(book: Book, sums: Sums) -> Waiting | None:
    posting = sums.oldest.get(book.pk)
    if posting is None or posting.business_date is None:
        return None
    link = reverse("admin:ledger_posting_change", args=[posting.pk])
    return Waiting(posting, SyncState(posting.state).label, _age(posting.business_date, sums), link)


def _age(day: date, sums: Sums) -> str:
    """The date, and how long ago that is while people still count the days."""
    days = (sums.today.day - day).days
    if sums.today.is_real and days <= 0:
        return "of today"
    age = f", {counted(days, 'day')} old" if sums.today.is_real and days < RECENT else ""
    return f"of {day:%b %-d, %Y}{age}"
