"""A real browser reports no violation of the content security policy on the admin's kinds of pages."""

import pytest
from django.contrib.auth.models import User
from django.test import Client
from playwright.sync_api import Browser, ConsoleMessage
from pytest_django.live_server_helper import LiveServer

PAGES = [
    "/admin/",
    "/admin/auth/user/",
    "/admin/auth/user/add/",
    "/admin/auth/group/add/",
    "/admin/password_change/",
]


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
    page.keyboard.press("Control+k")
    assert said == []
    assert hosts == {live_server.url}
