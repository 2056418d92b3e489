"""Each call says who, what and how often; each answer is judged once."""

from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from integrations.http import Http
from integrations.quickbooks.client import quoted
from ledger.errors import AuthExpired, DaybookError, OutcomeUnknown, RateLimited, Rejected, Unreachable
from tests.integrations.quickbooks.scripted import (
    REALM,
    FixedTokens,
    Limits,
    Script,
    answer,
    client_over,
    fault,
    http_over,
    soon,
)

CREATED = {"JournalEntry": {"Id": "301", "SyncToken": "0"}, "time": "2026-11-20T10:00:00-08:00"}
REFUSED_TOKEN = {"fault": {"error": [{"message": "errorCode=003200", "code": "3200"}], "type": "AUTHENTICATION"}}


def rows(first: int, count: int) -> dict[str, object]:
    return {"QueryResponse": {"Account": [{"Id": str(n)} for n in range(first, first + count)]}}


def create(script: Script, *, tokens: FixedTokens | None = None) -> str:
    client = client_over(http_over(script), tokens=tokens)
    return client.create_entry("{}", request_key="key-1", send_before=soon()).request_id


def asked(request: requests.PreparedRequest) -> dict[str, list[str]]:
    return parse_qs(urlsplit(str(request.url)).query)


def test_a_write_names_its_key_the_minor_version_and_the_company() -> None:
    script = Script([answer(200, CREATED)])
    assert create(script) == "1-tid"
    request = script.sent[0]
    assert urlsplit(str(request.url)).path == f"/v3/company/{REALM}/journalentry"
    assert asked(request) == {"requestid": ["key-1"], "minorversion": ["75"]}
    assert request.headers["Authorization"] == "Bearer first"
    assert request.headers["Content-Type"] == "application/json"


def test_a_refused_token_is_renewed_once_and_the_same_request_sent_again() -> None:
    script = Script([answer(401, REFUSED_TOKEN), answer(200, CREATED)])
    create(script)
    assert [request.headers["Authorization"] for request in script.sent] == ["Bearer first", "Bearer second"]
    assert script.sent[0].url == script.sent[1].url


def test_a_second_refusal_asks_for_a_new_connection() -> None:
    with pytest.raises(AuthExpired) as caught:
        create(Script([answer(401, REFUSED_TOKEN), answer(401, "<html>no</html>")]))
    assert caught.value.request_id == "1-tid"


def test_the_loss_of_rights_is_told_apart_from_an_old_token() -> None:
    lost_rights = fault("120", ": -11014-You do not have access", message="Authorization Failure")
    with pytest.raises(AuthExpired, match="administrator"):
        create(Script([answer(401, lost_rights), answer(401, lost_rights)]))


def test_nothing_leaves_after_the_time_to_send() -> None:
    script = Script([])
    with pytest.raises(Unreachable):
        client_over(http_over(script)).create_entry("{}", request_key="k", send_before=0.0)
    assert script.sent == []


@pytest.mark.parametrize(
    "played",
    [
        requests.exceptions.ReadTimeout(),
        requests.exceptions.ConnectionError("reset"),
        answer(500, fault("10000", kind="SystemFault")),
        answer(502, "<html>bad gateway</html>"),
        answer(404, "<html>not found</html>"),
        answer(403, "<html>forbidden</html>"),
        answer(200, "<html>welcome</html>"),
        answer(302, "", Location="https://example.com"),
        answer(400, {"message": "?"}),
        answer(200, fault("6000", "An unexpected error occurred while accessing or saving your data.")),
    ],
)
def test_a_write_without_a_definite_answer_is_unknown(played: requests.Response | Exception) -> None:
    with pytest.raises(OutcomeUnknown):
        create(Script([played]))


def test_errors_keep_the_vendors_name_for_the_call() -> None:
    with pytest.raises(OutcomeUnknown) as caught:
        create(Script([answer(500, "")]))
    assert caught.value.request_id == "1-tid"


@pytest.mark.parametrize("status", [200, 400])
def test_a_fault_counts_with_any_status(status: int) -> None:
    with pytest.raises(Rejected, match="does not balance"):
        create(Script([answer(status, fault("2300"))]))


