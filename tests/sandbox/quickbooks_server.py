"""A sandbox with QuickBooks alone, listening on a free port in this process, and short words for calls."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import requests

from sandbox.faults import Faults
from sandbox.quickbooks import make_app
from sandbox.server import App, Sandbox, serve
from sandbox.state import State

CLIENT = ("sandbox-quickbooks-client", "sandbox-quickbooks-secret")
REALM = "9130000000000001"
CALLBACK = "http://127.0.0.1:9/callback"
CHECKING, SALES, RECEIVABLE, PAYABLE, INACTIVE = "37", "70", "69", "35", "44"  # ids in the chart
Json = dict[str, Any]


@dataclass
class QuickBooksServer:
    """One running sandbox. `token` is a valid access token after `connect`."""

    url: str
    faults: Faults
    token: str = ""
    refresh_token: str = ""

    # -- OAuth

    def authorize(self, **changes: str) -> requests.Response:
        """Press Accept (or whatever `decision` says) on the page of consent."""
        fields = {
            "client_id": CLIENT[0],
            "response_type": "code",
            "scope": "com.intuit.quickbooks.accounting",
            "redirect_uri": CALLBACK,
            "state": "s-1",
            "decision": "accept",
        }
        page = f"{self.url}/quickbooks/connect/oauth2"
        return requests.post(page, data={**fields, **changes}, allow_redirects=False, timeout=5)

    def code(self) -> str:
        return parse_qs(urlsplit(self.authorize().headers["Location"]).query)["code"][0]

    def token_call(self, form: Mapping[str, str], *, client: tuple[str, str] = CLIENT) -> requests.Response:
        address = f"{self.url}/quickbooks/oauth2/v1/tokens/bearer"
        return requests.post(address, data=form, auth=client, timeout=5)

    def refresh(self, value: str | None = None) -> requests.Response:
        return self.token_call({"grant_type": "refresh_token", "refresh_token": value or self.refresh_token})

    def connect(self) -> None:
        form = {"grant_type": "authorization_code", "code": self.code(), "redirect_uri": CALLBACK}
        answer = self.token_call(form).json()
        self.token, self.refresh_token = answer["access_token"], answer["refresh_token"]

    # -- the API

    def call(self, method: str, path: str, **options: Any) -> requests.Response:
        address = f"{self.url}/quickbooks/v3/company/{REALM}/{path}"
        headers = {"Authorization": f"Bearer {self.token}", "Accept": "application/json"}
        headers.update(options.pop("headers", {}))
        return requests.request(method, address, headers=headers, timeout=10, **options)

    def post(self, body: object, *, path: str = "journalentry", **params: str) -> requests.Response:
        return self.call("POST", path, json=body, params={"minorversion": "75", **params})

    def query(self, statement: str) -> requests.Response:
        return self.call("GET", "query", params={"query": statement})

    def rows(self, statement: str) -> list[Json]:
        """The rows of a query that must succeed, amounts as Decimal."""
        answer = self.query(statement)
        assert answer.status_code == 200, answer.text
        response: Json = answer.json(parse_float=Decimal)["QueryResponse"]
        return next((value for value in response.values() if isinstance(value, list)), [])

    def account(self, full_name: str) -> str:
        """The id of an active account."""
        return str(self.rows(f"SELECT * FROM Account WHERE FullyQualifiedName = '{full_name}'")[0]["Id"])

    # -- control

    def set(self, **settings: object) -> Json:
        answer = requests.post(f"{self.url}/_control/quickbooks", json=settings, timeout=5)
        assert answer.ok, answer.text
        return dict(answer.json())

    def control(self, path: str, method: str = "GET", body: object = None) -> Json:
        answer = requests.request(method, f"{self.url}/_control/quickbooks{path}", json=body, timeout=5)
        assert answer.ok, answer.text
        return dict(answer.json(parse_float=Decimal))

    def journal(self) -> Json:
        return self.control("/journal")

    def numbers(self) -> list[str]:
        return [entry["DocNumber"] for entry in self.journal()["entries"]]


def line(account: str, side: str, amount: object = 100) -> Json:
    """One line of an entry. `account` is an id of the chart."""
    detail = {"PostingType": side, "AccountRef": {"value": account}}
    return {"Amount": amount, "DetailType": "JournalEntryLineDetail", "JournalEntryLineDetail": detail}


def entry(number: str = "HR-T100001", amount: object = 100, **changes: object) -> Json:
    """A correct entry: Checking against Sales."""
    lines = [line(CHECKING, "Debit", amount), line(SALES, "Credit", amount)]
    mark = f"[Daybook {number}]"
    return {"DocNumber": number, "TxnDate": "2010-12-01", "PrivateNote": mark, "Line": lines, **changes}


def error_of(answer: requests.Response) -> Json:
    """The first error of a fault."""
    return dict(answer.json()["Fault"]["Error"][0])


@contextmanager
def quickbooks_server(state_path: Path, *, cruel: bool = False) -> Iterator[QuickBooksServer]:
    """Started, connected, without limits (a test that wants them turns them on)."""
    state, faults = State(state_path), Faults()
    app = make_app(state=state, faults=faults, cruel=cruel)
    mounts: dict[str, App] = {
        "/quickbooks": app,
        "/_control/quickbooks": app.control,
        "/_control/faults": faults.control,
    }
    server = Sandbox(("127.0.0.1", 0), mounts=mounts)
    thread = threading.Thread(target=serve, args=(server,), daemon=True)
    thread.start()
    running = QuickBooksServer(f"http://127.0.0.1:{server.server_port}", faults)
    try:
        running.set(limits=False)
        running.connect()
        yield running
    finally:
        server.shutdown()
        thread.join()
        state.close()
