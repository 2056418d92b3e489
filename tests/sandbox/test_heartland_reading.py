"""Reading the pretend Heartland: envelope, paging, sorting, selecting, embedding, refusals."""

from collections.abc import Iterator
from decimal import Decimal

import pytest

from tests.sandbox.shop_server import ShopServer, shop_server


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ShopServer]:
    with shop_server(tmp_path_factory.mktemp("shop") / "state.sqlite3") as running:
        yield running


def test_a_collection_has_an_envelope_and_twenty_rows(shop: ShopServer) -> None:
    answer = shop.get("/sales/tickets")
    assert set(answer) == {"total", "pages", "results"}
    assert (answer["total"], answer["pages"], len(answer["results"])) == (1945, 98, 20)


def test_the_pages_together_are_every_ticket_once(shop: ShopServer) -> None:
    ids = [id for page in "12345" for id in shop.ids("/sales/tickets", ("per_page", "400"), ("page", page))]
    assert ids == list(range(100001, 101946))


def test_no_page_has_more_than_a_thousand_rows(shop: ShopServer) -> None:
    answer = shop.get("/sales/tickets", ("per_page", "5000"), ("_only[]", "id"))
    assert (answer["pages"], len(answer["results"])) == (2, 1000)


def test_all_works_on_small_collections_only(shop: ShopServer) -> None:
    assert len(shop.ids("/payment_types", ("per_page", "all"))) == 5
    assert shop.call("GET", "/sales/tickets", [("per_page", "all")]).status_code == 400


def test_a_page_beyond_the_last_is_empty(shop: ShopServer) -> None:
    assert shop.get("/locations", ("page", "9")) == {"total": 3, "pages": 1, "results": []}


def test_an_empty_collection_has_one_page(shop: ShopServer) -> None:
    assert shop.get("/sales/tickets", ("~[id]", "1")) == {"total": 0, "pages": 1, "results": []}


@pytest.mark.parametrize("query", [("page", "0"), ("page", "x"), ("per_page", "-1"), ("colour", "red")])
def test_unreadable_parameters_are_refused(shop: ShopServer, query: tuple[str, str]) -> None:
    answer = shop.call("GET", "/sales/tickets", [query])
    assert answer.status_code == 400
    assert answer.json()["error"] == "invalid_request"
    assert query[0] in answer.json()["details"]


def test_sorting_by_two_fields(shop: ShopServer) -> None:
    query = [("sort[]", "updated_at,desc"), ("sort[]", "id"), ("per_page", "300")]
    rows = shop.get("/sales/tickets", *query)["results"]
    keys = [(row["updated_at"], -row["id"]) for row in rows]
    assert keys == sorted(keys, reverse=True)


def test_sorting_by_one_parameter(shop: ShopServer) -> None:
    assert shop.ids("/sales/tickets", ("sort", "id,desc"), ("per_page", "2")) == [101945, 101944]


def test_only_some_fields(shop: ShopServer) -> None:
    row = shop.get("/items", ("_only[]", "id"), ("_only[]", "public_id"), ("per_page", "1"))["results"][0]
    assert set(row) == {"id", "public_id"}


def test_lines_and_payments_are_embedded_on_request(shop: ShopServer) -> None:
    plain = shop.get("/sales/tickets/100001")
    assert "lines" not in plain and "payments" not in plain
    whole = shop.get("/sales/tickets/100001", ("_include[]", "lines"), ("_include[]", "payments"))
    assert whole["lines"] == shop.get("/sales/tickets/100001/lines", ("per_page", "100"))["results"]
    assert whole["payments"] == shop.get("/sales/tickets/100001/payments")["results"]
    assert whole["total"] == sum(line["value"] for line in whole["lines"])


def test_a_ticket_with_many_lines_embeds_all_of_them(shop: ShopServer) -> None:
    rows = shop.get("/sales/tickets", ("_include[]", "lines"), ("per_page", "1000"))["results"]
    longest = max(rows, key=lambda row: len(row["lines"]))
    assert len(longest["lines"]) > 600
    assert shop.get(f"/sales/tickets/{longest['id']}/lines")["total"] == len(longest["lines"])


def test_amounts_are_numbers_with_two_decimals(shop: ShopServer) -> None:
    text = shop.call("GET", "/sales/tickets/100050").text
    assert '"total":257.38' in text and '"balance":0.00' in text


def test_stores_have_time_zones_and_stations(shop: ShopServer) -> None:
    rows = shop.get("/locations", ("_include[]", "stations"))["results"]
    assert {row["id"]: (row["name"], row["time_zone"]) for row in rows} == {
        100001: ("Main Street", "America/New_York"),
        100002: ("Los Angeles", "America/Los_Angeles"),
        100003: ("Chicago", "America/Chicago"),
    }
    assert all(len(row["stations"]) == 2 for row in rows)


def test_names_of_payment_types_classes_and_jurisdictions(shop: ShopServer) -> None:
    def names(path: str) -> list[str]:
        return [row["name"] for row in shop.get(path)["results"]]

    assert names("/payment_types") == ["Cash", "Visa", "Mastercard", "American Express", "Gift Card"]
    assert names("/financial_classes")[0] == "Home & Decor"
    assert names("/tax_jurisdictions") == ["New York", "Los Angeles", "Chicago"]
    assert shop.get("/tax_jurisdictions/1")["rate"] == Decimal("0.08875")


def test_adjustment_sets_and_both_paths_of_their_reasons(shop: ShopServer) -> None:
    assert shop.get("/inventory/adjustment_sets")["total"] == 70
    line = shop.get("/inventory/adjustment_sets/100001/lines")["results"][0]
    assert line["qty"] < 0 and line["unit_cost"] > 0
    reasons = shop.get("/inventory/adjustment_reasons")
    assert reasons == shop.get("/reason_codes/inventory_adjustment_reasons")


def test_payments_of_all_documents_and_deposits_of_orders(shop: ShopServer) -> None:
    deposits = shop.get("/payments", ("~[deposit]", "true"))["results"]
    assert len(deposits) == 5 and all(row["order_id"] and row["ticket_id"] is None for row in deposits)
    assert shop.ids("/payments", ("order_id", "100001")) == [500001]
    assert shop.get("/sales/orders/100001/payments")["results"][0]["deposit"] is True


def test_one_record_and_none(shop: ShopServer) -> None:
    assert shop.get("/items/101215")["public_id"] == "22423"
    answer = shop.call("GET", "/sales/tickets/1")
    assert answer.status_code == 404
    assert set(answer.json()) == {"error", "message", "details"}


@pytest.mark.parametrize("path", ["/nothing", "/graphql", "/payments/1/lines", "/system/nothing"])
def test_unknown_paths_are_not_found(shop: ShopServer, path: str) -> None:
    assert shop.call("GET", path).status_code == 404


def test_a_wrong_method_says_which_are_right(shop: ShopServer) -> None:
    answer = shop.call("DELETE", "/sales/tickets/100001")
    assert (answer.status_code, answer.headers["Allow"]) == (405, "GET, PUT")
    assert answer.json()["error"] == "method_not_allowed"


def test_who_and_where(shop: ShopServer) -> None:
    assert shop.get("/system/host")["host"].endswith(".retail.heartland.us")
    assert shop.get("/system/whoami")["login"] == "sandbox"
    assert shop.get("/settings/company_name") == {"value": "Main Street Trading"}
