"""The whole way over both running vendors: from the till to the books."""

from integrations import pipeline, tasks
from integrations.models import Connection
from ledger.terms import SyncState
from tests.integrations.at_the_till import capture, posting, sold
from tests.sandbox_fixture import Sandbox

# --- The whole way --------------------------------------------------------------------------------


def test_a_sale_goes_the_whole_way_from_the_till_to_the_books(
    sandbox: Sandbox, till: Connection, lamp: None, running: Connection
) -> None:
    external_id = sold(sandbox)
    capture(till)
    assert pipeline.is_due(running)
    assert (pipeline.book(running), pipeline.post(running)) == (1, 1)
    assert posting(external_id).state == SyncState.SYNCED
    (entry,) = sandbox.booked(f"HR-T{external_id}")
    said = {(line["name"], line["side"], float(line["amount"])) for line in entry["lines"]}
    assert entry["TxnDate"] == "2010-12-20"
    assert said == {
        ("Cash on Hand:Main Street", "Debit", 20.0),
        ("Sales:Candles and Lights", "Credit", 20.0),
        ("Cost of Goods Sold:Candles and Lights", "Debit", 8.0),
        ("Inventory Asset:Candles and Lights", "Credit", 8.0),
    }
    assert not pipeline.is_due(running)


def test_one_task_does_it_all(sandbox: Sandbox, till: Connection, lamp: None, running: Connection) -> None:
    ids = [sold(sandbox) for _ in range(5)]
    assert tasks.capture(till.pk).startswith("5 documents read")
    assert tasks.work(running.pk) == "5 entries handled."
    assert {posting(each).state for each in ids} == {SyncState.SYNCED}


def test_the_task_waits_for_a_lost_answer_by_itself(
    sandbox: Sandbox, till: Connection, lamp: None, running: Connection
) -> None:
    Connection.objects.filter(pk=running.pk).update(settle_seconds=2)
    external_id = sold(sandbox)
    capture(till)
    with sandbox.fault("quickbooks.drop_answer", times=1, only="write"):
        tasks.work(running.pk)
    assert posting(external_id).state == SyncState.SYNCED
    assert len(sandbox.booked(f"HR-T{external_id}")) == 1
