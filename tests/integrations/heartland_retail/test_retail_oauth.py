"""Connecting: the consent page, the code, the host, and which hosts are trusted."""

from urllib.parse import parse_qs, urlsplit

import pytest

from integrations.heartland_retail.oauth import (
    Credentials,
    Method,
    account_api,
    authorize_url,
    exchange,
    host_allowed,
)
from integrations.http import Http
from ledger.errors import AuthExpired, Rejected, Unreachable
from tests.integrations.heartland_retail.samples import Call, Reply, Script, scripted


def given_code(script: Script, *, method: Method = "GET") -> tuple[str, list[Call]]:
    with scripted(script) as (base_url, calls):
        http = Http(base_url, timeout=5)
        token = exchange(
            http,
            client_id="id",
            client_secret="hush",
            code="c0de",
            redirect_uri="http://here/back",
            method=method,
        )
        return token, calls


def host_of(script: Script) -> str:
    with scripted(script) as (base_url, _):
        return account_api(Http(base_url, timeout=5), token="key")


def test_the_user_is_sent_to_heartland_with_our_state() -> None:
    address = urlsplit(
        authorize_url(base_url="", client_id="id", redirect_uri="http://here/back", state="s1", scope="a b")
    )
    assert f"{address.scheme}://{address.netloc}{address.path}" == "https://retail.heartland.us/oauth/authorize"
    assert parse_qs(address.query) == {
        "client_id": ["id"],
        "scope": ["a b"],
        "redirect_uri": ["http://here/back"],
        "state": ["s1"],
    }


def test_a_base_url_moves_the_consent_page_too() -> None:
    address = authorize_url(
        base_url="http://127.0.0.1:9/heartland-retail/api/",
        client_id="id",
        redirect_uri="http://here",
        state="s1",
    )
    assert address.startswith("http://127.0.0.1:9/heartland-retail/oauth/authorize?client_id=id&")


def test_a_code_becomes_a_token_by_get() -> None:
    token, calls = given_code(lambda call: Reply(body={"access_token": "t0ken", "token_type": "bearer"}))
    assert token == "t0ken"
    assert (calls[0].method, calls[0].path) == ("GET", "/oauth/token")
    assert calls[0].query == {
        "client_id": ["id"],
        "client_secret": ["hush"],
        "code": ["c0de"],
        "grant_type": ["authorization_code"],
        "redirect_uri": ["http://here/back"],
    }


def test_a_code_becomes_a_token_by_post_where_that_is_chosen() -> None:
    token, calls = given_code(lambda call: Reply(body={"access_token": "t0ken"}), method="POST")
    assert (token, calls[0].method, calls[0].query) == ("t0ken", "POST", {})


@pytest.mark.parametrize(
    "reply", [Reply(400, {"error": "invalid_grant"}), Reply(401, "no"), Reply(200, {"access_token": ""})]
)
def test_a_refused_code_asks_the_user_to_connect_again(reply: Reply) -> None:
    with pytest.raises(AuthExpired, match="Press Connect again"):
        given_code(lambda call: reply)


def test_a_lost_answer_asks_the_user_to_connect_once_more() -> None:
    with pytest.raises(Unreachable, match="Press Connect once more"):
        given_code(lambda call: Reply(502, "<html>"))


def test_the_host_of_the_account_is_looked_up() -> None:
    reply = Reply(body={"host": "example.retail.heartland.us"})
    assert host_of(lambda call: reply) == "https://example.retail.heartland.us/api"


@pytest.mark.parametrize(
    "host", ["evil.test", "retail.heartland.us.evil.test", "evil.test/.retail.heartland.us", "", None]
)
def test_a_foreign_host_is_not_taken(host: str | None) -> None:
    with pytest.raises(Rejected, match="not its own"):
        host_of(lambda call: Reply(body={"host": host}))


def test_no_address_is_built_when_a_base_url_is_set() -> None:
    with scripted(lambda call: Reply(body={"host": "example.retail.heartland.us"})) as (base_url, calls):
        assert account_api(Http(base_url, timeout=5), token="key", base_url=base_url) == base_url
    assert calls == []


@pytest.mark.parametrize(
    ("address", "allowed"),
    [
        ("https://example.retail.heartland.us/api", True),
        ("https://example.myspringboard.us/api", True),
        ("https://EXAMPLE.retail.heartland.us:443/api", True),
        ("http://example.retail.heartland.us/api", False),
        ("https://example.retail.heartland.us:8443/api", False),
        ("https://retail.heartland.us.evil.test/api", False),
        ("https://evilretail.heartland.us/api", False),
        ("https://evil.test\\.retail.heartland.us/api", False),
        ("https://user@example.retail.heartland.us/api", False),
        ("https://evil.test#.retail.heartland.us", False),
        ("https://example.retail.heartland.us:port/api", False),
        ("http://127.0.0.1:8000/heartland-retail/api", False),
    ],
)
def test_only_https_at_heartlands_hosts_is_allowed(address: str, allowed: bool) -> None:
    assert host_allowed(address) is allowed


def test_the_token_that_connect_brought_goes_first() -> None:
    assert Credentials(api_token="pasted").token == "pasted"
    assert Credentials(api_token="pasted", access_token="granted").token == "granted"
