"""The readable page of the API in a real browser: it shows the operations, from our own host, within the policy."""

import pytest
from django.contrib.auth.models import User
from django.test import Client
from playwright.sync_api import Browser, ConsoleMessage, expect
from pytest_django.live_server_helper import LiveServer

from ledger.models import Book


@pytest.mark.django_db(transaction=True)
def test_the_api_page_works_within_the_policy_and_without_foreign_hosts(
    browser: Browser, live_server: LiveServer, client: Client
) -> None:
    Book.objects.create(name="Main Street Trading")
    client.force_login(User.objects.create_superuser("ines", "ines@example.com"))
    page = browser.new_page()
    session = {"name": "sessionid", "value": client.cookies["sessionid"].value, "url": live_server.url}
    page.context.add_cookies([session])  # type: ignore[list-item]
    said: list[str] = []
    hosts: set[str] = set()

    def hear(message: ConsoleMessage) -> None:
        if message.type == "error" or "Content Security Policy" in message.text:
            said.append(message.text)

    page.on("console", hear)
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("request", lambda request: hosts.add("/".join(request.url.split("/")[:3])))
    page.goto(f"{live_server.url}/api/v1/docs/", wait_until="networkidle")
    operations = page.locator(".opblock")
    expect(operations).to_have_count(14, timeout=15_000)
    page.get_by_text("Books and how they stand").first.click()
    page.get_by_role("button", name="Try it out").click()
    page.get_by_role("button", name="Execute").click()
    expect(page.locator(".live-responses-table")).to_contain_text("Main Street Trading", timeout=15_000)
    assert said == []
    assert {host for host in hosts if not host.startswith("data:")} == {live_server.url}
