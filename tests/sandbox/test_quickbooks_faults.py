"""Refusals come in the bodies that were recorded from the vendor, shape for shape."""

from typing import Any

import pytest

from tests.sandbox.quickbooks_server import (
    CHECKING,
    INACTIVE,
    PAYABLE,
    RECEIVABLE,
    SALES,
    QuickBooksServer,
    entry,
    error_of,
    line,
)

BUSINESS = "A business validation error has occurred while processing your request"
REQUIRED = "Required param missing, need to supply the required value for the API"
TOO_LONG = "String length is either shorter or longer than supported by specification"

NO_ACCOUNT = {
    "Message": REQUIRED,
    "Detail": "Required parameter AccountRef is missing in the request",
    "code": "2020",
    "element": "AccountRef",
}
LENGTH_45 = {
    "Message": TOO_LONG,
    "Detail": (
        "String length specified does not match the supported length. Min:0 Max:21 supported. Supplied length:45"
    ),
    "code": "2050",
    "element": "DocNumber",
}
INACTIVE_ACCOUNT = {
    "Message": "Object Not Found",
    "Detail": "Object Not Found : Something you're trying to use has been made inactive. "
    "Check the fields with accounts, customers, items, vendors or employees.",
    "code": "610",
    "element": "",
}
UNKNOWN_ACCOUNT = {
    "Message": "Invalid Reference Id",
    "Detail": "Invalid Reference Id : Accounts element id 777 not found",
    "code": "2500",
    "element": "",
}
PERIOD_CLOSED = {
    "Message": "Account Period Closed",
    "Detail": "The account period has closed and the account books cannot be updated through the QBO "
    "Services API. Please use the QBO website to make these changes.",
    "code": "6210",
    "element": "",
}


def business(sentence: str) -> dict[str, str]:
    return {
        "Message": BUSINESS,
        "Detail": f"Business Validation Error: {sentence}",
        "code": "6000",
        "element": "",
    }


def without_accounts(number: str) -> dict[str, Any]:
    body = entry(number)
    for each in body["Line"]:
        del each["JournalEntryLineDetail"]["AccountRef"]
    return body


RECORDED = [
    pytest.param(entry(Line=[line(CHECKING, "Debit")]), [business("Fill out at least two detail lines to continue.")]),
    pytest.param(
        entry(Line=[line(RECEIVABLE, "Debit"), line(SALES, "Credit")]),
        [business("When you use Accounts Receivable, you must choose a customer in the Name field.")],
    ),
    pytest.param(
        entry(Line=[line(CHECKING, "Debit"), line(PAYABLE, "Credit")]),
        [business("When you use Accounts Payable, you must choose a vendor in the Name field.")],
    ),
    pytest.param(entry(Line=[line("777", "Debit"), line(SALES, "Credit")]), [UNKNOWN_ACCOUNT]),
    pytest.param(entry(Line=[line(INACTIVE, "Debit"), line(SALES, "Credit")]), [INACTIVE_ACCOUNT]),
    pytest.param(entry(TxnDate="2010-11-30"), [PERIOD_CLOSED]),
    pytest.param(without_accounts("A" * 45), [LENGTH_45, NO_ACCOUNT]),
]


@pytest.mark.parametrize(("body", "errors"), RECORDED)
def test_a_refusal_has_the_recorded_body(
    quickbooks: QuickBooksServer, body: dict[str, Any], errors: list[dict[str, str]]
) -> None:
    answer = quickbooks.post(body)

    assert answer.status_code == 400
    assert answer.json()["Fault"] == {"Error": errors, "type": "ValidationFault"}
    assert answer.json()["time"].endswith("-08:00")
    assert quickbooks.journal()["count"] == 0


def test_a_number_in_use_and_a_missing_account_come_together_in_a_batch(quickbooks: QuickBooksServer) -> None:
    identifier = quickbooks.post(entry("AA_2025-07_7676ce")).json()["JournalEntry"]["Id"]
    quickbooks.set(warn_duplicate_number=True)
    item = {"bId": "e1", "operation": "create", "JournalEntry": without_accounts("AA_2025-07_7676ce")}

    answer = quickbooks.post({"BatchItemRequest": [item]}, path="batch")

    taken = {
        "Message": "Duplicate Document Number Error",
        "Detail": "Duplicate Document Number Error : You must specify a different number. This number has "
        "already been used. DocNumber=AA_2025-07_7676ce is assigned to TxnType=Journal Entry "
        f"with TxnId={identifier}",
        "code": "6140",
        "element": "",
    }
    assert answer.status_code == 200
    fault = {"Error": [taken, NO_ACCOUNT], "type": "ValidationFault"}
    assert answer.json()["BatchItemResponse"] == [{"bId": "e1", "Fault": fault}]


