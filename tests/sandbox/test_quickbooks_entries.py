"""Journal entries are created, read, changed, deleted and counted as the vendor does it."""

import re
from decimal import Decimal
from pathlib import Path

from tests.sandbox.quickbooks_server import (
    CHECKING,
    RECEIVABLE,
    SALES,
    QuickBooksServer,
    entry,
    error_of,
    line,
    quickbooks_server,
)

MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d-08:00")


def test_a_created_entry_is_answered_in_full(quickbooks: QuickBooksServer) -> None:
    answer = quickbooks.post(entry(amount=108.25))

    body = answer.json(parse_float=Decimal)
    shown = body["JournalEntry"]
    assert answer.headers["intuit_tid"] and answer.headers["X-Sandbox"].startswith("daybook sandbox")
    assert (shown["Id"], shown["SyncToken"], shown["domain"], shown["sparse"]) == ("201", "0", "QBO", False)
    assert (shown["DocNumber"], shown["TxnDate"], shown["TxnTaxDetail"]) == ("HR-T100001", "2010-12-01", {})
    assert MOMENT.fullmatch(shown["MetaData"]["CreateTime"]) and body["time"].endswith("-08:00")
    first = shown["Line"][0]
    assert (first["Id"], first["Amount"]) == ("0", Decimal("108.25"))
    assert first["JournalEntryLineDetail"] == {
        "PostingType": "Debit",
        "AccountRef": {"name": "Checking", "value": CHECKING},
    }


def test_amounts_are_numbers_with_exactly_their_digits(quickbooks: QuickBooksServer) -> None:
    text = quickbooks.post(entry(amount="1234567890.10")).text
    assert '"Amount":1234567890.10' in text


def test_an_entry_without_number_or_date_keeps_none_and_gets_today(quickbooks: QuickBooksServer) -> None:
    body = entry()
    del body["DocNumber"], body["TxnDate"]
    shown = quickbooks.post(body).json()["JournalEntry"]
    assert "DocNumber" not in shown
    assert shown["TxnDate"] >= "2020-01-01"


def test_equal_numbers_are_accepted_in_silence_unless_the_preference_is_on(
    quickbooks: QuickBooksServer,
) -> None:
    assert quickbooks.post(entry()).status_code == quickbooks.post(entry()).status_code == 200
    assert quickbooks.journal()["doubled"] == {"HR-T100001": 2}
    quickbooks.set(warn_duplicate_number=True)
    assert error_of(quickbooks.post(entry()))["code"] == "6140"
    assert quickbooks.post(entry(), include="allowduplicatedocnum").status_code == 200


def test_a_receivable_with_its_customer_is_accepted(quickbooks: QuickBooksServer) -> None:
    debit = line(RECEIVABLE, "Debit")
    debit["JournalEntryLineDetail"]["Entity"] = {"Type": "Customer", "EntityRef": {"value": "1"}}
    assert quickbooks.post(entry(Line=[debit, line(SALES, "Credit")])).status_code == 200


def test_an_entry_is_read_updated_and_deleted_by_its_token(quickbooks: QuickBooksServer) -> None:
    quickbooks.post(entry())
    sparse = {"Id": "201", "SyncToken": "0", "sparse": True, "PrivateNote": "changed"}
    assert quickbooks.post(sparse).json()["JournalEntry"]["SyncToken"] == "1"
    shown = quickbooks.call("GET", "journalentry/201").json()["JournalEntry"]
    assert (shown["PrivateNote"], shown["DocNumber"]) == ("changed", "HR-T100001")
    full = {**entry(), "Id": "201", "SyncToken": "1"}
    del full["PrivateNote"]
    assert "PrivateNote" not in quickbooks.post(full).json()["JournalEntry"]
    deleted = quickbooks.post({"Id": "201", "SyncToken": "2"}, operation="delete")
    assert deleted.json()["JournalEntry"] == {"status": "Deleted", "domain": "QBO", "Id": "201"}
    assert quickbooks.journal()["count"] == 0


