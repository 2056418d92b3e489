"""Vendors of paper: a till that shows as many sales as wanted, and books that answer at once and do no work.

The till stands in place of the wire alone: its pages are JSON text, read by the adapter as in life. The books are a
process of their own on HTTP (`python -m benchmarks.paper PORT`), so that a call costs what a call costs.
"""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from subprocess import PIPE, Popen
from typing import Any

from integrations.heartland_retail.client import PER_PAGE, Rows
from ledger.values import Cursor

Json = dict[str, Any]
BEGUN = datetime(2010, 12, 1, 17, 0, tzinfo=UTC)
NUMBER = 555_000_001
"""The id in the text of the sale, which stands for the ids of all."""


class PaperTill:
    """The client of a till with so many sales of six lines, spread over 30 days."""

    def __init__(self, sales: int) -> None:
        self.sales = sales
        self._text = json.dumps(a_sale())

    def tickets(self, cursor: Cursor) -> Rows:
        first = cursor.after_id
        ids = range(first + 1, min(first + PER_PAGE, self.sales) + 1)
        text = ",".join(self._sale(number) for number in ids)
        return Rows(json.loads(f"[{text}]", parse_float=Decimal), self.sales - first)

    def items(self, ids: object) -> list[Json]:
        return [
            {"id": number, "description": "Lamp", "financial_class_id": 1, "track_inventory?": True}
            for number in (1, 2)
        ]

    def locations(self) -> list[Json]:
        return [{"id": 100001, "name": "Main Street", "time_zone": "America/New_York"}]

    def payment_types(self) -> list[Json]:
        return [{"id": 1, "name": "Cash"}]

    def _sale(self, number: int) -> str:
        moment = (BEGUN + timedelta(seconds=number)).isoformat()
        text = self._text.replace(str(NUMBER), str(number)).replace("UPDATED", moment)
        return text.replace("2010-12-01T", f"2010-12-{1 + number % 30:02}T")


def a_sale() -> Json:
    """Two items, their tax and shipping, paid in cash: six lines with cost and inventory."""
    sold = {"type": "ItemLine", "item_description": "Lamp", "qty": 1}
    return {
        "id": NUMBER,
        "public_id": f"T{NUMBER}",
        "type": "Ticket",
        "status": "complete",
        "total": 59.0,
        "total_paid": 59.0,
        "balance": 0,
        "source_location_id": 100001,
        "completed?": True,
        "voided?": False,
        "updated_at": "UPDATED",
        "completed_at": "2010-12-01T17:00:00+00:00",
        "local_completed_at": "2010-12-01T12:00:00-05:00",
        "lines": [
            {"id": 1, "item_id": 1, "unit_cost": 8, "value": 20.0, **sold},
            {"id": 2, "item_id": 2, "unit_cost": 11, "value": 30.0, **sold},
            {"id": 3, "type": "TaxLine", "description": "Sales Tax", "value": 4.0, "tax_jurisdiction_id": 1},
            {"id": 4, "type": "ShippingLine", "description": "Shipping", "value": 5.0},
        ],
        "payments": [{"id": 5, "status": "complete", "amount": 59.0, "deposit": False, "payment_type_id": 1}],
    }


class PaperBooks(BaseHTTPRequestHandler):
    """Nothing stands there, and whatever comes is taken."""

    protocol_version = "HTTP/1.1"
    ids = count(1)

    def do_GET(self) -> None:
        self._answer({"QueryResponse": {}})

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        names = [item["bId"] for item in asked.get("BatchItemRequest", [])]
        taken = [{"bId": name, "JournalEntry": {"Id": str(next(self.ids))}} for name in names]
        self._answer({"BatchItemResponse": taken})

    def _answer(self, body: Json) -> None:
        text = json.dumps(body).encode()
        head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(text)}\r\n\r\n"
        self.wfile.write(head.encode() + text)

    def log_message(self, *_: object) -> None:
        """Silent: a line for each call would cost more than the answer."""


@contextmanager
def running_books() -> Iterator[str]:
    """The address of books of paper, ended in the end."""
    with Popen([sys.executable, "-m", "benchmarks.paper"], stdout=PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield f"http://127.0.0.1:{int(process.stdout.readline())}"
        finally:
            process.terminate()


if __name__ == "__main__":
    server = ThreadingHTTPServer(("127.0.0.1", 0), PaperBooks)
    print(server.server_port, flush=True)
    server.serve_forever()
