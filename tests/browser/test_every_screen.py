"""Each named screen of the bad day in a real browser: axe finds nothing, it fits its window, it keeps to the policy."""

from collections.abc import Iterator

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Browser, Page
from pytest_django.live_server_helper import LiveServer

from tests.screens import bad_day, inspecting
from tests.screens.bad_day import Company
from tests.screens.clock import standing_clock
from tests.screens.named import SCREENS, Screen
from tests.screens.people import ROLES
from tests.screens.theatre import session_of

pytestmark = pytest.mark.django_db(transaction=True)

SIZES = {"desktop": {"width": 1440, "height": 900}, "phone": {"width": 390, "height": 844}}
KNOWN = {
    "api": "Swagger UI writes this page; what is wrong with its colours and headings can only be mended there",
}
"""Screens whose axe findings are not ours to mend, and why. They must fit and keep to the policy all the same."""


@pytest.fixture
def company() -> Iterator[Company]:
    with standing_clock() as clock:
        yield bad_day.fill(clock)


def opened(browser: Browser, live_server: LiveServer, name: str, size: str) -> Page:
    context = browser.new_context(base_url=live_server.url, viewport=SIZES[size])  # type: ignore[arg-type]
    key = session_of(User.objects.get(username=name))
    context.add_cookies([{"name": "sessionid", "value": key, "url": live_server.url}])
    return context.new_page()


@pytest.mark.parametrize("size", SIZES)
def test_nothing_is_wrong_with_any_screen(
    browser: Browser, live_server: LiveServer, company: Company, size: str
) -> None:
    """In one bad day, which takes long to make: each person logs in once and opens their screens."""
    wrong = [what for role in ROLES for what in wrong_for(role.user, browser, live_server, size)]
    assert not wrong, "\n".join(wrong)


def wrong_for(name: str, browser: Browser, live_server: LiveServer, size: str) -> Iterator[str]:
    page = opened(browser, live_server, name, size)
    ear = inspecting.Ear(live_server.url)
    ear.listen(page)
    seen = 0
    for screen in screens_of(name, size):
        if shown(page, screen):
            seen += 1
            yield from (f"{screen.name} for {name}: {what}" for what in faults(page, screen))
    assert seen > 3, f"{name} saw {seen} screens"
    yield from (f"{name}: {said}" for said in ear.said if "403" not in said and "404" not in said)
    page.context.close()


def screens_of(name: str, size: str) -> list[Screen]:
    """Every screen for ines, who may do everything, and on a phone for sam, who may not; for others their own work."""
    sees_all = name == "ines" or (name, size) == ("sam", "phone")
    return [screen for screen in SCREENS if screen.needs_login and (sees_all or name in screen.pictured_for)]


@pytest.mark.parametrize("size", SIZES)
def test_nothing_is_wrong_with_the_door(browser: Browser, live_server: LiveServer, size: str) -> None:
    page = browser.new_page(base_url=live_server.url, viewport=SIZES[size])  # type: ignore[arg-type]
    ear = inspecting.Ear(live_server.url)
    ear.listen(page)
    for screen in SCREENS:
        if not screen.needs_login:
            assert shown(page, screen)
            assert faults(page, screen) == []
    assert ear.said == []


def shown(page: Page, screen: Screen) -> bool:
    """Whether this person has such a screen; if so, it is open now."""
    address = screen.address()
    if not address:
        return False
    answer = page.goto(address, wait_until="load")
    assert answer is not None and answer.status in {200, 403, 404}, f"{screen.name} answers {answer and answer.status}"
    return answer.status == 200


def faults(page: Page, screen: Screen) -> list[str]:
    """Wide and light by every rule, then dark by the rule that colours can break; narrow and dark by every rule."""
    found = [] if screen.name in KNOWN else list(findings(page))
    wide = inspecting.too_wide(page)
    return [*(str(one) for one in found), *([f"too wide, {wide}"] if wide else [])]


def findings(page: Page) -> Iterator[inspecting.Finding]:
    is_wide = page.viewport_size == SIZES["desktop"]
    if is_wide:
        yield from inspecting.findings(page)
    page.evaluate(DARK)
    yield from inspecting.findings(page, only=["color-contrast"] if is_wide else [])


DARK = "document.documentElement.classList.remove('light'), document.documentElement.classList.add('dark')"
