"""What a person types into the mapping is never dropped, and an open list of events stays true."""

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


@pytest.fixture
def mapping_page(context: BrowserContext, office: Office) -> Page:
    Mapping.objects.filter(role="shipping_income").delete()
    page = context.new_page()
    page.goto(f"/admin/settings/financial/{office.book.pk}/configuration/")
    return page


def shipping(page: Page) -> Locator:
    return chooser(page, "Shipping income")


def save(page: Page) -> None:
    page.get_by_role("button", name="Save the mapping").click()


@pytest.mark.parametrize("leave", ["click", "Tab"])
def test_a_name_that_was_typed_in_full_is_taken(mapping_page: Page, said: list[str], leave: str) -> None:
    shipping(mapping_page).press_sequentially("shipping income")
    if leave == "Tab":
        shipping(mapping_page).press("Tab")
        expect(shipping(mapping_page)).to_have_value("Shipping Income")
    save(mapping_page)
    expect(mapping_page.get_by_text("Saved, 1 changed")).to_be_visible()
    assert Mapping.objects.get(role="shipping_income").account.full_name == "Shipping Income"
    assert said == []


def test_what_is_no_account_keeps_the_mapping_from_being_saved(mapping_page: Page) -> None:
    shipping(mapping_page).press_sequentially("Shipin")
    save(mapping_page)
    expect(mapping_page.get_by_text("is not the name of one account")).to_be_visible()
    expect(shipping(mapping_page)).to_have_value("Shipin")
    save(mapping_page)
    expect(mapping_page.get_by_text("Saved")).to_have_count(0)
    assert not Mapping.objects.filter(role="shipping_income").exists()


def test_a_receivable_account_is_named_with_the_reason_why_it_cannot_be_taken(mapping_page: Page) -> None:
    shipping(mapping_page).press_sequentially("Accounts Rec")
    row = mapping_page.get_by_role("option", name=re.compile("would need a customer or vendor"))
    expect(row).to_be_visible()
    shipping(mapping_page).press("Enter")
    save(mapping_page)
    assert not Mapping.objects.filter(role="shipping_income").exists()


def test_a_click_into_a_filled_field_replaces_its_name(context: BrowserContext, office: Office) -> None:
    page = context.new_page()
    page.goto(f"/admin/settings/financial/{office.book.pk}/configuration/")
    field = chooser(page, "Rounding differences")
    field.click()
    page.keyboard.type("bank charges")
    expect(field).to_have_value("bank charges")


def test_escape_puts_back_what_was_chosen(mapping_page: Page) -> None:
    shipping(mapping_page).press_sequentially("Shipin")
    shipping(mapping_page).press("Escape")
    save(mapping_page)
    expect(mapping_page.get_by_text("Nothing was changed")).to_be_visible()


def test_an_emptied_field_empties_its_row(context: BrowserContext, office: Office) -> None:
    page = context.new_page()
    page.goto(f"/admin/settings/financial/{office.book.pk}/configuration/")
    shipping(page).fill("")
    save(page)
    expect(page.get_by_text("Saved, 1 changed")).to_be_visible()
    assert not Mapping.objects.filter(role="shipping_income").exists()


def test_an_open_list_of_events_follows_what_happens(
    context: BrowserContext, office: Office, connection: Connection, said: list[str]
) -> None:
    office.record(sale(external_id="1"))
    page = context.new_page()
    page.goto(f"/admin/integrations/connections/{connection.pk}/events/")
    row = page.get_by_role("row", name=re.compile("T1"))
    expect(row).to_contain_text("Never Synced")
    Posting.objects.update(state=SyncState.ERROR, error="The books are closed.")
    expect(row).to_contain_text("The books are closed")
    expect(page.locator("[data-count=error]").first).to_have_text("1")
    expect(page.get_by_role("button", name="Retry Failed (1 in this book)")).to_be_visible()
    assert said == []


def test_rows_stay_under_a_hand_that_points_at_them(
    context: BrowserContext, office: Office, connection: Connection
) -> None:
    office.record(sale(external_id="1"))
    page = context.new_page()
    page.goto(f"/admin/integrations/connections/{connection.pk}/events/")
    row = page.get_by_role("row", name=re.compile("T1"))
    row.hover()
    Posting.objects.update(state=SyncState.NOT_SYNCED)
    expect(page.get_by_text("This list has changed")).to_be_visible()
    expect(row).to_contain_text("Never Synced")
