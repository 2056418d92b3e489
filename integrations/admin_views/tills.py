"""Integrations > a till: its address and keys, the stores found, the last capture, and which stores feed which book."""

from dataclasses import dataclass, field
from typing import Any

from django.db import transaction
from django.db.models import Count, Max, Min, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST

from integrations import alerts, tasks, vendors
from integrations.admin_forms import DayStartForm, FeedForm, KeysForm, LimitsForm, NewSourceForm
from integrations.admin_views.access import address_of, deed, page
from integrations.admin_views.books import book_of, chosen, connecting_is_possible, created
from integrations.admin_views.health import events_address
from integrations.admin_views.standing import till_problem, zone_of_connection
from integrations.admin_views.words import counted
from integrations.models import Capture, Connection
from ledger.admin.base import page_context
from ledger.admin.scoping import may_for_all
from ledger.audit import note
from ledger.errors import Flaw, Unreadable
from ledger.journal import feeds, orders
from ledger.locks import locked
from ledger.models import Book, Feed, Posting, Source, Store
from ledger.terms import SyncState


@dataclass(frozen=True)
class Unread:
    """Documents of a till that cannot be booked, for one cause: what they say, and by book how many and where."""

    said: str
    books: list[tuple[Book, int, str]] = field(default_factory=list)


def till(request: HttpRequest, vendor: str) -> HttpResponse:
    """The page of one till; without one, the form that creates it."""
    mine = vendors.till_connections().filter(vendor=vendor).select_related("source", "connected_by").order_by("pk")
    connection = chosen(request, list(mine))
    title = vendors.VENDORS[vendor].label
    if connection is None or connection.source is None:
        context = page_context(request, title=title, form=NewSourceForm(), vendor=vendor)
        return render(request, "admin/integrations/new_source.html", context)
    stores = list(connection.source.stores.order_by("name"))
    days = DayStartForm(stores)
    failed = _failed(connection.source)
    context = page_context(request, title=title, connection=connection, others=list(mine), stores=stores)
    context |= {
        "keys": KeysForm(connection),
        "limits": LimitsForm(connection),
        "has_keys": connecting_is_possible(connection),
        "store_days": [(store, days[f"store-{store.pk}"]) for store in stores],
        "problem": till_problem(connection) if connection.state != Connection.State.UNCONNECTED else "",
        "unread": _unread(failed),
        "documents": failed.values("event").distinct().count(),
        "token_life": vendors.VENDORS[vendor].token_life,
        "zone": zone_of_connection(connection),
        "capture": Capture.objects.filter(connection=connection).first(),
        "events": connection.source.events.order_by()[:10_001].count(),
        "feeds": [_feed_form(book, connection.source) for book in Book.objects.all()],
        "may_configure": may_for_all(request.user, "integrations.change_connection"),
        "may_change_stores": may_for_all(request.user, "ledger.change_store"),
        "may_change_feeds": may_for_all(request.user, "ledger.change_feed"),
    }
    return render(request, "admin/integrations/till.html", context)


def _failed(source: Source) -> QuerySet[Posting]:
    """What the books that a till feeds cannot take of it: documents that cannot be read, or contradict themselves."""
    fed = Book.objects.filter(feeds__source=source)
    rows = Posting.objects.filter(book__in=fed, state=SyncState.ERROR, cause__startswith=Unreadable.code)
    return rows.filter(event__source=source).exclude(cause=Flaw.ANSWER.cause).order_by()


def _unread(failed: QuerySet[Posting]) -> list[Unread]:
    """One for each cause."""
    causes = failed.values("cause").annotate(
        documents=Count("event", distinct=True), first=Min("error"), last=Max("error")
    )
    found = {
        row["cause"]: Unread(alerts.about(row["first"], row["last"], row["documents"]))
        for row in causes.order_by("cause")
    }
    doors = {door.book_id: door for door in vendors.books_connections()}
    for row in failed.values("book", "cause").annotate(events=Count("pk")).order_by("book"):
        if (door := doors.get(row["book"])) and row["cause"] in found:
            address = events_address(door, cause=row["cause"])
            found[row["cause"]].books.append((book_of(door), row["events"], address))
    return list(found.values())


