"""The first page put together, as far as somebody may see it, and the short answer to "has it changed?"."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import partial
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import reverse
from django.views.decorators.http import require_GET

from config.overview.causes import causes, first_of, held_up
from config.overview.chart import Chart, chart
from config.overview.money import OPEN, Address, MoneyRow, Part, day_rows, money_rows
from config.overview.path import CONFIGURE, Path, path
from config.overview.sums import DAYS, Sums, Tally, read, taken_at
from integrations import vendors
from integrations.admin_views import health
from integrations.admin_views.access import address_of
from integrations.admin_views.health import Health, Mapped
from integrations.admin_views.standing import read_up_to, till_problem
from integrations.models import Alert, Connection
from integrations.seeing import alerts_seen_by
from ledger.admin.scoping import Person, is_store_manager, may, may_for_all
from ledger.clock import database_now
from ledger.models import Book, DayFigure, FiguresTaken, Posting
from ledger.terms import SyncState

FRESH = timedelta(minutes=5)
"""Figures are taken each minute; older ones mean that no worker runs."""


@dataclass(frozen=True)
class Waiting:
    """The oldest event that belongs in the books and is not there."""

    posting: Posting
    label: str
    age: str
    link: str


@dataclass(frozen=True)
class BookLine:
    """One book: its health in words, its events by state, its money, its last 30 days."""

    connection: Connection
    book: Book
    vendor: str
    link: str
    health: Health
    held_up: Tally | None
    read_up_to: str
    counts: tuple[Part, ...]
    mapped: Mapped | None
    mapping_link: str
    oldest: Waiting | None
    money: list[MoneyRow]
    days: list[MoneyRow]
    chart: Chart

    @property
    def has_events(self) -> bool:
        return any(part.tally.events for part in self.counts)


def first_page(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """Everything on the first page; a manager of some stores reads of these alone, and nothing of the company's."""
    person = request.user
    context["title"] = "Overview"
    if not _sees_books(person):
        return context
    connections, tills = _books(), _tills()
    books = [c.book for c in connections if c.book]
    sums = read(books, person=person)
    mapped = {} if is_store_manager(person) else {book.pk: health.mapped(book) for book in books}
    found = causes(connections, tills, person=person)
    held = held_up(found)
    lines = [_line(c, c.book, sums, mapped.get(c.book.pk), held.get(c.book.pk), person) for c in connections if c.book]
    context |= {"lines": lines, "causes": first_of(found), "sums": sums}
    context |= {"stamp": _stamp(connections, person), "taken": _taken(books), "states": _legend(lines)}
    context |= {"several": len(lines) > 1, "limited": is_store_manager(person)}
    if may_for_all(person, "integrations.view_connection"):
        context |= _of_the_company(lines, connections, tills, mapped, person)
    return context


def _sees_books(person: Person) -> bool:
    return may(person, "integrations.view_connection") or may(person, "ledger.view_posting")


def _books() -> list[Connection]:
    return list(vendors.books_connections().select_related("book").order_by("pk"))


def _tills() -> list[Connection]:
    return list(vendors.till_connections().select_related("source", "capture").order_by("pk"))


def _of_the_company(
    lines: Sequence[BookLine],
    connections: Sequence[Connection],
    tills: Sequence[Connection],
    mapped: dict[int, Mapped],
    person: Person,
) -> dict[str, Any]:
    """Tills and set-up: nothing for a manager of some stores."""
    synced = {line.book.pk: sum(p.tally.events for p in line.counts if p.state is SyncState.SYNCED) for line in lines}
    found = [
        path(c, tills, synced=synced.get(c.book_id or 0, 0), mapped=mapped.get(c.book_id or 0), person=person)
        for c in connections
    ]
    first: list[Path | None] = [] if connections else [path(None, tills, synced=0, mapped=None, person=person)]
    return {
        "paths": [one for one in (*first, *found) if one],
        "tills": [{"till": till, "link": address_of(till), "problem": till_problem(till)} for till in tills],
        "may_set_up": may_for_all(person, CONFIGURE),
    }


