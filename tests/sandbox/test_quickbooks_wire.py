"""What goes wrong between a client and the vendor: tokens, limits, lost answers, work that comes late."""

import threading
import time
from decimal import Decimal
from pathlib import Path

import pytest
import requests

from sandbox.quickbooks.cruelty import FAULTS, FOREIGN_NUMBER
from sandbox.switches import QUICKBOOKS
from tests.sandbox.quickbooks_server import REALM, QuickBooksServer, entry, quickbooks_server

ONCE = {"times": 1}


def lost(server: QuickBooksServer, number: str = "HR-T1", **params: str) -> bool:
    """Post an entry; True when the connection broke without an answer."""
    try:
        server.post(entry(number), **params)
    except requests.ConnectionError:
        return True
    return False


def test_a_lost_answer_leaves_the_entry_behind(quickbooks: QuickBooksServer) -> None:
    quickbooks.faults.set({"quickbooks.drop_answer": ONCE})
    assert lost(quickbooks)
    assert quickbooks.numbers() == ["HR-T1"]


def test_a_lost_request_leaves_nothing_behind(quickbooks: QuickBooksServer) -> None:
    quickbooks.faults.set({"quickbooks.drop_request": ONCE})
    assert lost(quickbooks)
    assert quickbooks.numbers() == []


def test_work_may_come_after_the_client_has_given_up(quickbooks: QuickBooksServer) -> None:
    quickbooks.faults.set({"quickbooks.late_commit": {"times": 1, "seconds": 0.3}})
    assert lost(quickbooks)
    assert quickbooks.numbers() == []
    time.sleep(0.6)
    assert quickbooks.numbers() == ["HR-T1"]


def test_late_work_still_comes_when_the_server_stops(tmp_path: Path) -> None:
    with quickbooks_server(tmp_path / "s.sqlite3") as server:
        server.faults.set({"quickbooks.late_commit": {"times": 1, "seconds": 0.5}})
        assert lost(server)
    with quickbooks_server(tmp_path / "s.sqlite3") as server:
        assert server.numbers() == ["HR-T1"]


def test_late_work_is_not_done_twice_under_one_request_id(quickbooks: QuickBooksServer) -> None:
    quickbooks.faults.set({"quickbooks.late_commit": {"times": 1, "seconds": 0.3}})
    assert lost(quickbooks, requestid="r") and not lost(quickbooks, requestid="r")
    time.sleep(0.6)
    assert quickbooks.numbers() == ["HR-T1"]


@pytest.mark.parametrize(
    ("switch", "status", "saved"),
    [
        ("error_500_before", 500, False),
        ("error_500_after", 500, True),
        ("html_502", 502, False),
        ("html_502_after", 502, True),
        ("html_404", 404, False),
    ],
)
def test_an_answer_may_say_nothing_about_the_work(
    quickbooks: QuickBooksServer, switch: str, status: int, saved: bool
) -> None:
    quickbooks.faults.set({f"quickbooks.{switch}": ONCE})
    answer = quickbooks.post(entry("HR-T1"))
    assert answer.status_code == status
    assert bool(quickbooks.numbers()) == saved
    if status == 500:
        error = answer.json()["Fault"]
        assert (error["type"], error["Error"][0]["code"]) == ("SystemFault", "10000")
    else:
        assert answer.headers["Content-Type"].startswith("text/html")


def test_an_expired_token_gets_the_lower_case_body(quickbooks: QuickBooksServer) -> None:
    quickbooks.faults.set({"quickbooks.expire_token": ONCE})
    answers = [quickbooks.query("SELECT COUNT(*) FROM Account") for _ in range(2)]
    error = answers[0].json()["fault"]["error"][0]

    assert [answer.status_code for answer in answers] == [401, 401]
    assert error == {
        "message": "message=AuthenticationFailed; errorCode=003200; statusCode=401",
        "detail": f"Token expired: {quickbooks.token[:4]}...",
        "code": "3200",
        "element": None,
    }
    assert answers[0].json()["fault"]["type"] == "AUTHENTICATION"
    assert answers[0].json()["requestId"] is None and answers[0].json()["batchItemResponse"] == []
    assert answers[0].headers["www-authenticate"] == 'Bearer realm="Intuit", error="invalid_token"'


def test_a_malformed_token_is_called_so(quickbooks: QuickBooksServer) -> None:
    quickbooks.token = "short"
    error = quickbooks.query("SELECT COUNT(*) FROM Account").json()["fault"]["error"][0]
    assert error["detail"] == "Malformed bearer token: too short or too long"


