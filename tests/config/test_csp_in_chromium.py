"""A real browser reports no violation of the content security policy on the admin's kinds of pages."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.test import Client
from playwright.sync_api import Browser, ConsoleMessage, sync_playwright
from pytest_django.live_server_helper import LiveServer

CHROMIUM = Path(os.environ.get("CHROMIUM", "/usr/bin/chromium"))
PAGES = [
    "/admin/",
    "/admin/auth/user/",
    "/admin/auth/user/add/",
    "/admin/auth/group/add/",
    "/admin/password_change/",
]


@pytest.fixture
def browser(monkeypatch: pytest.MonkeyPatch) -> Iterator[Browser]:
    if not CHROMIUM.exists() and not os.environ.get("CI"):
        pytest.skip(f"needs Chromium at {CHROMIUM} (or CHROMIUM=/path/to/it)")
    # Playwright keeps an event loop in this thread, which Django takes for asynchronous code.
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.mark.django_db(transaction=True)
def test_the_admin_keeps_to_the_policy_in_a_real_browser(
    browser: Browser, live_server: LiveServer, client: Client
) -> None:
    client.force_login(User.objects.create_superuser("ines", "ines@example.com"))
    session = {"name": "sessionid", "value": client.cookies["sessionid"].value, "url": live_server.url}
    page = browser.new_page()
    page.context.add_cookies([session])  # type: ignore[list-item]
    said: list[str] = []
    hosts: set[str] = set()

    def hear(message: ConsoleMessage) -> None:
        if message.type == "error" or "Content Security Policy" in message.text:
            said.append(f"{page.url}: {message.text}")

    page.on("console", hear)
    page.on("pageerror", lambda error: said.append(f"{page.url}: {error}"))
    page.on("request", lambda request: hosts.add("/".join(request.url.split("/")[:3])))
    for path in PAGES:
        page.goto(live_server.url + path, wait_until="networkidle")
    page.goto(live_server.url + "/admin/auth/user/", wait_until="networkidle")
    page.check("input.action-select")
    page.wait_for_selector("#changelist-actions", state="visible")
    page.keyboard.press("Control+k")
    assert said == []
    assert hosts == {live_server.url}
