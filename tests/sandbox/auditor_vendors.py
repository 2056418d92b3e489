"""The two vendors in little, for the auditor's tests: what it asks for, over real HTTP."""

import contextlib
import json
import re
import threading
from collections.abc import Iterable, Iterator
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from sandbox import auditor

DATA = Path(auditor.__file__).parent / "data"
ACCOUNTS = [
    "Cash on Hand:Main Street",
    "Cash on Hand:Los Angeles",
    "Cash on Hand:Chicago",
    "Card Clearing:Visa and Mastercard",
    "Card Clearing:American Express",
    "Gift Cards Outstanding",
    "Customer Deposits",
    "Customer Balance Clearing",
    "Cash Over and Short",
    "Shipping Income",
    "Sales:Other",
    *(f"Sales Tax Collected:{city}" for city in ("New York", "Los Angeles", "Chicago")),
    *(
        f"{parent}:{name}"
        for parent in ("Sales", "Cost of Goods Sold", "Inventory Asset")
        for name in (
            "Home and Decor",
            "Kitchen and Dining",
            "Candles and Lights",
            "Gifts and Stationery",
            "Bags and Toys",
        )
    ),
]
CASH, CARD = "Cash on Hand:Main Street", "Card Clearing:Visa and Mastercard"
SALES, TAX = "Sales:Home and Decor", "Sales Tax Collected:New York"
COGS, STOCK = "Cost of Goods Sold:Home and Decor", "Inventory Asset:Home and Decor"
ITEMS: list[dict[str, Any]] = [
    {"id": 10, "financial_class_id": 1, "track_inventory?": True},
    {"id": 11, "financial_class_id": 2, "track_inventory?": True},
    {"id": 12, "financial_class_id": None, "track_inventory?": False},
]
STORES: list[dict[str, Any]] = [
    {"id": 100001, "name": "Main Street", "time_zone": "America/New_York"},
    {"id": 100002, "name": "Los Angeles", "time_zone": "America/Los_Angeles"},
]


GOLDEN = (
    ("Debit", CASH, "30.00"), ("Credit", CASH, "8.75"), ("Credit", SALES, "20.00"), ("Credit", TAX, "1.25"),
    ("Debit", COGS, "8.00"), ("Credit", STOCK, "8.00"),
)  # fmt: skip


class Vendors:
    """What both vendors hold, and a server that shows it."""

    def __init__(self) -> None:
        self.tickets: dict[int, dict[str, Any]] = {}
        self.entries: list[dict[str, Any]] = []
        self.accounts = {str(number): name for number, name in enumerate(ACCOUNTS, start=30)}
        self.embeds = True
        self.bad_answers: list[tuple[int, bytes]] = []
        self.url = ""

    def sell(self, *lines: dict[str, Any], pay: list[dict[str, Any]], **header: Any) -> int:
        key = 100001 + len(self.tickets)
        self.tickets[key] = {
            "id": key, "public_id": f"5363{key % 100:02}", "status": "complete", "voided?": False,
            "source_location_id": 100001, "total": sum(line["value"] for line in lines),
            "total_paid": sum(Decimal(one["amount"]) for one in pay), "balance": 0,
            "completed_at": "2010-12-01T13:26:00+00:00", "local_completed_at": "2010-12-01T08:26:00-05:00",
            "lines": numbered(lines), "payments": numbered(pay), **header,
        }  # fmt: skip
        return key

    def post(self, ticket: int, *lines: tuple[str, str, str], **header: Any) -> None:
        """Lines as (side, account name, amount)."""
        ids = {name: key for key, name in self.accounts.items()}
        self.entries.append({
            "Id": str(len(self.entries) + 1), "DocNumber": f"HR-T{ticket}", "TxnDate": "2010-12-01",
            "PrivateNote": f"[Daybook HR-T{ticket}] a sale",
            "Line": [book_line(side, ids[name], amount) for side, name, amount in lines], **header,
        })  # fmt: skip

    def heartland(self, path: str, query: dict[str, list[str]]) -> dict[str, Any]:
        if match := re.fullmatch(r"/sales/tickets/(\d+)/(lines|payments)", path):
            return page(self.tickets[int(match[1])][match[2]], query)
        rows = {"/locations": STORES, "/items": ITEMS}.get(path) or list(self.tickets.values())
        hidden = () if self.embeds else ("lines", "payments")
        return page([{key: row[key] for key in row if key not in hidden} for row in rows], query)

    def quickbooks(self, statement: str) -> dict[str, Any]:
        match = re.search(r"FROM (\w+) .*STARTPOSITION (\d+) MAXRESULTS (\d+)", statement)
        assert match, statement
        chart = [{"Id": key, "FullyQualifiedName": name} for key, name in self.accounts.items()]
        rows = {"Account": chart, "JournalEntry": self.entries}[match[1]]
        start = int(match[2]) - 1
        rows = rows[start : start + int(match[3])]
        return {"QueryResponse": {match[1]: rows} if rows else {}}

    def answer(self, target: str) -> dict[str, Any]:
        parts = urlsplit(target)
        query = parse_qs(parts.query)
        if parts.path.startswith("/heartland-retail/api"):
            return self.heartland(parts.path.removeprefix("/heartland-retail/api"), query)
        assert parts.path == "/quickbooks/v3/company/9130000000000001/query"
        return self.quickbooks(query["query"][0])


