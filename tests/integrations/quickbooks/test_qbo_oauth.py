"""A company is connected, kept connected and disconnected; each refusal says what a person must do."""

from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from integrations.http import Http
from integrations.quickbooks import oauth
from integrations.quickbooks.oauth import OAuth, discovery_address, host_allowed
from ledger.errors import AuthExpired, DaybookError, OutcomeUnknown, RateLimited, Rejected, Unreachable
from tests.integrations.quickbooks.scripted import REALM, answer
from tests.sandbox_fixture import Sandbox

CALLBACK = "http://127.0.0.1:9/connected"


def steps(sandbox: Sandbox, *, secret: str = "sandbox-quickbooks-secret") -> OAuth:
    http = Http(base_url=sandbox.quickbooks, timeout=5)
    return OAuth(http, "sandbox-quickbooks-client", secret, redirect_uri=CALLBACK)


def connected(sandbox: Sandbox) -> oauth.Tokens:
    step = steps(sandbox)
    return step.exchange(sandbox.callback(step.authorize_url(state="s"))["code"])


def test_the_address_to_allow_the_connection_names_scope_state_and_callback(sandbox: Sandbox) -> None:
    query = parse_qs(urlsplit(steps(sandbox).authorize_url(state="abc")).query)
    assert query == {
        "client_id": ["sandbox-quickbooks-client"],
        "response_type": ["code"],
        "scope": ["com.intuit.quickbooks.accounting"],
        "redirect_uri": [CALLBACK],
        "state": ["abc"],
    }


def test_a_code_is_exchanged_for_tokens_with_their_lifetime(sandbox: Sandbox) -> None:
    step = steps(sandbox)
    callback = sandbox.callback(step.authorize_url(state="abc"))
    assert (callback["state"], callback["realmId"]) == ("abc", REALM)
    tokens = step.exchange(callback["code"])
    assert tokens.access_token != tokens.refresh_token
    assert (tokens.access_expires_in, tokens.refresh_expires_in) == (3600, 8_640_000)
    assert tokens.access_token not in repr(tokens)


def test_a_code_works_once(sandbox: Sandbox) -> None:
    step = steps(sandbox)
    code = sandbox.callback(step.authorize_url(state="abc"))["code"]
    step.exchange(code)
    with pytest.raises(AuthExpired, match="Press Connect again"):
        step.exchange(code)


def test_a_refresh_gives_both_tokens_anew(sandbox: Sandbox) -> None:
    first = connected(sandbox)
    second = steps(sandbox).refresh(first.refresh_token)
    assert second.access_token != first.access_token
    assert second.refresh_token != first.refresh_token


def test_a_dead_refresh_token_asks_for_a_new_connection(sandbox: Sandbox) -> None:
    with pytest.raises(AuthExpired, match="has ended") as caught:
        steps(sandbox).refresh("never-issued")
    assert caught.value.request_id


def test_a_person_who_left_the_company_is_told_apart(sandbox: Sandbox) -> None:
    tokens = connected(sandbox)
    with sandbox.fault("quickbooks.user_not_in_realm"), pytest.raises(AuthExpired, match="has left"):
        steps(sandbox).refresh(tokens.refresh_token)


def test_wrong_keys_are_told_apart_from_an_ended_connection(sandbox: Sandbox) -> None:
    with pytest.raises(AuthExpired, match="client ID and secret"):
        steps(sandbox, secret="wrong").refresh("any")


@pytest.mark.parametrize("fault", ["quickbooks.drop_token_answer", "quickbooks.token_500"])
def test_a_lost_answer_of_a_refresh_is_unknown(sandbox: Sandbox, fault: str) -> None:
    tokens = connected(sandbox)
    with sandbox.fault(fault), pytest.raises(OutcomeUnknown, match="renewed"):
        steps(sandbox).refresh(tokens.refresh_token)


def test_a_revoked_connection_cannot_be_refreshed_and_not_be_revoked_twice(sandbox: Sandbox) -> None:
    tokens = connected(sandbox)
    steps(sandbox).revoke(tokens.refresh_token)
    with pytest.raises(AuthExpired):
        steps(sandbox).refresh(tokens.refresh_token)
    with pytest.raises(Rejected):
        steps(sandbox).revoke(tokens.refresh_token)


