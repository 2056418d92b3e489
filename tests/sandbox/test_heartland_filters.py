"""All forms of Heartland's filters, its operators, and the fields it refuses."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.sandbox.shop_server import ShopServer, shop_server

ALL = ("per_page", "1000")
TICKETS = "/sales/tickets"


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ShopServer]:
    with shop_server(tmp_path_factory.mktemp("shop") / "state.sqlite3") as running:
        yield running


def test_the_four_forms_say_the_same(shop: ShopServer) -> None:
    condition = {"payment_type_id": 5, "status": "complete"}
    parts = [("_filter[]", json.dumps({name: value})) for name, value in condition.items()]
    found = [
        shop.ids("/payments", ALL, ("_filter", json.dumps(condition))),
        shop.ids("/payments", ALL, ("_filter", json.dumps([{k: v} for k, v in condition.items()]))),
        shop.ids("/payments", ALL, *parts),
        shop.ids("/payments", ALL, ("~[payment_type_id]", "5"), ("~[status]", "complete")),
        shop.ids("/payments", ALL, ("~[payment_type_id]", "5"), ("status", "complete")),
    ]
    assert found[0] and all(ids == found[0] for ids in found)


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ({"id": 100003}, [100003]),
        ({"id": {"$eq": 100003}}, [100003]),
        ({"id": {"$gt": 100002, "$lt": 100005}}, [100003, 100004]),
        ({"id": {"$gte": 101944}}, [101944, 101945]),
        ({"id": {"$lte": 100002}}, [100001, 100002]),
        ({"id": {"$in": [100007, 100009]}}, [100007, 100009]),
        ({"id": [100007, 100009]}, [100007, 100009]),
        ({"id": {"$lte": 100003, "$neq": 100002}}, [100001, 100003]),
        ({"id": {"$lte": 100003, "$nin": [100001, 100003]}}, [100002]),
        ({"$or": [{"id": 100001}, {"id": 100004}]}, [100001, 100004]),
        ({"$and": [{"id": {"$gt": 100001}}, {"id": {"$lt": 100003}}]}, [100002]),
        ({"public_id": {"$like": "53636*"}, "id": {"$lt": 100004}}, [100001, 100002, 100003]),
        ({"total": {"$lt": -1500}}, [101632]),
    ],
)
def test_operators(shop: ShopServer, condition: dict[str, Any], expected: list[int]) -> None:
    assert shop.ids(TICKETS, ALL, ("_filter", json.dumps(condition))) == expected


def test_tilde_operators(shop: ShopServer) -> None:
    assert shop.ids(TICKETS, ("~[id][$in]", "100002,100004")) == [100002, 100004]
    assert shop.ids(TICKETS, ("~[id][$in][]", "100002"), ("~[id][$in][]", "100004")) == [100002, 100004]
    assert shop.ids(TICKETS, ("~[id][$gte]", "101945")) == [101945]


def test_times_are_compared_as_moments(shop: ShopServer) -> None:
    same = ["2010-12-20T12:00:00Z", "2010-12-20T12:00:00", "2010-12-20T04:00:00-08:00"]
    counts = {shop.get(TICKETS, ("~[completed_at][$gte]", moment))["total"] for moment in same}
    assert len(counts) == 1 and counts.pop() > 100


def test_local_time_is_the_stores_wall_clock(shop: ShopServer) -> None:
    day = [("~[local_completed_at][$gte]", "2010-12-09"), ("~[local_completed_at][$lt]", "2010-12-10")]
    rows = shop.get(TICKETS, ALL, *day)["results"]
    assert rows and {row["local_completed_at"][:10] for row in rows} == {"2010-12-09"}
    assert {row["completed_at"][:10] for row in rows} == {"2010-12-09", "2010-12-10"}


def test_nothing_is_a_value_too(shop: ShopServer) -> None:
    without = shop.get("/items", ALL, ("_filter", json.dumps({"financial_class_id": None})))["results"]
    assert {row["public_id"] for row in without} == {"D", "M", "S", "DCGS0003", "DCGS0070", "DCGS0076"}


def test_custom_fields_can_be_filtered(shop: ShopServer) -> None:
    rows = shop.get("/items", ALL, ("~[custom@department]", "Other"))["results"]
    assert len(rows) == 6


@pytest.mark.parametrize(
    ("path", "field"),
    [
        (TICKETS, "completed?"),
        (TICKETS, "voided?"),
        (TICKETS, "source_location_id"),
        ("/payments", "location_id"),
        (TICKETS, "colour"),
    ],
)
@pytest.mark.parametrize("form", ["json", "tilde"])
def test_some_fields_are_refused(shop: ShopServer, path: str, field: str, form: str) -> None:
    query = ("_filter", json.dumps({field: "1"})) if form == "json" else (f"~[{field}]", "1")
    answer = shop.call("GET", path, [query])
    assert answer.status_code == 400
    assert answer.json()["error"] == "invalid_request"


@pytest.mark.parametrize(
    "query",
    [
        ("_filter", "{"),
        ("_filter", "3"),
        ("_filter", '{"id": {"$near": 3}}'),
        ("_filter", '{"$or": {"id": 3}}'),
        ("_filter", '{"id": {"$in": 3}}'),
        ("~[id", "3"),
        ("~[id]", "three"),
        ("~[updated_at][$gte]", "yesterday"),
        ("sort", "colour"),
        ("sort", "id,up"),
    ],
)
def test_unreadable_filters_are_refused(shop: ShopServer, query: tuple[str, str]) -> None:
    assert shop.call("GET", TICKETS, [query]).status_code == 400
