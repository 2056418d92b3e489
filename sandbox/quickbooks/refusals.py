"""The vendor's fault bodies, word for word where an answer was recorded.

Codes 1040, 2010, 2080, 2090, 2130, 2260, 2290, 2300, 6010 and 6240 follow the vendor's list of error codes;
their sentences were not recorded anywhere we know of, and are ours.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

from sandbox.quickbooks.clock import answer_time
from sandbox.server import Answer, html_answer, json_answer

BUSINESS = "A business validation error has occurred while processing your request"
UNEXPECTED = (
    "An unexpected error occurred while accessing or saving your data. "
    "Please wait a few minutes and try again. If the problem persists, contact customer support."
)


@dataclass(frozen=True)
class Refusal:
    """One error of a fault."""

    code: str
    message: str
    detail: str
    element: str | None = ""

    def body(self) -> dict[str, Any]:
        fields: dict[str, Any] = {"Message": self.message, "Detail": self.detail, "code": self.code}
        return fields if self.element is None else {**fields, "element": self.element}


class Refused(Exception):
    """The request is refused for one reason or several; `status` is the HTTP status outside a batch."""

    def __init__(self, *refusals: Refusal, kind: str = "ValidationFault", status: int = 400) -> None:
        super().__init__("; ".join(refusal.detail for refusal in refusals))
        self.refusals = refusals
        self.kind = kind
        self.status = status

    def fault(self) -> dict[str, Any]:
        return {"Fault": {"Error": [refusal.body() for refusal in self.refusals], "type": self.kind}}

    def value(self) -> dict[str, Any]:
        return {**self.fault(), "time": answer_time()}


def business(sentence: str) -> Refusal:
    return Refusal("6000", BUSINESS, f"Business Validation Error: {sentence}")


def required(element: str) -> Refusal:
    message = "Required param missing, need to supply the required value for the API"
    return Refusal("2020", message, f"Required parameter {element} is missing in the request", element)


def unsupported(name: str) -> Refusal:
    message = "Request has invalid or unsupported property"
    return Refusal("2010", message, f"Property Name:{name} specified is unsupported or invalid", name)


def wrong_length(element: str, *, most: int, supplied: int, least: int = 0) -> Refusal:
    return Refusal(
        "2050",
        "String length is either shorter or longer than supported by specification",
        "String length specified does not match the supported length. "
        f"Min:{least} Max:{most} supported. Supplied length:{supplied}",
        element,
    )


def bad_number(element: str, supplied: object) -> Refusal:
    return Refusal(
        "2080",
        "Illegal number format",
        f"{element} is not a number of at most two decimals: {supplied}",
        element,
    )


def bad_date(element: str, supplied: object) -> Refusal:
    return Refusal("2090", "Invalid date", f"{element} is not a date of the form YYYY-MM-DD: {supplied}", element)


def negative(element: str) -> Refusal:
    return Refusal("2290", "Negative amount", f"{element} must not be negative", element)


def no_posting_type() -> Refusal:
    return Refusal("2260", "PostingType is missing", "PostingType must be Debit or Credit", "PostingType")


def unbalanced() -> Refusal:
    return Refusal("2300", "Amount on debits not equal to credits", "Amount on debits not equal to credits")


def unknown_reference(kind: str, identifier: object) -> Refusal:
    """`kind` as the vendor spells it: Accounts, Klasses, Depts, Names."""
    detail = f"Invalid Reference Id : {kind} element id {identifier} not found"
    return Refusal("2500", "Invalid Reference Id", detail)


_INACTIVE = (
    "Something you're trying to use has been made inactive. "
    "Check the fields with accounts, customers, items, vendors or employees."
)


def inactive() -> Refusal:
    return Refusal("610", "Object Not Found", f"Object Not Found : {_INACTIVE}")


def inactive_reference() -> Refusal:
    return Refusal("2500", "Invalid Reference Id", f"Invalid Reference Id : {_INACTIVE}")


def deleted() -> Refusal:
    return Refusal("610", "Object Not Found", "Object Not Found : Another user has deleted this transaction.")


def stale() -> Refusal:
    return Refusal(
        "5010",
        "Stale Object Error",
        "Stale Object Error : You and NAME were working on this at the same time. "
        "NAME finished before you did, so your work was not saved.",
    )


def duplicate_number(number: str, identifier: str) -> Refusal:
    return Refusal(
        "6140",
        "Duplicate Document Number Error",
        "Duplicate Document Number Error : You must specify a different number. This number has already been "
        f"used. DocNumber={number} is assigned to TxnType=Journal Entry with TxnId={identifier}",
    )


def period_closed() -> Refusal:
    return Refusal(
        "6210",
        "Account Period Closed",
        "The account period has closed and the account books cannot be updated through the QBO Services API. "
        "Please use the QBO website to make these changes.",
    )


def subscription_ended() -> Refusal:
    return Refusal(
        "6190",
        "Invalid Company Status",
        "Subscription period has ended or canceled or there was a billing problem : You can't add data to "
        "QuickBooks Online Plus because your trial or subscription period ended.",
    )


def duplicate_name() -> Refusal:
    return Refusal(
        "6240",
        "Duplicate Name Exists Error",
        "The name supplied already exists. : Another account is already using this name.",
    )


def query_syntax(detail: str) -> Refused:
    return Refused(Refusal("4000", "Error parsing query", f"QueryParserError: {detail}", None))


def query_invalid(detail: str) -> Refused:
    return Refused(Refusal("4001", "Invalid query", f"QueryValidationError: {detail}", None))


def bad_request_id(detail: str) -> Refused:
    return Refused(Refusal("2130", "Invalid request id", detail, "requestid"))


def throttled(retry_after: object = None) -> Answer:
    refusal = Refusal(
        "3001",
        "message=ThrottleExceeded; errorCode=003001; statusCode=429",
        "The request limit was reached.  Try again later",
        None,
    )
    headers = {} if retry_after is None else {"Retry-After": str(retry_after)}
    return json_answer(429, Refused(refusal, kind="SERVICE").value(), headers)


def system_failure() -> Answer:
    refusal = Refusal(
        "10000",
        "An application error has occurred while processing your request",
        "System Failure Error: Could not complete the request",
        None,
    )
    return json_answer(500, Refused(refusal, kind="SystemFault").value())


def _gateway_fault(status: int, name: str, code: str, detail: str | None, kind: str) -> dict[str, Any]:
    message = f"message={name}; errorCode=00{code}; statusCode={status}"
    error = {"message": message, "detail": detail, "code": code, "element": None}
    return {
        "warnings": None,
        "intuitObject": None,
        "fault": {"error": [error], "type": kind},
        "report": None,
        "queryResponse": None,
        "batchItemResponse": [],
        "attachableResponse": [],
        "syncErrorResponse": None,
        "requestId": None,
        "time": int(time.time() * 1000),
        "status": None,
        "cdcresponse": [],
    }


def unauthenticated(detail: str) -> Answer:
    body = _gateway_fault(401, "AuthenticationFailed", "3200", detail, "AUTHENTICATION")
    return json_answer(401, body, {"WWW-Authenticate": 'Bearer realm="Intuit", error="invalid_token"'})


def forbidden() -> Answer:
    """Wrong environment, or no right on this company."""
    return json_answer(403, _gateway_fault(403, "ApplicationAuthorizationFailed", "3100", None, "SERVICE"))


def html_failure(status: int) -> Answer:
    title = {404: "404 Not Found", 502: "502 Bad Gateway"}[status]
    return html_answer(status, f"<html><head><title>{title}</title></head><body><h1>{title}</h1></body></html>")


def account_type_missing() -> Refusal:
    return Refusal("6010", "Account type missing", "AccountType or AccountSubType must be given", "AccountType")


def too_many_items(most: int) -> Refused:
    return Refused(Refusal("1040", "Too many batch items", f"A batch holds at most {most} items", "BatchItemRequest"))
