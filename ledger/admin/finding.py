"""Type-ahead search by number, over events, entries, documents and accounts: exact, or how the number begins.

It stands in place of the search that comes with the admin, which keeps its results for five minutes, whatever has
become of the permissions since. Only indexed columns are asked, and each of them for a handful of rows.
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeVar
from urllib.parse import urlencode

from django.contrib import admin
from django.core.paginator import Paginator
from django.db.models import Model, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse

from ledger import money
from ledger.admin.scoping import Person, may, may_for_all, visible
from ledger.models import Account, FinancialEvent, JournalEntry, Posting, Source
from ledger.terms import DeliveryState, EventKind, SyncState
from ledger.trace import trace_of

Row = TypeVar("Row", bound=Model)

HIGHEST = "zzzzzzzz"
"""Sorts after every number that begins alike, in the order of bytes and in that of languages."""

SHORTEST = 2
MOST = 6
"""So many of each kind: who needs more types more of the number."""


@dataclass(frozen=True)
class Found:
    """One line of the results, as unfold's palette shows it."""

    title: str
    description: str
    link: str
    icon: str


def search(request: HttpRequest) -> HttpResponse:
    """What the palette shows for what was typed so far."""
    began = time.monotonic()
    typed = request.GET.get("s", "").strip()
    if not typed:
        return HttpResponse()
    pages = Paginator(list(found(typed, reader=request.user, request=request)), per_page=100)
    context = {
        "page_obj": pages,
        "results": pages.get_page(request.GET.get("page")),
        "page_counter": 0,
        "execution_time": time.monotonic() - began,
        "command_show_history": False,
    }
    template = "command_results" if "extended" in request.GET else "search_results"
    return TemplateResponse(request, f"unfold/helpers/{template}.html", context, headers={"HX-Trigger": "search"})


def found(typed: str, *, reader: Person, request: HttpRequest) -> Iterator[Found]:
    """Events first, then entries, accounts, and pages of that name; each only for who may open it."""
    if len(typed) >= SHORTEST:
        yield from _events(typed, reader)
        yield from _entries(typed, reader)
        yield from _accounts(typed, reader)
    yield from _pages(typed, request)


def _events(typed: str, reader: Person) -> Iterator[Found]:
    if not may(reader, "ledger.view_posting"):
        return
    rows = visible(Posting.objects.all(), to=reader).select_related("book", "store")
    by_number = _begins(rows, "number", typed)
    # Two questions, each with its own index; one with an OR would read the table.
    of_document = rows.filter(event__in=_documents(typed, reader)).order_by("pk")[:MOST]
    for posting in list({p.pk: p for p in (*of_document, *by_number)}.values())[:MOST]:
        said = [
            str(posting.get_kind_display()),
            SyncState(posting.state).label,
            f"{posting.business_date:%b %-d, %Y}" if posting.business_date else "",
            str(posting.store or ""),
            money.shown(posting.amount, currency=posting.book.currency) if posting.amount is not None else "",
            str(posting.book),
        ]
        link = reverse("admin:ledger_posting_change", args=[posting.pk])
        yield Found(posting.number, ", ".join(filter(None, said)), link, "receipt_long")


def _documents(typed: str, reader: Person) -> list[int]:
    """Documents whose id at the till begins so, alone or within the id that stands in the logs. In no order."""
    wanted = Q(pk__in=[])
    for source in Source.objects.all():
        wanted |= Q(_range("external_id", typed), source=source, kind__in=list(EventKind))
        for kind in EventKind:
            head = trace_of(source.code, kind, "")
            if typed.upper().startswith(head) and typed[len(head) :]:
                wanted |= Q(_range("external_id", typed[len(head) :]), source=source, kind=kind)
    events = visible(FinancialEvent.objects.filter(wanted), to=reader)
    return list(events.order_by().values_list("pk", flat=True)[:MOST])


def _entries(typed: str, reader: Person) -> Iterator[Found]:
    if not may(reader, "ledger.view_journalentry"):
        return
    rows = visible(JournalEntry.objects.all(), to=reader).select_related("book").defer("sent_body", "memo")
    there = rows.filter(remote_id=typed).order_by("-id")[:MOST]
    for entry in list({e.pk: e for e in (*_begins(rows, "reference", typed.upper()), *there)}.values())[:MOST]:
        said = [
            "Journal entry",
            DeliveryState(entry.state).value.capitalize(),
            f"entry {entry.remote_id} there" if entry.remote_id else "",
            money.shown(entry.total, currency=entry.currency),
            str(entry.book),
        ]
        link = reverse("admin:ledger_journalentry_change", args=[entry.pk])
        yield Found(entry.reference, ", ".join(filter(None, said)), link, "menu_book")


def _accounts(typed: str, reader: Person) -> Iterator[Found]:
    """By number or by the id over there: the chart of a book is a short table."""
    if not may_for_all(reader, "ledger.view_account"):
        return
    rows = Account.objects.filter(deleted_at=None).select_related("book")
    for account in rows.filter(Q(number__startswith=typed) | Q(external_id=typed)).order_by("number", "pk")[:MOST]:
        link = f"{reverse('mappings:accounts', args=[account.book_id])}?{urlencode({'q': account.name})}"
        yield Found(str(account), f"Account, {account.get_type_display()}, {account.book}", link, "account_balance")


def _pages(typed: str, request: HttpRequest) -> Iterator[Found]:
    """Lists of the admin by their name."""
    for app in admin.site.get_app_list(request):
        for model in app["models"]:
            if typed.lower() in str(model["name"]).lower() and model.get("admin_url"):
                yield Found(str(model["name"]), "Page", str(model["admin_url"]), "list")


def _begins(rows: QuerySet[Row], column: str, typed: str) -> QuerySet[Row]:
    """The rows whose column begins like this, as a range: the plain index serves that on both engines."""
    return rows.filter(_range(column, typed)).order_by(column, "pk")[:MOST]


def _range(column: str, typed: str) -> Q:
    return Q(**{f"{column}__gte": typed, f"{column}__lt": f"{typed}{HIGHEST}", f"{column}__startswith": typed})
