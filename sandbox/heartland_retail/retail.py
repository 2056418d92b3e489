"""What the pretend Heartland owns right now: the shop as built at start, and every change since.

A change is one record in the stream `heartland`; reading the stream after a restart gives the same state.
"""

import threading
from collections.abc import Iterable
from datetime import UTC, datetime

from sandbox.shop import FIRST_ID, Shop
from sandbox.shop_cruel import EXTRA_PAYMENT_TYPES, cruel_tickets
from sandbox.shop_documents import Document, Row
from sandbox.state import Record, State

STREAM = "heartland"
TICKETS, ORDERS, ADJUSTMENTS = "sales/tickets", "sales/orders", "inventory/adjustment_sets"
CLASSES = "financial_classes"
# Ids of documents that are there from the start under --cruel; new tickets never reach them.
CRUEL_IDS_FROM = 900001


def now_text() -> str:
    return datetime.now(UTC).replace(microsecond=0).isoformat()


class Retail:
    """All documents and rows by resource and id. Hold `lock` while reading or changing them."""

    def __init__(self, *, shop: Shop, state: State, cruel: bool) -> None:
        self.lock = threading.RLock()
        self._state = state
        self.items_by_code = shop.items
        self.walk_in = shop.customers[""]
        self.documents: dict[str, dict[int, Document]] = {
            TICKETS: _by_id(shop.tickets),
            ORDERS: _by_id(shop.orders),
            ADJUSTMENTS: _by_id(shop.adjustments),
        }
        self.rows: dict[str, dict[int, Row]] = {name: _rows_by_id(rows) for name, rows in _row_tables(shop)}
        if cruel:
            self.documents[TICKETS] |= _by_id(cruel_tickets(shop))
            self.rows["payment_types"] |= _rows_by_id(EXTRA_PAYMENT_TYPES)
        for record in state.read(STREAM):
            self._apply(record)

    def put_ticket(self, ticket: Document) -> Document:
        """Keep a new or changed ticket."""
        self._write(
            {
                "kind": "ticket",
                "header": ticket.header,
                "lines": ticket.lines,
                "payments": ticket.payments,
                "recalculates": ticket.recalculates,
            }
        )
        return ticket

    def put_row(self, table: str, row: Row) -> Row:
        self._write({"kind": "row", "table": table, "row": row})
        return row

    def next_id(self, table: str = TICKETS) -> int:
        """The next number of a table's own range."""
        known = self.documents.get(table) or self.rows.get(table) or {}
        return max((id for id in known if id < CRUEL_IDS_FROM), default=FIRST_ID - 1) + 1

    def _write(self, record: Record) -> None:
        with self.lock:
            self._state.append(STREAM, record)
            self._apply(record)

    def _apply(self, record: Record) -> None:
        if record["kind"] == "ticket":
            ticket = Document(
                record["header"], record["lines"], record["payments"], recalculates=record["recalculates"]
            )
            self.documents[TICKETS][ticket.id] = ticket
        else:
            self.rows[record["table"]][int(record["row"]["id"])] = record["row"]

    def payments(self) -> list[Row]:
        """All payments with what they belong to, in order of their ids."""
        found = []
        for table, link in ((TICKETS, "ticket_id"), (ORDERS, "order_id")):
            for document in self.documents[table].values():
                links = {"ticket_id": None, "order_id": None, link: document.id}
                links["location_id"] = document.header.get("source_location_id")
                found += [{**row, **links} for row in document.payments if isinstance(row, dict)]
        return found


def _row_tables(shop: Shop) -> Iterable[tuple[str, list[Row]]]:
    return (
        ("items", list(shop.items.values())),
        ("customers", list(shop.customers.values())),
        ("locations", shop.locations),
        ("stations", shop.stations),
        ("payment_types", shop.payment_types),
        (CLASSES, shop.classes),
        ("tax_jurisdictions", shop.jurisdictions),
        ("inventory/adjustment_reasons", shop.reasons),
    )


def _by_id(documents: Iterable[Document]) -> dict[int, Document]:
    return {document.id: document for document in documents}


def _rows_by_id(rows: Iterable[Row]) -> dict[int, Row]:
    return {int(row["id"]): row for row in rows}
