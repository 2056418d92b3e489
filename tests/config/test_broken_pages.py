"""What stands in place of a page that broke: words and a way back, and JSON where a program asked."""

import pytest
from django.test import Client

pytestmark = [pytest.mark.urls("tests.config.broken_urls"), pytest.mark.django_db]


def test_a_page_that_broke_says_so_and_leads_back() -> None:
    said = Client(raise_request_exception=False).get("/admin/broken/")
    page = said.content.decode()
    assert said.status_code == 500
    assert "Nothing is lost" in page and 'href="/admin/"' in page
    assert "a defect of ours" not in page


def test_an_api_call_that_broke_is_told_in_its_own_shape() -> None:
    said = Client(raise_request_exception=False).get("/api/v1/broken")
    assert said.status_code == 500
    assert said.json()["code"] == "internal" and "defect" not in said.json()["problem"]
