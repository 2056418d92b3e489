"""A bookkeeper's work over both running vendors: a day of real sales, an outage in the middle, and the comparison."""

import time
from collections.abc import Iterator
from datetime import date
from decimal import Decimal

import pytest
from django.contrib.auth.models import User

from integrations import alerts, connecting, pipeline, tasks
from integrations.models import Alert, Capture, Connection
from ledger.journal import orders
from ledger.models import Discrepancy, FinancialEvent, JournalEntry, Posting
from ledger.terms import SyncState
from tests.sandbox_fixture import Sandbox, running_sandbox

FIRST_DAY = date(2010, 12, 1)


@pytest.fixture
def _sandbox() -> Iterator[Sandbox]:
    """A shop of its own: the comparison counts everything that stands in the books."""
    with running_sandbox() as sandbox:
        yield sandbox


@pytest.fixture
def captured(till: Connection) -> int:
    """The first pages of December; how many tickets they hold on the first day."""
    Capture.objects.filter(connection=till).update(history_done=False)
    until = time.monotonic() + 60

    def enough() -> None:
        if FinancialEvent.objects.filter(business_date__gt=FIRST_DAY).exists():
            raise TimeoutError

    with pytest.raises(TimeoutError):
        pipeline.capture(till, until=until, keep=enough)
    return FinancialEvent.objects.filter(business_date=FIRST_DAY).count()


def work(running: Connection, *, rounds: int = 30) -> None:
    for _ in range(rounds):
        if not pipeline.book(running) and not pipeline.post(running):
            return


def test_a_day_of_real_sales_stands_in_the_books_to_the_cent(
    sandbox: Sandbox, captured: int, running: Connection
) -> None:
    book = running.book
    assert book is not None and captured > 100
    order = orders.order_past(book, FIRST_DAY, FIRST_DAY, actor=None)
    assert order.events == captured
    work(running)
    day = Posting.objects.filter(book=book, business_date=FIRST_DAY)
    assert set(day.values_list("state", flat=True)) == {SyncState.SYNCED}
    run = pipeline.reconcile(running, first=FIRST_DAY, last=FIRST_DAY)
    assert not Discrepancy.objects.filter(run=run).exists()
    journal = sandbox.control("quickbooks/journal")
    ours = JournalEntry.objects.filter(book=book, posting_date=FIRST_DAY)
    assert run.entries_ours == run.entries_theirs == ours.count() == journal["count"]
    assert journal["doubled"] == {}
    there = sum(Decimal(str(line["amount"])) for entry in journal["entries"] for line in entry["lines"])
    assert there == 2 * sum((entry.total for entry in ours), Decimal(0))


def test_an_outage_loses_nothing_and_is_told_once(
    sandbox: Sandbox, captured: int, running: Connection, admin_user: User
) -> None:
    """QuickBooks is disconnected in the middle of the day; a person connects it again, and the rest goes on."""
    book = running.book
    assert book is not None
    orders.order_past(book, FIRST_DAY, FIRST_DAY, actor=None)
    pipeline.book(running)
    pipeline.post(running)
    sandbox.control("quickbooks/revoke", {})
    work(running)
    alerts.refresh(running)
    waiting = Posting.objects.filter(book=book, state=SyncState.NOT_SYNCED).count()
    assert waiting > 50
    assert [alert.cause for alert in Alert.objects.filter(closed_at=None)] == ["auth_expired"]
    address = connecting.begin(running, admin_user, "http://127.0.0.1:9/admin/callback")
    connecting.complete(sandbox.callback(address), admin_user)
    tasks.work(running.pk)
    assert not Alert.objects.filter(closed_at=None, connection=running).exists()
    states = Posting.objects.filter(book=book, business_date=FIRST_DAY).values_list("state", flat=True)
    assert set(states) == {SyncState.SYNCED}
    assert sandbox.control("quickbooks/journal")["doubled"] == {}
