"""OAuth from the page of consent to the end of a connection, with the recorded errors."""

import base64
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from tests.sandbox.quickbooks_server import CALLBACK, CLIENT, REALM, QuickBooksServer

DEAD = {"error": "invalid_grant", "error_description": "Incorrect or invalid refresh token"}


def works(server: QuickBooksServer) -> bool:
    return server.query("SELECT COUNT(*) FROM Account").status_code == 200


def test_discovery_points_back_at_the_address_that_was_asked(quickbooks: QuickBooksServer) -> None:
    for name in ("openid_sandbox_configuration", "openid_configuration/"):
        document = requests.get(f"{quickbooks.url}/quickbooks/.well-known/{name}", timeout=5).json()
        assert document["token_endpoint"] == f"{quickbooks.url}/quickbooks/oauth2/v1/tokens/bearer"
        assert document["revocation_endpoint"] == f"{quickbooks.url}/quickbooks/oauth2/v1/tokens/revoke"
        assert document["authorization_endpoint"] == f"{quickbooks.url}/quickbooks/connect/oauth2"
        assert document["response_types_supported"] == ["code"]


def test_the_page_names_the_company_and_offers_both_ways(quickbooks: QuickBooksServer) -> None:
    query = {
        "client_id": CLIENT[0],
        "response_type": "code",
        "scope": "com.intuit.quickbooks.accounting",
        "redirect_uri": CALLBACK,
        "state": '"><script>',
    }
    page = requests.get(f"{quickbooks.url}/quickbooks/connect/oauth2", params=query, timeout=5)
    assert page.status_code == 200
    assert all(word in page.text for word in ("Main Street Trading", "Accept", "Refuse"))
    assert "<script>" not in page.text


def test_accepting_returns_code_state_and_realm(quickbooks: QuickBooksServer) -> None:
    answer = quickbooks.authorize(state="s-42")
    assert answer.status_code == 302 and answer.headers["Location"].startswith(CALLBACK + "?")
    back = parse_qs(urlsplit(answer.headers["Location"]).query)
    assert back["state"] == ["s-42"] and back["realmId"] == [REALM] and len(back["code"][0]) <= 512


def test_refusing_returns_the_error_and_the_state(quickbooks: QuickBooksServer) -> None:
    answer = quickbooks.authorize(decision="refuse")
    assert parse_qs(urlsplit(answer.headers["Location"]).query) == {
        "error": ["access_denied"],
        "state": ["s-1"],
    }


def test_another_company_may_be_chosen(quickbooks: QuickBooksServer) -> None:
    quickbooks.set(authorize_realm="9130000000000002")
    back = parse_qs(urlsplit(quickbooks.authorize().headers["Location"]).query)
    assert back["realmId"] == ["9130000000000002"]
    quickbooks.connect()
    assert not works(quickbooks)


@pytest.mark.parametrize(
    "wrong",
    [
        {"client_id": "other"},
        {"response_type": "token"},
        {"scope": "everything"},
        {"redirect_uri": "javascript:alert(1)"},
        {"redirect_uri": "/callback"},
        {"state": ""},
    ],
)
def test_a_wrong_authorization_request_gets_a_page_and_no_redirect(
    quickbooks: QuickBooksServer, wrong: dict[str, str]
) -> None:
    answer = quickbooks.authorize(**wrong)
    assert answer.status_code == 400 and "Location" not in answer.headers


def test_the_token_answer_has_the_documented_fields(quickbooks: QuickBooksServer) -> None:
    form = {"grant_type": "authorization_code", "code": quickbooks.code(), "redirect_uri": CALLBACK}
    headers = {"x-include-refresh-token-hard-expires-in": "true"}
    address = f"{quickbooks.url}/quickbooks/oauth2/v1/tokens/bearer"
    answer = requests.post(address, data=form, headers=headers, auth=CLIENT, timeout=5)
    body = answer.json()
    assert (body["token_type"], body["expires_in"], body["x_refresh_token_expires_in"]) == (
        "bearer",
        3600,
        8640000,
    )
    assert body["x_refresh_token_hard_expires_in"] == 157680000
    assert answer.headers["intuit_tid"]


