"""Type-ahead search: events, entries and documents by number, exact or how it begins; accounts, stores, pages by words.

It stands in place of the search that comes with the admin, which keeps its results for five minutes, whatever has
become of the permissions since. Only indexed columns and short tables are asked, each for a handful of rows.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeVar
from urllib.parse import urlencode

from django.contrib import admin
from django.db.models import Model, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse

from ledger import money
from ledger.admin import upstairs
from ledger.admin.entries import state_of
from ledger.admin.scoping import Person, may, may_for_all, visible
from ledger.models import Account, Book, FinancialEvent, JournalEntry, Posting, Source, Store
from ledger.resources import is_adopted
from ledger.terms import EventKind
from ledger.trace import trace_of

Row = TypeVar("Row", bound=Model)

HIGHEST = "zzzzzzzz"
"""Sorts after every number that begins alike, in the order of bytes and in that of languages."""

BOOK_PAGES = (
    ("Account mapping", "mappings:configuration", "mappings.view_mapping"),
    ("Accounts", "mappings:accounts", "ledger.view_account"),
)
"""Pages that every book has, which no menu lists: what they are called, and who may open them."""

STATUS = "Status of the sync"

SHORTEST = 2
MOST = 6
"""So many of each kind: who needs more types more of the number."""

MOST_PAGES = 3 * MOST
"""Of the pages of books: each book has three."""


@dataclass(frozen=True)
class Found:
    """One line of the results, as unfold's palette shows it."""

    title: str
    description: str
    link: str
    icon: str


def search(request: HttpRequest) -> HttpResponse:
    """What the palette shows for what was typed so far."""
    typed = request.GET.get("s", "").strip()
    results = list(found(typed, reader=request.user, request=request)) if typed else []
    context = {"typed": typed, "results": results}
    return TemplateResponse(request, "unfold/helpers/command_results.html", context)


def found(typed: str, *, reader: Person, request: HttpRequest) -> Iterator[Found]:
    """Events first, then entries, accounts, stores, and pages of that name; each only for who may open it."""
    if len(typed) >= SHORTEST:
        yield from _events(typed, reader)
        yield from _entries(typed, reader)
        yield from _accounts(typed, reader)
        yield from _stores(typed, reader)
        yield from _pages_of_books(typed, reader)
    yield from _pages(typed, request)


def _events(typed: str, reader: Person) -> Iterator[Found]:
    if not may(reader, "ledger.view_posting"):
        return
    for posting in events_called(typed, reader=reader):
        said = [
            str(posting.get_kind_display()),
            posting.standing,
            f"{posting.business_date:%b %-d, %Y}" if posting.business_date else "",
            str(posting.store or ""),
            money.shown(posting.amount, currency=posting.book.currency) if posting.amount is not None else "",
            str(posting.book),
        ]
        link = reverse("admin:ledger_posting_change", args=[posting.pk])
        yield Found(posting.number, ", ".join(filter(None, said)), link, "receipt_long")


def events_called(typed: str, *, reader: Person) -> list[Posting]:
    """The first events whose number, id at the till or id in the logs begins so, each in each of its books."""
    rows = visible(Posting.objects.all(), to=reader).select_related("book", "store", "event__source", "event__store")
    by_number = [posting for said in sorted({typed, typed.upper()}) for posting in _begins(rows, "number", said)]
    # Two questions, each with its own index; one with an OR would read the table.
    of_document = rows.filter(event__in=_documents(typed, reader)).order_by("pk")[:MOST]
    return list({p.pk: p for p in (*of_document, *by_number)}.values())[:MOST]


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
    rows = visible(JournalEntry.objects.annotate(adopted=is_adopted()), to=reader)
    rows = rows.select_related("book").defer("sent_body", "memo")
    there = rows.filter(remote_id=typed).order_by("-id")[:MOST]
    for entry in list({e.pk: e for e in (*_begins(rows, "reference", typed.upper()), *there)}.values())[:MOST]:
        said = [
            "Journal entry",
            state_of(entry),
            f"entry {entry.remote_id} in the accounting system" if entry.remote_id else "",
            money.shown(entry.total, currency=entry.currency),
            str(entry.book),
        ]
        link = reverse("admin:ledger_journalentry_change", args=[entry.pk])
        yield Found(entry.reference, ", ".join(filter(None, said)), link, "menu_book")


