"""CompanyInfo and Preferences of the pretend retailer."""

from __future__ import annotations

from typing import Any

from sandbox.quickbooks.settings import Settings

COMPANY_NAME = "Main Street Trading"
_CREATED = {"CreateTime": "2010-01-04T09:12:30-08:00", "LastUpdatedTime": "2010-11-30T18:40:11-08:00"}
_ADDRESS = {
    "Id": "1",
    "Line1": "1 Main Street",
    "City": "New York",
    "CountrySubDivisionCode": "NY",
    "PostalCode": "10044",
    "Country": "USA",
}


def company_info(settings: Settings) -> dict[str, Any]:
    return {
        "CompanyName": COMPANY_NAME,
        "LegalName": f"{COMPANY_NAME} LLC",
        "CompanyAddr": _ADDRESS,
        "CustomerCommunicationAddr": _ADDRESS,
        "LegalAddr": _ADDRESS,
        "PrimaryPhone": {"FreeFormNumber": "(212) 555-0100"},
        "CompanyStartDate": "2010-01-04",
        "FiscalYearStartMonth": "January",
        "Country": "US",
        "Email": {"Address": "books@mainstreettrading.example"},
        "WebAddr": {},
        "SupportedLanguages": "en",
        "NameValue": [
            {"Name": "NeoEnabled", "Value": "true"},
            {"Name": "IndustryType", "Value": "Retail"},
            {"Name": "SubscriptionStatus", "Value": settings.subscription_status},
            {"Name": "OfferingSku", "Value": "QuickBooks Online Plus"},
        ],
        "domain": "QBO",
        "sparse": False,
        "Id": "1",
        "SyncToken": "4",
        "MetaData": _CREATED,
    }


def preferences(settings: Settings) -> dict[str, Any]:
    """The closing date is absent while the books are open; preferences among OtherPrefs are text."""
    closing = {"BookCloseDate": settings.book_close_date} if settings.book_close_date else {}
    return {
        "AccountingInfoPrefs": {
            **closing,
            "FirstMonthOfFiscalYear": "January",
            "TaxYearMonth": "January",
            "TaxForm": "6",
            "UseAccountNumbers": False,
            "ClassTrackingPerTxn": False,
            "ClassTrackingPerTxnLine": False,
            "TrackDepartments": False,
            "DepartmentTerminology": "Location",
            "CustomerTerminology": "Customers",
        },
        "CurrencyPrefs": {"MultiCurrencyEnabled": False, "HomeCurrency": {"value": "USD"}},
        "TaxPrefs": {"UsingSalesTax": True, "PartnerTaxEnabled": True},
        "SalesFormsPrefs": {"CustomTxnNumbers": False},
        "OtherPrefs": {"NameValue": _other_preferences(settings)},
        "domain": "QBO",
        "sparse": False,
        "Id": "1",
        "SyncToken": "7",
        "MetaData": _CREATED,
    }


def _other_preferences(settings: Settings) -> list[dict[str, str]]:
    warn = "true" if settings.warn_duplicate_number else "false"
    return [
        {"Name": "WarnDuplicateCheckNumber", "Value": "true"},
        {"Name": "WarnDuplicateBillNumber", "Value": "false"},
        {"Name": "WarnDuplicateJournalNumber", "Value": warn},
        {"Name": "VendorAndPurchasesPrefs.UseCustomTxnNumbers", "Value": "false"},
    ]