def _feed_form(book: Book, source: Source) -> dict[str, Any]:
    feed = Feed.objects.filter(book=book, source=source).first()
    which, some = FeedForm.NONE, []
    if feed:
        which = FeedForm.ALL if feed.all_stores else FeedForm.SOME
        some = list(feed.stores.values_list("pk", flat=True))
    initial = {"which": which, "stores": some}
    return {"book": book, "form": FeedForm(stores=source.stores.all(), initial=initial, prefix=f"book-{book.pk}")}


@require_POST
@page("integrations.change_connection")
def new_source(request: HttpRequest, vendor: str) -> HttpResponse:
    """Create a source and its connection; nothing is contacted yet."""
    form = NewSourceForm(request.POST)
    if form.is_valid() and Source.objects.filter(code=form.cleaned_data["code"]).exists():
        form.add_error("code", "Another till has this code already.")
    if not form.is_valid():
        context = page_context(request, title=vendors.VENDORS[vendor].label, form=form, vendor=vendor)
        return render(request, "admin/integrations/new_source.html", context, status=422)
    with transaction.atomic():
        source = Source.objects.create(**form.cleaned_data)
        connection = created(request, Connection(vendor=vendor, source=source), subject=source)
    return redirect(address_of(connection))


@deed("ledger.change_store")
def save_days(request: HttpRequest, connection: Connection) -> str:
    """Move the beginning of stores' business days; documents captured from now on are dated by it."""
    with transaction.atomic():
        stores = list(locked(Store.objects.filter(source=connection.source)).order_by("name"))
        before = {store.pk: store.day_start for store in stores}
        form = DayStartForm(stores, request.POST)
        if not form.is_valid():
            raise orders.Refused("A day start is a time of day, such as 04:00. Nothing was changed.")
        moved = form.changed()
        Store.objects.bulk_update(moved, ["day_start"])
        for store in moved:
            was = {"day_start": f"{before[store.pk]:%H:%M}"}
            note(request.user, "changed a store", store, before=was, after={"day_start": f"{store.day_start:%H:%M}"})
    return (
        f"Changed: {counted(len(moved), 'store')}. Sales that are read from now on are dated by it, earlier ones only "
        "when they are read again because something in them changed."
    )


@deed("ledger.change_feed")
def save_feed(request: HttpRequest, connection: Connection) -> str:
    """Which stores of this till feed one book. Known events join a new book as Never Synced."""
    book = get_object_or_404(Book, pk=request.POST.get("book", "0"))
    source = connection.source
    if source is None:
        raise orders.Refused("This connection serves no till.")
    form = FeedForm(stores=source.stores.all(), data=request.POST, prefix=f"book-{book.pk}")
    if not form.is_valid():
        raise orders.Refused(" ".join(str(e) for errors in form.errors.values() for e in errors))
    with transaction.atomic():
        _feed(request, book, source, form.cleaned_data)
    followed = feeds.follow(book, source)
    for books in Connection.objects.filter(book=book):
        tasks.wake(books.pk)
    return f"Saved. {_moved(book, followed)}"


def _moved(book: Book, followed: feeds.Followed) -> str:
    if not book.feeds.exists():
        return f"No store feeds {book} any more; {counted(followed.left, 'unsent event')} set aside there."
    joined = f"{counted(followed.joined, 'known event')} joined {book}."
    if not followed.left:
        return joined
    return f"{joined} {counted(followed.left, 'event')} of stores that do not feed it were set aside there, unsent."


def _feed(request: HttpRequest, book: Book, source: Source, chosen: dict[str, Any]) -> None:
    """Write the feed."""
    feed = Feed.objects.filter(book=book, source=source).first()
    before = _in_words(feed)
    if chosen["which"] == FeedForm.NONE:
        if feed:
            note(request.user, "ended a feed", feed, before=before)
            feed.delete()
        return
    feed = feed or Feed(book=book, source=source)
    feed.all_stores = chosen["which"] == FeedForm.ALL
    feed.save()
    feed.stores.set([] if feed.all_stores else chosen["stores"])
    note(request.user, "changed a feed", feed, before=before, after=_in_words(feed))


def _in_words(feed: Feed | None) -> dict[str, Any]:
    if feed is None:
        return {"stores": "none"}
    return {"stores": "all" if feed.all_stores else [store.name for store in feed.stores.all()]}
