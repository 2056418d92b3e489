"""The main way without a mouse: each stop of the Tab key is on something to be seen, and nothing is out of reach."""

import re

import pytest
from playwright.sync_api import BrowserContext, Locator, Page, expect

from integrations.models import Connection
from ledger.models import Posting
from ledger.terms import SyncState
from mappings.models import Mapping
from tests.admin.conftest import connection as connection
from tests.browser.choosers import chooser
from tests.office import Office
from tests.trade import sale

pytestmark = pytest.mark.django_db(transaction=True)

WHERE = """() => {
    const here = document.activeElement;
    const box = here.getBoundingClientRect();
    return { tag: here.tagName, seen: box.width > 0 && box.height > 0, html: here.outerHTML.slice(0, 120) };
}"""


def tab_to(page: Page, wanted: Locator, *, stops: int = 120) -> None:
    """Press Tab until the wanted element has the focus; at each stop there must be something to see."""
    for _ in range(stops):
        page.keyboard.press("Tab")
        here = page.evaluate(WHERE)
        assert here["tag"] != "BODY", "The focus was lost."
        assert here["seen"], f"The focus is on what cannot be seen: {here['html']}"
        if wanted.evaluate("one => one === document.activeElement"):
            return
    raise AssertionError(f"{wanted} was not reached within {stops} stops of the Tab key.")


def press(page: Page, wanted: Locator, key: str = "Enter") -> None:
    tab_to(page, wanted)
    page.keyboard.press(key)


def test_the_first_stop_leads_past_the_menu(context: BrowserContext, office: Office, connection: Connection) -> None:
    page = context.new_page()
    page.goto("/admin/")
    press(page, page.get_by_role("link", name="Skip to the content"))
    expect(page.locator("#main-content")).to_be_focused()
    page.keyboard.press("Tab")
    assert page.evaluate("document.querySelector('#main-content').contains(document.activeElement)")


def test_where_the_keyboard_is_can_be_seen(context: BrowserContext, office: Office) -> None:
    page = context.new_page()
    page.goto("/admin/")
    link = page.get_by_role("navigation", name="Main menu").get_by_role("link", name="Alerts")
    tab_to(page, link)
    outline = link.evaluate("one => getComputedStyle(one).outlineWidth + ' ' + getComputedStyle(one).outlineStyle")
    assert outline == "3px solid"


def test_the_menu_of_the_person_opens_and_gives_the_focus_back(context: BrowserContext, office: Office) -> None:
    page = context.new_page()
    page.goto("/admin/")
    person = page.get_by_role("button", name=re.compile("maria"))
    press(page, person)
    expect(page.locator("#user-links")).to_be_visible()
    expect(person).to_have_attribute("aria-expanded", "true")
    page.keyboard.press("Shift+Tab")
    assert page.evaluate("document.querySelector('#user-links').contains(document.activeElement)")
    page.keyboard.press("Escape")
    expect(page.locator("#user-links")).to_be_hidden()
    expect(person).to_be_focused()


def test_the_menu_of_a_phone_opens_and_closes(context: BrowserContext, office: Office) -> None:
    page = context.new_page()
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto("/admin/")
    menu = page.get_by_role("button", name="Menu", exact=True)
    press(page, menu)
    expect(page.get_by_role("link", name="Alerts")).to_be_visible()
    close = page.get_by_role("button", name="Close the menu")
    expect(close).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("link", name="Alerts")).to_be_hidden()
    expect(menu).to_be_focused()


def test_an_account_is_chosen_and_saved(context: BrowserContext, office: Office) -> None:
    Mapping.objects.filter(role="shipping_income").delete()
    page = context.new_page()
    page.goto(f"/admin/settings/financial/{office.book.pk}/configuration/")
    field = chooser(page, "Shipping income")
    tab_to(page, field, stops=200)
    page.keyboard.type("shipp")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(field).to_have_value(re.compile("Shipping"))
    tab_to(page, page.get_by_role("button", name=re.compile("^Save the mapping")), stops=200)
    page.keyboard.press("Enter")
    expect(page.get_by_text("Saved, 1 changed")).to_be_visible()


def test_events_are_filtered_and_one_is_opened(context: BrowserContext, office: Office, connection: Connection) -> None:
    office.record(sale(external_id="1"), sale(external_id="2"))
    Posting.objects.filter(number="T2").update(state=SyncState.ERROR, error="The books are closed.")
    page = context.new_page()
    page.goto(f"/admin/integrations/connections/{connection.pk}/events/")
    tab_to(page, page.get_by_label("State"))
    page.keyboard.type("Error")
    press(page, page.get_by_role("button", name="Show", exact=True))
    page.wait_for_url(re.compile("state=error"))
    expect(page.get_by_role("row", name=re.compile("T1"))).to_have_count(0)
    press(page, page.get_by_role("link", name="T2", exact=True))
    expect(page.get_by_role("heading", level=2, name=re.compile("T2"))).to_be_visible()
