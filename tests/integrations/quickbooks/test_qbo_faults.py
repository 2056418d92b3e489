"""What QuickBooks says in codes becomes one of our errors: never softer than the facts allow."""

from collections.abc import Mapping

import pytest

from integrations.quickbooks.faults import FAULTS, fault_error, faults_in
from ledger.errors import (
    AuthExpired,
    DaybookError,
    OutcomeUnknown,
    PeriodClosed,
    RateLimited,
    Rejected,
    Unreachable,
)
from tests.integrations.quickbooks.scripted import fault

BUSINESS = "Business Validation Error: "
TAKEN = "This number has already been used. DocNumber=AA_2025-07 is assigned to TxnType={} with TxnId=3632"
LOWER_CASE_401 = {
    "warnings": None,
    "fault": {
        "error": [
            {
                "message": "message=AuthenticationFailed; errorCode=003200; statusCode=401",
                "detail": "Token expired: AB01...",
                "code": "3200",
                "element": None,
            }
        ],
        "type": "AUTHENTICATION",
    },
    "time": 1730024394085,
}
FORBIDDEN = {
    "fault": {
        "error": [
            {
                "message": "message=ApplicationAuthorizationFailed; errorCode=003100; statusCode=403",
                "detail": None,
                "code": "003100",
            }
        ],
        "type": "SERVICE",
    }
}


def error_for(body: Mapping[str, object], *, write: bool = True) -> DaybookError:
    return fault_error(faults_in(body), write=write)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (
            fault("6210", "The account period has closed and the account books cannot be updated"),
            PeriodClosed,
        ),
        (fault("6200"), PeriodClosed),
        (fault("6000", BUSINESS + "The transaction date is prior to the closing date"), PeriodClosed),
        (fault("6000", BUSINESS + "An unexpected error occurred while accessing or saving"), OutcomeUnknown),
        (fault("10000", "System Failure Error", kind="SystemFault"), OutcomeUnknown),
        (fault("77777", "Something new", kind="SystemFault"), OutcomeUnknown),
        (fault("600"), OutcomeUnknown),
        (fault("6140", TAKEN.format("Journal Entry")), OutcomeUnknown),
        (fault("6140"), OutcomeUnknown),
        (fault("6140", TAKEN.format("Bill")), Rejected),
        (fault("3001", kind="SERVICE"), RateLimited),
        (fault("003001", kind="SERVICE"), RateLimited),
        (LOWER_CASE_401, AuthExpired),
        (FORBIDDEN, AuthExpired),
        (fault("120", ": -11014-You do not have access to use QuickBooks Online Plus."), AuthExpired),
        (fault("6190", "Subscription period has ended or canceled"), AuthExpired),
        (fault("5020"), AuthExpired),
        (fault("88888", kind="AuthorizatonFault"), AuthExpired),
        (fault("88888", kind="AUTHENTICATION"), AuthExpired),
        (fault("610", "Object Not Found : Something you're trying to use has been made inactive."), Rejected),
        (fault("2500", "Invalid Reference Id : Accounts element id 7 not found"), Rejected),
        (fault("2300"), Rejected),
        (fault("99999"), Rejected),
    ],
)
def test_each_fault_means_one_of_our_errors(body: dict[str, object], expected: type[DaybookError]) -> None:
    assert type(error_for(body)) is expected


def test_of_several_errors_the_most_cautious_decides_and_all_words_are_kept() -> None:
    body = {
        "Fault": {
            "Error": [
                {"Message": "Required param missing", "Detail": "AccountRef is missing", "code": "2020"},
                {"Message": "Duplicate", "Detail": TAKEN.format("Journal Entry"), "code": "6140"},
            ],
            "type": "ValidationFault",
        }
    }
    error = error_for(body)
    assert isinstance(error, OutcomeUnknown)
    assert "AccountRef is missing; This number" in error.detail


def test_a_read_that_meets_an_internal_error_may_simply_be_repeated() -> None:
    assert isinstance(error_for(fault("10000"), write=False), Unreachable)


def test_a_rejection_keeps_the_vendors_words_beside_a_sentence_that_says_what_to_do() -> None:
    words = BUSINESS + "When you use Accounts Receivable, you must choose a customer in the Name field."
    error = error_for(fault("6000", words))
    assert isinstance(error, Rejected)
    assert (error.vendor_code, error.vendor_message) == ("6000", words)
    assert "Map another" in error.sentence


def test_entries_that_name_the_same_unknown_account_share_one_cause() -> None:
    error = error_for(fault("2500", "Invalid Reference Id : Accounts element id 7 not found"))
    assert error.cause == "rejected:2500:Accounts:7"


def test_a_code_may_hide_in_the_message() -> None:
    body = fault("", message="message=ThrottleExceeded; errorCode=003001; statusCode=403", kind="SERVICE")
    assert isinstance(error_for(body), RateLimited)


@pytest.mark.parametrize("name", ["Card Authorization Clearing", "Two-factor Authentication", "SystemFault fund"])
def test_an_accounts_name_never_switches_the_company_off(name: str) -> None:
    error = error_for(fault("6480", f"{name} cannot be used", message=f"The account {name} cannot be used"))
    assert isinstance(error, Rejected)
    assert name in error.vendor_message


def test_an_empty_fault_is_a_fault_and_no_fault_is_none() -> None:
    assert isinstance(error_for({"Fault": {"type": "ValidationFault", "Error": []}}), Rejected)
    assert faults_in({"JournalEntry": {"Id": "1"}, "fault": None}) == []


def test_every_sentence_of_the_table_says_what_to_do_or_what_we_do() -> None:
    actions = ("press Retry", "onnect", "Daybook looks", "report this", "Choose another name")
    sentences = [row.sentence for row in FAULTS if row.sentence]
    assert all(any(action in sentence for action in actions) for sentence in sentences)
