"""A real Chromium in which Maria is logged in."""

import pytest
from django.contrib.auth.models import User
from django.test import Client
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, expect
from pytest_django.live_server_helper import LiveServer


@pytest.fixture
def context(browser: Browser, live_server: LiveServer, client: Client) -> BrowserContext:
    """Maria, logged in."""
    client.force_login(User.objects.create_superuser("maria", "maria@example.com"))
    context = browser.new_context(base_url=live_server.url)
    session = {"name": "sessionid", "value": client.cookies["sessionid"].value, "url": live_server.url}
    context.add_cookies([session])  # type: ignore[list-item]
    context.set_default_timeout(15_000)
    expect.set_options(timeout=15_000)
    return context


@pytest.fixture
def said(context: BrowserContext) -> list[str]:
    """What the browser complained about."""
    complaints: list[str] = []

    def hear(message: ConsoleMessage) -> None:
        if message.type == "error" and "favicon" not in str(message.location.get("url")):
            complaints.append(message.text)

    context.on("console", hear)
    context.on("weberror", lambda error: complaints.append(str(error.error)))
    return complaints
