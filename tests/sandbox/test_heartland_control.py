"""Behind the pretend Heartland's back: raw documents, and the journal of what was sold."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from tests.sandbox.shop_server import ShopServer, shop_server


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[ShopServer]:
    with shop_server(tmp_path / "state.sqlite3") as running:
        yield running


def test_a_raw_ticket_is_kept_as_it_is_and_completed_with_id_and_number(shop: ShopServer) -> None:
    raw = {
        "total": "much",
        "completed_at": "never",
        "lines": [{"type": "LoyaltyLine"}, 7],
        "payments": "none",
    }
    made = shop.control("/tickets", raw)[0]
    assert made == {"id": 101946, "public_id": "601946"}
    ticket = shop.get("/sales/tickets/101946", ("_include[]", "lines"), ("_include[]", "payments"))
    assert (ticket["total"], ticket["payments"]) == ("much", "none")
    assert ticket["lines"] == [{"id": 101946001, "type": "LoyaltyLine"}, 7]


def test_an_unreadable_time_does_not_hide_the_other_tickets(shop: ShopServer) -> None:
    shop.control("/tickets", {"completed_at": "never"})
    assert shop.get("/sales/tickets", ("~[completed_at][$gte]", "2010-01-01"))["total"] == 1945
    assert shop.get("/sales/tickets", ("sort", "completed_at"))["total"] == 1946


def test_a_raw_ticket_may_replace_a_real_one(shop: ShopServer) -> None:
    shop.control("/tickets", [{"id": 100001, "total": 1}])
    assert shop.get("/sales/tickets/100001")["total"] == 1
    assert shop.get("/sales/tickets")["total"] == 1945


def test_items_and_payment_types_can_be_added(shop: ShopServer) -> None:
    item = shop.control("/items", {"public_id": "NEW", "track_inventory?": True})[0]
    assert shop.get(f"/items/{item['id']}")["public_id"] == "NEW"
    shop.control("/payment_types", {"id": 9, "name": "Zelle"})
    assert shop.get("/payment_types/9")["name"] == "Zelle"


def test_the_journal_lists_every_ticket(shop: ShopServer) -> None:
    shop.control("/tickets", {"status": "incomplete"})
    journal = requests.get(f"{shop.url}/_control/heartland/journal", timeout=10).json()
    assert (journal["count"], journal["financial"]) == (1946, 1945)
    assert journal["tickets"][49]["public_id"] == "536420"


@pytest.mark.parametrize("body", ["", "[]", "3", '{"every_seconds": -1}', '{"every_seconds": "4"}', "{"])
def test_unreadable_orders_are_refused(shop: ShopServer, body: str) -> None:
    answer = requests.post(f"{shop.url}/_control/heartland/selling", data=body, timeout=10)
    assert answer.status_code == 400


def test_unknown_control_paths_are_not_found(shop: ShopServer) -> None:
    assert requests.get(f"{shop.url}/_control/heartland/nothing", timeout=10).status_code == 404
    assert requests.post(f"{shop.url}/_control/heartland/nothing", json={}, timeout=10).status_code == 404
