"""QuickBooks' JSON is written exactly and read forgivingly, but never an amount guessed."""

import json
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integrations.quickbooks import payloads
from ledger.errors import Unreadable, Unsupported
from ledger.terms import AccountType, Side
from ledger.values import Company, OutgoingLine
from tests.integrations.quickbooks.scripted import outgoing

# Intuit's own sample of an answer, shortened.
JOURNAL_ENTRY = {
    "SyncToken": "0",
    "domain": "QBO",
    "TxnDate": "2015-06-29",
    "sparse": False,
    "Line": [
        {
            "JournalEntryLineDetail": {
                "PostingType": "Debit",
                "AccountRef": {"name": "Truck :Depreciation", "value": "39"},
            },
            "DetailType": "JournalEntryLineDetail",
            "Amount": Decimal("100.0"),
            "Id": "0",
            "Description": "nov portion of rider insurance",
        },
        {
            "JournalEntryLineDetail": {"PostingType": "Credit", "AccountRef": {"value": "44"}},
            "DetailType": "JournalEntryLineDetail",
            "Amount": 100,
            "Id": "1",
        },
    ],
    "Adjustment": False,
    "Id": "228",
    "TxnTaxDetail": {},
}
# Recorded in a US company.
ACCOUNT = {
    "Name": "Accounting",
    "SubAccount": True,
    "ParentRef": {"value": "12"},
    "FullyQualifiedName": "Legal & Professional Fees:Accounting",
    "Active": True,
    "Classification": "Expense",
    "AccountType": "Expense",
    "AccountSubType": "LegalProfessionalFees",
    "CurrentBalance": 0,
    "CurrencyRef": {"value": "USD", "name": "United States Dollar"},
    "Id": "69",
    "SyncToken": "0",
}


def written(**changes: Any) -> dict[str, object]:
    read: dict[str, object] = json.loads(payloads.entry_json(outgoing(**changes)), parse_float=Decimal)
    return read


def test_an_entry_is_written_as_the_reference_page_shows_it() -> None:
    assert payloads.entry_json(outgoing()) == (
        '{"DocNumber":"HR-T100123","TxnDate":"2026-11-20","PrivateNote":"[Daybook HR-T100123] Ticket 100123",'
        '"CurrencyRef":{"value":"USD"},"Line":['
        '{"Description":"Cash","Amount":108.25,"DetailType":"JournalEntryLineDetail",'
        '"JournalEntryLineDetail":{"PostingType":"Debit","AccountRef":{"value":"4"}}},'
        '{"Amount":100.00,"DetailType":"JournalEntryLineDetail",'
        '"JournalEntryLineDetail":{"PostingType":"Credit","AccountRef":{"value":"79"}}},'
        '{"Amount":8.25,"DetailType":"JournalEntryLineDetail",'
        '"JournalEntryLineDetail":{"PostingType":"Credit","AccountRef":{"value":"90"}}}]}'
    )


@given(st.decimals(min_value="0.01", max_value="9999999999999.99", places=2))
def test_every_amount_arrives_as_the_very_same_number(amount: Decimal) -> None:
    lines = (OutgoingLine("4", Side.DEBIT, amount), OutgoingLine("5", Side.CREDIT, amount))
    text = payloads.entry_json(outgoing(lines=lines))
    assert text.count(f'"Amount":{amount:.2f},') == 2


@given(st.text(max_size=50))
def test_any_text_survives_the_way_out(words: str) -> None:
    assert written(memo=words)["PrivateNote"] == words


def test_what_was_written_reads_back_as_the_same_lines() -> None:
    entry = payloads.remote_entry(written() | {"Id": "301"})
    assert (entry.reference, entry.posting_date) == ("HR-T100123", date(2026, 11, 20))
    assert entry.lines == outgoing().lines


@pytest.mark.parametrize("amount", ["0", "-1", "0.001", "10000000000000.00"])
def test_an_amount_that_quickbooks_cannot_book_is_refused_before_sending(amount: str) -> None:
    lines = (OutgoingLine("4", Side.DEBIT, Decimal(amount)), OutgoingLine("5", Side.CREDIT, Decimal(1)))
    with pytest.raises(Unsupported, match="QuickBooks"):
        payloads.entry_json(outgoing(lines=lines))


@pytest.mark.parametrize(
    "changes",
    [
        {"reference": "HR-T1234567890123456789"},
        {"reference": ""},
        {"reference": "hr t1"},
        {"lines": (OutgoingLine("4", Side.DEBIT, Decimal(1)),)},
        {"lines": (OutgoingLine("4", Side.DEBIT, Decimal(1)), OutgoingLine("", Side.CREDIT, Decimal(1)))},
        {"lines": outgoing().lines * 70},
        {"memo": "x" * 4001},
        {"currency": "XTS"},
    ],
)
def test_what_quickbooks_cannot_express_is_said_before_sending(changes: dict[str, Any]) -> None:
    with pytest.raises(Unsupported):
        payloads.entry_json(outgoing(**changes))