def _accounts(typed: str, reader: Person) -> Iterator[Found]:
    """By number, by part of the name, or by the id over there: the chart of a book is a short table."""
    if not may_for_all(reader, "ledger.view_account"):
        return
    wanted = Q(number__istartswith=typed) | Q(external_id=typed) | Q(full_name__icontains=typed)
    rows = Account.objects.filter(wanted, deleted_at=None).select_related("book")
    for account in rows.order_by("number", "full_name", "pk")[:MOST]:
        link = f"{reverse('mappings:accounts', args=[account.book_id])}?{urlencode({'q': account.name})}"
        yield Found(str(account), f"Account, {account.get_type_display()}, {account.book}", link, "account_balance")


def _stores(typed: str, reader: Person) -> Iterator[Found]:
    """By part of the name: the store's page, or its events for who may see no more."""
    rows = visible(Store.objects.filter(name__icontains=typed), to=reader, store="pk").select_related("source")
    for store in rows.order_by("name", "pk")[:MOST]:
        if may_for_all(reader, "ledger.view_store"):
            link = reverse("admin:ledger_store_change", args=[store.pk])
            yield Found(store.name, f"Store, {store.source}", link, "storefront")
        elif may(reader, "ledger.view_posting"):
            link = f"{reverse('admin:ledger_posting_changelist')}?{urlencode({'store__id__exact': store.pk})}"
            yield Found(store.name, "Events of the store", link, "storefront")


def _pages_of_books(typed: str, reader: Person) -> Iterator[Found]:
    """By what the page is called, or by the name of the book."""
    books = Book.objects.order_by("pk")
    of_all = [(title, name) for title, name, permission in BOOK_PAGES if may_for_all(reader, permission)]
    found = [(book, title, reverse(name, args=[book.pk])) for book in books for title, name in of_all]
    wanted = [book for book in books if _is_called(typed, STATUS, book)]
    status = upstairs.pages_of_books(wanted, reader)
    found += [(book, STATUS, status[book.pk]) for book in wanted if book.pk in status]
    named = [(book, title, link) for book, title, link in found if _is_called(typed, title, book)]
    for book, title, link in sorted(named, key=lambda one: one[0].pk)[:MOST_PAGES]:
        yield Found(title, f"Page, {book}", link, "description")


def _is_called(typed: str, title: str, book: Book) -> bool:
    return typed.lower() in f"{title} {book}".lower()


def _pages(typed: str, request: HttpRequest) -> Iterator[Found]:
    """What the menu leads to, and the lists of the admin, by their name; each address once."""
    menu = [item for group in admin.site.get_sidebar_list(request) for item in group["items"]]  # type: ignore[attr-defined]
    pages = {str(item["link"]): str(item["title"]) for item in menu if item["has_permission"]}
    for app in admin.site.get_app_list(request):
        for model in app["models"]:
            pages.setdefault(str(model.get("admin_url") or ""), str(model["name"]))
    for link, title in pages.items():
        if link and typed.lower() in title.lower():
            yield Found(title, "Page", link, "description")


def _begins(rows: QuerySet[Row], column: str, typed: str) -> QuerySet[Row]:
    """The rows whose column begins like this, as a range: the plain index serves that on both engines."""
    return rows.filter(_range(column, typed)).order_by(column, "pk")[:MOST]


def _range(column: str, typed: str) -> Q:
    return Q(**{f"{column}__gte": typed, f"{column}__lt": f"{typed}{HIGHEST}", f"{column}__startswith": typed})
