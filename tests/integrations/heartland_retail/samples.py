"""Documents in the shape of the vendor's contract (2.1, 2.2, 2.5), and a server that answers as told."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, urlsplit

from integrations.heartland_retail.document import assemble, parse

Json = dict[str, Any]

CHICAGO = "America/Chicago"
CARD = "4111 1111 1111 1111"


def item_line(**changes: Any) -> Json:
    return {
        "id": 1,
        "type": "ItemLine",
        "item_id": 100123,
        "item_description": "Wicker star",
        "qty": 1,
        "unit_price": 20.0,
        "unit_cost": 8,
        "value": 20.0,
        "created_at": "2010-12-01T14:26:00+00:00",
    } | changes


def tax_line(**changes: Any) -> Json:
    tax = {"id": 2, "type": "TaxLine", "description": "Sales Tax", "value": 1.25, "tax_jurisdiction_id": 3}
    return tax | changes


def payment(**changes: Any) -> Json:
    paid = {
        "id": 11,
        "type": "Payments::ExternalPayment",
        "status": "complete",
        "amount": 30.0,
        "deposit": False,
        "payment_type_id": 1,
        "completed_at": "2010-12-01T14:26:00+00:00",
    }
    return paid | changes


def ticket(**changes: Any) -> Json:
    """The sale of worked example 1 (3.5): 20.00 and 1.25 tax, 30.00 in cash, 8.75 change."""
    sale = {
        "id": 100001,
        "public_id": "536365",
        "type": "Ticket",
        "status": "complete",
        "total": 21.25,
        "total_paid": 21.25,
        "balance": 0,
        "source_location_id": 100003,
        "parent_transaction_id": None,
        "completed?": True,
        "voided?": False,
        "updated_at": "2010-12-01T14:26:05+00:00",
        "completed_at": "2010-12-01T14:26:00+00:00",
        "local_completed_at": "2010-12-01T08:26:00-06:00",
        "lines": [item_line(), tax_line()],
        "payments": [payment(), payment(id=12, amount=-8.75)],
    }
    return sale | changes


def item(**changes: Any) -> Json:
    known = {
        "id": 100123,
        "description": "Wicker star",
        "financial_class_id": 3,
        "track_inventory?": True,
        "custom": {"category": "Town"},
    }
    return known | changes


def kept(document: Json, *, known: Json | None = None, time_zone: str = CHICAGO) -> bytes:
    """The document as it is kept, after the way through JSON that it takes in life."""
    read = parse(json.dumps(document).encode())
    return assemble(read, items={"100123": known or item()}, time_zone=time_zone, gift_card_tender="5")


def envelope(*rows: Json, total: int | None = None, pages: int = 1) -> Json:
    return {"total": len(rows) if total is None else total, "pages": pages, "results": list(rows)}


@dataclass(frozen=True)
class Call:
    """A call as the server saw it; `path` is without the base."""

    method: str
    path: str
    query: dict[str, list[str]]
    token: str


@dataclass(frozen=True)
class Reply:
    status: int = 200
    body: object = None
    headers: dict[str, str] = field(default_factory=dict)


Script = Callable[[Call], Reply]


@contextmanager
def scripted(script: Script) -> Iterator[tuple[str, list[Call]]]:
    """A server whose answers the script decides: its base URL and the calls it has seen so far."""
    calls: list[Call] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            address = urlsplit(self.path)
            token = self.headers.get("Authorization", "").removeprefix("Bearer ")
            path = address.path.removeprefix("/api")
            calls.append(Call(self.command, path, parse_qs(address.query, keep_blank_values=True), token))
            reply = script(calls[-1])
            body = reply.body if isinstance(reply.body, str) else json.dumps(reply.body)
            self.send_response(reply.status)
            for name, value in {**reply.headers, "Content-Length": str(len(body.encode()))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body.encode())

        do_POST = do_GET

        def log_message(self, format: str, *args: object) -> None:
            """Tests read the calls, not the log."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/api", calls
    finally:
        server.shutdown()
        server.server_close()
