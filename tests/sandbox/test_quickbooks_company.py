"""The company, its preferences and its chart of accounts, as an import sees them."""

from collections import Counter

import pytest

from tests.sandbox.quickbooks_server import QuickBooksServer, error_of

ALL = "SELECT * FROM Account WHERE Active IN (true, false) MAXRESULTS 1000"


def test_the_company_says_its_name_and_plan(quickbooks: QuickBooksServer) -> None:
    company = quickbooks.call("GET", "companyinfo/9130000000000001").json()["CompanyInfo"]
    assert company["CompanyName"] == "Main Street Trading"
    assert {"Name": "OfferingSku", "Value": "QuickBooks Online Plus"} in company["NameValue"]


def test_preferences_tell_the_closing_date_while_there_is_one(quickbooks: QuickBooksServer) -> None:
    first = quickbooks.call("GET", "preferences").json()["Preferences"]
    quickbooks.set(book_close_date=None, warn_duplicate_number=True)
    second = quickbooks.rows("SELECT * FROM Preferences")[0]
    assert first["AccountingInfoPrefs"]["BookCloseDate"] == "2010-11-30"
    assert "BookCloseDate" not in second["AccountingInfoPrefs"]
    assert {"Name": "WarnDuplicateJournalNumber", "Value": "true"} in second["OtherPrefs"]["NameValue"]


def test_the_chart_is_that_of_a_retailer(quickbooks: QuickBooksServer) -> None:
    accounts = quickbooks.rows(ALL)
    names = {row["FullyQualifiedName"]: row for row in accounts}
    leaves = Counter(row["Name"] for row in accounts)

    assert len(accounts) > 105 and leaves["Main Street"] >= 3
    assert max(name.count(":") for name in names) == 2
    assert names["Cash on Hand:Chicago"]["ParentRef"] == {"value": names["Cash on Hand"]["Id"]}
    assert names["Gift Cards Outstanding"]["Classification"] == "Liability"
    assert {row["AccountSubType"] for row in accounts} >= {"GlobalTaxPayable", "AccountsReceivable"}
    assert (
        names["Sales:Wholesale (deleted)"] | {"Name": "Wholesale (deleted)", "Active": False}
        == (names["Sales:Wholesale (deleted)"])
    )


def test_an_account_has_the_recorded_properties(quickbooks: QuickBooksServer) -> None:
    row = quickbooks.rows("SELECT * FROM Account WHERE FullyQualifiedName = 'Insurance:Workers Compensation'")[0]
    assert set(row) == {
        *("Name", "SubAccount", "ParentRef", "FullyQualifiedName", "Active", "Classification", "AccountType"),
        *("AccountSubType", "CurrentBalance", "CurrentBalanceWithSubAccounts", "CurrencyRef", "domain"),
        *("sparse", "Id", "SyncToken", "MetaData"),
    }


def test_a_query_shows_active_accounts_only_unless_asked(quickbooks: QuickBooksServer) -> None:
    active = quickbooks.rows("SELECT * FROM Account MAXRESULTS 1000")
    assert len(active) < len(quickbooks.rows(ALL))
    assert all(row["Active"] for row in active)


def test_an_account_made_inactive_is_refused_until_it_is_active_again(quickbooks: QuickBooksServer) -> None:
    identifier = quickbooks.account("Savings")
    quickbooks.set(inactive_accounts=["Savings"])
    shown = quickbooks.call("GET", f"account/{identifier}").json()["Account"]
    assert (shown["Active"], shown["FullyQualifiedName"]) == (False, "Savings (deleted)")
    quickbooks.set(inactive_accounts=[])
    assert quickbooks.account("Savings") == identifier


def test_an_account_is_created_under_its_parent(quickbooks: QuickBooksServer) -> None:
    parent = quickbooks.account("Cash on Hand")
    body = {"Name": "Boston", "AccountType": "Bank", "ParentRef": {"value": parent}, "SubAccount": True}
    made = quickbooks.post(body, path="account").json()["Account"]
    assert (made["FullyQualifiedName"], made["AccountSubType"]) == ("Cash on Hand:Boston", "CashOnHand")
    assert quickbooks.account("Cash on Hand:Boston") == made["Id"]


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"AccountType": "Bank"}, "2020"),
        ({"Name": "New"}, "6010"),
        ({"Name": "Checking", "AccountType": "Bank"}, "6240"),
        ({"Name": "A:B", "AccountType": "Bank"}, "6000"),
        ({"Name": "x" * 101, "AccountType": "Bank"}, "2050"),
        ({"Name": "New", "AccountType": "Bank", "ParentRef": {"value": "999"}}, "2500"),
        ({"Name": "New", "AccountType": "Purse"}, "2010"),
        ({"Name": "New", "AccountType": "Bank", "Colour": "red"}, "2010"),
    ],
)
def test_an_account_is_refused(quickbooks: QuickBooksServer, body: dict[str, object], code: str) -> None:
    assert error_of(quickbooks.post(body, path="account"))["code"] == code


def test_the_auditor_may_look_but_not_write(quickbooks: QuickBooksServer) -> None:
    quickbooks.token = "sandbox-auditor"
    quickbooks.faults.set({"quickbooks.error_500_before": {"always": True}})
    assert quickbooks.query("SELECT COUNT(*) FROM Account").status_code == 200
    text = {"Content-Type": "application/text"}
    assert quickbooks.call("POST", "query", data="SELECT COUNT(*) FROM Account", headers=text).status_code == 200
    assert quickbooks.post({"Name": "New", "AccountType": "Bank"}, path="account").status_code == 403


@pytest.mark.parametrize("settings", [{"colour": 1}, {"book_close_date": "soon"}, {"refresh_rotation": "never"}])
def test_a_wrong_setting_is_refused(quickbooks: QuickBooksServer, settings: dict[str, object]) -> None:
    with pytest.raises(AssertionError, match="error"):
        quickbooks.set(**settings)
