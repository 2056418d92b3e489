"""Who may call the pretend Heartland: the API token, the auditor, and the OAuth code flow."""

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from tests.sandbox.shop_server import ShopServer, shop_server

BACK = "http://127.0.0.1:9/back?tab=1"
ASKED = {
    "client_id": "sandbox-heartland-client",
    "scope": "sales.read items.read",
    "redirect_uri": BACK,
    "state": 'odd "state" & more',
}
CLIENT = {
    "client_id": "sandbox-heartland-client",
    "client_secret": "sandbox-heartland-secret",
    "grant_type": "authorization_code",
    "redirect_uri": BACK,
}


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[ShopServer]:
    with shop_server(tmp_path / "state.sqlite3") as running:
        yield running


def decide(shop: ShopServer, decision: str) -> dict[str, str]:
    """Press a button on the page; what came back to the redirect address."""
    answer = requests.post(
        f"{shop.url}/heartland-retail/oauth/authorize",
        data={**ASKED, "decision": decision},
        allow_redirects=False,
        timeout=10,
    )
    assert answer.status_code == 302
    assert answer.headers["Location"].startswith(BACK + "&")
    return {name: values[0] for name, values in parse_qs(urlsplit(answer.headers["Location"]).query).items()}


def token_url(shop: ShopServer) -> str:
    return f"{shop.url}/heartland-retail/api/oauth/token"


def test_the_page_offers_both_answers(shop: ShopServer) -> None:
    page = requests.get(f"{shop.url}/heartland-retail/oauth/authorize", params=ASKED, timeout=10)
    assert page.status_code == 200
    assert "Accept" in page.text and "Refuse" in page.text and "Main Street Trading" in page.text
    assert "odd &quot;state&quot; &amp; more" in page.text


@pytest.mark.parametrize(
    "wrong",
    [
        {"client_id": "other"},
        {"scope": ""},
        {"redirect_uri": "javascript:alert(1)"},
        {"redirect_uri": ""},
        {"response_type": "token"},
    ],
)
def test_a_wrong_question_gets_a_page_that_says_so(shop: ShopServer, wrong: dict[str, str]) -> None:
    address = f"{shop.url}/heartland-retail/oauth/authorize"
    assert requests.get(address, params={**ASKED, **wrong}, timeout=10).status_code == 400


@pytest.mark.parametrize("how", ["get", "form", "json"])
def test_a_code_becomes_a_token_that_works(shop: ShopServer, how: str) -> None:
    back = decide(shop, "accept")
    assert back["state"] == ASKED["state"]
    call = {**CLIENT, "code": back["code"]}
    if how == "get":
        answer = requests.get(token_url(shop), params=call, timeout=10)
    elif how == "form":
        answer = requests.post(token_url(shop), data=call, timeout=10)
    else:
        answer = requests.post(token_url(shop), json=call, timeout=10)
    assert answer.status_code == 200, answer.text
    assert answer.json()["token_type"] == "bearer"
    assert answer.json()["scope"] == ASKED["scope"]
    shop.token = answer.json()["access_token"]
    assert shop.get("/locations")["total"] == 3


def test_a_refusal_comes_back_with_the_state(shop: ShopServer) -> None:
    back = decide(shop, "refuse")
    assert (back["error"], back["state"]) == ("access_denied", ASKED["state"])
    assert "code" not in back


@pytest.mark.parametrize(
    ("wrong", "status", "error"),
    [
        ({"client_secret": "other"}, 401, "invalid_client"),
        ({"grant_type": "refresh_token"}, 400, "unsupported_grant_type"),
        ({"code": "other"}, 400, "invalid_grant"),
        ({"redirect_uri": "http://127.0.0.1:9/other"}, 400, "invalid_grant"),
    ],
)
def test_a_wrong_token_call_is_refused(shop: ShopServer, wrong: dict[str, str], status: int, error: str) -> None:
    call = {**CLIENT, "code": decide(shop, "accept")["code"], **wrong}
    answer = requests.post(token_url(shop), data=call, timeout=10)
    assert (answer.status_code, answer.json()["error"]) == (status, error)


def test_a_code_works_once(shop: ShopServer) -> None:
    call = {**CLIENT, "code": decide(shop, "accept")["code"]}
    assert requests.post(token_url(shop), data=call, timeout=10).status_code == 200
    assert requests.post(token_url(shop), data=call, timeout=10).json()["error"] == "invalid_grant"


def test_without_a_good_token_nothing_is_shown(shop: ShopServer) -> None:
    for headers in ({}, {"Authorization": "Bearer other"}):
        answer = requests.get(f"{shop.url}/heartland-retail/api/locations", headers=headers, timeout=10)
        assert (answer.status_code, answer.json()["error"]) == (401, "unauthorized")


def test_the_auditor_may_only_read(shop: ShopServer) -> None:
    shop.token = "sandbox-auditor"
    assert shop.get("/locations")["total"] == 3
    assert shop.call("POST", "/sales/tickets", json={}).status_code == 403


def test_tokens_and_their_revocation_survive_a_restart(tmp_path: Path) -> None:
    with shop_server(tmp_path / "state.sqlite3") as shop:
        call = {**CLIENT, "code": decide(shop, "accept")["code"]}
        token = requests.post(token_url(shop), data=call, timeout=10).json()["access_token"]
        shop.control("/revoke", {"token": "sandbox-heartland-token"})
    with shop_server(tmp_path / "state.sqlite3") as shop:
        assert shop.call("GET", "/locations").status_code == 401
        shop.token = token
        assert shop.call("GET", "/locations").status_code == 200
        shop.control("/revoke", {})
        assert shop.call("GET", "/locations").status_code == 401
        shop.control("/revoke", {"restore": True})
        assert shop.call("GET", "/locations").status_code == 200
