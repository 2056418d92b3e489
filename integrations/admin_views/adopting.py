"""Adopt: a person compares an entry that stands in the books already with ours, and takes it as the event's."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from integrations import alerts, connecting
from integrations.admin_forms import AdoptForm
from integrations.admin_views.access import answer, page
from integrations.admin_views.postings import connection_of, page_of, posting_of
from integrations.admin_views.words import counted
from ledger import entries, money
from ledger.admin.base import page_context
from ledger.admin.posting_page import can_adopt
from ledger.errors import DaybookError, Refused
from ledger.journal import delivery, orders
from ledger.models import Account, Posting
from ledger.terms import Side
from ledger.values import OutgoingEntry, OutgoingLine, RemoteEntry


@dataclass(frozen=True)
class Row:
    """One account on one side: what our entry says and what the other one says."""

    account: str
    side: str
    ours: str
    theirs: str
    differs: bool


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


def differences_of(ours: OutgoingEntry, remote: RemoteEntry) -> list[str]:
    """What an entry found there says otherwise than ours, in words and amounts; empty when they say the same."""
    said = []
    if remote.posting_date != ours.posting_date:
        said.append(
            f"It bears the date {remote.posting_date:%b %-d, %Y}; this event's is {ours.posting_date:%b %-d, %Y}."
        )
    there, here = debits_of(remote.lines), debits_of(ours.lines)
    if there != here:
        amounts = [money.shown(amount, currency=ours.currency) for amount in (there, here, abs(there - here))]
        which = "more" if there > here else "less"
        said.append(f"It comes to {amounts[0]}; this event's entry to {amounts[1]}, so it is {amounts[2]} {which}.")
    different = sum(row.differs for row in rows_of(ours, remote, names={}))
    if different:
        said.append(f"It books {counted(different, 'line')} otherwise.")
    return said


def rows_of(ours: OutgoingEntry, remote: RemoteEntry, *, names: dict[str, str]) -> list[Row]:
    """Every account that one of the two touches, ours first."""
    here, there = entries.sums_by_account(ours.lines), entries.sums_by_account(remote.lines)

    def shown(amount: Decimal | None) -> str:
        return "-" if amount is None else money.shown(amount, currency=ours.currency)

    def row(account: str, side: Side) -> Row:
        mine, theirs = here.get((account, side)), there.get((account, side))
        return Row(names.get(account, account), side.value.capitalize(), shown(mine), shown(theirs), mine != theirs)

    return [row(account, side) for account, side in {**here, **there}]


def debits_of(lines: tuple[OutgoingLine, ...]) -> Decimal:
    """What an entry comes to."""
    return sum((line.amount for line in lines if line.side is Side.DEBIT), Decimal(0))


def _account_names(posting: Posting, sides: list[OutgoingEntry | RemoteEntry]) -> dict[str, str]:
    ids = {line.account for side in sides for line in side.lines}
    accounts = Account.objects.filter(book=posting.book, external_id__in=ids)
    return {account.external_id: str(account) for account in accounts}