def test_no_right_on_the_company_gets_3100(quickbooks: QuickBooksServer) -> None:
    quickbooks.faults.set({"quickbooks.not_authorized": ONCE})
    answer = quickbooks.post(entry())
    assert answer.status_code == 403
    assert answer.json()["fault"] == {
        "error": [
            {
                "message": "message=ApplicationAuthorizationFailed; errorCode=003100; statusCode=403",
                "detail": None,
                "code": "3100",
                "element": None,
            }
        ],
        "type": "SERVICE",
    }
    other = quickbooks.call("GET", f"../{int(REALM) + 1}/preferences")
    assert other.status_code == 403


@pytest.mark.parametrize("parameters", [{}, {"retry_after": 7}])
def test_throttling_comes_with_a_delay_only_when_it_is_given_one(
    quickbooks: QuickBooksServer, parameters: dict[str, int]
) -> None:
    quickbooks.faults.set({"quickbooks.throttle": {**ONCE, **parameters}})
    answer = quickbooks.post(entry())
    assert answer.status_code == 429
    assert answer.headers.get("Retry-After") == (str(parameters["retry_after"]) if parameters else None)
    assert answer.json()["Fault"] == {
        "Error": [
            {
                "Message": "message=ThrottleExceeded; errorCode=003001; statusCode=429",
                "Detail": "The request limit was reached.  Try again later",
                "code": "3001",
            }
        ],
        "type": "SERVICE",
    }


def test_ten_requests_a_second_are_let_through(quickbooks: QuickBooksServer) -> None:
    quickbooks.set(limits=True)
    statuses: list[int] = []

    def ask() -> None:
        statuses.append(quickbooks.query("SELECT COUNT(*) FROM Account").status_code)

    threads = [threading.Thread(target=ask) for _ in range(30)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert 10 <= statuses.count(200) < 30 and statuses.count(200) + statuses.count(429) == 30
    assert quickbooks.control("/stats")["throttled"] == statuses.count(429)


def test_forty_batches_a_minute_are_let_through(quickbooks: QuickBooksServer) -> None:
    quickbooks.set(limits=True)
    statuses = []
    for _ in range(45):
        time.sleep(0.1)  # slower than ten a second
        statuses.append(quickbooks.post({"BatchItemRequest": []}, path="batch").status_code)
    assert statuses == [200] * 40 + [429] * 5


def test_answers_may_look_odd(quickbooks: QuickBooksServer) -> None:
    names = ("amounts_as_text", "nulls", "capital_refs", "no_ref_names")
    quickbooks.faults.set({f"quickbooks.{name}": {"always": True} for name in names})
    body = entry()
    del body["PrivateNote"]
    shown = quickbooks.post(body).json()["JournalEntry"]
    assert shown["PrivateNote"] is None
    assert shown["Line"][0]["Amount"] == "100.00"
    detail = shown["Line"][0]["JournalEntryLineDetail"]
    assert (detail["PostingType"], "name" in detail["AccountRef"]) == ("DEBIT", False)


def test_a_slow_answer_comes(quickbooks: QuickBooksServer) -> None:
    quickbooks.faults.set({"quickbooks.slow": {"times": 1, "seconds": 0.3}})
    began = time.monotonic()
    assert quickbooks.post(entry()).status_code == 200
    assert time.monotonic() - began >= 0.3


def test_the_journal_shows_losses_and_doubles_at_a_glance(quickbooks: QuickBooksServer) -> None:
    for number in ("HR-T1", "HR-T2", "HR-T2"):
        quickbooks.post(entry(number, amount=1.10))
    journal = quickbooks.journal()
    assert (journal["count"], journal["numbers"], journal["doubled"]) == (3, 2, {"HR-T2": 2})
    assert journal["debits"] == journal["credits"] == Decimal("3.30")
    first = journal["entries"][0]["lines"][0]
    assert (first["name"], first["side"], first["amount"]) == ("Checking", "Debit", Decimal("1.10"))


def test_the_cruel_set_is_known_and_brings_a_foreign_entry(tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("cruel") / "state.sqlite3"
    assert FAULTS.keys() <= QUICKBOOKS.keys()
    for _ in range(2):  # a restart types it no second time
        with quickbooks_server(path, cruel=True) as server:
            assert server.numbers() == [FOREIGN_NUMBER]
            assert not server.journal()["entries"][0]["PrivateNote"].startswith("[Daybook")
            assert server.faults.report().keys() == FAULTS.keys()
