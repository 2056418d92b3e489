"""The first page in a real browser: it follows what happens, fits a phone, and complains of nothing."""

from datetime import timedelta

import pytest
from playwright.sync_api import BrowserContext, expect

from integrations import alerts
from integrations.models import Connection
from ledger.clock import database_now
from ledger.journal import figures
from ledger.models import Book, Posting, Store
from ledger.terms import SyncState
from tests.office import Office
from tests.trade import item, paid, sale, ticket

pytestmark = pytest.mark.django_db(transaction=True)
LONG = "The Holding Company of the Extraordinarily Long-Named Sisters and Brothers of Massachusetts, Incorporated"


@pytest.fixture
def connected(office: Office) -> Connection:
    """The book of the office, connected, with a sale of yesterday."""
    Store.objects.update(time_zone="UTC")
    yesterday = database_now().date() - timedelta(days=1)
    office.record(sale("20.00", day=yesterday, at=database_now()))
    figures.refresh(office.book)
    return Connection.objects.create(vendor="quickbooks", book=office.book, state=Connection.State.CONNECTED)


def test_the_figures_follow_without_a_reload(
    context: BrowserContext, office: Office, connected: Connection, said: list[str]
) -> None:
    page = context.new_page()
    page.goto("/admin/")
    page.evaluate("window.here = true")
    expect(page.locator(".ov-money tbody tr").first).to_contain_text("Not Synced")
    office.post()
    figures.refresh(office.book)
    expect(page.locator(".ov-money tbody tr").first).to_contain_text("✓ all of")
    stuck = ticket(item("70.00"), paid("70.00", by="99"), at=database_now())
    office.record(stuck)
    office.enter()
    alerts.refresh(connected)
    expect(page.locator(".ov-causes")).to_contain_text("70.00 USD")
    assert page.evaluate("window.here") and said == []


@pytest.mark.parametrize("width", [390, 1440])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_bad_day_fits_its_window(
    context: BrowserContext, office: Office, connected: Connection, said: list[str], width: int, scheme: str
) -> None:
    """Long names, many causes, every state on one day."""
    Book.objects.update(name=LONG)
    Store.objects.update(name=LONG)
    today = database_now().date()
    office.record(*(sale(f"{n}000000.00", day=today, at=database_now()) for n in range(1, 30)))
    for n, posting in enumerate(Posting.objects.filter(state=SyncState.NOT_SYNCED)[:25]):
        said_long = f"Number {n}: {LONG} has{'no' * 60} account."
        states = (SyncState.ERROR, SyncState.PROCESSING)
        Posting.objects.filter(pk=posting.pk).update(state=states[n % 2], error=said_long, cause=f"rejected:{n}")
    figures.refresh(office.book)
    alerts.refresh(connected)
    page = context.new_page()
    page.set_viewport_size({"width": width, "height": 900})
    page.goto("/admin/", wait_until="networkidle")
    if scheme == "dark":
        page.evaluate("document.documentElement.classList.add('dark')")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    expect(page.get_by_role("img", name="Events by business date")).to_be_visible()
    expect(page.get_by_text("more in Alerts")).to_be_visible()
    assert said == []
