"""What tests and the demo do behind the vendor's back: `/_control/heartland/...`."""

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from sandbox.heartland_retail.oauth import Grants
from sandbox.heartland_retail.refusals import Refused, invalid, not_found
from sandbox.heartland_retail.retail import TICKETS, Retail, now_text
from sandbox.heartland_retail.selling import Selling
from sandbox.server import Answer, Request, json_answer
from sandbox.shop_documents import Document, Row

MOST_SECONDS = 3600
_TABLES = ("items", "payment_types", "locations", "financial_classes")


class Control:
    """The control paths. Raw documents are kept as they are, however unreadable."""

    def __init__(self, *, retail: Retail, grants: Grants, selling: Selling) -> None:
        self._retail = retail
        self._grants = grants
        self._selling = selling

    def __call__(self, request: Request) -> Answer:
        try:
            return self._answer(request)
        except Refused as refusal:
            return refusal.answer()

    def _answer(self, request: Request) -> Answer:
        name = request.path.strip("/")
        reads: Mapping[str, Callable[[], Any]] = {"selling": self._rate, "journal": self.journal}
        if request.method == "GET" and name in reads:
            return json_answer(200, reads[name]())
        if request.method != "POST":
            raise not_found(f"{request.method} {name}")
        body = _body(request)
        if name == "tickets":
            return json_answer(201, [self._put_ticket(row) for row in _objects(body)])
        if name in _TABLES:
            return json_answer(201, [self._put_row(name, row) for row in _objects(body)])
        if name == "selling":
            return json_answer(200, self._sell(_objects(body)[0]))
        if name == "revoke":
            return json_answer(200, self._revoke(_objects(body)[0]))
        raise not_found(name)

    def _rate(self) -> Row:
        return {"every_seconds": self._selling.every_seconds}

    def _sell(self, body: Row) -> Row:
        seconds = body.get("every_seconds")
        if isinstance(seconds, bool) or not isinstance(seconds, (int, Decimal)) or not 0 <= seconds <= MOST_SECONDS:
            raise invalid("every_seconds", message=f"must be a number from 0 (stop) to {MOST_SECONDS}")
        self._selling.set(float(seconds))
        return self._rate()

    def _revoke(self, body: Row) -> Row:
        """`{}` revokes every token, `{"token": ...}` one; with `"restore": true` they work again."""
        restore = body.get("restore") is True
        return {"tokens": len(self._grants.revoke(body.get("token"), restore=restore)), "good": restore}

    def _put_ticket(self, raw: Row) -> Row:
        with self._retail.lock:
            id = int(raw.get("id") or self._retail.next_id())
            filled = {
                "id": id,
                "public_id": str(id + 500000),
                "created_at": now_text(),
                "updated_at": now_text(),
            }
            header = {
                **filled,
                **{name: value for name, value in raw.items() if name not in ("lines", "payments")},
            }
            lines = _numbered(raw.get("lines", []), first=id * 1000 + 1)
            payments = _numbered(raw.get("payments", []), first=id * 100 + 1)
            self._retail.put_ticket(Document({**header, "id": id}, lines, payments))
        return {"id": id, "public_id": header["public_id"]}

    def _put_row(self, table: str, raw: Row) -> Row:
        with self._retail.lock:
            filled = {"id": self._retail.next_id(table), "created_at": now_text(), "updated_at": now_text()}
            return self._retail.put_row(table, {**filled, **raw})

    def journal(self) -> Row:
        """Everything the shop has sold, in short, so that a test can compare it with the books."""
        with self._retail.lock:
            tickets = list(self._retail.documents[TICKETS].values())
        rows = [_brief(ticket) for ticket in tickets]
        completed = [row for row in rows if row["financial"]]
        return {"tickets": rows, "count": len(rows), "financial": len(completed)}


def _brief(ticket: Document) -> Row:
    names = (
        "id",
        "public_id",
        "type",
        "status",
        "total",
        "source_location_id",
        "local_completed_at",
        "updated_at",
    )
    done = str(ticket.header.get("status", "")).lower() == "complete" and not ticket.header.get("voided?")
    lines, payments = len(ticket.lines), len(ticket.payments)
    return {
        **{name: ticket.header.get(name) for name in names},
        "lines": lines,
        "payments": payments,
        "financial": done,
    }


def _body(request: Request) -> Any:
    try:
        return request.json() if request.body else {}
    except ValueError:
        raise invalid("body", message="is not JSON") from None


def _objects(body: Any) -> list[Row]:
    rows = body if isinstance(body, list) else [body]
    if not rows or not all(isinstance(row, dict) for row in rows):
        raise invalid("body", message="must be an object or a list of objects")
    return rows


def _numbered(rows: Any, *, first: int) -> Any:
    """Rows with the ids they lack; whatever is not a list of objects stays as it is."""
    if not isinstance(rows, list):
        return rows
    return [{"id": id, **row} if isinstance(row, dict) else row for id, row in enumerate(rows, first)]
