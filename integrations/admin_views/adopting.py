"""Adopt: a person compares an entry that stands in the books already with ours, and takes it as the event's."""

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from integrations import alerts, connecting, tasks
from integrations.admin_forms import AdoptForm
from integrations.admin_views.access import answer, page
from integrations.admin_views.postings import connection_of, page_of, posting_of
from integrations.comparing import Row, debits_of, differences_of, rows_of
from ledger import entries, money
from ledger.admin.base import page_context
from ledger.admin.posting_page import can_adopt
from ledger.errors import DaybookError, Refused
from ledger.journal import delivery, orders
from ledger.models import Account, Posting
from ledger.values import OutgoingEntry, RemoteEntry


@dataclass(frozen=True)
class Found:
    """An entry over there beside ours. `differences` in words; it bears our mark or it does not."""

    remote: RemoteEntry
    link: str
    rows: list[Row]
    differences: list[str]
    total: str
    is_marked: bool


@page("ledger.adopt_posting", store_managers=True)
def adopt(request: HttpRequest, posting_id: int) -> HttpResponse:
    """Both entries side by side; a person says that the other one is this event's."""
    posting = posting_of(request, posting_id)
    if request.method == "POST" and answer(request, lambda: _adopt(request, posting)):
        return redirect(page_of(posting))
    context = page_context(request, title=f"Adopt an entry for {posting.number}", posting=posting)
    context |= _compared(posting)
    context |= {name: request.POST.get(name, "") for name in ("reason", "remote_id")}
    return render(request, "admin/integrations/adopt.html", context)


def _adopt(request: HttpRequest, posting: Posting) -> str:
    """What is adopted is looked up and compared again: the page's word is only which of the found ones."""
    form = AdoptForm(request.POST)
    form.is_valid()
    ours = _ours(posting)
    for remote, link in connecting.find_there(posting):
        if remote.remote_id == form.cleaned_data.get("remote_id"):
            _take(request, posting, ours, remote, link=link, form=form)
            return f"Adopted: entry {remote.remote_id} stands for {posting.number}. Nothing was sent."
    raise Refused("That entry is not there any more. Look at the entries below, or press Retry.")


def _take(
    request: HttpRequest, posting: Posting, ours: OutgoingEntry, remote: RemoteEntry, *, link: str, form: AdoptForm
) -> None:
    differences = differences_of(ours, remote)
    if differences and not form.says_why:
        raise Refused(
            f"Entry {remote.remote_id} differs from this event. Say that you have compared them, and why it is "
            "this event's all the same. Nothing was adopted."
        )
    reason = form.cleaned_data.get("reason", "") if differences else ""
    orders.adopt(posting, remote, link=link, actor=request.user, reason=reason)
    alerts.refresh(connection_of(posting.book))
    tasks.wake_telling()


def _ours(posting: Posting) -> OutgoingEntry:
    if posting.entry is None or not can_adopt(posting):
        raise Refused("There is nothing to adopt: this event is not waiting for that decision.")
    return delivery.outgoing([posting.entry])[posting.entry.reference]


def _compared(posting: Posting) -> dict[str, Any]:
    try:
        ours, there = _ours(posting), connecting.find_there(posting)
    except DaybookError as problem:
        return {"problem": problem.sentence}
    names = _account_names(posting, [ours, *[remote for remote, _ in there]])
    found = [_found(ours, remote, link=link, names=names) for remote, link in there]
    return {"ours": ours, "our_total": money.shown(debits_of(ours.lines), currency=ours.currency), "found": found}


def _found(ours: OutgoingEntry, remote: RemoteEntry, *, link: str, names: dict[str, str]) -> Found:
    return Found(
        remote=remote,
        link=link,
        rows=rows_of(ours, remote, names=names),
        differences=differences_of(ours, remote),
        total=money.shown(debits_of(remote.lines), currency=ours.currency),
        is_marked=entries.is_ours(remote),
    )


def _account_names(posting: Posting, sides: list[OutgoingEntry | RemoteEntry]) -> dict[str, str]:
    ids = {line.account for side in sides for line in side.lines}
    accounts = Account.objects.filter(book=posting.book, external_id__in=ids)
    return {account.external_id: str(account) for account in accounts}
