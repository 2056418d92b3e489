"""The first page put together, as far as somebody may see it, and the short answer to "has it changed?"."""

import hashlib
from collections.abc import Sequence
from datetime import timedelta, tzinfo
from typing import Any

from django.db.models import prefetch_related_objects
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_GET

from config.overview import stores
from config.overview.books import BookLine, address_in, book_lines
from config.overview.causes import Cause, causes, first_of
from config.overview.path import Path, path
from config.overview.sums import Status, Sums, read, taken_at
from integrations import vendors
from integrations.admin_views.access import address_of
from integrations.admin_views.standing import till_problem, zone_of_connection
from integrations.models import Alert, Connection
from integrations.seeing import alerts_seen_by
from ledger.admin.scoping import Person, is_store_manager, may, may_for_all
from ledger.admin.upstairs import zone_of_reader
from ledger.clock import database_now
from ledger.journal import figures
from ledger.models import Book, DayFigure, FiguresTaken
from ledger.moments import plain, zones_of_books

FRESH = timedelta(minutes=5)
"""Figures are taken each minute; older ones mean that no worker runs."""


def first_page(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """Everything on the first page; a manager of some stores reads of these alone, and nothing of the company's."""
    person = request.user
    context["title"] = "Overview"
    if not _sees_books(person):
        return context
    connections, tills = _books(), _tills()
    books = [c.book for c in connections if c.book]
    prefetch_related_objects(books, "feeds")
    # So that a person's own deed is seen at once, and all figures are of one moment.
    figures.catch_up(books)
    sums = read(books, person=person)
    found = causes(connections, tills, person=person)
    zone = zone_of_reader(person)
    context |= {"sums": sums, "several": len(books) > 1}
    context |= {"stamp": _stamp(connections, person), "taken": _taken(books, zone)}
    if is_store_manager(person):
        return context | _of_stores(connections, sums, found, person)
    zones = zones_of_books(books)
    lines = book_lines(connections, tills, sums, found, zones, person)
    context |= {"lines": lines, "states": _legend(lines), "causes": first_of(found, zones, zone)}
    if may_for_all(person, "integrations.view_connection"):
        context |= _of_the_company(lines, connections, tills, person)
    return context


def _of_stores(connections: Sequence[Connection], sums: Sums, found: Sequence[Cause], person: Person) -> dict[str, Any]:
    """Of the own stores alone, and in their words."""
    zone = zone_of_reader(person)
    books = [c.book for c in connections if c.book]
    failed = stores.failed(books, person=person)
    lines = [stores.line(c.book, sums, found, failed, address=address_in(c), zone=zone) for c in connections if c.book]
    own = stores.own(found, failed, lines, is_behind=figures.is_behind(books), person=person)
    return {"own": own, "lines": lines, "causes": first_of(found, {}, zone)}


def _sees_books(person: Person) -> bool:
    return may(person, "integrations.view_connection") or may(person, "ledger.view_posting")


def _books() -> list[Connection]:
    return list(vendors.books_connections().select_related("book").order_by("pk"))


def _tills() -> list[Connection]:
    return list(
        vendors.till_connections().select_related("source", "capture").prefetch_related("source__feeds").order_by("pk")
    )


def _of_the_company(
    lines: Sequence[BookLine],
    connections: Sequence[Connection],
    tills: Sequence[Connection],
    person: Person,
) -> dict[str, Any]:
    """Tills and set-up: nothing for a manager of some stores."""
    synced = {line.book.pk: sum(p.tally.events for p in line.counts if p.status is Status.SYNCED) for line in lines}
    mapped = {line.book.pk: line.mapped for line in lines}
    found = [
        path(c, tills, synced=synced.get(c.book_id or 0, 0), mapped=mapped.get(c.book_id or 0), person=person)
        for c in connections
    ]
    first: list[Path | None] = [] if connections else [path(None, tills, synced=0, mapped=None, person=person)]
    return {
        "paths": [one for one in (*first, *found) if one],
        "tills": [_till(till) for till in tills],
    }


def _till(till: Connection) -> dict[str, Any]:
    return {
        "till": till,
        "link": address_of(till),
        "problem": till_problem(till),
        "zone": zone_of_connection(till),
    }


def _legend(lines: Sequence[BookLine]) -> list[Status]:
    """The statuses that any of the drawings shows."""
    shown = {status for line in lines for status in line.chart.states}
    return [status for status in Status if status in shown]


def _taken(books: Sequence[Book], zone: tzinfo) -> dict[str, Any]:
    """Since when the figures of all books are known, in words."""
    at = taken_at(books)
    if at is None:
        return {"words": "The figures are being taken for the first time", "is_old": False}
    is_old = at < database_now() - FRESH
    words = f"Figures as of {plain(at, zone)}"
    words += ", being brought up to date" if figures.is_behind(books) else ""
    return {"words": f"{words}: see whether the worker runs" if is_old else words, "is_old": is_old}


@require_GET
def overview_json(request: HttpRequest) -> HttpResponse:
    """What an open first page asks for every few seconds: a few rows, and the open alerts."""
    if not _sees_books(request.user):
        return JsonResponse({"stamp": "", "detail": ""})
    connections = _books()
    words = _taken([c.book for c in connections if c.book], zone_of_reader(request.user))["words"]
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
