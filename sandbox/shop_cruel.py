"""The documents that `--cruel` adds to the shop: some that nobody can book, some that only look that way.

`data/cruel_documents.json` lists each with its id, number and right outcome; how each is made is here.
"""

import json
from collections.abc import Callable, Sequence
from datetime import datetime
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

from sandbox.shop import Shop, named
from sandbox.shop_documents import Document, Place, Row, payments_of, place, ticket_of, totals
from sandbox.shop_rules import CASH, GIFT_CARD_PREFIX, STORES, VISA, Tender
from sandbox.shop_sales import Line, Sale

LISTED = Path(__file__).parent / "data" / "cruel_documents.json"
ZELLE = 9
EXTRA_PAYMENT_TYPES: list[Row] = [named(ZELLE, "Zelle", **{"description": "Zelle", "active?": True})]

Goods = tuple[str, int, str]
_TWO: tuple[Goods, ...] = (("22423", 1, "12.75"), ("85123A", 4, "2.95"))


@cache
def expected_outcomes() -> tuple[Row, ...]:
    """The list as it stands in the file: id, number, outcome, reason, note."""
    return tuple(json.loads(LISTED.read_text("utf-8")))


def cruel_tickets(shop: Shop) -> list[Document]:
    """The added documents; what the list names beyond them is a real ticket of the month."""
    return [_RECIPES[row["id"]](_Maker(shop, row)) for row in expected_outcomes() if row["id"] in _RECIPES]


class _Maker:
    """Makes one clean ticket of given goods, paid with one Visa payment unless said otherwise."""

    def __init__(self, shop: Shop, listed: Row) -> None:
        self._shop = shop
        self._id = int(listed["id"])
        self._number = str(listed["number"])

    def ticket(self, goods: Sequence[Goods] = _TWO, *, day: str = "") -> Document:
        at = self._place(day)
        made = ticket_of(self._sale(goods, at=at), at=at, items=self._shop.items, customer=self._shop.customers[""])
        return self.pay(made, [(VISA, made.header["total"])] if made.header["total"] else [])

    def pay(self, ticket: Document, tenders: Sequence[Tender], *, day: str = "") -> Document:
        at = self._place(day or ticket.header["local_completed_at"][:10])
        ticket.payments = payments_of(tenders, at=at)
        ticket.header |= totals(ticket.lines, payments=ticket.payments)
        return ticket

    def _place(self, day: str) -> Place:
        turn = self._id - 900001
        date = day or f"2010-12-{6 + turn % 12:02d}"
        moment = datetime.fromisoformat(f"{date}T{10 + turn % 9:02d}:15")
        return place(Sale(self._number, moment, "", ()), id=self._id, store=STORES[turn % len(STORES)])

    def _sale(self, goods: Sequence[Goods], *, at: Place) -> Sale:
        moment = at.local.replace(tzinfo=None)
        lines = tuple(
            Line(self._number, code, code, quantity, moment, Decimal(price), "") for code, quantity, price in goods
        )
        return Sale(self._number, moment, "", lines)


def _first_line(ticket: Document, **changes: Any) -> Document:
    ticket.lines[0] |= changes
    return ticket


def _header(ticket: Document, **changes: Any) -> Document:
    ticket.header |= changes
    return ticket


def _unknown_line(make: _Maker) -> Document:
    return _first_line(make.ticket(), type="LoyaltyLine")


def _not_a_number(make: _Maker) -> Document:
    return _first_line(make.ticket(), value="twelve")


def _wrong_total(make: _Maker) -> Document:
    ticket = make.ticket()
    return _header(ticket, total=ticket.header["total"] + Decimal("0.50"))


def _no_cost(make: _Maker) -> Document:
    return _first_line(make.ticket(), unit_cost=None)


def _zelle(make: _Maker) -> Document:
    ticket = make.ticket()
    make.pay(ticket, [(ZELLE, ticket.header["total"])])
    ticket.payments[0]["description"] = "Zelle"
    return ticket


def _closed_period(make: _Maker) -> Document:
    return make.ticket(day="2010-11-29")


def _rounding(make: _Maker) -> Document:
    ticket = make.ticket()
    total = ticket.header["total"] + Decimal("0.03")
    make.pay(ticket, [(VISA, total)])
    return _header(ticket, total=total, balance=Decimal("0.00"))


def _unpaid(make: _Maker) -> Document:
    ticket = make.ticket()
    return make.pay(ticket, [(VISA, ticket.header["total"] - 10)])


def _capital(make: _Maker) -> Document:
    return _header(make.ticket(), status="Complete")


def _exchange(make: _Maker) -> Document:
    return make.ticket([("22423", 1, "12.75"), ("85123A", -2, "2.95")])


def _deposit(make: _Maker) -> Document:
    ticket = make.ticket([("22423", 4, "12.75")])
    make.pay(ticket, [(VISA, Decimal("20.00")), (VISA, ticket.header["total"] - 20)])
    ticket.payments[0]["deposit"] = True
    return ticket


def _gift_card(make: _Maker) -> Document:
    return make.ticket([(f"{GIFT_CARD_PREFIX}0001_50", 1, "50.00")])


def _voided(make: _Maker) -> Document:
    ticket = make.ticket()
    for payment in ticket.payments:
        payment["status"] = "voided"
    return _header(ticket, **{"voided?": True})


def _incomplete(make: _Maker) -> Document:
    open_ticket = make.pay(make.ticket(), [])
    return _header(
        open_ticket, status="incomplete", completed_at=None, local_completed_at=None, **{"completed?": False}
    )


def _free_sample(make: _Maker) -> Document:
    return make.ticket([("S", 1, "0.00")])


def _as_text(make: _Maker) -> Document:
    ticket = make.ticket()
    for row in (ticket.header, *ticket.lines, *ticket.payments):
        row.update({name: str(value) for name, value in row.items() if isinstance(value, Decimal)})
    return ticket


def _negative_ticket(make: _Maker) -> Document:
    ticket = make.ticket([("85123A", -1, "2.95")])
    return make.pay(ticket, [(CASH, ticket.header["total"])])


_RECIPES: dict[int, Callable[[_Maker], Document]] = {
    900001: _unknown_line,
    900002: _not_a_number,
    900003: _wrong_total,
    900004: _no_cost,
    900005: _zelle,
    900006: _closed_period,
    900007: _rounding,
    900008: _unpaid,
    900009: _capital,
    900010: _exchange,
    900011: _deposit,
    900012: _gift_card,
    900013: _voided,
    900014: _incomplete,
    900015: _free_sample,
    900016: _as_text,
    900017: _negative_ticket,
}
