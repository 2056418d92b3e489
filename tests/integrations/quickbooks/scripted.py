"""Answers played back without a network, for what no running system says on demand; and shared samples."""

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

import requests
from requests.adapters import BaseAdapter

from integrations.http import AccessToken, Http
from integrations.quickbooks.adapter import QuickBooksAdapter
from integrations.quickbooks.client import Client
from ledger.errors import AuthExpired
from ledger.terms import Side
from ledger.values import OutgoingEntry, OutgoingLine

REALM = "9130000000000001"


@dataclass
class FixedTokens:
    """A token source: each renewal gives the next value; when there is none a person must act."""

    values: list[str] = field(default_factory=lambda: ["first", "second"])
    version: int = 1
    events: list[str] = field(default_factory=list)

    def current(self) -> AccessToken:
        self.events.append("token")
        return AccessToken(self.values[0], self.version)

    def renew(self, *, used: int) -> AccessToken:
        if len(self.values) < 2:
            raise AuthExpired("Connect again.")
        self.events.append("renewal")
        self.values.pop(0)
        self.version = used + 1
        return AccessToken(self.values[0], self.version)


@dataclass
class Limits:
    """Remembers what was asked of the limiter."""

    taken: list[str] = field(default_factory=list)
    paused: list[float] = field(default_factory=list)
    events: list[str] = field(default_factory=list)
    left: int = 0

    def wait(self, *kinds: str) -> "Limits":
        self.taken.extend(kinds)
        return self

    def sends(self) -> None:
        self.events.append("sends")

    def leave(self) -> None:
        self.events.append("left")
        self.left += 1

    def pause(self, seconds: float) -> None:
        self.paused.append(seconds)


def answer(status: int, body: object, **headers: str) -> requests.Response:
    """An answer as it would arrive; a body that is no text is written as JSON."""
    response = requests.Response()
    response.status_code = status
    response._content = (body if isinstance(body, str) else json.dumps(body)).encode()
    response.headers.update({"intuit_tid": "1-tid"} | headers)
    return response


class Script(BaseAdapter):
    """Plays the answers in order and keeps what was sent; an exception in the script is raised."""

    def __init__(self, answers: Sequence[requests.Response | Exception]) -> None:
        super().__init__()
        self.answers = list(answers)
        self.sent: list[requests.PreparedRequest] = []

    def send(
        self,
        request: requests.PreparedRequest,
        stream: bool = False,
        timeout: object = None,
        verify: object = True,
        cert: object = None,
        proxies: Mapping[str, str] | None = None,
    ) -> requests.Response:
        self.sent.append(request)
        played = self.answers.pop(0)
        if isinstance(played, Exception):
            raise played
        played.request = request
        return played

    def close(self) -> None:
        """Nothing is open."""


def scripted(
    *answers: requests.Response | Exception, base_url: str = "https://quickbooks.api.intuit.com"
) -> tuple[QuickBooksAdapter, Script]:
    """The adapter over a script."""
    script = Script(answers)
    return QuickBooksAdapter(client_over(http_over(script, base_url=base_url))), script


def http_over(script: Script, *, base_url: str = "https://quickbooks.api.intuit.com") -> Http:
    http = Http(base_url=base_url, timeout=5, limiter=Limits())
    http.session.mount("https://", script)
    return http


def client_over(http: Http, *, tokens: FixedTokens | None = None) -> Client:
    return Client(http, realm=REALM, tokens=tokens or FixedTokens())


def fault(code: str, detail: str = "", *, message: str = "", kind: str = "ValidationFault") -> dict[str, object]:
    """A body in the form that Intuit documents."""
    return {"Fault": {"Error": [{"Message": message, "Detail": detail, "code": code}], "type": kind}}


def outgoing(reference: str = "HR-T100123", **changes: object) -> OutgoingEntry:
    """A sale of 100.00 with 8.25 of tax, paid in cash."""
    values: dict[str, object] = {
        "reference": reference,
        "request_key": f"key-{reference}",
        "posting_date": date(2026, 11, 20),
        "currency": "USD",
        "memo": f"[Daybook {reference}] Ticket 100123",
        "lines": (
            OutgoingLine("4", Side.DEBIT, Decimal("108.25"), "Cash"),
            OutgoingLine("79", Side.CREDIT, Decimal(100)),
            OutgoingLine("90", Side.CREDIT, Decimal("8.25")),
        ),
    }
    return OutgoingEntry(**(values | changes))  # type: ignore[arg-type]


def soon() -> float:
    """A time until which something may leave."""
    return time.monotonic() + 30
