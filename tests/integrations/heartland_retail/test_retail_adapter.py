"""The walk over tickets against a server whose every answer is decided here."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime

import pytest

from integrations.heartland_retail import client as wire
from integrations.heartland_retail.adapter import HeartlandRetailAdapter
from integrations.heartland_retail.client import Client, FixedToken
from integrations.http import Http
from ledger.errors import Unreachable, Unreadable
from ledger.ports import PointOfSale
from ledger.terms import DEFAULT_CLASS, Dimension
from ledger.values import Cursor
from tests.integrations.heartland_retail.samples import (
    CHICAGO,
    Call,
    Json,
    Reply,
    envelope,
    item,
    item_line,
    payment,
    scripted,
    tax_line,
    ticket,
)

Answers = dict[str, list[Json]]
Shop = Callable[[Answers], tuple[HeartlandRetailAdapter, list[Call]]]

TABLES: Answers = {
    "/locations": [envelope({"id": 100003, "name": "Chicago", "time_zone": CHICAGO})],
    "/payment_types": [envelope({"id": 1, "name": "Cash"}, {"id": 5, "name": "Gift Card"})],
    "/items": [envelope(item())],
    "/tax_jurisdictions": [envelope({"id": 3, "name": "Chicago"})],
}


@pytest.fixture
def shop() -> Iterator[Shop]:
    """An adapter whose server gives the answers of each path in turn, the last one for ever."""
    with ExitStack() as stack:

        def with_answers(answers: Answers) -> tuple[HeartlandRetailAdapter, list[Call]]:
            left = {path: list(bodies) for path, bodies in {**TABLES, **answers}.items()}

            def script(call: Call) -> Reply:
                bodies = left.get(call.path)
                if not bodies:
                    return Reply(404, {"error": "not_found"})
                return Reply(body=bodies.pop(0) if len(bodies) > 1 else bodies[0])

            base_url, calls = stack.enter_context(scripted(script))
            client = Client(Http(base_url, timeout=5), tokens=FixedToken("key"), sleep=lambda seconds: None)
            return HeartlandRetailAdapter(client), calls

        yield with_answers


def at(second: int, **changes: object) -> Json:
    return ticket(updated_at=f"2010-12-01T14:26:{second:02}+00:00", **changes)


def moment(second: int) -> datetime:
    return datetime(2010, 12, 1, 14, 26, second, tzinfo=UTC)


def test_a_page_holds_whole_documents_and_the_key_of_its_last_row(shop: Shop) -> None:
    adapter, _ = shop({"/sales/tickets": [envelope(at(5), at(6, id=100002))]})
    page = adapter.walk(Cursor())
    assert [document.external_id for document in page.documents] == ["100001", "100002"]
    assert page.cursor == Cursor(moment(6), 100002)
    assert not page.more


def test_a_kept_document_gives_its_facts_without_a_call(shop: Shop) -> None:
    source, calls = shop({"/sales/tickets": [envelope(at(5))]})
    pos: PointOfSale = source
    (document,) = pos.walk(Cursor()).documents
    before = len(calls)
    facts = pos.read(document)
    assert facts is not None
    assert facts.items[0].item_class == "3"
    assert len(calls) == before


def test_nothing_new_leaves_the_cursor_where_it_is(shop: Shop) -> None:
    adapter, calls = shop({"/sales/tickets": [envelope()]})
    page = adapter.walk(Cursor(moment(5), 100001))
    assert (page.documents, page.cursor, page.more) == ((), Cursor(moment(5), 100001), False)
    assert len(calls) == 1


def test_rows_out_of_order_and_repeated_are_put_right(shop: Shop) -> None:
    rows = [at(7, id=100003), at(5), at(6, id=100002), at(5)]
    adapter, calls = shop({"/sales/tickets": [envelope(*rows, total=3)]})
    page = adapter.walk(Cursor())
    assert [document.external_id for document in page.documents] == ["100001", "100002", "100003"]
    assert page.cursor == Cursor(moment(7), 100003)
    assert sum(call.path == "/sales/tickets" for call in calls) == 1


def test_a_row_that_took_the_place_of_another_is_noticed(shop: Shop) -> None:
    short = envelope(at(5), at(5), at(7, id=100003), total=3)
    whole = envelope(at(5), at(6, id=100002), at(7, id=100003))
    adapter, _ = shop({"/sales/tickets": [short, whole]})
    assert [document.external_id for document in adapter.walk(Cursor()).documents] == [
        "100001",
        "100002",
        "100003",
    ]


def test_a_ticket_that_is_not_complete_only_moves_the_cursor(shop: Shop) -> None:
    started = at(9, id=100002, status="incomplete", completed_at=None, **{"completed?": False})
    adapter, _ = shop({"/sales/tickets": [envelope(at(5), started)]})
    page = adapter.walk(Cursor())
    assert [document.external_id for document in page.documents] == ["100001"]
    assert page.cursor == Cursor(moment(9), 100002)


def test_a_ticket_that_was_reopened_comes_along_and_has_no_facts(shop: Shop) -> None:
    reopened = at(9, id=100002, status="incomplete", **{"completed?": False})
    adapter, _ = shop({"/sales/tickets": [envelope(at(5), reopened)]})
    documents = adapter.walk(Cursor()).documents
    assert [document.external_id for document in documents] == ["100001", "100002"]
    assert adapter.read(documents[1]) is None


def test_lines_whose_item_is_no_id_are_not_looked_up(shop: Shop) -> None:
    odd = [item_line(id=n, item_id=item_id) for n, item_id in enumerate(("9" * 5000, "\u0663", -1, True, [7], None), 1)]
    adapter, calls = shop({"/sales/tickets": [envelope(at(5, lines=odd, total=120))]})
    (document,) = adapter.walk(Cursor()).documents
    with pytest.raises(Unreadable, match="cannot be found"):
        adapter.read(document)
    assert "/items" not in {call.path for call in calls}


def test_more_is_told_by_the_total(shop: Shop) -> None:
    adapter, _ = shop({"/sales/tickets": [envelope(at(5), total=2)]})
    assert adapter.walk(Cursor()).more


def test_a_walk_that_does_not_move_stops_aloud(shop: Shop) -> None:
    adapter, _ = shop({"/sales/tickets": [envelope(at(5), total=2)]})
    with pytest.raises(Unreachable, match="repeats the same tickets"):
        adapter.walk(Cursor(moment(5), 100001))


@pytest.mark.parametrize(
    "changes", [{"id": None}, {"id": 10**30}, {"updated_at": None}, {"updated_at": "0001-01-01T00:00:00+05:00"}]
)
def test_a_row_without_a_key_stops_the_walk(shop: Shop, changes: Json) -> None:
    adapter, _ = shop({"/sales/tickets": [envelope(ticket(**changes))]})
    with pytest.raises(Unreachable, match="without id or time of change"):
        adapter.walk(Cursor())


def test_what_is_not_embedded_is_read_on_its_own(shop: Shop) -> None:
    bare = {key: value for key, value in at(5).items() if key not in {"lines", "payments"}}
    adapter, _ = shop(
        {
            "/sales/tickets": [envelope(bare)],
            "/sales/tickets/100001/lines": [envelope(item_line(), tax_line())],
            "/sales/tickets/100001/payments": [envelope(payment(), payment(id=12, amount=-8.75))],
        }
    )
    whole, _ = shop({"/sales/tickets": [envelope(at(5))]})
    assert adapter.walk(Cursor()).documents == whole.walk(Cursor()).documents


def test_lines_cut_short_are_read_on_their_own(shop: Shop) -> None:
    adapter, calls = shop(
        {
            "/sales/tickets": [envelope(at(5, lines=[item_line()]))],
            "/sales/tickets/100001/lines": [envelope(item_line(), tax_line())],
        }
    )
    facts = adapter.read(adapter.walk(Cursor()).documents[0])
    assert facts is not None and len(facts.taxes) == 1
    assert [call.path for call in calls if "100001" in call.path] == ["/sales/tickets/100001/lines"]


def test_a_whole_ticket_costs_no_further_call(shop: Shop) -> None:
    adapter, calls = shop({"/sales/tickets": [envelope(at(5))]})
    adapter.walk(Cursor())
    adapter.walk(Cursor())
    paths = sorted(call.path for call in calls)
    assert paths == ["/items", "/locations", "/payment_types", "/sales/tickets", "/sales/tickets"]


def test_one_document_is_read_as_it_stands(shop: Shop) -> None:
    adapter, _ = shop({"/sales/tickets/100001": [at(5)], "/sales/tickets": [envelope(at(5))]})
    assert adapter.document("100001") == adapter.walk(Cursor()).documents[0]


def test_names_of_tenders_classes_and_jurisdictions(shop: Shop) -> None:
    adapter, _ = shop({"/financial_classes": [envelope({"id": 1, "name": "Home & Decor"})]})
    assert [(name.dimension, name.code, name.name) for name in adapter.dimension_names()] == [
        (Dimension.TENDER, "1", "Cash"),
        (Dimension.TENDER, "5", "Gift Card"),
        (Dimension.ITEM_CLASS, "1", "Home & Decor"),
        (Dimension.TAX_JURISDICTION, "3", "Chicago"),
        (Dimension.ITEM_CLASS, DEFAULT_CLASS, "No item class"),
    ]


def test_without_class_names_there_is_still_the_default_class(shop: Shop) -> None:
    adapter, _ = shop({})
    classes = [name for name in adapter.dimension_names() if name.dimension is Dimension.ITEM_CLASS]
    assert [name.code for name in classes] == [DEFAULT_CLASS]


def test_a_full_page_without_a_total_means_more(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("integrations.heartland_retail.adapter.PER_PAGE", 1)
    assert wire.PER_PAGE == 200
    adapter, _ = shop({"/sales/tickets": [{"results": [at(5)]}]})
    assert adapter.walk(Cursor()).more
