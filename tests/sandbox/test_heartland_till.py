"""A person sells at the pretend Heartland's till, and the shop goes on selling by itself."""

import time
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.sandbox.shop_server import ShopServer, shop_server

CAKESTAND = 101215
SALE = {"station_id": 100003, "item_lines": [{"item_id": CAKESTAND, "qty": 2, "unit_price": 10.5}]}


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[ShopServer]:
    with shop_server(tmp_path / "state.sqlite3") as running:
        yield running


def sell(shop: ShopServer, body: dict[str, Any]) -> str:
    """The path of the ticket that was made."""
    answer = shop.call("POST", "/sales/tickets", json=body)
    assert (answer.status_code, answer.content) == (201, b"")
    location = answer.headers["Location"]
    assert location.startswith(f"{shop.url}/heartland-retail/api/sales/tickets/")
    return location.partition("/api")[2]


def test_a_sale_from_the_first_line_to_the_last_payment(shop: ShopServer) -> None:
    path = sell(shop, SALE)
    assert shop.get(path)["status"] == "incomplete"
    assert shop.get(path)["source_location_id"] == 100002
    line = {"type": "ShippingLine", "description": "Parcel", "value": 4}
    assert shop.call("POST", f"{path}/lines", json=line).status_code == 201
    assert shop.get(path)["total"] == Decimal("27.00")  # 21.00, 9.5 % on it, 4.00
    payment = {"payment_type_id": 2, "amount": 27}
    assert shop.call("POST", f"{path}/payments", json=payment).status_code == 201
    done = shop.call("PUT", path, json={"status": "complete"}).json()
    assert (done["status"], done["completed?"], done["balance"]) == ("complete", True, 0)
    assert done["local_completed_at"][-6:] in ("-08:00", "-07:00")


def test_an_import_keeps_its_own_tax_and_time(shop: ShopServer) -> None:
    path = sell(shop, {
        **SALE,
        "public_id": "12345-1",
        "tax_lines": [{"type": "TaxLine", "description": "Sales Tax", "value": 1.25}],
        "payments": [{"type": "Payments::ExternalPayment", "payment_type_id": 1, "amount": 22.25}],
        "completed_at": "2020-01-01T07:30:00Z",
        "recalculate": False,
        "affect_inventory": False,
        "status": "complete",
        "custom@adm_imported_at": "2020-01-02T00:00:00Z",
    })  # fmt: skip
    ticket = shop.get(path)
    assert (ticket["public_id"], ticket["total_tax"], ticket["balance"]) == ("12345-1", Decimal("1.25"), 0)
    assert ticket["local_completed_at"] == "2019-12-31T23:30:00-08:00"


def test_a_completed_ticket_takes_no_more_lines(shop: ShopServer) -> None:
    path = sell(shop, {**SALE, "status": "complete"})
    answer = shop.call("POST", f"{path}/item_lines", json={"item_id": CAKESTAND})
    assert (answer.status_code, answer.json()["error"]) == (400, "validation_error")


def test_a_void_voids_the_payments_and_moves_updated_at(shop: ShopServer) -> None:
    before = shop.get("/sales/tickets/100001")
    assert shop.call("PUT", "/sales/tickets/100001", json={"voided": True}).status_code == 200
    after = shop.get("/sales/tickets/100001", ("_include[]", "payments"))
    assert after["voided?"] is True and after["updated_at"] > before["updated_at"]
    assert {row["status"] for row in after["payments"]} == {"voided"}


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "source_location_id"),
        ({**SALE, "colour": "red"}, "colour"),
        ({**SALE, "customer_id": 1}, "customer_id"),
        ({**SALE, "status": "done"}, "status"),
        ({**SALE, "completed_at": "noon", "status": "complete"}, "completed_at"),
        ({**SALE, "payments": [{"payment_type_id": 9, "amount": 1}]}, "payment_type_id"),
        ({**SALE, "payments": [{"payment_type_id": 1, "amount": "1.00"}]}, "amount"),
        ({**SALE, "payments": [{"payment_type_id": 1, "amount": 1.005}]}, "amount"),
        ({**SALE, "item_lines": [{"item_id": 1}]}, "item_id"),
        ({**SALE, "item_lines": [{"item_id": CAKESTAND, "qty": 0}]}, "qty"),
        ({**SALE, "item_lines": [{"item_id": CAKESTAND, "colour": 1}]}, "colour"),
        ({**SALE, "item_lines": "none"}, "item_lines"),
    ],
)
def test_a_wrong_ticket_is_refused_and_not_kept(shop: ShopServer, body: dict[str, Any], field: str) -> None:
    answer = shop.call("POST", "/sales/tickets", json=body)
    assert (answer.status_code, answer.json()["error"]) == (400, "validation_error")
    assert field in answer.json()["details"]
    assert shop.get("/sales/tickets")["total"] == 1945


def test_the_shop_sells_by_itself_at_every_store_until_told_to_stop(shop: ShopServer) -> None:
    assert shop.control("/selling", {"every_seconds": 0.02}) == {"every_seconds": 0.02}
    deadline = time.monotonic() + 5
    while shop.get("/sales/tickets")["total"] < 1949 and time.monotonic() < deadline:
        time.sleep(0.02)
    assert shop.control("/selling", {"every_seconds": 0}) == {"every_seconds": 0}
    time.sleep(0.1)
    count = shop.get("/sales/tickets")["total"]
    time.sleep(0.1)
    assert shop.get("/sales/tickets")["total"] == count
    new = shop.get("/sales/tickets", ("~[id][$gt]", "101945"), ("_include[]", "lines"))["results"]
    assert {row["source_location_id"] for row in new} == {100001, 100002, 100003}
    assert all(row["total"] == sum(line["value"] for line in row["lines"]) > 0 for row in new)
    assert all(row["balance"] == 0 and row["status"] == "complete" for row in new)


def test_what_was_sold_survives_a_restart(tmp_path: Path) -> None:
    with shop_server(tmp_path / "state.sqlite3") as shop:
        path = sell(shop, {**SALE, "status": "complete"})
        shop.call("PUT", "/sales/tickets/100002", json={"voided": True})
        before = shop.get(path, ("_include[]", "lines"))
    with shop_server(tmp_path / "state.sqlite3") as shop:
        assert shop.get(path, ("_include[]", "lines")) == before
        assert shop.get("/sales/tickets/100002")["voided?"] is True
        assert sell(shop, SALE) != path