def numbered(rows: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{"id": number, **row} for number, row in enumerate(rows, start=1)]


def page(rows: list[dict[str, Any]], query: dict[str, list[str]]) -> dict[str, Any]:
    size, number = int(query["per_page"][0]), int(query["page"][0])
    assert size <= 1000
    pages = -(-len(rows) // size)
    return {"total": len(rows), "pages": pages, "results": rows[(number - 1) * size : number * size]}


def book_line(side: str, account: str, amount: str) -> dict[str, Any]:
    kind = "JournalEntryLineDetail"
    detail = {"PostingType": side, "AccountRef": {"value": account}}
    return {"Amount": Decimal(amount), "DetailType": kind, kind: detail}


def item(value: str, *, item_id: int = 10, qty: str = "1", cost: str | None = "8.00") -> dict[str, Any]:
    unit_cost = None if cost is None else Decimal(cost)
    return {"type": "ItemLine", "item_id": item_id, "qty": Decimal(qty), "unit_cost": unit_cost,
            "value": Decimal(value)}  # fmt: skip


def tax(value: str) -> dict[str, Any]:
    return {"type": "TaxLine", "tax_jurisdiction_id": 1, "value": Decimal(value)}


def pay(amount: str, *, by: int = 1, deposit: bool = False, status: str = "complete") -> dict[str, Any]:
    return {"payment_type_id": by, "amount": amount, "status": status, "deposit": deposit}


def _page_for(both: Vendors) -> type[BaseHTTPRequestHandler]:
    class Page(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1  # one write per answer, or each waits 40 ms for an acknowledgement

        def do_GET(self) -> None:
            allowed = self.headers["Authorization"] == "Bearer sandbox-auditor"
            status, body = (200, b"") if allowed else (401, b"{}")
            if both.bad_answers:
                status, body = both.bad_answers.pop(0)
            body = body or json.dumps(both.answer(self.path), default=float).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None: ...

    return Page


@contextlib.contextmanager
def serve() -> Iterator[Vendors]:
    both = Vendors()
    server = ThreadingHTTPServer(("127.0.0.1", 0), _page_for(both))
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    both.url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield both
    finally:
        server.shutdown()
        server.server_close()


def sell_golden(vendors: Vendors, **header: Any) -> int:
    """Price 25.00 sold at 20.00, cost 8.00, tax 1.25, cash 30.00, change 8.75."""
    return vendors.sell(item("20.00"), tax("1.25"), pay=[pay("30.00"), pay("-8.75")], **header)


def cruel_data(folder: Path, outcomes: dict[int, str]) -> Path:
    (folder / "expected_accounts.json").write_text((DATA / "expected_accounts.json").read_text())
    documents = [{"id": key, "outcome": outcome} for key, outcome in outcomes.items()]
    (folder / "cruel_documents.json").write_text(json.dumps(documents))
    return folder