def test_the_discovery_document_is_read_once(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    steps(sandbox).authorize_url(state="s")
    monkeypatch.setattr(oauth._Intuit, "request", None)
    assert steps(sandbox).authorize_url(state="s")


def test_a_vendor_that_is_not_there_is_unreachable() -> None:
    with pytest.raises(Unreachable):
        OAuth(Http(base_url="http://127.0.0.1:9/nobody", timeout=1), "id", "secret").authorize_url(state="s")


def test_an_address_without_a_discovery_document_is_unreachable(sandbox: Sandbox) -> None:
    http = Http(base_url=f"{sandbox.quickbooks}/elsewhere", timeout=5)
    with pytest.raises((Unreachable, RateLimited)):
        OAuth(http, "id", "secret").authorize_url(state="s")


def published(host: str) -> dict[str, str]:
    return {
        "authorization_endpoint": f"https://{host}/connect",
        "token_endpoint": f"https://{host}/bearer",
        "revocation_endpoint": f"https://{host}/revoke",
        "issuer": f"https://{host}",
        "jwks_uri": f"https://{host}/jwks",
        "userinfo_endpoint": f"https://{host}/userinfo",
    }


def played(monkeypatch: pytest.MonkeyPatch, *answers: requests.Response) -> OAuth:
    """The steps over answers in order, the first being Intuit's discovery document."""
    remaining = list(answers)
    monkeypatch.setattr(oauth, "_documents", {})
    monkeypatch.setattr(oauth._Intuit, "request", lambda *_, **__: remaining.pop(0))
    return OAuth(Http(base_url="", timeout=1), "id", "secret")


def test_a_discovery_document_that_names_strangers_gets_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    step = played(monkeypatch, answer(200, published("intuit.example.com")))
    with pytest.raises(Unreachable, match="nothing was sent"):
        step.refresh("secret")
    assert oauth._documents == {}


@pytest.mark.parametrize(
    ("token_answer", "expected"),
    [
        (answer(200, {"token_type": "bearer"}), OutcomeUnknown),
        (answer(200, ["?"]), OutcomeUnknown),
        (answer(302, ""), OutcomeUnknown),
        (answer(400, "<html>?</html>"), OutcomeUnknown),
        (answer(400, {"error": "unsupported_grant_type"}), AuthExpired),
        (answer(429, "", **{"Retry-After": "9"}), RateLimited),
    ],
)
def test_odd_answers_to_a_refresh_are_never_taken_for_tokens(
    monkeypatch: pytest.MonkeyPatch, token_answer: requests.Response, expected: type[DaybookError]
) -> None:
    step = played(monkeypatch, answer(200, published("oauth.platform.intuit.com")), token_answer)
    with pytest.raises(expected):
        step.refresh("secret")


@pytest.mark.parametrize(
    ("base_url", "discovery"),
    [
        ("", "https://developer.api.intuit.com/.well-known/openid_configuration"),
        (
            "https://quickbooks.api.intuit.com/",
            "https://developer.api.intuit.com/.well-known/openid_configuration",
        ),
        (
            "https://sandbox-quickbooks.api.intuit.com",
            "https://developer.api.intuit.com/.well-known/openid_sandbox_configuration",
        ),
        ("http://127.0.0.1:9/q", "http://127.0.0.1:9/q/.well-known/openid_sandbox_configuration"),
    ],
)
def test_the_discovery_document_belongs_to_the_base_url(base_url: str, discovery: str) -> None:
    assert discovery_address(base_url) == discovery


@pytest.mark.parametrize(
    ("address", "allowed"),
    [
        ("https://quickbooks.api.intuit.com", True),
        ("https://QUICKBOOKS.API.INTUIT.COM/v3", True),
        ("https://quickbooks.api.intuit.com:443", True),
        ("http://quickbooks.api.intuit.com", False),
        ("https://quickbooks.api.intuit.com:8443", False),
        ("https://intuit.com.example.com", False),
        ("https://evilintuit.com", False),
        ("https://a@quickbooks.api.intuit.com", False),
        ("https://example.com/.intuit.com", False),
        ("https://example.com\\.intuit.com", False),
        ("https://quickbooks.api.intuit.com:port", False),
        ("http://127.0.0.1:9", False),
        ("", False),
    ],
)
def test_only_intuits_own_hosts_are_allowed(address: str, allowed: bool) -> None:
    assert host_allowed(address) is allowed
