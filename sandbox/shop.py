"""The shop behind the sandbox's Heartland Retail: everything it owns on the morning the sandbox starts.

Built anew at each start from the real sales of one month, always the same to the last id.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from functools import cache

from sandbox.shop_documents import (
    STATIONS_PER_STORE,
    Document,
    Place,
    Row,
    place,
    ticket_of,
)
from sandbox.shop_orders import orders_of
from sandbox.shop_rules import (
    CLASSES,
    PAYMENT_TYPES,
    STORES,
    class_of,
    cost_of,
    draw,
    is_tracked,
    store_of,
)
from sandbox.shop_sales import (
    Line,
    Month,
    Sale,
    descriptions,
    highest_prices,
    month,
    parents,
)

FIRST_ID = 100001
OPENED_AT = datetime(2010, 11, 1, 12, tzinfo=UTC).isoformat()
REASONS = {
    1: "Damaged",
    2: "Lost or stolen",
    3: "Count correction",
    4: "Opening quantity",
}
_DAMAGE_WORDS = (
    "DAMAGE",
    "WET",
    "RUSTY",
    "SMASHED",
    "BROKEN",
    "FAULTY",
    "THROWN",
    "CRUSHED",
    "MOULDY",
)


@dataclass
class Shop:
    """All rows in wire form. Tickets are in order of their id."""

    tickets: list[Document]
    adjustments: list[Document]
    orders: list[Document]
    items: dict[str, Row]
    customers: dict[str, Row]
    locations: list[Row]
    stations: list[Row]
    payment_types: list[Row]
    classes: list[Row]
    jurisdictions: list[Row]
    reasons: list[Row]


@cache
def build_shop() -> Shop:
    """The same object each time: whoever changes a document replaces it, in a table of his own."""
    sold = month()
    items = items_of(sold.lines)
    customers = customers_of(sold.lines)
    return Shop(
        tickets=tickets_of(sold, items=items, customers=customers),
        adjustments=[adjustment_of(sale, id=id, items=items) for id, sale in enumerate(sold.adjustments, FIRST_ID)],
        orders=orders_of(items),
        items=items,
        customers=customers,
        locations=[_location(store.id, store.name, store.time_zone) for store in STORES],
        stations=_stations(),
        payment_types=[named(id, name, **{"description": name, "active?": True}) for id, name in PAYMENT_TYPES.items()],
        classes=[named(id, name) for id, name in CLASSES.items()],
        jurisdictions=[
            named(
                each.jurisdiction_id,
                each.jurisdiction,
                rate=each.rate,
                location_ids=[each.id],
            )
            for each in STORES
        ],
        reasons=[named(id, name, **{"active?": True}) for id, name in REASONS.items()],
    )


def named(id: int, name: str, **more: object) -> Row:
    return {
        "id": id,
        "name": name,
        **more,
        "created_at": OPENED_AT,
        "updated_at": OPENED_AT,
    }


def _location(id: int, name: str, time_zone: str) -> Row:
    return named(
        id,
        name,
        **{
            "public_id": name.upper().replace(" ", "-"),
            "active?": True,
            "time_zone": time_zone,
        },
    )


def _stations() -> list[Row]:
    return [
        named(
            FIRST_ID + position,
            f"Register {position % STATIONS_PER_STORE + 1}",
            location_id=store.id,
            active=True,
        )
        for position, store in enumerate(store for store in STORES for _ in range(STATIONS_PER_STORE))
    ]


def items_of(lines: Sequence[Line]) -> dict[str, Row]:
    """The catalogue by code: every code that is an item, its list price the highest of the month."""
    prices, texts = highest_prices(lines), descriptions(lines)
    return {
        code: item(FIRST_ID + position, code=code, description=texts[code], price=prices[code])
        for position, code in enumerate(sorted(prices))
    }


def item(id: int, *, code: str, description: str, price: Decimal) -> Row:
    tracked = is_tracked(code)
    return {
        "id": id,
        "public_id": code,
        "description": description,
        "long_description": description,
        "cost": cost_of(price) if tracked else None,
        "price": price,
        "original_price": None,
        "financial_class_id": class_of(description) if tracked else None,
        "primary_barcode": f"SR{id}",
        "type": "regular",
        "product_type": "simple",
        "track_inventory?": tracked,
        "allow_fractional_qty?": False,
        "prompt_for_price?": not tracked,
        "active?": True,
        "created_at": OPENED_AT,
        "updated_at": OPENED_AT,
        "metadata": {},
        "custom": {"department": CLASSES[class_of(description)] if tracked else "Other"},
    }


def customers_of(lines: Sequence[Line]) -> dict[str, Row]:
    """Customers by the number of the set; the empty number is the walk-in customer CASH."""
    numbers = sorted({line.customer for line in lines})
    return {number: _customer(FIRST_ID + position, number) for position, number in enumerate(numbers)}


def _customer(id: int, number: str) -> Row:
    return {
        "id": id,
        "public_id": number or "CASH",
        "first_name": "Customer" if number else "Walk-in",
        "last_name": number or "customer",
        "name": f"Customer {number}" if number else "Walk-in customer",
        "email": None,
        "phone_number": None,
        "active?": True,
        "promotional_emails?": False,
        "created_at": OPENED_AT,
        "updated_at": OPENED_AT,
        "deleted_at": None,
        "custom": {},
    }


def tickets_of(sold: Month, *, items: dict[str, Row], customers: dict[str, Row]) -> list[Document]:
    """Every ticket of the month, ids from 100001 in order of (time, number)."""
    parent_of = parents(sold.tickets)
    made: dict[str, Document] = {}
    for id, sale in enumerate(sold.tickets, FIRST_ID):
        at = place(sale, id=id, store=store_of(sale.number))
        parent = made.get(parent_of.get(sale.number, ""))
        made[sale.number] = ticket_of(sale, at=at, items=items, customer=customers[sale.customer], parent=parent)
    return list(made.values())


def adjustment_of(sale: Sale, *, id: int, items: dict[str, Row]) -> Document:
    line = sale.lines[0]
    at = place(sale, id=id, store=store_of(sale.number))
    row = items[line.code]
    lines = [
        {
            "id": id * 10 + 1,
            "item_id": row["id"],
            "qty": line.quantity,
            "unit_cost": row["cost"],
        }
    ]
    return Document(_adjustment_header(line, at=at), lines)


def _adjustment_header(line: Line, *, at: Place) -> Row:
    return {
        "id": at.id,
        "public_id": at.number,
        "status": "complete",
        "location_id": at.store.id,
        "adjustment_reason_id": reason_of(line),
        "note": line.description or None,
        "created_at": at.utc_text,
        "updated_at": at.utc_text,
        "completed_at": at.utc_text,
        "local_completed_at": at.local_text,
    }


def reason_of(line: Line) -> int:
    """Damaged where the set's note says so, else lost or a count's correction by the hash of the number."""
    if any(word in line.description.upper() for word in _DAMAGE_WORDS):
        return 1
    return 2 + draw(line.number, purpose="reason", below=2)
