"""The path from an empty installation to Synced, clicked in a real browser; and the screens on a phone."""

from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from integrations import tasks
from integrations.models import Connection
from ledger.models import Book, Posting
from ledger.terms import SyncState
from mappings import loading
from tests.admin.conftest import connection as connection
from tests.browser.choosers import chooser
from tests.office import Office
from tests.sandbox_fixture import Sandbox
from tests.trade import sale, unreadable

pytestmark = pytest.mark.django_db(transaction=True)


def work(messages: list[tuple[Any, ...]]) -> None:
    """Do what the worker would do with the messages that lie in the queue."""
    while messages:
        name, *ids = messages.pop(0)
        getattr(tasks, str(name).rsplit(".", 1)[1])(*ids)


def test_from_an_empty_installation_to_synced(
    context: BrowserContext,
    sandbox: Sandbox,
    said: list[str],
    woken: list[tuple[Any, ...]],
    mapping_rows: list[loading.MappingRow],
) -> None:
    page = context.new_page()
    set_up_the_till(page)
    set_up_the_books(page)
    work(woken)
    feed_the_book(page)
    connect_in_a_window(page)
    import_accounts(page, woken)
    switch_on_and_map(page, mapping_rows)
    start_and_order(page)
    work(woken)
    see_the_result(page)
    assert said == []


def set_up_the_till(page: Page) -> None:
    page.goto("/admin/")
    page.locator(".db").get_by_role("link", name="Heartland Retail").click()
    page.get_by_role("button", name="Set up").click()
    page.get_by_label("API token").fill("sandbox-heartland-token")
    page.get_by_role("button", name="Save", exact=True).first.click()
    page.get_by_role("button", name="Test").click()
    expect(page.get_by_text("3 stores were found")).to_be_visible()


def set_up_the_books(page: Page) -> None:
    page.get_by_role("link", name="QuickBooks Online").first.click()
    page.get_by_label("Name of the book").fill("Main Street Trading")
    page.get_by_role("button", name="Set up").click()
    page.get_by_label("Client ID").fill("sandbox-quickbooks-client")
    page.get_by_label("Client secret").fill("sandbox-quickbooks-secret")
    page.get_by_role("button", name="Save", exact=True).click()


def feed_the_book(page: Page) -> None:
    page.get_by_role("link", name="Heartland Retail").first.click()
    page.get_by_label("All stores, also those that open later").check()
    page.locator("#feeds").get_by_role("button", name="Save").click()
    expect(page.get_by_text("known events joined")).to_be_visible()


def connect_in_a_window(page: Page) -> None:
    """The page behind the window shows the connection by itself."""
    page.get_by_role("link", name="QuickBooks Online").first.click()
    with page.expect_popup() as opened:
        page.get_by_role("button", name="Connect to QuickBooks").click()
    window = opened.value
    window.get_by_role("button", name="Accept").click()
    expect(window.get_by_text("You can close this window")).to_be_visible()
    window.close()
    expect(page.get_by_role("button", name="Connect again")).to_be_visible()


def import_accounts(page: Page, woken: list[tuple[Any, ...]]) -> None:
    page.get_by_role("button", name="Import Accounts").click()
    expect(page.get_by_text("Accounts are being imported")).to_be_visible()
    work(woken)
    expect(page.get_by_text("accounts were imported")).to_be_visible()


def switch_on_and_map(page: Page, rows: list[loading.MappingRow]) -> None:
    """One account is chosen by typing; the rest of the mapping is loaded as a template would."""
    page.get_by_role("link", name="Account Mapping").click()
    page.get_by_label("Use the financial system").check()
    page.get_by_role("button", name="Save switches").click()
    expect(page.get_by_text("no account yet")).to_be_visible()
    field = chooser(page, "Shipping income")
    field.fill("shipp")
    field.press("Enter")
    expect(field).to_have_value("Shipping Income")
    page.get_by_role("button", name="Save the mapping").click()
    expect(page.get_by_text("Saved, 1 changed")).to_be_visible()
    loading.apply(Book.objects.get(), rows, actor=None)


def start_and_order(page: Page) -> None:
    page.get_by_role("link", name="QuickBooks Online").first.click()
    page.get_by_role("button", name="Start Sync").click()
    page.get_by_label("Start date").fill("2010-12-01")
    page.get_by_label("End date").fill("2010-12-01")
    expect(page.locator("[data-figures]")).to_contain_text("Dec 1, 2010 to Dec 1, 2010")
    page.get_by_role("button", name="Sync", exact=True).click()
    expect(page.get_by_text("Ordered:")).to_be_visible()


def see_the_result(page: Page) -> None:
    """The page has reloaded itself; the run is over."""
    expect(page.locator("[data-run-words]")).to_contain_text("events are Synced")
    expect(page.locator("[data-count=not_synced]")).to_have_text("0")
    page.locator(".db-tabs").get_by_role("link", name="Financial Events").click()
    page.get_by_label("State").select_option("synced")
    page.get_by_role("button", name="Show").click()
    page.locator("tbody th a").first.click()
    for part in ("The document", "What it means", "Where it goes", "Posted as entry"):
        expect(page.get_by_text(part).first).to_be_visible()


@pytest.mark.parametrize("width", [400, 1280])
def test_no_screen_is_wider_than_its_window(
    context: BrowserContext, office: Office, connection: Connection, said: list[str], width: int
) -> None:
    page = context.new_page()
    page.set_viewport_size({"width": width, "height": 800})
    for address in screens(office, connection):
        page.goto(address, wait_until="networkidle")
        assert page.evaluate("document.documentElement.scrollWidth") <= width, address
    assert said == []


def screens(office: Office, connection: Connection) -> list[str]:
    """One address of each kind of page, with something to show."""
    office.record(sale("20.00", external_id="1"), unreadable("2", what="a long sentence " * 20))
    Posting.objects.filter(number="T1").update(state=SyncState.NOT_SYNCED)
    office.post()
    posting = Posting.objects.get(number="T1")
    book = office.book.pk
    return [
        "/admin/",
        "/admin/integrations/quickbooks/",
        "/admin/integrations/heartland-retail/",
        f"/admin/integrations/connections/{connection.pk}/events/",
        f"/admin/ledger/posting/{posting.pk}/change/",
        f"/admin/ledger/journalentry/{posting.entry_id}/change/",
        f"/admin/settings/financial/{book}/",
        f"/admin/settings/financial/{book}/configuration/",
        "/admin/integrations/alert/",
    ]
