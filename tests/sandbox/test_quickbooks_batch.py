"""A batch does its items one by one, and its whole answer can be lost, repeated or forgotten."""

import time
from typing import Any

import pytest
import requests

from tests.sandbox.quickbooks_server import QuickBooksServer, entry, error_of

Item = dict[str, Any]


def create(number: str, **changes: object) -> Item:
    return {"bId": number[-9:], "operation": "create", "JournalEntry": entry(number, **changes)}


def results(answer: requests.Response) -> dict[str, Item]:
    assert answer.status_code == 200, answer.text
    return {item["bId"]: item for item in answer.json()["BatchItemResponse"]}


def send(server: QuickBooksServer, items: list[Item], **params: str) -> requests.Response:
    return server.post({"BatchItemRequest": items}, path="batch", **params)


def test_one_refused_item_leaves_the_others_alone(quickbooks: QuickBooksServer) -> None:
    delete = {"bId": "d", "operation": "delete", "JournalEntry": {"Id": "999", "SyncToken": "0"}}
    query = {"bId": "q", "Query": "SELECT * FROM Account WHERE Name = 'Nobody'"}
    found = results(send(quickbooks, [create("HR-T1"), create("HR-T2", TxnDate="2010-11-01"), delete, query]))

    assert found["HR-T1"]["JournalEntry"]["Id"] == "201"
    assert found["HR-T2"]["Fault"]["Error"][0]["code"] == "6210"
    assert found["d"]["Fault"]["Error"][0]["code"] == "610"
    assert found["q"]["QueryResponse"] == {}
    assert quickbooks.numbers() == ["HR-T1"]


def test_thirty_items_are_taken_quickly_and_thirty_one_refused(quickbooks: QuickBooksServer) -> None:
    items = [create(f"HR-T{number}") for number in range(100, 131)]
    assert error_of(send(quickbooks, items))["code"] == "1040"
    began = time.perf_counter()
    assert len(results(send(quickbooks, items[:30]))) == 30
    assert time.perf_counter() - began < 0.5
    assert quickbooks.journal()["count"] == 30


def test_a_repeated_batch_gets_the_first_answer(quickbooks: QuickBooksServer) -> None:
    items = [create("HR-T1"), create("HR-T2", TxnDate="2010-11-01")]
    assert send(quickbooks, items, requestid="b").json() == send(quickbooks, items, requestid="b").json()
    assert quickbooks.numbers() == ["HR-T1"]


def test_a_forgotten_batch_gets_a_hiccup_for_each_item(quickbooks: QuickBooksServer) -> None:
    quickbooks.faults.set({"quickbooks.forget_batch_request_id": {"always": True}})
    send(quickbooks, [create("HR-T1")], requestid="b")
    again = results(send(quickbooks, [create("HR-T1")], requestid="b"))
    assert again["HR-T1"]["Fault"]["Error"][0]["code"] == "6000"
    assert quickbooks.numbers() == ["HR-T1"]


@pytest.mark.parametrize(
    ("items", "requestid", "code"),
    [
        ([create("HR-T1")], "r" * 37, "2130"),
        ([{**create("HR-T1"), "bId": "elevenchars"}], "r", "2050"),
        ([create("HR-T1"), create("HR-T1")], "r", "2010"),
        ([{"operation": "create"}], "r", "2020"),
        ("items", "r", "2020"),
    ],
)
def test_a_batch_as_such_is_refused(quickbooks: QuickBooksServer, items: list[Item], requestid: str, code: str) -> None:
    assert error_of(send(quickbooks, items, requestid=requestid))["code"] == code


def test_an_unknown_operation_is_refused_for_its_item(quickbooks: QuickBooksServer) -> None:
    found = results(send(quickbooks, [{**create("HR-T1"), "operation": "void"}]))
    assert found["HR-T1"]["Fault"]["Error"][0]["code"] == "2010"


def test_hiccups_concern_single_items(quickbooks: QuickBooksServer) -> None:
    saved, unsaved = "quickbooks.transient_6000_saved", "quickbooks.transient_6000_unsaved"
    quickbooks.faults.set({unsaved: {"every": 3, "times": 1}, saved: {"every": 2, "times": 1}})
    found = results(send(quickbooks, [create(f"HR-T{number}") for number in (1, 2, 3, 4)]))
    assert [name for name in found if "Fault" in found[name]] == ["HR-T2", "HR-T3"]
    assert quickbooks.numbers() == ["HR-T1", "HR-T2", "HR-T4"]


def test_the_answer_may_come_in_another_order_or_lack_an_item(quickbooks: QuickBooksServer) -> None:
    always = {"always": True}
    quickbooks.faults.set({"quickbooks.shuffled_batch": always, "quickbooks.missing_batch_item": always})
    names = [f"HR-T{number}" for number in range(1, 9)]
    answered = list(results(send(quickbooks, [create(name) for name in names])))
    assert sorted(answered) == names[:-1] and answered != names[:-1]
    assert quickbooks.numbers() == names