def test_an_entry_of_a_closed_period_cannot_be_deleted(quickbooks: QuickBooksServer) -> None:
    quickbooks.post(entry())
    quickbooks.set(book_close_date="2010-12-31")
    assert error_of(quickbooks.post({"Id": "201", "SyncToken": "0"}, operation="delete"))["code"] == "6210"


def test_the_balance_of_an_account_follows_the_entries(quickbooks: QuickBooksServer) -> None:
    before = quickbooks.rows("SELECT * FROM Account WHERE Name = 'Checking'")[0]["CurrentBalance"]
    quickbooks.post(entry(amount=12.34))
    after = quickbooks.rows("SELECT * FROM Account WHERE Name = 'Checking'")[0]["CurrentBalance"]
    assert after - before == Decimal("12.34")


def test_a_repeated_request_id_gets_the_first_answer_and_does_nothing(quickbooks: QuickBooksServer) -> None:
    first = quickbooks.post(entry(), requestid="r-1")
    again = quickbooks.post(entry(), requestid="r-1")
    assert first.json() == again.json()
    assert quickbooks.journal()["entries"][0]["requestid"] == "r-1"
    assert quickbooks.journal()["count"] == 1


def test_a_forgotten_request_id_doubles_the_entry(quickbooks: QuickBooksServer) -> None:
    quickbooks.faults.set({"quickbooks.forget_request_id": {"always": True}})
    quickbooks.post(entry(), requestid="r-1")
    quickbooks.post(entry(), requestid="r-1")
    assert quickbooks.journal()["count"] == 2


def test_a_request_that_arrives_twice_is_done_once_unless_its_id_is_forgotten(quickbooks: QuickBooksServer) -> None:
    quickbooks.faults.set({"quickbooks.duplicate_request": {"always": True}})
    assert quickbooks.post(entry(), requestid="r-1").status_code == 200
    assert quickbooks.journal()["count"] == 1
    quickbooks.faults.set({"quickbooks.forget_request_id": {"times": 1}})
    quickbooks.post(entry("HR-T2"), requestid="r-2")
    assert quickbooks.journal()["count"] == 3


def test_a_refusal_is_replayed_only_when_switched_on(quickbooks: QuickBooksServer) -> None:
    quickbooks.set(book_close_date="2010-12-31")
    assert quickbooks.post(entry(), requestid="r-1").status_code == 400
    quickbooks.set(book_close_date=None)
    quickbooks.faults.set({"quickbooks.replay_error": {"times": 1}})
    assert error_of(quickbooks.post(entry(), requestid="r-1"))["code"] == "6210"
    assert quickbooks.post(entry(), requestid="r-1").status_code == 200


def test_a_request_id_of_more_than_fifty_characters_is_refused(quickbooks: QuickBooksServer) -> None:
    assert quickbooks.post(entry(), requestid="x" * 50).status_code == 200
    assert error_of(quickbooks.post(entry(), requestid="x" * 51))["code"] == "2130"


def test_everything_is_still_there_after_a_restart(tmp_path: Path) -> None:
    with quickbooks_server(tmp_path / "s.sqlite3") as before:
        before.post(entry(amount=10.10), requestid="r-1")
        before.post(entry("HR-T2"))
        before.post({"Id": "202", "SyncToken": "0"}, operation="delete")
        before.post({"Name": "New One", "AccountType": "Bank"}, path="account")
        before.set(book_close_date="2010-12-01", inactive_accounts=["Savings"])
        journal, token = before.journal(), before.token
    with quickbooks_server(tmp_path / "s.sqlite3") as after:
        assert after.journal() == journal
        after.token = token
        assert after.post(entry(), requestid="r-1").json()["JournalEntry"]["Id"] == "201"
        assert after.account("New One") and not after.rows("SELECT * FROM Account WHERE Name = 'Savings'")
        after.set(book_close_date=None)
        assert after.post(entry("HR-T3")).json()["JournalEntry"]["Id"] in ("202", "203")
