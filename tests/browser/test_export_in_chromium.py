"""A file that takes a while to be made: its link says so until the download begins, in a real browser."""

from pathlib import Path
from time import sleep

import pytest
from playwright.sync_api import BrowserContext, Page, Route, expect

from integrations.models import Connection
from ledger.models import Posting
from ledger.terms import SyncState
from tests.admin.conftest import connection
from tests.office import Office
from tests.trade import sale

__all__ = ["connection"]  # a fixture

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def page(context: BrowserContext, office: Office, connection: Connection) -> Page:
    office.record(sale("20.00", external_id="1"))
    Posting.objects.update(state=SyncState.NOT_SYNCED)
    office.post()
    return context.new_page()


WATCH = """() => {
    window.told = new Set();
    const look = () => {
        const busy = document.querySelector("a[aria-busy=true]")?.textContent;
        const word = document.querySelector("a[aria-busy=true] + [role=status]")?.textContent;
        if (busy && word) window.told.add(`${busy}: ${word}`);
    };
    new MutationObserver(look).observe(document.body, { subtree: true, childList: true, attributes: true });
}"""
"""While a download is awaited the browser answers no question about its page, so the page writes down what it shows."""


@pytest.mark.parametrize("address", ["/admin/ledger/journalentry/", "/admin/integrations/connections/{}/events/"])
@pytest.mark.parametrize("form", ["CSV", "Excel (XLSX)"])
def test_a_link_says_that_its_file_is_prepared_until_the_download_begins(
    page: Page, connection: Connection, said: list[str], address: str, form: str
) -> None:
    def slowly(route: Route) -> None:
        sleep(0.5)
        route.continue_()

    page.route("**/*export*.csv*", slowly)
    page.route("**/*export*.xlsx*", slowly)
    page.goto(address.format(connection.pk))
    link = page.get_by_role("link", name=form, exact=True).first
    page.evaluate(WATCH)
    for _ in range(2):
        with page.expect_download() as download:
            link.click(no_wait_after=True)
        assert Path(download.value.path()).stat().st_size > 200
        expect(page.locator("a[aria-busy]")).to_have_count(0)
        expect(page.get_by_text("Preparing the file ...")).to_have_count(0)
        assert page.evaluate("() => [...window.told]") == [f"{form}: Preparing the file ..."]
        page.evaluate("() => window.told.clear()")
    assert said == []
