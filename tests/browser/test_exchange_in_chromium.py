"""The mapping of a large company by typing, and a file from the upload to the changed mapping."""

import re

import pytest
from django.urls import reverse
from playwright.sync_api import BrowserContext, FilePayload, Locator, Page, expect
from pytest_django.live_server_helper import LiveServer

from integrations.models import Connection
from ledger.models import Book
from mappings.models import Mapping
from tests.admin.conftest import connection as connection
from tests.admin.test_admin_mapping import large as large
from tests.browser.choosers import chooser
from tests.office import Office
from tests.screens import inspecting
from tests.screens.inspecting import too_wide

pytestmark = pytest.mark.django_db(transaction=True)

LONG = "Accounts of the company:Account of a department with a long name"
FILE = b"Role,Value,Store,Account number,Account name\nPayment account,Visa,,,Checking\nSales tax,Boston,,,Checking\n"


def shipping(page: Page) -> Locator:
    return chooser(page, "Shipping income")


def test_among_ten_thousand_accounts_one_types_and_chooses(
    context: BrowserContext, large: Book, connection: Connection, said: list[str]
) -> None:
    page = context.new_page()
    page.goto(reverse("mappings:configuration", args=[large.pk]))
    shipping(page).fill("00006")
    expect(page.locator(".db-chooser [role=option]:visible")).to_have_count(1)
    shipping(page).press("Enter")
    expect(shipping(page)).to_have_value(f"00006 {LONG} 6")
    page.get_by_role("button", name="Save the mapping").click()
    expect(page.get_by_text("Saved, 1 changed")).to_be_visible()
    expect(shipping(page)).to_have_value(f"00006 {LONG} 6")
    assert said == []


def test_a_number_that_is_typed_and_left_is_taken_when_its_account_has_come(
    context: BrowserContext, large: Book, connection: Connection
) -> None:
    page = context.new_page()
    page.goto(reverse("mappings:configuration", args=[large.pk]))
    shipping(page).fill("00011")
    shipping(page).press("Tab")
    expect(shipping(page)).to_have_value(f"00011 {LONG} 11")
    shipping(page).fill("nothing like it")
    shipping(page).press("Tab")
    expect(page.get_by_text("“nothing like it” is not the name of one account")).to_be_visible()
    page.get_by_role("button", name="Save the mapping").click()
    expect(page.get_by_text("Saved")).to_have_count(0)


@pytest.mark.parametrize("scripts", [True, False], ids=["with a script", "without"])
def test_what_changes_is_shown_before_it_is_saved(
    context: BrowserContext, live_server: LiveServer, office: Office, connection: Connection, scripts: bool
) -> None:
    page = context.new_page() if scripts else without_scripts(context, live_server.url)
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(reverse("mappings:configuration", args=[office.book.pk]))
    choose(page, "Shipping income", "Services", scripts=scripts)
    page.get_by_role("button", name="What changes?").click()
    told = page.get_by_role("region", name="What changes?")
    expect(told.get_by_role("row", name=re.compile("Shipping income"))).to_contain_text("Services")
    assert too_wide(page) == ""
    assert not scripts or inspecting.findings(page) == []
    assert Mapping.objects.get(role="shipping_income").account.full_name == "Shipping Income"
    told.get_by_role("button", name="Save the mapping").click()
    expect(page.get_by_text("Saved, 1 changed")).to_be_visible()
    assert Mapping.objects.get(role="shipping_income").account.full_name == "Services"


def without_scripts(context: BrowserContext, url: str) -> Page:
    """The same person in a browser that runs no script."""
    assert context.browser
    known = context.storage_state()
    plain = context.browser.new_context(base_url=url, java_script_enabled=False, storage_state=known)
    plain.set_default_timeout(15_000)
    return plain.new_page()


def choose(page: Page, place: str, account: str, *, scripts: bool) -> None:
    if scripts:
        field = chooser(page, place)
        field.fill(account)
        field.press("Tab")
    else:
        page.locator(f'select[aria-label="{place}"]').select_option(label=account)


def test_a_file_is_uploaded_looked_at_and_applied(
    context: BrowserContext, office: Office, connection: Connection, said: list[str]
) -> None:
    page = context.new_page()
    page.goto(reverse("mappings:configuration", args=[office.book.pk]))
    page.get_by_role("link", name="Import, copy or apply a template").click()
    file = FilePayload(name="new mapping.csv", mimeType="text/csv", buffer=FILE)
    page.get_by_label("File, at most").set_input_files(files=[file])
    page.get_by_role("button", name="Show what it would change").first.click()
    expect(page.get_by_text("There is no tax jurisdiction 'Boston'.")).to_be_visible()
    assert inspecting.findings(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    page.get_by_role("button", name="Apply 1 change and leave the refused out").click()
    expect(page.get_by_text("1 place of the mapping was changed by the file new mapping.csv")).to_be_visible()
    assert Mapping.objects.get(role="tender", tender="2").account.full_name == "Checking"
    assert said == []


def test_on_paper_stands_the_mapping_without_menu_and_fields(
    context: BrowserContext, office: Office, connection: Connection
) -> None:
    page = context.new_page()
    page.goto(reverse("mappings:configuration", args=[office.book.pk]))
    menu, account = page.get_by_role("navigation", name="Main menu"), page.get_by_role("cell", name="Shipping Income")
    expect(menu).to_be_visible()
    page.emulate_media(media="print")
    expect(menu).to_be_hidden()
    expect(shipping(page)).to_be_hidden()
    expect(account.get_by_role("paragraph").filter(has_text="Shipping Income")).to_be_visible()
    page.evaluate("document.documentElement.classList.add('dark')")
    assert account.evaluate("one => getComputedStyle(one).color") == "rgb(0, 0, 0)"
