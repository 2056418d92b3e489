"""The adapter over scripted answers: what batches and odd answers mean for each entry."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
import requests

from ledger.errors import (
    AuthExpired,
    OutcomeUnknown,
    PeriodClosed,
    RateLimited,
    Rejected,
    Unreachable,
    Unsupported,
)
from ledger.ports import AccountingSystem
from ledger.values import Delivered
from tests.integrations.quickbooks.scripted import REALM, answer, fault, outgoing, scripted, soon

DEVELOPMENT = "https://sandbox-quickbooks.api.intuit.com/"


def post(played: requests.Response | Exception) -> Delivered:
    return scripted(played)[0].post_one(outgoing(), send_before=soon())


def created(**fields: object) -> requests.Response:
    return answer(200, {"JournalEntry": {"Id": "301", "SyncToken": "0"} | fields})


def test_the_adapter_is_an_accounting_system() -> None:
    system: AccountingSystem = scripted()[0]
    assert (system.capabilities.batch_size, system.capabilities.settle_seconds) == (30, 150)


def test_a_created_entry_keeps_its_id_the_call_and_the_body_that_left() -> None:
    adapter, script = scripted(created(DocNumber="HR-T100123"))
    delivered = adapter.post_one(outgoing(), send_before=soon())
    assert (delivered.remote_id, delivered.error, delivered.request_id) == ("301", None, "1-tid")
    assert delivered.sent.encode() == script.sent[0].body


@pytest.mark.parametrize("fields", [{"Id": ""}, {"Id": None}, {"DocNumber": "HR-T999"}])
def test_an_answer_that_does_not_name_our_entry_says_nothing(fields: dict[str, object]) -> None:
    assert isinstance(post(created(**fields)).error, OutcomeUnknown)


def test_a_refusal_is_the_result_with_the_call_and_the_proof() -> None:
    delivered = post(answer(400, fault("2500", "Accounts element id 7 not found")))
    assert isinstance(delivered.error, Rejected)
    assert delivered.request_id == "1-tid"
    assert delivered.sent


def test_a_closed_period_names_the_date_of_the_entry() -> None:
    error = post(answer(400, fault("6210"))).error
    assert isinstance(error, PeriodClosed)
    assert "Nov 20, 2026" in error.sentence
    assert error.request_id == "1-tid"


def test_what_surely_booked_nothing_is_raised() -> None:
    throttled = answer(429, fault("3001", kind="SERVICE"), **{"Retry-After": "7"})
    with pytest.raises(RateLimited):
        post(throttled)
    with pytest.raises(AuthExpired):
        post(answer(403, fault("3100", kind="SERVICE")))
    with pytest.raises(Unreachable):
        post(requests.exceptions.ConnectTimeout())


def test_what_cannot_be_expressed_never_leaves() -> None:
    adapter, script = scripted()
    delivered = adapter.post_one(outgoing(memo="x" * 4001), send_before=soon())
    assert isinstance(delivered.error, Unsupported)
    assert (delivered.sent, script.sent) == ("", [])


def batch(*items: object, status: int = 200) -> list[Delivered]:
    adapter, _ = scripted(answer(status, {"BatchItemResponse": list(items)}))
    entries = [outgoing("HR-T1"), outgoing("HR-T2", memo="x" * 4001), outgoing("HR-T3")]
    return adapter.post_batch(entries, request_key="k", send_before=soon())


def test_the_results_of_a_batch_are_matched_by_name_and_given_in_our_order() -> None:
    third = {"bId": "e2", "JournalEntry": {"Id": "33"}}
    first = {"bId": "e0", "JournalEntry": {"Id": "11"}}
    results = batch(third, first)
    assert [(result.reference, result.remote_id) for result in results] == [
        ("HR-T1", "11"),
        ("HR-T2", ""),
        ("HR-T3", "33"),
    ]
    assert isinstance(results[1].error, Unsupported)


def test_each_entry_of_a_batch_has_its_own_fault() -> None:
    closed = {"bId": "e0"} | fault("6210")
    shaky = {"bId": "e2"} | fault("6000", "An unexpected error occurred while accessing or saving your data.")
    first, _, third = batch(closed, shaky)
    assert isinstance(first.error, PeriodClosed)
    assert isinstance(third.error, OutcomeUnknown)


def test_an_entry_missing_in_the_answer_of_a_batch_may_be_there() -> None:
    first, _, third = batch({"bId": "e0", "JournalEntry": {"Id": "11"}})
    assert (first.remote_id, first.error) == ("11", None)
    assert isinstance(third.error, OutcomeUnknown)
    assert third.request_id == "1-tid"


@pytest.mark.parametrize(
    ("refusal", "expected"),
    [
        (answer(400, fault("1040", "Too many batch items")), Rejected),
        (answer(400, fault("2030", "Request has invalid or unsupported property")), Rejected),
        (answer(413, "<html>Request Entity Too Large</html>"), Rejected),
        (answer(400, fault("6210", "The account period has closed")), PeriodClosed),
        (answer(200, fault("10000", kind="SystemFault")), OutcomeUnknown),
    ],
)
def test_a_refusal_of_the_whole_batch_blames_no_entry(refusal: requests.Response, expected: type[Exception]) -> None:
    adapter, _ = scripted(refusal)
    with pytest.raises(expected) as raised:
        adapter.post_batch([outgoing("HR-T1"), outgoing("HR-T2")], request_key="k", send_before=soon())
    assert getattr(raised.value, "request_id", "") == "1-tid"


def test_a_refusal_beside_results_is_no_definite_refusal() -> None:
    both = fault("2030") | {"BatchItemResponse": [{"bId": "e0", "JournalEntry": {"Id": "11"}}]}
    adapter, _ = scripted(answer(200, both))
    with pytest.raises(OutcomeUnknown):
        adapter.post_batch([outgoing("HR-T1")], request_key="k", send_before=soon())


def test_the_body_of_an_entry_is_known_before_it_leaves() -> None:
    adapter, script = scripted(created(), answer(200, {"BatchItemResponse": []}))
    body = adapter.body(outgoing())
    assert script.sent == []
    assert adapter.post_one(outgoing(), send_before=soon()).sent == body
    adapter.post_batch([outgoing()], request_key="k", send_before=soon())
    assert f'"JournalEntry":{body}' in repr(script.sent[1].body)
    with pytest.raises(Unsupported):
        adapter.body(outgoing(memo="x" * 4001))


def test_a_batch_without_an_answer_is_unknown_as_a_whole() -> None:
    adapter, _ = scripted(requests.exceptions.ReadTimeout())
    with pytest.raises(OutcomeUnknown):
        adapter.post_batch([outgoing()], request_key="k", send_before=soon())


def test_the_same_batch_is_the_same_text() -> None:
    adapter, script = scripted(*[answer(200, {"BatchItemResponse": []})] * 2)
    for _ in range(2):
        adapter.post_batch([outgoing("HR-T1"), outgoing("HR-T2")], request_key="k", send_before=soon())
    assert script.sent[0].body == script.sent[1].body


def test_numbers_are_looked_up_30_at_a_time() -> None:
    found = {"Id": "7", "DocNumber": "HR-T31", "TxnDate": "2026-11-20", "Line": []}
    adapter, script = scripted(
        answer(200, {"QueryResponse": {}}), answer(200, {"QueryResponse": {"JournalEntry": [found]}})
    )
    result = adapter.find([f"HR-T{n}" for n in range(1, 32)])
    assert len(script.sent) == 2
    assert {name: [entry.remote_id for entry in entries] for name, entries in result.items()} == {"HR-T31": ["7"]}


def test_the_link_opens_the_entry_where_a_person_can_see_it() -> None:
    assert scripted()[0].link("301") == "https://app.qbo.intuit.com/app/journal?txnId=301"
    development, _ = scripted(base_url=DEVELOPMENT)
    assert development.link("301") == "https://app.sandbox.qbo.intuit.com/app/journal?txnId=301"
    elsewhere, _ = scripted(base_url="https://example.com/q")
    assert elsewhere.link("301") == f"https://example.com/q/v3/company/{REALM}/journalentry/301"


def test_an_entry_of_a_range_keeps_exact_amounts() -> None:
    line = {
        "Amount": "0.10",
        "JournalEntryLineDetail": {"PostingType": "Debit", "AccountRef": {"value": "4"}},
    }
    row = {"Id": "7", "DocNumber": None, "TxnDate": "2026-11-20", "Line": [line]}
    adapter, _ = scripted(answer(200, {"QueryResponse": {"JournalEntry": [row]}}))
    (entry,) = adapter.between(date(2026, 11, 1), date(2026, 11, 30))
    assert entry.lines[0].amount == Decimal("0.10")
    assert replace(entry, lines=()).reference == ""