def test_a_stale_token_and_a_deleted_entry_are_told_apart(quickbooks: QuickBooksServer) -> None:
    identifier = quickbooks.post(entry()).json()["JournalEntry"]["Id"]
    stale = error_of(quickbooks.post({"Id": identifier, "SyncToken": "7"}, operation="delete"))
    quickbooks.post({"Id": identifier, "SyncToken": "0"}, operation="delete")
    gone = error_of(quickbooks.post({"Id": identifier, "SyncToken": "0"}, operation="delete"))

    assert stale == {
        "Message": "Stale Object Error",
        "Detail": "Stale Object Error : You and NAME were working on this at the same time. "
        "NAME finished before you did, so your work was not saved.",
        "code": "5010",
        "element": "",
    }
    assert gone == {
        "Message": "Object Not Found",
        "Detail": "Object Not Found : Another user has deleted this transaction.",
        "code": "610",
        "element": "",
    }


def test_an_ended_subscription_refuses_to_write(quickbooks: QuickBooksServer) -> None:
    quickbooks.set(subscription_status="SUSPENDED")
    error = error_of(quickbooks.post(entry()))
    assert (error["code"], error["Message"]) == ("6190", "Invalid Company Status")
    assert error["Detail"].startswith("Subscription period has ended or canceled or there was a billing problem : ")


def test_a_hiccup_may_have_saved_the_entry_or_not(quickbooks: QuickBooksServer) -> None:
    sentence = (
        "An unexpected error occurred while accessing or saving your data. Please wait a few minutes "
        "and try again. If the problem persists, contact customer support."
    )
    quickbooks.faults.set({"quickbooks.transient_6000_saved": {"times": 1}})
    assert error_of(quickbooks.post(entry("HR-T1"), requestid="r1")) == business(sentence)
    quickbooks.faults.set({"quickbooks.transient_6000_unsaved": {"times": 1}})
    assert error_of(quickbooks.post(entry("HR-T2"), requestid="r2")) == business(sentence)
    assert quickbooks.numbers() == ["HR-T1"]


def test_a_hiccup_is_never_the_stored_answer_of_its_request_id(quickbooks: QuickBooksServer) -> None:
    always = {"always": True}
    quickbooks.faults.set({"quickbooks.transient_6000_unsaved": {"times": 1}, "quickbooks.replay_error": always})
    assert quickbooks.post(entry(), requestid="r1").status_code == 400
    assert quickbooks.post(entry(), requestid="r1").status_code == 200


REFUSED = [
    pytest.param(entry(Colour="red"), "2010", id="unknown property"),
    pytest.param(entry(Line=[{**line(CHECKING, "Debit"), "Tax": 1}]), "2010", id="unknown property of a line"),
    pytest.param(
        entry(Line=[{**line(CHECKING, "Debit"), "JournalEntryLineDetail": {"TaxApplicableOn": "Sales"}}]),
        "2010",
        id="a tax property in a US company",
    ),
    pytest.param(entry(amount=10.005), "2080", id="third decimal"),
    pytest.param(entry(amount="ten"), "2080", id="not a number"),
    pytest.param(entry(amount=True), "2080", id="a truth value"),
    pytest.param(entry(amount=1234567890123456), "2050", id="sixteen digits"),
    pytest.param(entry(amount=-5), "2290", id="negative"),
    pytest.param(entry(amount=0), "6000", id="only zeros"),
    pytest.param(entry(Line=None), "2020", id="no Line"),
    pytest.param(entry(Line=[]), "6000", id="empty Line"),
    pytest.param(entry(Line=[line(CHECKING, "debit")]), "2260", id="posting type in small letters"),
    pytest.param(entry(Line=[line(CHECKING, "Debit"), line(SALES, "Credit", 99.99)]), "2300", id="unbalanced"),
    pytest.param(entry(TxnDate="12/01/2010"), "2090", id="date in another form"),
    pytest.param(entry(CurrencyRef={"value": "EUR"}), "6000", id="foreign currency"),
    pytest.param([entry()], "2010", id="not an object"),
    pytest.param(entry(Line="lines"), "2010", id="lines that are no list"),
    pytest.param(entry(Line=["line"]), "2010", id="a line that is no object"),
]


@pytest.mark.parametrize(("body", "code"), REFUSED)
def test_what_the_vendor_does_not_take_is_refused(quickbooks: QuickBooksServer, body: object, code: str) -> None:
    answer = quickbooks.post(body)
    assert (answer.status_code, error_of(answer)["code"]) == (400, code)
    assert quickbooks.journal()["count"] == 0


def test_what_is_not_verified_can_be_switched(quickbooks: QuickBooksServer) -> None:
    always = {"always": True}
    names = ("unbalanced_as_6000", "inactive_as_2500", "closed_as_6000", "fault_in_200")
    quickbooks.faults.set({f"quickbooks.{name}": always for name in names})
    unbalanced = quickbooks.post(entry(Line=[line(CHECKING, "Debit"), line(SALES, "Credit", 1)]))
    inactive = quickbooks.post(entry(Line=[line(INACTIVE, "Debit"), line(SALES, "Credit")]))
    closed = quickbooks.post(entry(TxnDate="2010-11-01"))

    assert [error_of(each)["code"] for each in (unbalanced, inactive, closed)] == ["6000", "2500", "6000"]
    assert {each.status_code for each in (unbalanced, inactive, closed)} == {200}
