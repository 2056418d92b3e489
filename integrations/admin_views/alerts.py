"""The list of alerts, the page of one, and its buttons: what is wrong, what to do about it, who has it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.db.models import Count, Max, Q, QuerySet, Sum
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_POST

from integrations import alerts, hearing, machines, remedies, wording
from integrations.admin_views.access import address_of, answer, page
from integrations.admin_views.alert_history import history
from integrations.admin_views.health import events_address
from integrations.alert_forms import AlertFilter
from integrations.bulk_deeds import deeds_on
from integrations.models import Alert
from integrations.seeing import affected, alerts_seen_by, may_mend, who_may_mend
from ledger.admin.scoping import Person, is_store_manager, may, may_for_all
from ledger.admin.upstairs import zone_of_reader
from ledger.clock import database_now
from ledger.errors import Refused
from ledger.models import Book, Posting
from ledger.moments import zone_of_house, zones_of_books
from ledger.terms import SyncState

ROWS = 50
HEARERS = "auth.view_user"
CHANGE = "integrations.change_alert"


@dataclass(frozen=True)
class Line:
    """One problem as one person sees it: what, where, since, how many, how much, and the way to its cure."""

    alert: Alert
    what: str
    place: str
    place_link: str
    link: str
    events: int
    events_link: str
    amount: Decimal
    currency: str
    cure: str
    cure_link: str

    @property
    def rest(self) -> str:
        """What the sentence says after its first part, which is the heading."""
        return self.what.partition(". ")[2]

    @property
    def is_error(self) -> bool:
        return self.alert.severity == Alert.Severity.ERROR


def lines(person: Person) -> list[Line]:
    """The open alerts for the first page, the gravest first. Empty for who may not view alerts."""
    if not may(person, hearing.VIEW):
        return []
    return [line(alert, person=person) for alert in in_order(alerts_seen_by(person).filter(closed_at=None), person)]


def in_order(rows: QuerySet[Alert], person: Person) -> list[Alert]:
    """Whoever mends connections reads of those first; then errors before warnings, and the oldest first."""
    mends = may_for_all(person, "integrations.change_connection")

    def gravity(alert: Alert) -> tuple[bool, bool, datetime]:
        concerns_connection = alert.connection_id is not None or alert.cause.startswith("auth_expired")
        return mends and not concerns_connection, alert.severity != Alert.Severity.ERROR, alert.first_seen_at

    return sorted(rows, key=gravity)


def line(alert: Alert, *, person: Person) -> Line:
    """An alert of `alerts_seen_by` in the words of this person."""
    place, limited = remedies.where(alert), is_store_manager(person)
    cure = remedies.remedy_of_a_store(place) if limited else remedies.remedy(place)
    events = int(getattr(alert, "own_events", 0) or 0)
    shows_cure = not alert.closed_at and may(person, CHANGE)
    shows_events = place.door is not None and place.book is not None and events and not alert.closed_at
    return Line(
        alert=alert,
        what=wording.title(alert, person=person),
        place=wording.place(alert),
        place_link=address_of(place.door) if place.door and may(person, "integrations.view_connection") else "",
        link=reverse("admin:integrations_alert_change", args=[alert.pk]),
        events=events,
        events_link=events_address(place.door, cause=alert.cause) if shows_events and place.door else "",
        amount=getattr(alert, "own_amount", None) or Decimal(0),
        currency=wording.currency(alert),
        cure=cure.cure if shows_cure else "",
        cure_link=cure.cure_link if shows_cure else "",
    )


# --- The list -------------------------------------------------------------------------------------


def list_context(request: HttpRequest) -> dict[str, Any]:
    """What the list shows, by the filters in its address."""
    person = request.user
    form = AlertFilter(request.GET, books=Book.objects.all(), limited=is_store_manager(person))
    found = _found(form, person)
    number = form.page
    shown = found[(number - 1) * ROWS : number * ROWS]
    return {
        "form": form,
        "lines": list(zip([line(one, person=person) for one in shown], zones_of(shown, person), strict=True)),
        "of": form.which,
        "tabs": [(name, label, form.address(open=name)) for name, label in AlertFilter.OPEN],
        "previous": form.address(page=number - 1) if number > 1 else "",
        "next": form.address(page=number + 1) if len(found) > number * ROWS else "",
        "well_since": _well_since(person) if not found else None,
        "silent_since": _silent_since(),
        "zone": zone_of_reader(person),
        "limited": is_store_manager(person),
        "acts": may(person, CHANGE),
        "may_see_everybody": may_for_all(person, HEARERS),
        **nobody_hears(person),
    }


def nobody_hears(person: Person) -> dict[str, Any]:
    """That no alert reaches anybody, and what is missing; for who may do something about it."""
    if not may_for_all(person, HEARERS) or hearing.someone_hears():
        return {}
    return {
        "nobody_hears": True,
        "mail_is_set": settings.EMAIL_CONFIGURED,
        "without_address": hearing.without_address(),
    }


def zones_of(alerts: Sequence[Alert], person: Person) -> list[tzinfo]:
    """In whose time each alert is told: of the book that it concerns, else of the house; a store's manager's own."""
    if is_store_manager(person):
        return [zone_of_reader(person)] * len(alerts)
    books = [alert.book or (alert.connection.book if alert.connection else None) for alert in alerts]
    known = zones_of_books(book for book in books if book)
    house = zone_of_house() if None in books else UTC
    return [known[book.pk] if book else house for book in books]


def filtered(form: AlertFilter, person: Person) -> QuerySet[Alert]:
    """The alerts that the filter leaves of those that this person sees."""
    rows = alerts_seen_by(person)
    if form.errors:
        return rows.none()
    if form.which != "all":
        rows = rows.filter(closed_at__isnull=form.which == "")
    if form.chosen.get("severity"):
        rows = rows.filter(severity=form.chosen["severity"])
    if book := form.chosen.get("book"):
        rows = rows.filter(Q(book=book) | Q(connection__book=book))
    if form.chosen.get("mine"):
        rows = rows.filter(assigned_to=person.pk)
    return rows


def _found(form: AlertFilter, person: Person) -> list[Alert]:
    rows = filtered(form, person)
    return in_order(rows, person) if form.which == "" else list(rows.order_by("-last_seen_at")[: form.page * ROWS + 1])


def _well_since(person: Person) -> datetime | None:
    """Since when nothing is wrong: the end of the last problem."""
    last: datetime | None = alerts_seen_by(person).aggregate(last=Max("closed_at"))["last"]
    return last


def _silent_since() -> datetime | None:
    """When the worker, which writes the alerts, gave its last sign, if that is too long ago to believe the list."""
    last = machines.last_sign()
    patience = timedelta(seconds=settings.HEARTBEAT_SECONDS)
    return last if last and last < database_now() - patience else None


# --- One alert ------------------------------------------------------------------------------------


def seen(request: HttpRequest, alert_id: int | str) -> Alert:
    """The alert, if this person sees it; 404 otherwise."""
    rows = alerts_seen_by(request.user)
    alert = rows.filter(pk=alert_id).first() if str(alert_id).isdecimal() else None
    if alert is None or not may(request.user, hearing.VIEW):
        raise Http404("There is no such alert, or it concerns stores that are not yours, or it is solved.")
    return alert


def page_of_one(request: HttpRequest, alert: Alert) -> dict[str, Any]:
    """Cause, what to do, the events behind it, its stores, its history."""
    person, place, limited = request.user, remedies.where(alert), is_store_manager(request.user)
    behind = affected(alert, person=person)
    postings = list(behind.select_related("store").order_by("business_date", "id")[:ROWS])
    return {
        "line": line(alert, person=person),
        "deeds": deeds_on(alert.cause, person) if behind.filter(state=SyncState.ERROR).exists() else [],
        "door": place.door,
        "remedy": remedies.remedy_of_a_store(place) if limited else remedies.remedy(place),
        "postings": postings,
        "by_store": list(_by_store(behind)),
        "history": [] if limited else history(alert),
        "may_act": may_mend(alert, person) and alert.closed_at is None,
        "may_assign": may_for_all(person, CHANGE) and alert.closed_at is None,
        "is_mine": alert.assigned_to_id == person.pk,
        "people": who_may_mend(alert) if may_for_all(person, CHANGE) else [],
        "limited": limited,
        "says_more": (not limited or remedies.is_a_stores(alert.cause)) and len({p.error for p in postings}) > 1,
        "zone": zones_of([alert], person)[0],
        "acts": may(person, CHANGE),
        "list": reverse("admin:integrations_alert_changelist"),
    }


def _by_store(behind: QuerySet[Posting]) -> Iterable[Any]:
    rows = behind.order_by().values("store__name").annotate(events=Count("pk"), amount=Sum("amount"))
    return rows.order_by("-events", "store__name")


# --- Buttons --------------------------------------------------------------------------------------


@require_POST
@page(CHANGE, store_managers=True)
def acknowledge(request: HttpRequest, alert_id: int) -> HttpResponse:
    alert = seen(request, alert_id)
    answer(request, lambda: _acknowledge(request, alert))
    return redirect("admin:integrations_alert_change", alert.pk)


def _acknowledge(request: HttpRequest, alert: Alert) -> str:
    if not may_mend(alert, request.user):
        raise Refused("Your accountant has to act on this; there is nothing to do for you.")
    alerts.acknowledge(alert, actor=_person(request))
    return "Acknowledged. It is told again only when it becomes worse."


@require_POST
@page(CHANGE)
def assign(request: HttpRequest, alert_id: int) -> HttpResponse:
    alert = seen(request, alert_id)
    answer(request, lambda: _assign(request, alert))
    return redirect("admin:integrations_alert_change", alert.pk)


def _assign(request: HttpRequest, alert: Alert) -> str:
    wanted = request.POST.get("to", "")
    if not wanted:
        if alert.assigned_to is None:
            raise Refused("Nobody has it.")
        alerts.assign(alert, to=None, actor=_person(request))
        return "Nobody has it now."
    to = who_may_mend(alert).filter(pk=wanted).first() if wanted.isdecimal() else None
    if to is None:
        raise Refused("Choose somebody of the list: a person who may act on this alert.")
    alerts.assign(alert, to=to, actor=_person(request))
    return "You have it now." if to == request.user else f"{to} has it now."


def _person(request: HttpRequest) -> User:
    if not isinstance(request.user, User):
        raise Http404
    return request.user