def _line(
    connection: Connection,
    book: Book,
    sums: Sums,
    mapped: Mapped | None,
    held: Tally | None,
    person: Person,
) -> BookLine:
    address = partial(_events, health.events_address(connection))
    days = [sums.today.day - timedelta(days=number) for number in range(DAYS)]
    if not sums.today.is_real:
        days = [day - timedelta(days=1) for day in days]
    return BookLine(
        connection=connection,
        book=book,
        vendor=vendors.VENDORS[connection.vendor].label,
        link=address_of(connection) if may(person, "integrations.view_connection") else address(),
        health=health.health(connection, person=person),
        held_up=held,
        read_up_to=read_up_to(book),
        counts=_counts(book, sums, address),
        mapped=mapped,
        mapping_link=reverse("mappings:configuration", args=[book.pk]),
        oldest=_oldest(book, sums),
        money=money_rows(book, sums, address=address),
        days=day_rows(book, sums, days, address=address),
        chart=chart(days, sums.days.get(book.pk, {})),
    )


def _events(every: str, **chosen: str) -> str:
    """The list of events with a filter set; its own address is looked up once, for hundreds of figures."""
    return f"{every}?{urlencode(chosen)}" if chosen else every


def _counts(book: Book, sums: Sums, address: Address) -> tuple[Part, ...]:
    """Every state that there is, Synced last."""
    known = sums.in_all.get(book.pk, {})
    return tuple(
        Part(state, Tally(events=known[state]), address(state=state.value))
        for state in (*OPEN, SyncState.SYNCED)
        if known.get(state)
    )


def _oldest(book: Book, sums: Sums) -> Waiting | None:
    posting = sums.oldest.get(book.pk)
    if posting is None or posting.business_date is None:
        return None
    link = reverse("admin:ledger_posting_change", args=[posting.pk])
    return Waiting(posting, SyncState(posting.state).label, _age(posting.business_date, sums), link)


def _age(day: date, sums: Sums) -> str:
    days = (sums.today.day - day).days if sums.today.is_real else 0
    if not sums.today.is_real:
        return f"of {day:%b %-d, %Y}"
    if days <= 0:
        return "of today"
    return "1 day old" if days == 1 else f"{days:,} days old"


def _legend(lines: Sequence[BookLine]) -> list[SyncState]:
    """The states that any of the drawings shows."""
    shown = {state for line in lines for state in line.chart.states}
    return [state for state in (*OPEN, SyncState.SYNCED) if state in shown]


def _taken(books: Sequence[Book]) -> dict[str, Any]:
    """Since when the figures of all books are known, in words."""
    at = taken_at(books)
    if at is None:
        return {"words": "The figures are being taken for the first time", "is_old": False}
    is_old = at < database_now() - FRESH
    words = f"Figures as of {at:%b %-d, %H:%M} UTC"
    return {"words": f"{words}: see whether the worker runs" if is_old else words, "is_old": is_old}


@require_GET
def overview_json(request: HttpRequest) -> HttpResponse:
    """What an open first page asks for every few seconds: a few rows, and the open alerts."""
    if not _sees_books(request.user):
        return JsonResponse({"stamp": "", "detail": ""})
    connections = _books()
    words = _taken([c.book for c in connections if c.book])["words"]
    return JsonResponse({"stamp": _stamp(connections, request.user), "detail": words})


def _stamp(connections: Sequence[Connection], person: Person) -> str:
    """Changes when the page would look different. Figures that are summed again get new keys."""
    latest = DayFigure.objects.order_by("-pk").values_list("pk", flat=True).first()
    alerts = alerts_seen_by(person).filter(closed_at=None).order_by("pk")
    open_now = [_told(alert) for alert in alerts] if may(person, "integrations.view_alert") else []
    state = [
        (c.state, c.problem, c.book and (c.book.syncing, c.book.uses_financials, str(c.book.closed_through)))
        for c in connections
    ]
    old = FiguresTaken.objects.filter(at__lt=database_now() - FRESH).exists()
    return hashlib.sha256(repr([latest, open_now, state, old]).encode()).hexdigest()[:16]


def _told(alert: Alert) -> list[str]:
    shown = (alert.pk, alert.sentence, alert.events, alert.amount, alert.acknowledged_at, alert.assigned_to_id)
    return [str(one) for one in shown]
