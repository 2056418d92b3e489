"""One id leads through the whole log of an event, from capture to entry, and nothing secret stands beside it."""

import json
import logging

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from config import logs
from integrations import pipeline
from integrations.models import Connection
from ledger.journal import many, orders
from ledger.models import Posting, Source, SyncOrder
from ledger.values import EventFacts
from tests.integrations.at_the_till import LAMP, capture, sold
from tests.integrations.at_work import MANY, later, sell, work
from tests.office import Office
from tests.sandbox_fixture import Sandbox
from tests.trade import NOON, changed, item, new_id, paid, sale, ticket, unreadable

CARD = "4111111111111111"


@pytest.fixture
def office(source: Source, running: Connection) -> Office:
    """The journal of the book that is connected to the running QuickBooks."""
    assert running.book is not None
    return Office(source, running.book)


@pytest.fixture(autouse=True)
def everything_is_heard(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)


def lines(caplog: pytest.LogCaptureFixture) -> list[dict[str, object]]:
    """Every line of ours as it is written."""
    written = (logs.formatter(as_json=True).format(record) for record in caplog.records)
    return [line for line in map(json.loads, written) if "traces" in line]


def way(caplog: pytest.LogCaptureFixture, trace: str) -> list[object]:
    """What the log says of one event, in order."""
    return [line["event"] for line in lines(caplog) if trace in line["traces"]]  # type: ignore[operator]


def trace(facts: EventFacts) -> str:
    return f"HR-T{facts.header.external_id}"


def ordered(office: Office, *sales: EventFacts) -> None:
    """They were sold before the start; somebody orders their days."""
    office.record(*sales)
    day = NOON.date()
    orders.order_past(office.book, day, day, actor=None)


def test_the_log_tells_the_whole_way_of_a_sale(
    sandbox: Sandbox, running: Connection, office: Office, caplog: pytest.LogCaptureFixture
) -> None:
    one, other = sell(office, 2)
    work(running, office)
    assert way(caplog, trace(one)) == ["recorded", "booked", "claimed", "sending", "posted"]
    assert way(caplog, trace(other)) == way(caplog, trace(one))
    (posted,) = [line for line in lines(caplog) if line["event"] == "posted" and trace(one) in str(line["traces"])]
    assert posted["remote_ids"] == [office.entry(one).remote_id] and posted["request_id"]


def test_a_sale_at_the_till_bears_its_id_from_the_first_line(
    sandbox: Sandbox, till: Connection, lamp: None, running: Connection, caplog: pytest.LogCaptureFixture
) -> None:
    external_id = sold(sandbox)
    capture(till)
    pipeline.book(running)
    assert way(caplog, f"HR-T{external_id}")[:1] == ["recorded"]


def test_what_goes_wrong_stands_under_the_same_id(
    sandbox: Sandbox, running: Connection, office: Office, caplog: pytest.LogCaptureFixture
) -> None:
    (lost,) = sell(office, 1)
    with sandbox.fault("quickbooks.drop_answer", times=1, only="write"):
        pipeline.post(running)
    later(office)
    pipeline.post(running)
    told = ["recorded", "booked", "claimed", "sending", "call failed", "outcome unknown", "claimed", "found there"]
    assert way(caplog, trace(lost)) == told


def test_a_refusal_is_told_with_its_code_and_without_its_words(
    sandbox: Sandbox, running: Connection, office: Office, caplog: pytest.LogCaptureFixture
) -> None:
    (refused,) = sell(office, 1)
    with sandbox.company(book_close_date="2030-12-31"):
        pipeline.post(running)
    (line,) = [line for line in lines(caplog) if line["event"] == "rejected"]
    assert line["traces"] == [trace(refused)] and line["code"]
    assert office.posting(refused).error not in str(line)


def test_what_people_decide_stands_under_the_same_id(office: Office, caplog: pytest.LogCaptureFixture) -> None:
    stuck = ticket(item("20.00"), paid("20.00", by="99"), external_id=new_id())
    ordered(office, stuck)
    office.enter()
    orders.retry(Posting.objects.filter(pk=office.posting(stuck).pk), actor=None)
    office.enter()
    orders.set_aside(office.posting(stuck), "By mistake", actor=None)
    orders.take_back(office.posting(stuck), actor=None)
    told = ["recorded", "could not be booked", "retried", "could not be booked", "set aside", "taken back"]
    assert way(caplog, trace(stuck)) == told


def test_a_deed_on_many_events_names_each_of_them(office: Office, caplog: pytest.LogCaptureFixture) -> None:
    stuck = [ticket(item("20.00"), paid("20.00", by="99"), external_id=new_id()) for _ in range(3)]
    ordered(office, *stuck)
    office.enter()
    ids = [office.posting(one).pk for one in stuck]
    many.retry(ids, order=SyncOrder.objects.create(book=office.book, kind=SyncOrder.Kind.RETRY))
    office.enter()
    many.set_aside(ids, reason="Test sales")
    many.take_back(ids, book=office.book)
    for one in stuck:
        assert [said for said in way(caplog, trace(one)) if "book" not in str(said)][1:] == [
            "retried",
            "set aside",
            "taken back",
        ]


def test_a_document_that_cannot_be_read_has_its_id_in_the_log_too(
    office: Office, caplog: pytest.LogCaptureFixture
) -> None:
    broken = new_id()
    office.record(unreadable(broken))
    assert way(caplog, f"HR-T{broken}") == ["could not be read"]


def test_a_change_at_the_till_is_told_and_a_look_at_the_same_is_not(
    office: Office, caplog: pytest.LogCaptureFixture
) -> None:
    facts = sale("20.00", external_id=new_id())
    office.record(facts)
    office.record(facts)
    office.record(changed(facts, item("25.00"), paid("25.00")))
    assert way(caplog, trace(facts)) == ["recorded", "recorded a change"]


def test_a_page_of_documents_is_a_few_lines_and_names_all_of_them(
    office: Office, caplog: pytest.LogCaptureFixture
) -> None:
    sales = [sale("20.00", external_id=new_id()) for _ in range(130)]
    office.record(*sales)
    recorded = [line for line in lines(caplog) if line["event"] == "recorded"]
    assert len(recorded) == 2
    assert {name for line in recorded for name in line["traces"]} == {trace(one) for one in sales}  # type: ignore[attr-defined]


def test_no_payload_and_no_card_number_is_ever_in_the_log(
    sandbox: Sandbox, till: Connection, running: Connection, office: Office, caplog: pytest.LogCaptureFixture
) -> None:
    sandbox.control("heartland/items", {"id": LAMP, "description": f"Lamp {CARD}", "financial_class_id": 3})
    sold(sandbox)
    capture(till)
    sell(office, MANY)
    with sandbox.fault("quickbooks.html_502", times=1, only="write"):
        work(running, office)
    written = "\n".join(logs.formatter(as_json=True).format(record) for record in caplog.records)
    for secret in (CARD, "Lamp", "JournalEntryLineDetail", "PrivateNote", "Cash on Hand", "20.00", "28.00"):
        assert secret not in written, secret


def test_the_log_costs_no_query(office: Office, caplog: pytest.LogCaptureFixture) -> None:
    """What is said of a block is taken from its rows."""

    ordered(office, *(sale("20.00", external_id=new_id()) for _ in range(3)))
    with CaptureQueriesContext(connection) as loud:
        office.enter()
    ordered(office, *(sale("20.00", external_id=new_id()) for _ in range(30)))
    with CaptureQueriesContext(connection) as long:
        office.enter()
    assert len(long) == len(loud)
