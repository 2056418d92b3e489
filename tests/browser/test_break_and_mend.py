"""What breaks is seen as an alert, mended by who reads it, and the alert is gone; against the sandbox, in a browser."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from integrations.models import Connection
from ledger.clock import database_now
from ledger.models import Posting, Source
from ledger.terms import SyncState
from mappings.models import Mapping
from tests.browser.choosers import chooser
from tests.browser.test_admin_in_chromium import work
from tests.office import Office
from tests.sandbox_fixture import Sandbox
from tests.trade import item, new_id, paid, ticket

pytestmark = pytest.mark.django_db(transaction=True)

ALERTS = "/admin/integrations/alert/"
Worker = Callable[[SyncState], None]


@pytest.fixture
def sold_by_card(running: Connection, source: Source) -> Posting:
    """A sale of a minute ago, paid by Visa, in a book whose sync was started before it."""
    assert running.book is not None
    office = Office(source, running.book)
    at = database_now() + timedelta(seconds=1)
    sale = ticket(item("20.00"), paid("20.00", by="2"), external_id=new_id(), day=at.date(), at=at)
    office.record(sale)
    return office.posting(sale)


@pytest.fixture
def worker(running: Connection, sold_by_card: Posting, woken: list[tuple[Any, ...]]) -> Worker:
    """The worker's minutes until the sale stands so: what was woken, and the sweep over the book."""

    def until(state: SyncState) -> None:
        for _ in range(5):  # a sandbox that is slow to answer puts it off to a later minute
            work([*woken, ("integrations.tasks.work", running.pk)])
            woken.clear()
            sold_by_card.refresh_from_db()
            if sold_by_card.state == state:
                return
        raise AssertionError(f"It is {sold_by_card.state} and not {state}: {sold_by_card.error}")

    return until


def test_an_unmapped_tender_is_mapped_and_its_alert_is_gone(
    context: BrowserContext, worker: Worker, said: list[str]
) -> None:
    Mapping.objects.filter(role="tender", tender="2").delete()
    worker(SyncState.ERROR)
    page = context.new_page()
    page.goto(ALERTS)
    expect(page.get_by_role("row", name=re.compile("No payment account is mapped for tender 'Visa'"))).to_be_visible()
    page.get_by_role("link", name="Choose the account").first.click()
    choose(page, "Payment account", "Visa", account="Card Clearing:Visa and Mastercard")
    worker(SyncState.SYNCED)
    nothing_needs_a_person(page)
    assert said == []


def choose(page: Page, role: str, value: str, *, account: str) -> None:
    field = chooser(page, re.compile(f"^{role}.*{value}")).first
    field.fill(account)
    field.press("Enter")
    page.get_by_role("button", name=re.compile("^Save the mapping")).click()
    expect(page.get_by_text("Saved, 1 changed")).to_be_visible()


def test_a_closed_period_is_opened_retried_and_its_alert_is_gone(
    context: BrowserContext, sold_by_card: Posting, sandbox: Sandbox, worker: Worker, said: list[str]
) -> None:
    page = context.new_page()
    with sandbox.company(book_close_date=f"{sold_by_card.business_date}"):
        worker(SyncState.ERROR)
        page.goto(ALERTS)
        page.get_by_role("link", name=re.compile("closed period")).first.click()
    page.goto(f"/admin/ledger/posting/{sold_by_card.pk}/change/")
    page.get_by_role("button", name="Retry", exact=True).click()
    expect(page.get_by_role("button", name="Retry", exact=True)).to_have_count(0)
    worker(SyncState.SYNCED)
    nothing_needs_a_person(page)
    assert said == []


def nothing_needs_a_person(page: Page) -> None:
    page.goto(ALERTS)
    expect(page.get_by_role("row", name=re.compile("Visa|closed period"))).to_have_count(0)
