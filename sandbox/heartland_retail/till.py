"""What a person does at a till over the API: open a ticket, add lines and payments, complete it, void it."""

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from sandbox.heartland_retail.refusals import invalid, not_found
from sandbox.heartland_retail.retail import TICKETS, Retail, now_text
from sandbox.shop_documents import Document, Place, Row, header_of, item_line, payment, tax_line, totals
from sandbox.shop_rules import STORE_BY_ID, ZERO, Store, tax_on, to_cent

_NEW = frozenset(
    [
        "public_id",
        "type",
        "station_id",
        "source_location_id",
        "customer_id",
        "parent_transaction_id",
        "sales_rep",
        "created_at",
        "completed_at",
        "status",
        "item_lines",
        "tax_lines",
        "shipping_lines",
        "gift_card_lines",
        "payments",
        "affect_inventory",
        "recalculate",
        "custom",
    ]
)
_CHANGE = frozenset({"status", "voided", "sales_rep", "customer_id", "custom"})
_LINE_FIELDS = {
    "ItemLine": frozenset({"item_id", "qty", "unit_price", "original_unit_price"}),
    "TaxLine": frozenset({"description", "value", "tax_jurisdiction_id"}),
    "ShippingLine": frozenset({"description", "value"}),
    "GiftCardLine": frozenset({"description", "qty", "unit_price", "number"}),
}
_GROUPS = {
    "item_lines": "ItemLine",
    "tax_lines": "TaxLine",
    "shipping_lines": "ShippingLine",
    "gift_card_lines": "GiftCardLine",
}
_PAYMENT_FIELDS = frozenset(
    [
        "payment_type_id",
        "amount",
        "type",
        "description",
        "deposit",
        "status",
        "completed_at",
        "updated_at",
        "custom",
    ]
)


class Till:
    """Changes tickets. A method returns the ticket as it is then, or raises Refused and changes nothing."""

    def __init__(self, retail: Retail) -> None:
        self._retail = retail

    def open(self, body: Row) -> Document:
        _known(body, allowed=_NEW)
        with self._retail.lock:
            ticket = self._empty(body)
            for group, kind in _GROUPS.items():
                for line in _rows(body, group):
                    self._add_line(ticket, line, kind=kind)
            for row in _rows(body, "payments"):
                self._add_payment(ticket, row)
            self._sum_up(ticket)
            self._change(ticket, {"status": body.get("status", "incomplete")}, at=body.get("completed_at"))
            return self._retail.put_ticket(ticket)

    def add_line(self, id: int, body: Row, *, kind: str | None = None) -> Document:
        with self._retail.lock:
            ticket = self._open_ticket(id)
            self._add_line(ticket, body, kind=kind or str(body.get("type", "ItemLine")))
            return self._kept(ticket)

    def add_payment(self, id: int, body: Row) -> Document:
        with self._retail.lock:
            ticket = self._open_ticket(id)
            self._add_payment(ticket, body)
            return self._kept(ticket)

    def change(self, id: int, body: Row) -> Document:
        """A partial update: absent fields stay."""
        _known(body, allowed=_CHANGE)
        with self._retail.lock:
            ticket = self._copy(id)
            self._change(ticket, body)
            ticket.header["updated_at"] = now_text()
            return self._retail.put_ticket(ticket)

    def _kept(self, ticket: Document) -> Document:
        self._sum_up(ticket)
        ticket.header["updated_at"] = now_text()
        return self._retail.put_ticket(ticket)

    def _copy(self, id: int) -> Document:
        found = self._retail.documents[TICKETS].get(id)
        if found is None:
            raise not_found(f"ticket {id}")
        payments = [dict(row) for row in found.payments]
        return Document(dict(found.header), [dict(row) for row in found.lines], payments, found.recalculates)

    def _open_ticket(self, id: int) -> Document:
        ticket = self._copy(id)
        if ticket.header.get("status") != "incomplete" or ticket.header.get("voided?"):
            raise invalid("status", message="of the ticket is not incomplete: it cannot be changed any more")
        return ticket

    def _empty(self, body: Row) -> Document:
        id = self._retail.next_id()
        number = str(body.get("public_id") or id + 500000)
        at = Place(id, number, self._store(body), _moment(body.get("created_at"), "created_at"))
        header = header_of((), payments=(), at=at, customer={**self._retail.walk_in})
        header |= {
            "status": "incomplete",
            "completed?": False,
            "completed_at": None,
            "local_completed_at": None,
        }
        header |= {name: body[name] for name in ("type", "station_id", "parent_transaction_id") if name in body}
        header |= {name: body[name] for name in ("sales_rep", "custom") if name in body}
        header["updated_at"] = now_text()
        if "customer_id" in body:
            customer = self._retail.rows["customers"].get(body["customer_id"])
            if customer is None:
                raise invalid("customer_id", message="does not exist")
            header |= {"customer_id": customer["id"], "customer_name": customer["name"]}
        return Document(header, recalculates=body.get("recalculate") is not False)

    def _store(self, body: Row) -> Store:
        station = self._retail.rows["stations"].get(body.get("station_id", 0))
        store = STORE_BY_ID.get(body.get("source_location_id") or (station or {}).get("location_id", 0))
        if store is None:
            raise invalid("source_location_id", message="or station_id is needed and must exist")
        return store

    def _add_line(self, ticket: Document, body: Row, *, kind: str) -> None:
        if kind not in _LINE_FIELDS:
            raise invalid("type", message="is unknown")
        _known(body, allowed=_LINE_FIELDS[kind] | {"type"})
        line = self._item_line(body) if kind == "ItemLine" else _other_line(body, kind=kind)
        taken = [int(row["id"]) for row in ticket.lines]
        line |= {
            "id": max(taken, default=ticket.id * 1000) + 1,
            "created_at": now_text(),
            "updated_at": now_text(),
        }
        ticket.lines.append(line)

    def _item_line(self, body: Row) -> Row:
        item = self._retail.rows["items"].get(body.get("item_id", 0))
        if item is None:
            raise invalid("item_id", message="does not exist")
        price = _amount(body, "unit_price", default=item["price"])
        list_price = _amount(body, "original_unit_price", default=item["price"])
        return item_line(item, qty=_quantity(body), price=price, list_price=list_price)

    def _add_payment(self, ticket: Document, body: Row) -> None:
        _known(body, allowed=_PAYMENT_FIELDS)
        kind = body.get("payment_type_id")
        if kind not in self._retail.rows["payment_types"]:
            raise invalid("payment_type_id", message="does not exist")
        moment = _moment(body.get("completed_at") or ticket.header["created_at"], "completed_at")
        at = Place(ticket.id, ticket.header["public_id"], STORE_BY_ID[ticket.header["source_location_id"]], moment)
        number = ticket.id * 100 + len(ticket.payments) + 1
        row = payment(int(kind), amount=_amount(body, "amount"), id=number, at=at, deposit=body.get("deposit") is True)
        row["description"] = self._retail.rows["payment_types"][kind]["name"]
        ticket.payments.append(row)

    def _sum_up(self, ticket: Document) -> None:
        if ticket.recalculates:
            _tax_anew(ticket)
        ticket.header |= totals(ticket.lines, payments=ticket.payments)

    def _change(self, ticket: Document, body: Row, *, at: object = None) -> None:
        status = body.get("status")
        if status is not None and status not in ("incomplete", "complete", "void"):
            raise invalid("status", message="must be incomplete, complete or void")
        if status == "complete" and not ticket.header.get("completed?"):
            _complete(ticket, at=_moment(at, "completed_at"))
        if status == "void" or body.get("voided") is True:
            ticket.header["voided?"] = True
            ticket.payments = [{**row, "status": "voided"} for row in ticket.payments]
        ticket.header |= {name: body[name] for name in ("sales_rep", "customer_id", "custom") if name in body}


