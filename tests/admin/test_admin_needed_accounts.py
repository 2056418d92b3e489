"""After connecting, a person is told which accounts to create before the import."""

from django.test import Client
from django.urls import reverse

from integrations.admin_views.words import NEEDED_ACCOUNTS
from integrations.models import Connection


def test_who_has_just_connected_is_shown_the_accounts_that_are_needed(
    admin_client: Client, connection: Connection
) -> None:
    page = admin_client.get(reverse("integrations:vendor", args=[connection.vendor])).content.decode()
    shown = page.split("<details open>")[1].split("</details>")[0]
    assert "Which accounts do you need?" in shown
    assert all(needed.purpose in shown for needed in NEEDED_ACCOUNTS)
