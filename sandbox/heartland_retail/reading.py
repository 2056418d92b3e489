"""GET: the collections of the pretend Heartland, single records, lines and payments below a document."""

from collections.abc import Sequence
from dataclasses import dataclass

from sandbox.faults import Faults
from sandbox.heartland_retail.collections import envelope, included, page_of, selected
from sandbox.heartland_retail.filters import Fields
from sandbox.heartland_retail.refusals import not_found
from sandbox.heartland_retail.retail import ADJUSTMENTS, CLASSES, ORDERS, TICKETS, Retail
from sandbox.heartland_retail.shapes import bent, bent_page, shown
from sandbox.server import Answer, Request, json_answer
from sandbox.shop_documents import Document, Row

PAYMENTS = "payments"
# Two readings of one path; both are served.
ALIASES = {"reason_codes/inventory_adjustment_reasons": "inventory/adjustment_reasons"}
SUB_RESOURCES = {
    TICKETS: ("lines", "payments"),
    ORDERS: ("lines", "payments"),
    ADJUSTMENTS: ("lines",),
}
_REFUSED = {
    TICKETS: frozenset({"completed?", "voided?", "source_location_id"}),
    PAYMENTS: frozenset({"location_id"}),
}
_PLAIN = frozenset({"status", "item_id", "order_id", "ticket_id", "public_id"})


@dataclass(frozen=True)
class Reader:
    """Answers reads. `faults` None: whoever asks is shown everything as it is."""

    retail: Retail
    request: Request
    faults: Faults | None

    def collection(self, name: str) -> Answer:
        name = ALIASES.get(name, name)
        if name == CLASSES and self.faults and self.faults.hit("heartland.no_class_names"):
            raise not_found(name)
        with self.retail.lock:
            rows = self._rows(name)
        fields = fields_of(rows, refused=_REFUSED.get(name, frozenset()))
        return self._page(rows, fields=fields, table=name)

    def one(self, name: str, id: int) -> Answer:
        name = ALIASES.get(name, name)
        with self.retail.lock:
            if name in self.retail.documents:
                row = self._shown(self.document(name, id))
            else:
                row = next((row for row in self._rows(name) if row.get("id") == id), {})
        if not row:
            raise not_found(f"{name} {id}")
        return self._answer(selected(self._with_related(row, table=name), query=self.request.query))

    def below(self, name: str, id: int, part: str) -> Answer:
        with self.retail.lock:
            document = self.document(name, id)
            rows = list(document.lines if part == "lines" else document.payments)
        return self._page(rows, fields=fields_of(rows), table=part)

    def document(self, name: str, id: int) -> Document:
        found = self.retail.documents[name].get(id)
        if found is None:
            raise not_found(f"{name} {id}")
        return found

    def _rows(self, name: str) -> list[Row]:
        if name == PAYMENTS:
            return self.retail.payments()
        if name in self.retail.documents:
            return [document.header for document in self.retail.documents[name].values()]
        return list(self.retail.rows[name].values())

    def _page(self, rows: Sequence[Row], *, fields: Fields, table: str) -> Answer:
        query = self.request.query
        page = page_of(rows, query=query, fields=fields)
        found = page.rows
        if table in self.retail.documents:
            documents = self.retail.documents[table]
            found = [self._shown(documents[row["id"]]) for row in found]
        found = [selected(self._with_related(row, table=table), query=query) for row in found]
        if self.faults is None:
            return json_answer(200, envelope(page, rows=found))
        empty_pages = 0 if not page.total and self.faults.hit("heartland.empty_pages_zero") else 1
        return self._answer(envelope(page, rows=bent_page(found, faults=self.faults), empty_pages=empty_pages))

    def _shown(self, document: Document) -> Row:
        return shown(document, include=included(self.request.query), faults=self.faults)

    def _with_related(self, row: Row, *, table: str) -> Row:
        if table != "locations" or "stations" not in included(self.request.query):
            return row
        stations = self.retail.rows["stations"].values()
        return {**row, "stations": [each for each in stations if each["location_id"] == row["id"]]}

    def _answer(self, value: Row) -> Answer:
        return json_answer(200, bent(value, faults=self.faults) if self.faults else value)


def fields_of(rows: Sequence[Row], *, refused: frozenset[str] = frozenset()) -> Fields:
    """Every field that a row of the collection has can be filtered by, save those that Heartland refuses."""
    known = frozenset(rows[0]) | frozenset(rows[-1]) if rows else frozenset({"id", "created_at", "updated_at"})
    return Fields(known - refused | {"id"}, refused, (_PLAIN & known) - refused)