def test_a_request_that_is_too_large_is_definitely_refused() -> None:
    with pytest.raises(Rejected, match="too large"):
        create(Script([answer(413, "<html>too large</html>")]))


def test_too_many_requests_pause_the_company_even_under_a_403() -> None:
    http = http_over(Script([answer(403, fault("3001", kind="SERVICE"))]))
    with pytest.raises(RateLimited) as caught:
        client_over(http).create_entry("{}", request_key="k", send_before=soon())
    assert isinstance(http.limiter, Limits)
    assert (caught.value.retry_after, http.limiter.paused) == (60.0, [60.0])


def batch_of_one(http: Http, *, tokens: FixedTokens | None = None, place: Limits | None = None) -> Limits:
    """Sent in that place, or in one that the call takes by itself; the limiter."""
    client = client_over(http, tokens=tokens)
    client.create_batch([("e0", "{}")], request_key="k", send_before=soon(), place=place)
    assert isinstance(http.limiter, Limits)
    return http.limiter


def test_a_write_in_a_place_of_its_caller_counts_from_when_it_leaves() -> None:
    happened: list[str] = []
    http = http_over(Script([answer(200, {"BatchItemResponse": []})]))
    limiter = batch_of_one(http, tokens=FixedTokens(events=happened), place=Limits(events=happened))
    assert happened == ["token", "sends", "left"]
    assert limiter.taken == []


def test_a_repeat_with_a_new_token_takes_a_place_of_the_same_kinds_when_the_first_is_left() -> None:
    happened: list[str] = []
    http = http_over(Script([answer(401, REFUSED_TOKEN), answer(200, {"BatchItemResponse": []})]))
    http.limiter = Limits(events=happened)
    batch_of_one(http, tokens=FixedTokens(events=happened), place=Limits(events=happened))
    assert happened == ["token", "sends", "left", "renewal", "sends", "left"]
    assert (http.limiter.taken, http.limiter.left) == (["request", "batch"], 1)


def test_a_batch_without_a_place_takes_one_of_both_kinds() -> None:
    limiter = batch_of_one(http_over(Script([answer(200, {"BatchItemResponse": []})])))
    assert (limiter.taken, limiter.left) == (["request", "batch"], 1)


def test_what_is_too_late_to_leave_never_counts_as_sent() -> None:
    place = Limits()
    with pytest.raises(Unreachable):
        client_over(http_over(Script([]))).create_entry("{}", request_key="k", send_before=0.0, place=place)
    assert place.events == ["left"]


@pytest.mark.parametrize("said", [answer(500, {}), answer(429, {}), answer(400, fault("2300"))])
def test_a_place_is_given_back_whatever_the_answer_says(said: requests.Response) -> None:
    http = http_over(Script([said]))
    with pytest.raises(DaybookError):
        client_over(http).company()
    assert isinstance(http.limiter, Limits)
    assert (http.limiter.taken, http.limiter.left) == (["request"], 1)


def test_a_query_reads_on_until_a_page_is_not_full() -> None:
    script = Script([answer(200, rows(1, 1000)), answer(200, rows(1000, 3))])
    accounts = list(client_over(http_over(script)).accounts())
    assert [account["Id"] for account in accounts[-3:]] == ["1000", "1001", "1002"]
    assert len(accounts) == 1002  # the row that slipped to the second page is there once
    assert [asked(request)["query"] for request in script.sent] == [
        [f"SELECT * FROM Account WHERE Active IN (true, false) ORDERBY Id STARTPOSITION {n} MAXRESULTS 1000"]
        for n in (1, 1001)
    ]


def test_no_rows_come_as_an_empty_object() -> None:
    assert list(client_over(http_over(Script([answer(200, {"QueryResponse": {}})]))).accounts()) == []


def test_a_query_without_its_answer_is_no_empty_result() -> None:
    with pytest.raises(Unreachable):
        list(client_over(http_over(Script([answer(200, {"time": "now"})]))).accounts())


def test_quotes_and_backslashes_are_escaped_in_queries() -> None:
    assert quoted("O'Brien\\") == r"'O\'Brien\\'"
