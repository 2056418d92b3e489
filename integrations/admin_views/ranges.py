"""A range of past events in words: what an order would take, or why it would take nothing."""

from datetime import date

from django.db.models import Count, Q

from integrations.admin_views.words import counted
from ledger import money
from ledger.journal import orders
from ledger.models import Book, Posting
from ledger.terms import SyncState


def in_words(book: Book, first: date, last: date) -> str:
    """The number of events and the money in them."""
    found = orders.past_range(book, first, last)
    if not found.events:
        return nothing_to_order(book, first, last)
    amount = money.shown(found.amount, currency=book.currency)
    unread = Posting.objects.filter(book=book, state=SyncState.ERROR, business_date=None).count()
    more = f" {counted(unread, 'document')} without a readable date not counted." if unread else ""
    return f"{counted(found.events, 'event')}, {amount}, {_range(first, last)}{'.' if more else ''}{more}"


def nothing_to_order(book: Book, first: date, last: date) -> str:
    """Why a range holds nothing to send; empty when it does."""
    if orders.past_range(book, first, last).events:
        return ""
    there = Posting.objects.filter(book=book, business_date__range=(first, last))
    aside = Count("pk", filter=~Q(set_aside_reason=""))
    known = there.aggregate(all=Count("pk"), aside=aside, synced=Count("pk", filter=Q(state=SyncState.SYNCED)))
    if not known["all"]:
        return f"Nothing to send: no event is known of {_range(first, last)}."
    set_aside = f", {known['aside']:,} set aside" if known["aside"] else ""
    return (
        f"Nothing to send: all {counted(known['all'], 'event')} of {_range(first, last)} were ordered already "
        f"({known['synced']:,} Synced{set_aside})."
    )


def _range(first: date, last: date) -> str:
    return f"{first:%b %-d, %Y} to {last:%b %-d, %Y}"
