"""The content security policy: strict everywhere, one exception under /admin/, and pages that keep to it."""

import re

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import Client
from pytest_django import Settings

from config.csp import HEADER, ContentSecurityPolicyMiddleware, policy_for

FOREIGN = re.compile(r"""(?:src|href)=["'](?:https?:)?//""")
INLINE = re.compile(r"<style\b|<script(?![^>]*\bsrc=)[^>]*>|\son[a-z]+=[\"']|[^:-]\bstyle=[\"']", re.IGNORECASE)


def test_outside_the_admin_nothing_is_evaluated_and_nothing_is_inline() -> None:
    policy = policy_for("/health/live")
    assert policy["script-src"] == ["'self'"]
    assert policy["style-src"] == ["'self'"]


def test_the_admin_alone_may_evaluate() -> None:
    assert policy_for("/admin/ledger/")["script-src"] == ["'self'", "'unsafe-eval'"]
    assert policy_for("/administration/")["script-src"] == ["'self'"]


def test_no_policy_allows_inline_code_or_a_foreign_host() -> None:
    for path in ("/", "/admin/"):
        sources = [source for sources in policy_for(path).values() for source in sources]
        assert set(sources) <= {"'self'", "'none'", "data:", "'unsafe-eval'"}


def test_the_longest_prefix_wins(settings: Settings) -> None:
    settings.SECURE_CSP_BY_PATH = {"/a/": {"img-src": ["x"]}, "/a/b/": {"img-src": ["y"]}}
    assert policy_for("/a/b/c")["img-src"] == ["y"]
    assert policy_for("/a/c")["img-src"] == ["x"]


def test_a_view_that_sets_the_header_keeps_its_own() -> None:
    response = HttpResponse(headers={HEADER: "default-src 'none'"})
    answered = ContentSecurityPolicyMiddleware(lambda request: response)(HttpRequest())
    assert answered.headers[HEADER] == "default-src 'none'"


@pytest.mark.django_db
def test_every_answer_carries_it_a_missing_page_too(client: Client) -> None:
    assert "'unsafe-eval'" in client.get("/admin/login/").headers[HEADER]
    missing = client.get("/nowhere")
    assert missing.status_code == 404
    assert "'unsafe-eval'" not in missing.headers[HEADER]


@pytest.mark.django_db
@pytest.mark.parametrize("page", ["/admin/", "/admin/auth/user/", "/admin/auth/user/add/", "/admin/password_change/"])
def test_the_admins_pages_hold_nothing_inline_and_nothing_foreign(page: str, admin_client: Client) -> None:
    html = admin_client.get(page).content.decode()
    assert not FOREIGN.search(html)
    without_alpine = re.sub(r"x-bind:style=\"[^\"]*\"", "", html)
    assert not INLINE.search(without_alpine), INLINE.findall(without_alpine)
