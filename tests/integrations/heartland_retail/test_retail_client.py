"""The wire: filters, paging, patience, and what each refusal means."""

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime

import pytest

from integrations.heartland_retail.client import Client, FixedToken, after
from integrations.http import Http
from ledger.errors import AuthExpired, RateLimited, Rejected, Unreachable
from ledger.values import Cursor
from tests.integrations.heartland_retail.samples import Call, Reply, Script, envelope, item, scripted, ticket

Connect = Callable[[Script], tuple[Client, list[Call]]]
SINCE = datetime(2010, 12, 1, 14, 26, 5, tzinfo=UTC)


@pytest.fixture
def waits() -> list[float]:
    """The pauses that the client made."""
    return []


@pytest.fixture
def connect(waits: list[float]) -> Iterator[Connect]:
    with ExitStack() as stack:

        def to(script: Script) -> tuple[Client, list[Call]]:
            base_url, calls = stack.enter_context(scripted(script))
            return Client(Http(base_url, timeout=5), tokens=FixedToken("key"), sleep=waits.append), calls

        yield to


def in_turn(*replies: Reply) -> Script:
    """These replies one after the other, the last one for ever."""
    left = list(replies)
    return lambda call: left.pop(0) if len(left) > 1 else left[0]


def test_the_walk_begins_without_a_filter() -> None:
    assert after(Cursor()) is None


def test_the_walk_begins_at_a_time_and_goes_on_by_key() -> None:
    moment = "2010-12-01T14:26:05+00:00"
    assert after(Cursor(SINCE)) == {"updated_at": {"$gte": moment}}
    assert after(Cursor(SINCE, 7)) == {
        "$or": [
            {"updated_at": {"$gt": moment}},
            {"$and": [{"updated_at": moment}, {"id": {"$gt": 7}}]},
        ]
    }


def test_tickets_are_asked_for_in_order_with_lines_and_payments(connect: Connect) -> None:
    client, calls = connect(in_turn(Reply(body=envelope(ticket()))))
    assert [row["id"] for row in client.tickets(Cursor(SINCE)).rows] == [100001]
    assert calls[0].path == "/sales/tickets"
    assert calls[0].token == "key"
    assert calls[0].query == {
        "_filter": [json.dumps({"updated_at": {"$gte": "2010-12-01T14:26:05+00:00"}}, separators=(",", ":"))],
        "sort[]": ["updated_at", "id"],
        "per_page": ["200"],
        "_include[]": ["lines", "payments"],
    }


@pytest.mark.parametrize("pages", [0, 1])
def test_an_empty_collection_may_have_one_page_or_none(connect: Connect, pages: int) -> None:
    client, _ = connect(in_turn(Reply(body=envelope(pages=pages))))
    assert client.tickets(Cursor()).rows == []
    assert client.locations() == []


def test_a_collection_is_read_to_its_end(connect: Connect) -> None:
    def page(call: Call) -> Reply:
        number = int(call.query["page"][0])
        return Reply(body=envelope({"id": number}, total=3, pages=3))

    client, calls = connect(page)
    assert [row["id"] for row in client.locations()] == [1, 2, 3]
    assert len(calls) == 3


def test_a_repeated_row_counts_once(connect: Connect) -> None:
    client, _ = connect(in_turn(Reply(body=envelope({"id": 1}, {"id": 1}, {"id": 2}, total=2))))
    assert [row["id"] for row in client.locations()] == [1, 2]


def test_a_collection_with_rows_missing_is_not_taken_for_whole(connect: Connect) -> None:
    client, calls = connect(in_turn(Reply(body=envelope({"id": 1}, total=2))))
    with pytest.raises(Unreachable, match="1 of 2 rows of /locations"):
        client.locations()
    assert len(calls) == 2


def test_items_are_looked_up_together_and_in_portions(connect: Connect) -> None:
    def found(call: Call) -> Reply:
        wanted = json.loads(call.query["_filter"][0])["id"]["$in"]
        return Reply(body=envelope(*(item(id=number) for number in wanted)))

    client, calls = connect(found)
    assert len(client.items(str(number) for number in range(1, 252))) == 251
    assert len(calls) == 2


def test_what_a_server_does_not_have_is_none_or_empty(connect: Connect) -> None:
    client, _ = connect(in_turn(Reply(404, {"error": "not_found"})))
    assert client.part(1, name="payments") is None
    assert client.financial_classes() == []
    assert client.tax_jurisdictions() == []
    assert client.whoami() == ""
    with pytest.raises(Rejected, match="/sales/tickets/1"):
        client.ticket("1")


def test_a_failing_read_is_repeated_a_few_times_only(connect: Connect, waits: list[float]) -> None:
    client, calls = connect(in_turn(Reply(500, "oops")))
    with pytest.raises(Unreachable):
        client.locations()
    assert len(calls) == 3
    assert len(waits) == 2


def test_a_page_instead_of_data_is_no_answer(connect: Connect) -> None:
    client, _ = connect(in_turn(Reply(200, "<html>Bad gateway</html>")))
    with pytest.raises(Unreachable):
        client.locations()


@pytest.mark.parametrize("body", [[], {"total": 1, "results": None}, {"results": ["row"]}, {}])
def test_an_answer_in_another_form_is_no_answer(connect: Connect, body: object) -> None:
    client, _ = connect(in_turn(Reply(body=body)))
    with pytest.raises(Unreachable, match="unknown form"):
        client.locations()


def test_a_short_wait_that_is_asked_for_is_kept(connect: Connect, waits: list[float]) -> None:
    client, _ = connect(in_turn(Reply(429, {}, {"Retry-After": "2"}), Reply(body=envelope({"id": 1}))))
    assert client.locations() == [{"id": 1}]
    assert waits == [2.0]


@pytest.mark.parametrize(("headers", "seconds"), [({"Retry-After": "60"}, 60.0), ({}, None)])
def test_a_long_or_unknown_wait_is_left_to_the_caller(
    connect: Connect, headers: dict[str, str], seconds: float | None
) -> None:
    client, calls = connect(in_turn(Reply(429, {}, headers)))
    with pytest.raises(RateLimited) as busy:
        client.locations()
    assert busy.value.retry_after == seconds
    assert len(calls) == 1


def test_a_refused_token_needs_a_person(connect: Connect) -> None:
    client, calls = connect(in_turn(Reply(401, {"error": "unauthorized"})))
    with pytest.raises(AuthExpired, match="Connect again, or paste a new API token"):
        client.locations()
    assert len(calls) == 1


def test_a_missing_right_is_named(connect: Connect) -> None:
    client, _ = connect(in_turn(Reply(403, {"error": "forbidden", "message": "no"})))
    with pytest.raises(AuthExpired, match="lacks the right to see sales transactions"):
        client.tickets(Cursor())


def test_another_refusal_carries_the_vendors_words_without_card_numbers(connect: Connect) -> None:
    words = {"error": "invalid_request", "message": "4111111111111111 cannot be filtered"}
    client, _ = connect(in_turn(Reply(400, words)))
    with pytest.raises(Rejected) as refused:
        client.locations()
    assert refused.value.vendor_code == "invalid_request"
    assert refused.value.vendor_message == "[masked] cannot be filtered"


def test_a_redirect_is_not_followed(connect: Connect) -> None:
    client, calls = connect(in_turn(Reply(302, "", {"Location": "/elsewhere"})))
    with pytest.raises(Rejected, match="another address"):
        client.locations()
    assert len(calls) == 1
