"""Maria sets up her authenticator app in a real browser, signs in with it, and with a recovery code."""

import re

import pytest
from playwright.sync_api import Browser, Page, expect
from pytest_django.live_server_helper import LiveServer

from config import first_password
from ledger.admin.scoping import ACCOUNTANT, ADMINISTRATOR, STORE_MANAGER
from ledger.models import Source, Store
from tests.config.signing_in import PASSWORD, demands, forget_used_codes, phone, shown_key, somebody

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def page(browser: Browser, live_server: LiveServer) -> Page:
    context = browser.new_context(base_url=live_server.url)
    context.set_default_timeout(15_000)
    expect.set_options(timeout=15_000)
    return context.new_page()


@pytest.fixture
def complaints(page: Page) -> list[str]:
    """What the content policy or a script complained about."""
    heard: list[str] = []
    page.on("console", lambda message: heard.append(message.text) if "Content Security" in message.text else None)
    page.on("pageerror", lambda error: heard.append(str(error)))
    return heard


def sign_in(page: Page, name: str) -> None:
    page.goto("/admin/login/")
    page.get_by_label("Username").fill(name)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_label("Password").press("Enter")


def test_an_app_is_set_up_and_asked_for_at_the_next_sign_in(page: Page, complaints: list[str]) -> None:
    demands(ACCOUNTANT, second_factor=True)
    maria = somebody("maria", role=ACCOUNTANT)
    sign_in(page, "maria")
    expect(page.get_by_role("heading", name="Set up a second factor")).to_be_visible()
    picture = page.get_by_alt_text("A QR code that holds the key below")
    assert picture.evaluate("image => image.complete && image.naturalWidth > 0"), "the policy lets the picture through"
    page.get_by_text("It cannot be scanned").click()
    key = shown_key(page.content())
    page.get_by_label("Enter the code that the app shows now").fill(phone(key))
    page.get_by_role("button", name="Set up").click()
    expect(page.get_by_role("heading", name="Keep these recovery codes")).to_be_visible()
    codes = page.locator(".db-codes code").all_inner_texts()
    assert len(codes) == 10
    page.get_by_role("link", name="I have kept them").click()
    expect(page).to_have_url(re.compile("/admin/$"))

    page.context.clear_cookies()
    forget_used_codes(maria)
    sign_in(page, "maria")
    expect(page.get_by_label("Code")).to_be_visible()
    expect(page.get_by_label("Code")).to_be_focused()
    page.keyboard.type("000000")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("not right")
    forget_used_codes(maria)
    page.get_by_label("Code").fill(phone(key))
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("/admin/$"))

    page.context.clear_cookies()
    sign_in(page, "maria")
    page.get_by_label("Code").fill(codes[3])
    page.get_by_role("button", name="Go on").click()
    expect(page).to_have_url(re.compile("/admin/$"))
    assert complaints == []


def test_the_first_sign_in_ends_on_the_page_that_was_wanted(page: Page, complaints: list[str]) -> None:
    """From a one-time password through the change of it and a real code of the app to the list of alerts."""
    demands(ACCOUNTANT, second_factor=True)
    password = first_password.issue(somebody("maria", role=ACCOUNTANT))
    page.goto("/admin/integrations/alert/")
    page.get_by_label("Username").fill("maria")
    page.get_by_label("Password").fill(password)
    page.get_by_label("Password").press("Enter")
    page.get_by_label("Old password").fill(password)
    for field in page.get_by_label("New password").all():
        field.fill("my very own password")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Your password is changed.")).to_be_visible()
    page.get_by_text("It cannot be scanned").click()
    page.get_by_label("Enter the code that the app shows now").fill(phone(shown_key(page.content())))
    page.get_by_role("button", name="Set up").click()
    page.get_by_role("link", name="I have kept them").click()
    expect(page).to_have_url(re.compile("/admin/integrations/alert/$"))
    expect(page.get_by_role("heading", name="Alerts", exact=True)).to_be_visible()
    assert complaints == []


def test_a_store_is_found_among_two_hundred_by_typing(page: Page, source: Source, complaints: list[str]) -> None:
    names = [f"Store {n:03}" for n in range(200)]
    Store.objects.bulk_create(Store(source=source, external_id=n, name=n, time_zone="UTC") for n in names)
    somebody("ines", role=ADMINISTRATOR)
    sam = somebody("sam", role=STORE_MANAGER)
    sign_in(page, "ines")
    page.goto(f"/admin/auth/user/{sam.pk}/change/")
    page.get_by_label("Search in Stores").fill("17")
    page.get_by_label("Search in Stores").press("Enter")
    expect(page.get_by_role("checkbox", name="Store 016")).to_be_hidden()
    page.get_by_role("checkbox", name="Store 117").check()
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("Saved.")).to_be_visible()
    assert [store.name for store in sam.stores.all()] == ["Store 117"]
    assert complaints == []