def test_an_entry_of_theirs_is_read_with_its_lines() -> None:
    entry = payloads.remote_entry(JOURNAL_ENTRY)
    assert (entry.remote_id, entry.reference, entry.memo, entry.final) == ("228", "", "", True)
    assert entry.lines == (
        OutgoingLine("39", Side.DEBIT, Decimal(100), "nov portion of rider insurance"),
        OutgoingLine("44", Side.CREDIT, Decimal(100)),
    )


def test_capitals_nulls_and_amounts_as_text_are_read_alike() -> None:
    line = {
        "Amount": "12.50",
        "Description": None,
        "JournalEntryLineDetail": {"PostingType": "CREDIT", "AccountRef": {"value": "4", "name": None}},
    }
    described = {"DetailType": "DescriptionOnly", "Description": "a remark", "JournalEntryLineDetail": None}
    entry = payloads.remote_entry(JOURNAL_ENTRY | {"PrivateNote": None, "Line": [line, described]})
    assert entry.lines == (OutgoingLine("4", Side.CREDIT, Decimal("12.50")),)


@pytest.mark.parametrize("amount", [None, "", "a lot", 1.5, True, "1e99"])
def test_an_amount_that_cannot_be_read_is_never_guessed(amount: object) -> None:
    line = {
        "Amount": amount,
        "JournalEntryLineDetail": {"PostingType": "Debit", "AccountRef": {"value": "4"}},
    }
    with pytest.raises(Unreadable, match="228"):
        payloads.remote_entry(JOURNAL_ENTRY | {"Line": [line]})


@pytest.mark.parametrize("changes", [{"TxnDate": None}, {"TxnDate": "yesterday"}, {"Id": ""}])
def test_an_entry_without_date_or_id_is_unreadable(changes: dict[str, object]) -> None:
    with pytest.raises(Unreadable) as refused:
        payloads.remote_entry(JOURNAL_ENTRY | changes)
    assert refused.value.cause == "unreadable:answer"  # nothing that a person mends at the till


def test_an_account_is_read_with_the_names_of_its_parents() -> None:
    account = payloads.remote_account(ACCOUNT)
    assert (account.external_id, account.full_name) == ("69", "Legal & Professional Fees:Accounting")
    assert (account.type, account.currency, account.number) == (AccountType.EXPENSE, "USD", "")
    assert account.active
    assert account.warning == ""


def test_every_account_type_has_a_neutral_one() -> None:
    assert set(payloads.ACCOUNT_TYPES.values()) == set(AccountType)
    assert len(payloads.ACCOUNT_TYPES) == 16


@pytest.mark.parametrize("subtype", ["GlobalTaxPayable", "SalesTaxPayable"])
def test_a_sales_tax_agency_account_carries_a_warning(subtype: str) -> None:
    account = payloads.remote_account(ACCOUNT | {"AccountType": "Other Current Liability", "AccountSubType": subtype})
    assert account.type is AccountType.CURRENT_LIABILITY
    assert "Sales Tax Center" in account.warning


def test_an_account_of_a_new_type_is_imported_but_fits_nothing() -> None:
    account = payloads.remote_account(ACCOUNT | {"AccountType": "Crypto", "Active": False})
    assert (account.type, account.active) == (AccountType.NON_POSTING, False)
    assert "'Crypto'" in account.warning


# From a recorded company of a retailer in Britain.
PREFERENCES = {
    "AccountingInfoPrefs": {"BookCloseDate": "2018-01-31", "UseAccountNumbers": True},
    "CurrencyPrefs": {"MultiCurrencyEnabled": True, "HomeCurrency": {"value": "GBP"}},
}


def test_a_company_is_read_with_its_currency_and_closing_date() -> None:
    company = payloads.company({"CompanyName": "Larry's Bakery"}, PREFERENCES, realm="9130")
    assert company == Company("9130", "Larry's Bakery", "GBP", date(2018, 1, 31))


def test_open_books_have_no_closing_date() -> None:
    info = {"CompanyName": None, "LegalName": "Larry's Bakery", "Country": "US"}
    company = payloads.company(info, {"AccountingInfoPrefs": None}, realm="9130")
    assert company == Company("9130", "Larry's Bakery", "USD", None)


def test_a_company_whose_currency_nobody_names_is_unreadable() -> None:
    with pytest.raises(Unreadable, match="home currency"):
        payloads.company({"Country": "GB"}, {}, realm="9130")