def _complete(ticket: Document, *, at: datetime) -> None:
    store = STORE_BY_ID[ticket.header["source_location_id"]]
    place = Place(ticket.id, "", store, at.astimezone(ZoneInfo(store.time_zone)))
    times = {"completed_at": place.utc_text, "local_completed_at": place.local_text}
    ticket.header |= {"status": "complete", "completed?": True, **times}
    ticket.payments = [{**row, **times} for row in ticket.payments]


def _tax_anew(ticket: Document) -> None:
    store = STORE_BY_ID[ticket.header["source_location_id"]]
    ticket.lines = [row for row in ticket.lines if row["type"] != "TaxLine"]
    tax = tax_on(sum((row["value"] for row in ticket.lines if row["type"] == "ItemLine"), ZERO), store=store)
    if tax:
        times = {"created_at": now_text(), "updated_at": now_text()}
        ticket.lines.append({**tax_line(tax, store=store), "id": ticket.id * 1000 + 999, **times})


def _other_line(body: Row, *, kind: str) -> Row:
    if kind == "GiftCardLine":
        price, qty = _amount(body, "unit_price"), _quantity(body)
        given: Row = {
            "number": body.get("number"),
            "qty": qty,
            "unit_price": price,
            "value": to_cent(price * qty),
        }
    else:
        given = {"value": _amount(body, "value")}
        if kind == "TaxLine":
            given["tax_jurisdiction_id"] = body.get("tax_jurisdiction_id")
    return {"type": kind, "description": body.get("description", ""), **given}


def _known(body: Mapping[str, Any], *, allowed: frozenset[str]) -> None:
    for name in body:
        if name not in allowed and not name.startswith("custom@"):
            raise invalid(name, message="is not a known property")


def _rows(body: Row, name: str) -> list[Row]:
    rows = body.get(name, [])
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise invalid(name, message="must be a list of objects")
    return rows


def _amount(body: Row, name: str, *, default: Decimal | None = None) -> Decimal:
    value = body.get(name, default)
    if isinstance(value, bool) or not isinstance(value, (int, Decimal)):
        raise invalid(name, message="must be a number")
    amount = Decimal(value)
    if amount != to_cent(amount):
        raise invalid(name, message="has more than two decimals")
    return to_cent(amount)


def _quantity(body: Row) -> int:
    value = body.get("qty", 1)
    if isinstance(value, bool) or not isinstance(value, (int, Decimal)) or value != int(value) or not value:
        raise invalid("qty", message="must be a whole number other than zero")
    return int(value)


def _moment(value: object, name: str) -> datetime:
    if value is None:
        return datetime.now(UTC).replace(microsecond=0)
    try:
        moment = datetime.fromisoformat(str(value))
    except ValueError:
        raise invalid(name, message="is not a time") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
