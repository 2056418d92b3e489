"""What a person can do about one event: Retry, set aside, Adopt."""

from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST

from integrations import alerts, connecting, tasks
from integrations.admin_forms import SetAsideForm
from integrations.admin_views.access import answer, page
from integrations.admin_views.words import counted
from integrations.models import Connection
from ledger import entries, money
from ledger.admin.base import page_context
from ledger.admin.posting_page import can_adopt
from ledger.admin.scoping import visible
from ledger.audit import Actor
from ledger.errors import DaybookError, Unreadable
from ledger.journal import delivery, orders
from ledger.models import Account, Book, Posting
from ledger.terms import Side, SyncState
from ledger.values import OutgoingLine, RemoteEntry


def posting_of(request: HttpRequest, posting_id: int) -> Posting:
    """The posting, if it is in one of this person's stores; 404 otherwise."""
    rows = visible(Posting.objects.select_related("book", "entry", "event__source"), to=request.user)
    posting = rows.filter(pk=posting_id).first()
    if posting is None:
        raise Http404("There is no such event, or it belongs to a store that is not yours.")
    return posting


def connection_of(book: Book) -> Connection:
    """The connection of a book; 404 for a book without one."""
    connection = Connection.objects.filter(book=book).first()
    if connection is None:
        raise Http404("This book has no connection.")
    return connection


def retry_all(failed: QuerySet[Posting], connection: Connection, *, actor: Actor) -> str:
    """Queue failed postings again; documents that could not be read are fetched anew."""
    unread: dict[int, list[int]] = {}
    for source, event in failed.filter(state=SyncState.ERROR, error_code=Unreadable.code).values_list(
        "event__source", "event"
    ):
        unread.setdefault(source, []).append(event)
    count = orders.retry(failed, actor=actor)
    for till in Connection.objects.filter(source__in=unread):
        tasks.wake_reread(till.pk, unread[till.source_id or 0])
    tasks.wake(connection.pk)
    return f"Queued again: {counted(count, 'event')}."


@require_POST
@page("ledger.retry_posting", store_managers=True)
def retry(request: HttpRequest, posting_id: int) -> HttpResponse:
    posting = posting_of(request, posting_id)
    mine = Posting.objects.filter(pk=posting.pk)
    answer(request, lambda: retry_all(mine, connection_of(posting.book), actor=request.user))
    return redirect(_back(request, posting))


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


@dataclass(frozen=True)
class Found:
    """An entry over there beside ours: what differs, in words, and its lines with account names."""

    remote: RemoteEntry
    link: str
    difference: str
    lines: list[dict[str, str]]


@page("ledger.adopt_posting", store_managers=True)
def adopt(request: HttpRequest, posting_id: int) -> HttpResponse:
    """Both entries side by side; a person says that the other one is this event's."""
    posting = posting_of(request, posting_id)
    if request.method == "POST" and answer(request, lambda: _adopt(request, posting)):
        return redirect(page_of(posting))
    context = page_context(request, title=f"Adopt an entry for {posting.number}", posting=posting)
    context |= _compared(posting)
    return render(request, "admin/integrations/adopt.html", context)


def _adopt(request: HttpRequest, posting: Posting) -> str:
    """What is adopted is looked up again: the page's word is only which of the found ones."""
    wanted = request.POST.get("remote_id", "")
    for remote, link in connecting.find_there(posting):
        if remote.remote_id == wanted:
            orders.adopt(posting, remote, link=link, actor=request.user)
            alerts.refresh(connection_of(posting.book))
            return f"Entry {remote.remote_id} is now the entry of {posting.number}."
    raise orders.Refused("That entry is not there any more. Look at the entries below, or press Retry.")


def _compared(posting: Posting) -> dict[str, Any]:
    if posting.entry is None or not can_adopt(posting):
        return {"problem": "There is nothing to adopt: this event is not waiting for that decision."}
    ours = delivery.outgoing([posting.entry])[posting.entry.reference]
    try:
        there = connecting.find_there(posting)
    except DaybookError as unreachable:
        return {"problem": unreachable.sentence}
    names = _account_names(posting.book, [ours.lines, *[remote.lines for remote, _ in there]])
    currency = posting.entry.currency
    found = [
        Found(remote, link, entries.difference(ours, remote), _lines(remote.lines, names, currency))
        for remote, link in there
    ]
    return {"ours": ours, "our_lines": _lines(ours.lines, names, currency), "found": found}


def _account_names(book: Book, lines: list[tuple[OutgoingLine, ...]]) -> dict[str, str]:
    ids = {line.account for side in lines for line in side}
    accounts = Account.objects.filter(book=book, external_id__in=ids)
    return {account.external_id: str(account) for account in accounts}


def _lines(lines: tuple[OutgoingLine, ...], names: dict[str, str], currency: str) -> list[dict[str, str]]:
    rows = []
    for line in lines:
        amount = money.shown(line.amount, currency=currency)
        debit, credit = (amount, "") if line.side is Side.DEBIT else ("", amount)
        rows.append({"account": names.get(line.account, line.account), "debit": debit, "credit": credit})
    return rows


def page_of(posting: Posting) -> str:
    return reverse("admin:ledger_posting_change", args=[posting.pk])


def _back(request: HttpRequest, posting: Posting) -> str:
    """Where the button was pressed, if that is a page of ours."""
    wanted = request.POST.get("next", "")
    ours = url_has_allowed_host_and_scheme(wanted, allowed_hosts={request.get_host()})
    return wanted if ours and wanted.startswith("/") else page_of(posting)
