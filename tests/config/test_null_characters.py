"""A null character, which PostgreSQL cannot store, is refused before anything looks at it, and never breaks a page."""

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from ledger.models import AuditRecord, Book
from tests.office import Office

pytestmark = pytest.mark.django_db


@pytest.fixture
def browser(admin_user: User) -> Client:
    client = Client(raise_request_exception=False)
    client.force_login(admin_user)
    return client


@pytest.mark.parametrize(
    "address",
    [
        "/admin/search/?s=T%00 1",
        "/admin/ledger/auditrecord/?deed=%00",
        "/admin/ledger/auditrecord/?actor_name=a%00b",
        "/admin/integrations/alerts.csv?x=%00",
        "/admin/integrations/alerts.csv?x%00=1",
        "/admin/ledger/posting/export.csv?q=%00",
        "/admin/auth/user/%00/change/",
        "/admin/no-such-page%00/",
        "/static/%00.css",
        "/health/live?x=%00",
    ],
)
def test_an_address_with_one_is_refused_with_a_page_of_ours(browser: Client, office: Office, address: str) -> None:
    deeds = AuditRecord.objects.count()
    answer = browser.get(address)
    assert answer.status_code == 400
    assert "This cannot be read" in answer.content.decode()
    assert "default-src" in answer["Content-Security-Policy"] and answer["X-Request-ID"]
    assert AuditRecord.objects.count() == deeds


FORMS: dict[str, dict[str, Any]] = {
    "a form": {"data": "name=a%00b", "content_type": "application/x-www-form-urlencoded"},
    "a field's name": {"data": "na%00me=ab", "content_type": "application/x-www-form-urlencoded"},
    "a form with files": {"data": {"name": "a\0b"}},
}


@pytest.mark.parametrize("what", FORMS)
@pytest.mark.parametrize("address", ["/admin/login/", "/admin/integrations/api-tokens/", "/admin/auth/user/add/"])
def test_a_form_with_one_is_refused(browser: Client, book: Book, address: str, what: str) -> None:
    answer = browser.post(address, **FORMS[what])
    assert answer.status_code == 400 and "This cannot be read" in answer.content.decode()


def test_a_file_may_hold_whatever_it_holds(browser: Client, book: Book) -> None:
    file = SimpleUploadedFile("a.csv", b"Role,Account name\n\0")
    answer = browser.post(reverse("mappings:import_mapping", args=[book.pk]), {"file": file})
    assert answer.status_code == 422 and "This is no table" in answer.content.decode()


def test_a_cookie_with_one_is_refused_at_every_door(db: None) -> None:
    for address, sort in (("/admin/", "text/html"), ("/api/v1/books/", "application/json")):
        client = Client(raise_request_exception=False)
        client.cookies["sessionid"] = "aaaaaaaaaaaa\0"
        answer = client.get(address)
        assert answer.status_code == 400 and answer["Content-Type"].startswith(sort)


def test_a_script_of_a_page_is_told_in_json(browser: Client) -> None:
    answer = browser.get("/admin/overview.json?x=%00")
    assert answer.status_code == 400 and answer.json()["code"] == "invalid"


def test_the_api_says_itself_which_field_it_is(browser: Client, book: Book) -> None:
    answer = browser.get(f"/api/v1/books/{book.pk}/events/?number=%00")
    assert answer.status_code == 400 and list(answer.json()["fields"]) == ["number"]
