"""A handful of customer orders with deposits, made up: the published set knows no orders."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from sandbox.shop_documents import Document, Place, Row, item_line, payment, station_of, totals
from sandbox.shop_rules import CASH, MASTERCARD, STORE_BY_ID, VISA

# number, store, local time, status, goods (code, quantity, price), deposit (payment type, amount, status)
_Order = tuple[str, int, str, str, list[tuple[str, int, str]], tuple[int, str, str]]
_ORDERS: list[_Order] = [
    ("700001", 100001, "2010-12-02T11:20", "open", [("22423", 4, "12.75")], (VISA, "15.00", "complete")),
    ("700002", 100002, "2010-12-06T17:45", "open", [("85123A", 12, "2.95")], (CASH, "10.00", "complete")),
    ("700003", 100003, "2010-12-09T14:05", "open", [("22752", 2, "7.65")], (MASTERCARD, "5.00", "complete")),
    ("700004", 100002, "2010-12-14T18:30", "open", [("21754", 6, "5.95")], (VISA, "20.00", "complete")),
    ("700005", 100001, "2010-12-17T09:50", "void", [("22726", 3, "3.75")], (VISA, "5.00", "voided")),
]
_FIRST_ID = 100001
_FIRST_PAYMENT = 500001


def orders_of(items: Mapping[str, Row]) -> list[Document]:
    return [_order(order, position=position, items=items) for position, order in enumerate(_ORDERS)]


def _order(order: _Order, *, position: int, items: Mapping[str, Row]) -> Document:
    number, store_id, local, status, goods, deposit = order
    store = STORE_BY_ID[store_id]
    moment = datetime.fromisoformat(local).replace(tzinfo=ZoneInfo(store.time_zone))
    at = Place(_FIRST_ID + position, number, store, moment)
    lines = [_line(items[code], qty=qty, price=Decimal(price)) for code, qty, price in goods]
    for count, line in enumerate(lines, start=1):
        line |= {"id": at.id * 1000 + count, "created_at": at.utc_text, "updated_at": at.utc_text}
    payments = [_deposit(deposit, id=_FIRST_PAYMENT + position, at=at)]
    return Document(_header(lines, payments=payments, at=at, status=status), lines, payments)


def _line(item: Row, *, qty: int, price: Decimal) -> Row:
    return item_line(item, qty=qty, price=price, list_price=price)


def _deposit(deposit: tuple[int, str, str], *, id: int, at: Place) -> Row:
    kind, amount, status = deposit
    return payment(kind, amount=Decimal(amount), id=id, at=at, deposit=True) | {"status": status}


def _header(lines: list[Row], *, payments: list[Row], at: Place, status: str) -> Row:
    return {
        "id": at.id,
        "public_id": at.number,
        "type": "Order",
        "status": status,
        **totals(lines, payments=payments),
        "customer_id": None,
        "shipping_charge": Decimal("0.00"),
        "station_id": station_of(at.number, store=at.store),
        "source_location_id": at.store.id,
        "created_at": at.utc_text,
        "updated_at": at.utc_text,
        "custom": {},
    }
