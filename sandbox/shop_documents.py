"""Turns a sale of the set into a ticket as Heartland Retail shows it: header, lines, payments.

Ids of lines and payments follow from the ticket's id, so that nothing has to be counted or remembered.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from sandbox.shop_rules import (
    AMERICAN_EXPRESS,
    CASH,
    GIFT_CARD_PREFIX,
    MASTERCARD,
    PAYMENT_TYPES,
    SHIPPING_CODES,
    VISA,
    ZERO,
    Store,
    Tender,
    draw,
    refund_of,
    tax_on,
    tenders_of,
)
from sandbox.shop_sales import Line, Sale

Row = dict[str, Any]
STATIONS_PER_STORE = 2


@dataclass
class Document:
    """A ticket, order or adjustment set in wire form; lines and payments lie beside the header.

    `recalculates`: whether tax follows from the lines (a person sells) or was given (an import).
    """

    header: Row
    lines: list[Row] = field(default_factory=list)
    payments: list[Row] = field(default_factory=list)
    recalculates: bool = True

    @property
    def id(self) -> int:
        return int(self.header["id"])

    def tenders(self) -> list[Tender]:
        return [(int(row["payment_type_id"]), row["amount"]) for row in self.payments]


@dataclass(frozen=True)
class Place:
    """Where and when a ticket is rung up, and under which id and number."""

    id: int
    number: str
    store: Store
    local: datetime

    @property
    def utc_text(self) -> str:
        return self.local.astimezone(UTC).isoformat()

    @property
    def local_text(self) -> str:
        return self.local.isoformat()


def place(sale: Sale, *, id: int, store: Store) -> Place:
    return Place(id, sale.number, store, sale.at.replace(tzinfo=ZoneInfo(store.time_zone)))


def station_of(number: str, *, store: Store) -> int:
    first = 100001 + (store.id - 100001) * STATIONS_PER_STORE
    return first + draw(number, purpose="station", below=STATIONS_PER_STORE)


def ticket_of(
    sale: Sale,
    *,
    at: Place,
    items: Mapping[str, Row],
    customer: Row,
    parent: Document | None = None,
) -> Document:
    """The whole ticket. `items` are the catalogue's rows by code."""
    lines = lines_of(sale, at=at, items=items)
    total = sum((line["value"] for line in lines), ZERO)
    if sale.is_cancellation:
        tenders = refund_of(sale.number, total=total, sale=parent.tenders() if parent else ())
    else:
        tenders = tenders_of(sale.number, total=total)
    payments = payments_of(tenders, at=at)
    header = header_of(lines, payments=payments, at=at, customer=customer)
    header["type"] = "Return" if sale.is_cancellation else "Ticket"
    header["parent_transaction_id"] = parent.id if parent else None
    return Document(header, lines, payments)


def lines_of(sale: Sale, *, at: Place, items: Mapping[str, Row]) -> list[Row]:
    """The sale's lines, then one TaxLine on the sum of the item lines, where that gives a cent at all."""
    rows = [_line(line, items=items, returned=sale.is_cancellation) for line in sale.lines]
    taxable = sum((row["value"] for row in rows if row["type"] == "ItemLine"), ZERO)
    if tax := tax_on(taxable, store=at.store):
        rows.append(tax_line(tax, store=at.store))
    for position, row in enumerate(rows, start=1):
        row |= {
            "id": at.id * 1000 + position,
            "created_at": at.utc_text,
            "updated_at": at.utc_text,
        }
    return rows


def _line(line: Line, *, items: Mapping[str, Row], returned: bool) -> Row:
    if line.code in SHIPPING_CODES:
        return {
            "type": "ShippingLine",
            "description": line.description,
            "value": line.value,
        }
    if line.code.startswith(GIFT_CARD_PREFIX):
        return gift_card_line(line)
    item = items[line.code]
    list_price = item["price"] if item["track_inventory?"] and not returned else line.price
    return item_line(item, qty=line.quantity, price=line.price, list_price=list_price)


def item_line(item: Row, *, qty: int | Decimal, price: Decimal, list_price: Decimal) -> Row:
    return {
        "type": "ItemLine",
        "item_id": item["id"],
        "item_public_id": item["public_id"],
        "item_description": item["description"],
        "qty": qty,
        "unit_price": price,
        "original_unit_price": list_price,
        "adjusted_unit_price": price if price != list_price else None,
        "unit_cost": item["cost"],
        "value": qty * price,
        "price_adjustments": [],
    }


def gift_card_line(line: Line) -> Row:
    return {
        "type": "GiftCardLine",
        "description": line.description,
        "number": f"GC{line.number}",
        "qty": line.quantity,
        "unit_price": line.price,
        "value": line.value,
    }


def tax_line(tax: Decimal, *, store: Store) -> Row:
    return {
        "type": "TaxLine",
        "description": f"{store.jurisdiction} sales tax",
        "tax_jurisdiction_id": store.jurisdiction_id,
        "value": tax,
    }


def payments_of(tenders: Sequence[Tender], *, at: Place) -> list[Row]:
    return [
        payment(kind, amount=amount, id=at.id * 100 + position, at=at)
        for position, (kind, amount) in enumerate(tenders, start=1)
    ]


def payment(kind: int, *, amount: Decimal, id: int, at: Place, deposit: bool = False) -> Row:
    card = kind in (VISA, MASTERCARD, AMERICAN_EXPRESS)
    reference = f"20{draw(f'{at.number}/{id}', purpose='portico', below=10**10):010d}"
    return {
        "id": id,
        "type": "Payments::CashPayment" if kind == CASH else "Payments::ExternalPayment",
        "status": "complete",
        "amount": amount,
        "deposit": deposit,
        "payment_type_id": kind,
        "description": PAYMENT_TYPES.get(kind, ""),
        "created_at": at.utc_text,
        "updated_at": at.utc_text,
        "completed_at": at.utc_text,
        "local_completed_at": at.local_text,
        "custom": {"portico_transaction_id": reference} if card else {},
    }


def header_of(lines: Sequence[Row], *, payments: Sequence[Row], at: Place, customer: Row) -> Row:
    return {
        "id": at.id,
        "public_id": at.number,
        "type": "Ticket",
        "status": "complete",
        **totals(lines, payments=payments),
        "customer_id": customer["id"],
        "customer_name": customer["name"],
        "sales_rep": None,
        "station_id": station_of(at.number, store=at.store),
        "source_location_id": at.store.id,
        "parent_transaction_id": None,
        "completed?": True,
        "voided?": False,
        "created_at": at.utc_text,
        "updated_at": at.utc_text,
        "completed_at": at.utc_text,
        "local_completed_at": at.local_text,
        "custom": {},
    }


def totals(lines: Sequence[Row], *, payments: Sequence[Row]) -> Row:
    """The sums of a header. The subtotal is everything but tax, after discounts."""
    tax = sum((line["value"] for line in lines if line["type"] == "TaxLine"), ZERO)
    total = sum((line["value"] for line in lines), ZERO)
    paid = sum((row["amount"] for row in payments), ZERO)
    off = sum((discount(line) for line in lines), ZERO)
    return {
        "total": total,
        "subtotal": total - tax,
        "original_subtotal": total - tax + off,
        "total_discounts": off,
        "total_tax": tax,
        "total_paid": paid,
        "balance": total - paid,
    }


def discount(line: Row) -> Decimal:
    """What a line was sold below its list price; lines without a changed price have none."""
    if line.get("adjusted_unit_price") is None:
        return ZERO
    off: Decimal = (line["original_unit_price"] - line["unit_price"]) * line["qty"]
    return off