def test_a_code_is_good_once_and_for_its_address_only(quickbooks: QuickBooksServer) -> None:
    code = quickbooks.code()
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": CALLBACK}
    answers = [quickbooks.token_call(form), quickbooks.token_call(form)]
    other = {**form, "code": quickbooks.code(), "redirect_uri": "http://elsewhere.example/"}
    answers.append(quickbooks.token_call(other))
    assert [answer.status_code for answer in answers] == [200, 400, 400]
    bad = {"error": "invalid_grant", "error_description": "Invalid authorization code"}
    assert answers[1].json() == answers[2].json() == bad


def test_a_wrong_secret_is_no_client(quickbooks: QuickBooksServer) -> None:
    answer = quickbooks.token_call({"grant_type": "refresh_token"}, client=(CLIENT[0], "wrong"))
    assert (answer.status_code, answer.json()) == (401, {"error": "invalid_client"})


def test_errors_of_a_refresh_have_the_recorded_bodies(quickbooks: QuickBooksServer) -> None:
    wrong_kind = quickbooks.refresh(quickbooks.token)
    assert wrong_kind.json() == {
        "error": "invalid_grant",
        "error_description": "Incorrect Token type or clientID",
    }
    assert quickbooks.refresh("unknown").json() == DEAD
    quickbooks.faults.set({"quickbooks.user_not_in_realm": {"times": 1}})
    assert quickbooks.refresh().json() == {
        "error": "invalid_grant",
        "x_error_reason": "user_not_in_realm",
        "x_error_reason_detail": "The user is not in the specified realm",
        "error_description": "Unauthorized Request: User is not a member of the specified Realm",
    }
    assert quickbooks.refresh().status_code == 200


def test_a_refresh_renews_both_tokens_and_the_old_value_lives_on_for_a_day(
    quickbooks: QuickBooksServer,
) -> None:
    first = quickbooks.refresh().json()
    assert first["refresh_token"] != quickbooks.refresh_token and first["access_token"] != quickbooks.token
    assert quickbooks.refresh().status_code == 200


def test_with_daily_rotation_the_value_stays(quickbooks: QuickBooksServer) -> None:
    quickbooks.set(refresh_rotation="daily")
    assert quickbooks.refresh().json()["refresh_token"] == quickbooks.refresh_token


def test_in_strict_mode_a_concurrent_refresh_ends_the_connection(quickbooks: QuickBooksServer) -> None:
    quickbooks.set(refresh_strict=True)
    first = quickbooks.refresh().json()
    assert quickbooks.refresh().json() == DEAD
    assert quickbooks.refresh(first["refresh_token"]).json() == DEAD
    assert not works(quickbooks)


def test_a_lost_token_answer_has_rotated(quickbooks: QuickBooksServer) -> None:
    quickbooks.faults.set({"quickbooks.drop_token_answer": {"times": 1}})
    with pytest.raises(requests.ConnectionError):
        quickbooks.refresh()
    assert quickbooks.refresh().status_code == 200


def test_access_tokens_die_when_their_time_is_up(quickbooks: QuickBooksServer) -> None:
    quickbooks.set(access_token_seconds=0)
    quickbooks.connect()
    assert not works(quickbooks)


def test_disconnecting_kills_every_token(quickbooks: QuickBooksServer) -> None:
    assert works(quickbooks)
    address = f"{quickbooks.url}/quickbooks/oauth2/v1/tokens/revoke"
    basic = base64.b64encode(":".join(CLIENT).encode()).decode()
    headers = {"Authorization": f"Basic {basic}"}
    body = {"token": quickbooks.refresh_token}
    assert requests.post(address, json=body, headers=headers, timeout=5).status_code == 200
    assert requests.post(address, json=body, headers=headers, timeout=5).status_code == 400
    assert not works(quickbooks)
    assert quickbooks.refresh().json() == DEAD


def test_a_user_may_disconnect_inside_quickbooks(quickbooks: QuickBooksServer) -> None:
    assert quickbooks.control("/revoke", "POST") == {"revoked": True}
    assert not works(quickbooks) and quickbooks.refresh().json() == DEAD


def test_a_revoked_refresh_ends_the_connection(quickbooks: QuickBooksServer) -> None:
    quickbooks.faults.set({"quickbooks.revoked": {"times": 1}})
    assert quickbooks.refresh().json() == DEAD
    assert not works(quickbooks)
