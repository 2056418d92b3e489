"""Opens the named screens as each role and writes what it sees."""

import base64
from collections.abc import Iterable
from pathlib import Path
from unittest.mock import patch

from django.contrib.auth.models import User
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from integrations import waking
from tests.chromium import ARGUMENTS, CHROMIUM
from tests.screens import bad_day
from tests.screens.clock import MOMENT, standing_clock
from tests.screens.named import SCREENS, Screen
from tests.screens.people import ROLES, Role
from tests.screens.theatre import serving, session_of

WIDTHS = {"desktop": (1440, 900), "phone": (390, 844)}
THEMES = ("light", "dark")
HIGHEST = 2000
SCRIPT = Path(__file__).with_name("fewer_colours.js")


def take(into: Path, *, roles: list[str] | None = None, screens: list[str] | None = None) -> int:
    """Take the pictures; returns how many. What is not named is left as it is."""
    chosen = [screen for screen in SCREENS if not screens or screen.name in screens]
    with (
        standing_clock() as clock,
        patch.object(waking, "async_task", lambda *message: None),
        sync_playwright() as playwright,
        serving() as url,
    ):
        bad_day.fill(clock)
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=ARGUMENTS)
        press = Press(browser)
        taken = 0
        for role in ROLES:
            if not roles or role.folder in roles:
                taken += _of_role(browser, press, url, role, chosen, into / role.folder)
        browser.close()
    return taken


def _of_role(browser: Browser, press: "Press", url: str, role: Role, screens: Iterable[Screen], into: Path) -> int:
    into.mkdir(parents=True, exist_ok=True)
    wanted = [screen for screen in screens if role.user in screen.pictured_for]
    taken = 0
    for width, size in WIDTHS.items():
        for theme in THEMES:
            for login in (True, False):
                context = _context(browser, url, role if login else None, size, theme)
                page = context.new_page()
                for screen in wanted:
                    if screen.needs_login == login and _opened(page, screen):
                        (into / f"{screen.name}-{width}-{theme}.png").write_bytes(press.printed(_seen(page, size)))
                        taken += 1
                context.close()
    return taken


def _context(browser: Browser, url: str, role: Role | None, size: tuple[int, int], theme: str) -> BrowserContext:
    context = browser.new_context(
        base_url=url,
        viewport={"width": size[0], "height": size[1]},
        color_scheme="dark" if theme == "dark" else "light",
        reduced_motion="reduce",
        locale="en-US",
        timezone_id="America/New_York",
    )
    if role:
        key = session_of(User.objects.get(username=role.user))
        context.add_cookies([{"name": "sessionid", "value": key, "url": url}])
    context.clock.set_fixed_time(MOMENT)
    return context


def _opened(page: Page, screen: Screen) -> bool:
    """Whether there is such a screen for whoever is logged in here."""
    address = screen.address()
    if not address:
        return False
    answer = page.goto(address, wait_until="load")
    if answer is None or answer.status in {403, 404}:
        return False
    if answer.status != 200:
        raise AssertionError(f"{screen.name}: {address} answers {answer.status}")
    page.evaluate("document.fonts.ready")
    page.wait_for_timeout(150)  # Alpine opens and closes what it must
    page.evaluate("document.activeElement?.blur()")  # a field with the focus does not look the same each time
    return True


def _seen(page: Page, size: tuple[int, int]) -> bytes:
    """The whole page, but no more than a person would scroll."""
    height = min(max(page.evaluate("document.documentElement.scrollHeight"), size[1]), HIGHEST)
    page.set_viewport_size({"width": size[0], "height": height})  # so that what sticks to an edge sticks to that one
    picture = page.screenshot(animations="disabled")
    page.set_viewport_size({"width": size[0], "height": size[1]})
    return picture


class Press:
    """Prints a picture small: with the few colours that matter, in a page of its own."""

    def __init__(self, browser: Browser) -> None:
        self.page = browser.new_page()
        self.page.add_script_tag(content=SCRIPT.read_text())

    def printed(self, picture: bytes) -> bytes:
        small = self.page.evaluate("picture => fewerColours(picture)", base64.b64encode(picture).decode())
        return base64.b64decode(small)
