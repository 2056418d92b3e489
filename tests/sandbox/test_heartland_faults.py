"""The pretend Heartland's bad days: every switch does what its name says, the auditor sees through all."""

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import requests

from sandbox.heartland_retail.cruelty import HEARTLAND_CRUEL
from sandbox.switches import HEARTLAND
from tests.sandbox.shop_server import ShopServer, shop_server

ALWAYS = {"always": True}
EMBED = (("_include[]", "lines"), ("_include[]", "payments"))
TICKETS = "/sales/tickets"


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ShopServer]:
    with shop_server(tmp_path_factory.mktemp("shop") / "state.sqlite3") as server:
        yield server


@pytest.fixture
def shop(running: ShopServer) -> Iterator[ShopServer]:
    yield running
    running.faults.clear()


def switch(shop: ShopServer, name: str, **more: Any) -> None:
    shop.faults.set({f"heartland.{name}": {**ALWAYS, **more}})


@pytest.mark.parametrize(
    ("name", "status"), [("error_500", 500), ("throttle", 429), ("unauthorized", 401), ("html_502", 502)]
)
def test_answers_instead_of_the_work(shop: ShopServer, name: str, status: int) -> None:
    switch(shop, name)
    answer = shop.call("POST", TICKETS, json={"station_id": 100001})
    assert answer.status_code == status
    assert "Retry-After" not in answer.headers
    assert answer.headers["Content-Type"].startswith("text/html" if name == "html_502" else "application/json")
    shop.faults.clear()
    assert shop.get(TICKETS, ("sort", "id,desc"), ("per_page", "1"))["results"][0]["id"] == 101945


def test_throttling_may_say_when_to_come_back(shop: ShopServer) -> None:
    switch(shop, "throttle", retry_after=2)
    assert shop.call("GET", TICKETS).headers["Retry-After"] == "2"


def test_slow(shop: ShopServer) -> None:
    switch(shop, "slow", seconds=0.2)
    assert shop.call("GET", "/locations").elapsed.total_seconds() >= 0.2


def test_a_page_repeats_a_row(shop: ShopServer) -> None:
    switch(shop, "duplicate_rows")
    answer = shop.get(TICKETS)
    ids = [row["id"] for row in answer["results"]]
    assert (answer["total"], len(ids), len(set(ids))) == (1945, 21, 20)


def test_a_page_is_out_of_order_but_whole(shop: ShopServer) -> None:
    right = shop.ids(TICKETS)
    switch(shop, "shuffled")
    assert shop.ids(TICKETS) != right
    assert sorted(shop.ids(TICKETS)) == right


def test_amounts_as_text(shop: ShopServer) -> None:
    switch(shop, "amounts_as_text")
    ticket = shop.get(f"{TICKETS}/100050", *EMBED)
    assert ticket["total"] == "257.38" and ticket["payments"][0]["amount"] == "257.38"
    assert isinstance(ticket["lines"][0]["value"], str) and ticket["id"] == 100050


def test_a_status_in_capitals(shop: ShopServer) -> None:
    switch(shop, "capital_status")
    assert shop.get(f"{TICKETS}/100050")["status"] == "Complete"


def test_optional_fields_are_null_and_needed_ones_are_not(shop: ShopServer) -> None:
    switch(shop, "nulls")
    ticket = shop.get(f"{TICKETS}/100050", *EMBED)
    assert ticket["customer_id"] is ticket["custom"] is ticket["lines"][0]["item_description"] is None
    assert ticket["total"] and ticket["local_completed_at"] and ticket["lines"][0]["unit_cost"]


def test_embedding_is_ignored_and_the_parts_can_be_read(shop: ShopServer) -> None:
    switch(shop, "no_embedding")
    ticket = shop.get(f"{TICKETS}/100050", *EMBED)
    assert "lines" not in ticket and "payments" not in ticket
    lines = shop.get(f"{TICKETS}/100050/lines", ("per_page", "1000"))["results"]
    assert sum(line["value"] for line in lines) == ticket["total"]


def test_a_cut_embedding_never_adds_up(shop: ShopServer) -> None:
    switch(shop, "short_embedding")
    rows = shop.get(TICKETS, ("per_page", "1000"), EMBED[0])["results"]
    whole = {row["id"]: row["lines"] for row in as_auditor(shop)}
    cut = [row for row in rows if len(row["lines"]) < len(whole[row["id"]])]
    assert len(cut) > 700
    assert all(sum(line["value"] for line in row["lines"]) != row["total"] for row in cut)


def as_auditor(shop: ShopServer) -> list[dict[str, Any]]:
    answer = requests.get(
        f"{shop.url}/heartland-retail/api{TICKETS}",
        params={"per_page": "1000", "_include[]": "lines"},
        headers={"Authorization": "Bearer sandbox-auditor"},
        timeout=10,
    )
    found: list[dict[str, Any]] = answer.json(parse_float=Decimal)["results"]
    return found


def test_an_empty_collection_without_pages(shop: ShopServer) -> None:
    switch(shop, "empty_pages_zero")
    assert shop.get(TICKETS, ("~[id]", "1")) == {"total": 0, "pages": 0, "results": []}
    assert shop.get(TICKETS)["pages"] == 98


def test_no_names_of_classes(shop: ShopServer) -> None:
    switch(shop, "no_class_names")
    assert shop.call("GET", "/financial_classes").status_code == 404


def test_the_auditor_is_spared(shop: ShopServer) -> None:
    shop.faults.set(dict.fromkeys(HEARTLAND, ALWAYS))
    assert len(as_auditor(shop)) == 1000


def test_the_work_is_done_and_the_answer_lost(tmp_path: Path) -> None:
    with shop_server(tmp_path / "state.sqlite3") as shop:
        shop.faults.set({"heartland.drop_answer": {"times": 1}})
        with pytest.raises(requests.ConnectionError):
            shop.call("POST", TICKETS, json={"station_id": 100001})
        assert shop.get(TICKETS)["total"] == 1946


def test_cruelty_adds_documents_and_switches_that_patience_outlives(tmp_path: Path) -> None:
    with shop_server(tmp_path / "state.sqlite3", cruel=True) as shop:
        assert set(shop.faults.report()) == set(HEARTLAND_CRUEL) <= set(HEARTLAND)
        # Asking again is all a reader needs: no switch of the set needs a person.
        assert any(shop_answers(shop) for _ in range(20))
        shop.faults.clear()
        assert shop.get(TICKETS)["total"] == 1945 + 17
        assert shop.get("/payment_types/9")["name"] == "Zelle"


def shop_answers(shop: ShopServer) -> bool:
    try:
        return shop.call("GET", TICKETS).status_code == 200
    except requests.ConnectionError:
        return False
