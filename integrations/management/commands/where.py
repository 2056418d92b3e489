"""`manage.py where HR-T100123`: where an event is and why, for whoever cannot reach the screens."""

from argparse import ArgumentParser
from collections.abc import Iterator
from typing import Any

from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError

from integrations.models import Capture
from ledger import money
from ledger.admin.finding import events_called
from ledger.admin.happenings import Happening
from ledger.admin.posting_page import on_the_page
from ledger.journal.states import trace
from ledger.models import Posting
from ledger.moments import plain, zone_of_house

NOT_THERE = (
    "No event has this number or id. Only completed tickets are events, and one that was voided before it was read "
    "never becomes one. What was read from the tills so far:"
)


EVERYTHING = User(is_superuser=True)
"""Whoever runs commands on the machine may see everything; nobody by this name exists."""


class Command(BaseCommand):
    help = "Say where an event is and why: its state, what it waits for, and its whole story."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("number", help="its number (536365), its reference, or its id in the logs (HR-T100123)")

    def handle(self, *args: Any, **options: Any) -> None:
        typed = options["number"].strip()
        if not typed:
            raise CommandError("Name an event: its number or its id in the logs.")
        found = events_called(typed, reader=EVERYTHING)
        if not found:
            raise CommandError("\n".join([NOT_THERE, *_tills()]))
        exact = [posting for posting in found if typed.upper() in _names(posting)]
        if not exact:
            names = ", ".join(f"{trace(posting)} ({posting.number})" for posting in found)
            raise CommandError(f"No event has exactly this number or id. The first that begin so: {names}")
        for posting in exact:
            self.stdout.write("\n".join(_told(posting)))


def _names(posting: Posting) -> set[str]:
    return {posting.number.upper(), posting.event.external_id, trace(posting)}


def _tills() -> Iterator[str]:
    zone = zone_of_house()
    for capture in Capture.objects.select_related("connection__source"):
        read = plain(capture.last_run_at, zone) if capture.last_run_at else "never"
        yield f"  {capture.connection}: read {read}, up to what changed {plain(capture.live_since, zone)}."
        if capture.problem:
            yield f"      {capture.problem}"


def _told(posting: Posting) -> Iterator[str]:
    """The same that the event's page says to whoever may see everything."""
    page = on_the_page(posting, reader=EVERYTHING)
    amount = money.shown(posting.amount, currency=posting.book.currency) if posting.amount is not None else "no amount"
    yield f"{page['trace']}: {posting.number}, {amount}, {posting.event.store or 'no store'}, for {posting.book}"
    yield f"{posting.standing}. {page['next_step']}"
    for happening in page["story"]:
        yield from _happening(happening, at=plain(happening.at, page["zone"], seconds=True))


def _happening(happening: Happening, *, at: str) -> Iterator[str]:
    yield f"  {at}  {happening.mark} {happening.what}"
    for line in (*happening.lines, *happening.more, happening.said, *happening.ids):
        if line:
            yield f"      {line}"
