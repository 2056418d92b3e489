"""What a person can do about one event: Retry, set aside, Adopt."""

from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST

from integrations import alerts, tasks
from integrations.admin_forms import SetAsideForm
from integrations.admin_views.access import answer, page
from integrations.admin_views.words import counted
from integrations.bulk_deeds import deed_of
from integrations.models import BulkDeed, Connection
from ledger.admin.scoping import visible
from ledger.audit import Actor
from ledger.errors import Refused, Unreadable
from ledger.journal import many, orders
from ledger.models import Book, Posting
from ledger.terms import SyncState


def posting_of(request: HttpRequest, posting_id: int) -> Posting:
    """The posting, if it is in one of this person's stores; 404 otherwise."""
    rows = visible(Posting.objects.select_related("book", "entry", "event__source"), to=request.user)
    posting = rows.filter(pk=posting_id).first()
    if posting is None:
        raise Http404
    return posting


def connection_of(book: Book) -> Connection:
    """The connection of a book; 404 for a book without one."""
    connection = Connection.objects.filter(book=book).first()
    if connection is None:
        raise Http404("This book has no connection.")
    return connection


def queue_again(failed: QuerySet[Posting], connection: Connection, *, actor: Actor) -> int:
    """Queue failed postings again; documents that could not be read are fetched anew. Returns how many."""
    unread: dict[int, list[int]] = {}
    for source, event in failed.filter(state=SyncState.ERROR, error_code=Unreadable.code).values_list(
        "event__source", "event"
    ):
        unread.setdefault(source, []).append(event)
    count = orders.retry(failed, actor=actor)
    for till in Connection.objects.filter(source__in=unread):
        tasks.wake_reread(till.pk, unread[till.source_id or 0])
    tasks.wake(connection.pk)
    return count


@require_POST
@page("ledger.retry_posting", store_managers=True)
def retry(request: HttpRequest, posting_id: int) -> HttpResponse:
    posting = posting_of(request, posting_id)
    answer(request, lambda: _retry(request, posting))
    return redirect(_back(request, posting))


def _retry(request: HttpRequest, posting: Posting) -> str:
    this = Posting.objects.filter(pk=posting.pk)
    mine = deed_of(BulkDeed.Kind.RETRY, request.user).touches(this, posting.book)
    if not mine.exists():
        failed = posting.state == SyncState.ERROR
        raise Refused("Your accountant has to act on this event first." if failed else many.IS_NOT_FAILED)
    count = queue_again(mine, connection_of(posting.book), actor=request.user)
    return f"Queued again: {counted(count, 'event')}."


@require_POST
@page("ledger.set_aside_posting", store_managers=True)
def set_aside(request: HttpRequest, posting_id: int) -> HttpResponse:
    posting = posting_of(request, posting_id)
    answer(request, lambda: _set_aside(request, posting))
    return redirect(page_of(posting))


def _set_aside(request: HttpRequest, posting: Posting) -> str:
    form = SetAsideForm(request.POST)
    reason = form.cleaned_data["reason"] if form.is_valid() else ""
    orders.set_aside(posting, reason, actor=request.user)
    alerts.refresh(connection_of(posting.book))
    tasks.wake_telling()
    return f"{posting.number} is set aside."


@require_POST
@page("ledger.set_aside_posting", store_managers=True)
def take_back(request: HttpRequest, posting_id: int) -> HttpResponse:
    posting = posting_of(request, posting_id)
    answer(request, lambda: _take_back(request, posting))
    return redirect(page_of(posting))


def _take_back(request: HttpRequest, posting: Posting) -> str:
    orders.take_back(posting, actor=request.user)
    tasks.wake(connection_of(posting.book).pk)
    return f"{posting.number} is no longer set aside."


def page_of(posting: Posting) -> str:
    return reverse("admin:ledger_posting_change", args=[posting.pk])


def _back(request: HttpRequest, posting: Posting) -> str:
    """Where the button was pressed, if that is a page of ours."""
    wanted = request.POST.get("next", "")
    ours = url_has_allowed_host_and_scheme(wanted, allowed_hosts={request.get_host()})
    return wanted if ours and wanted.startswith("/") else page_of(posting)
