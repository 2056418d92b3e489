"""The mapping of a large company by typing, and a file from the upload to the changed mapping."""

import pytest
from django.urls import reverse
from playwright.sync_api import BrowserContext, FilePayload, Locator, Page, expect

from integrations.models import Connection
from ledger.models import Book
from mappings.models import Mapping
from tests.admin.conftest import connection as connection
from tests.admin.test_admin_mapping import large as large
from tests.office import Office

pytestmark = pytest.mark.django_db(transaction=True)

LONG = "Accounts of the company:Account of a department with a long name"
FILE = b"Role,Value,Store,Account number,Account name\nPayment account,Visa,,,Checking\nSales tax,Boston,,,Checking\n"


def shipping(page: Page) -> Locator:
    return page.get_by_role("combobox", name="Shipping income", exact=True)


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
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    page.get_by_role("button", name="Apply 1 change and leave the refused out").click()
    expect(page.get_by_text("1 place of the mapping was changed by the file new mapping.csv")).to_be_visible()
    assert Mapping.objects.get(role="tender", tender="2").account.full_name == "Checking"
    assert said == []
