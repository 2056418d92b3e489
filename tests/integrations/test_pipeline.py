"""The four functions of the way over the running sandbox: capture, book, post, reconcile."""

import time
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from integrations import capturing, pipeline, tasks
from integrations.models import Capture, Connection
from ledger.clock import database_now
from ledger.errors import Unreachable
from ledger.journal import orders, recording
from ledger.models import Discrepancy, EventRevision, FinancialEvent, JournalEntry, Posting, ReconciliationRun, Source
from ledger.terms import DeliveryState, SyncState
from ledger.values import Cursor, EventFacts
from tests.office import Office
from tests.sandbox_fixture import Sandbox
from tests.trade import new_id, sale, unreadable

LAMP = 990001
"""The item that the tests sell: class 3, cost 8.00."""


@pytest.fixture
def lamp(sandbox: Sandbox) -> None:
    row = {"id": LAMP, "description": "Lamp", "financial_class_id": 3, "track_inventory?": True}
    sandbox.control("heartland/items", row)


def sold(sandbox: Sandbox, **changes: Any) -> str:
    """A ticket at the till: one lamp for 20.00 in cash, completed now at Main Street; gives its id."""
    external_id, now = new_id(), datetime.now(UTC)
    ticket = {
        "id": int(external_id),
        "public_id": f"S{external_id}",
        "type": "Ticket",
        "status": "complete",
        "total": 20.0,
        "total_paid": 20.0,
        "balance": 0,
        "source_location_id": 100001,
        "completed?": True,
        "voided?": False,
        "updated_at": now.isoformat(),
        "completed_at": now.isoformat(),
        "local_completed_at": "2010-12-20T12:00:00-05:00",
        "lines": [
            {"type": "ItemLine", "item_id": LAMP, "item_description": "Lamp", "qty": 1, "unit_cost": 8, "value": 20.0}
        ],
        "payments": [{"status": "complete", "amount": 20.0, "deposit": False, "payment_type_id": 1}],
    }
    sandbox.control("heartland/tickets", ticket | changes)
    return external_id


def capture(till: Connection, *, seconds: float = 30) -> pipeline.Captured:
    return pipeline.capture(till, until=time.monotonic() + seconds, keep=lambda: None)


def posting(external_id: str) -> Posting:
    return Posting.objects.select_related("entry", "event").get(event__external_id=external_id)


# --- Capture --------------------------------------------------------------------------------------


def test_a_sale_at_the_till_becomes_an_event(sandbox: Sandbox, till: Connection, lamp: None) -> None:
    external_id = sold(sandbox)
    outcome = capture(till)
    assert (outcome.problem, outcome.changed) == ("", 1)
    event = FinancialEvent.objects.get()
    assert (event.external_id, event.amount, event.business_date) == (external_id, Decimal("20.00"), date(2010, 12, 20))
    assert event.store is not None and event.store.name == "Main Street"


def test_a_capture_of_what_is_known_changes_nothing(sandbox: Sandbox, till: Connection, lamp: None) -> None:
    sold(sandbox)
    capture(till)
    again = capture(till)
    assert (again.documents, again.changed) == (1, 0)
    assert EventRevision.objects.count() == 1


def test_a_later_change_at_the_till_is_a_new_revision(sandbox: Sandbox, till: Connection, lamp: None) -> None:
    external_id = sold(sandbox)
    capture(till)
    payment = {"status": "complete", "amount": 20.0, "deposit": False, "payment_type_id": 2}
    sold(sandbox, id=int(external_id), payments=[payment])
    capture(till)
    assert FinancialEvent.objects.get().revision == 2


def test_the_history_is_captured_page_by_page_and_goes_on_where_it_stopped(sandbox: Sandbox, till: Connection) -> None:
    Capture.objects.filter(connection=till).update(history_done=False)
    first = pipeline.capture(till, until=time.monotonic() - 1, keep=lambda: None)
    assert (first.more, FinancialEvent.objects.count()) == (True, 0)
    pages = 0

    def one_page() -> None:
        nonlocal pages
        pages += 1
        if pages == 2:
            raise Unreachable("The time is up.")

    pipeline.capture(till, until=time.monotonic() + 60, keep=one_page)
    progress, taken = Capture.objects.get(), FinancialEvent.objects.count()
    assert taken > 0 and progress.history_since is not None and not progress.history_done
    till_adapter = pipeline.vendors.point_of_sale(till)
    after = till_adapter.walk(Cursor(progress.history_since, progress.history_after_id))
    known = set(FinancialEvent.objects.values_list("external_id", flat=True))
    assert not known & {document.external_id for document in after.documents}


def test_the_cursor_moves_only_after_its_page_is_recorded(
    sandbox: Sandbox, till: Connection, lamp: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = Capture.objects.get().live_since
    external_id = sold(sandbox)

    def full_disk(*_: object) -> None:
        raise RuntimeError("no space left")

    with monkeypatch.context() as patch:
        patch.setattr(recording, "record", full_disk)
        with pytest.raises(RuntimeError):
            capture(till)
    assert Capture.objects.get().live_since == before
    capture(till)
    assert posting(external_id).event.revision == 1
    assert Capture.objects.get().live_since > before


@pytest.mark.parametrize(
    "fault",
    [
        "heartland.drop_answer",
        "heartland.error_500",
        "heartland.html_502",
        "heartland.duplicate_rows",
        "heartland.shuffled",
        "heartland.amounts_as_text",
        "heartland.capital_status",
        "heartland.nulls",
        "heartland.no_embedding",
        "heartland.short_embedding",
        "heartland.empty_pages_zero",
    ],
)
def test_whatever_the_till_does_the_facts_are_the_same(
    sandbox: Sandbox, till: Connection, lamp: None, fault: str
) -> None:
    external_id = sold(sandbox)
    with sandbox.fault(fault, times=2):
        capture(till)
    capture(till)
    event = FinancialEvent.objects.get(external_id=external_id)
    assert (event.problem, event.revision, event.amount) == ("", 1, Decimal("20.00"))


def test_a_till_that_stays_away_is_told_and_nothing_is_passed_by(
    sandbox: Sandbox, till: Connection, lamp: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(time, "sleep", lambda seconds: None)
    external_id = sold(sandbox)
    with sandbox.fault("heartland.error_500", always=True):
        outcome = capture(till)
    assert outcome.problem and Capture.objects.get().problem == outcome.problem
    capture(till)
    assert Capture.objects.get().problem == ""
    assert posting(external_id).event.problem == ""


def test_a_refused_token_pauses_the_till(sandbox: Sandbox, till: Connection, lamp: None) -> None:
    sandbox.control("heartland/revoke", {})
    try:
        outcome = capture(till)
    finally:
        sandbox.control("heartland/revoke", {"restore": True})
    till.refresh_from_db()
    assert (till.state, till.problem) == (Connection.State.ACTION_REQUIRED, outcome.problem)


UNREADABLE: dict[str, dict[str, Any]] = {
    "a total that is no number": {"total": "twenty"},
    "an amount with an underscore": {"total": "2_0"},
    "an unknown type of line": {"lines": [{"type": "MysteryLine", "value": 20.0}]},
    "an unknown item": {"lines": [{"type": "ItemLine", "item_id": 1, "qty": 1, "unit_cost": 8, "value": 20.0}]},
    "a line without a quantity": {"lines": [{"type": "ItemLine", "item_id": LAMP, "unit_cost": 8, "value": 20.0}]},
}


@pytest.mark.parametrize("changes", UNREADABLE.values(), ids=UNREADABLE)
def test_a_ticket_that_cannot_be_read_is_an_error_and_the_rest_goes_on(
    sandbox: Sandbox, till: Connection, lamp: None, changes: dict[str, Any]
) -> None:
    broken, good = sold(sandbox, **changes), sold(sandbox)
    assert capture(till).problem == ""
    assert posting(broken).state == SyncState.ERROR
    assert f"Ticket S{broken}" in posting(broken).error
    assert str(broken) in posting(broken).event.raw.text
    assert posting(good).event.problem == ""


def test_a_total_that_its_parts_do_not_make_up_is_an_error(
    sandbox: Sandbox, till: Connection, lamp: None, running: Connection
) -> None:
    broken = sold(sandbox, total=25.0, total_paid=25.0, payments=[{"amount": 25.0, "payment_type_id": 1}])
    capture(till)
    pipeline.book(running)
    assert posting(broken).state == SyncState.ERROR
    assert "is not the sum of its parts" in posting(broken).error


def test_a_ticket_that_was_mended_at_the_till_is_read_again(
    sandbox: Sandbox, till: Connection, lamp: None, running: Connection
) -> None:
    external_id = sold(sandbox, total="twenty")
    capture(till)
    sold(sandbox, id=int(external_id))
    capturing.reread(till, list(FinancialEvent.objects.filter(external_id=external_id)))
    assert posting(external_id).state == SyncState.NOT_SYNCED


def test_a_document_that_is_gone_is_read_from_what_is_kept(sandbox: Sandbox, till: Connection, source: Source) -> None:
    gone = new_id()
    recording.record(source, [unreadable(gone)])
    assert capturing.reread(till, list(FinancialEvent.objects.filter(external_id=gone))) == 1
    assert posting(gone).state == SyncState.ERROR


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


# --- Reconcile ------------------------------------------------------------------------------------

DAY = date(2010, 12, 27)
"""A day on which nothing else is sold in these tests."""


@pytest.fixture
def posted(source: Source, running: Connection) -> list[EventFacts]:
    """Three sales that stand in QuickBooks."""
    assert running.book is not None
    office = Office(source, running.book)
    facts = [sale(at=database_now() + timedelta(hours=1), day=DAY) for _ in range(3)]
    office.record(*facts)
    office.enter()
    pipeline.post(running)
    return facts


def reference(facts: EventFacts) -> str:
    return f"HR-T{facts.header.external_id}"


def compared(running: Connection, posted: list[EventFacts]) -> dict[str, str]:
    """Kinds of discrepancy by reference, for the sales of this test alone."""
    run = pipeline.reconcile(running, first=DAY, last=DAY)
    ours = [reference(facts) for facts in posted]
    return dict(Discrepancy.objects.filter(run=run, reference__in=ours).values_list("reference", "kind"))


def api(sandbox: Sandbox, running: Connection, method: str, path: str, body: dict[str, Any]) -> Any:
    """Somebody works in QuickBooks with another program."""
    import requests

    running.refresh_from_db()
    headers = {"Authorization": f"Bearer {running.credentials['access_token']}", "Accept": "application/json"}
    address = f"{sandbox.quickbooks}/v3/company/{running.account_id}/{path}"
    answer = requests.request(method, address, json=body, headers=headers, timeout=10)
    answer.raise_for_status()
    return answer.json()


def typed_again(sandbox: Sandbox, facts: EventFacts, *, amount: float, memo: str = "") -> None:
    """An entry of one of our numbers, typed past the API, on the accounts that the first has."""
    (entry,) = sandbox.booked(reference(facts))
    lines = [
        {
            "Amount": amount,
            "DetailType": "JournalEntryLineDetail",
            "JournalEntryLineDetail": {"PostingType": line["side"], "AccountRef": {"value": line["account"]}},
        }
        for line in entry["lines"][:2]
    ]
    head = {name: entry[name] for name in ("DocNumber", "TxnDate", "PrivateNote")}
    sandbox.control("quickbooks/entries", {**head, "Line": lines})


def delete_there(sandbox: Sandbox, running: Connection, facts: EventFacts) -> None:
    (entry,) = sandbox.booked(reference(facts))
    body = {"Id": entry["Id"], "SyncToken": entry["SyncToken"]}
    api(sandbox, running, "POST", "journalentry?operation=delete", body)


def test_books_that_agree_have_no_difference(sandbox: Sandbox, running: Connection, posted: list[EventFacts]) -> None:
    assert compared(running, posted) == {}
    run = ReconciliationRun.objects.get()
    assert run.entries_ours == 3 <= run.entries_theirs


def test_an_entry_that_somebody_deleted_there_is_missing(
    sandbox: Sandbox, running: Connection, posted: list[EventFacts]
) -> None:
    delete_there(sandbox, running, posted[1])
    assert compared(running, posted) == {reference(posted[1]): "missing"}


def test_an_entry_that_somebody_doubled_there_is_told(
    sandbox: Sandbox, running: Connection, posted: list[EventFacts]
) -> None:
    typed_again(sandbox, posted[0], amount=20.0)
    assert compared(running, posted) == {reference(posted[0]): "doubled"}


def test_an_entry_whose_amounts_somebody_changed_there_is_told(
    sandbox: Sandbox, running: Connection, posted: list[EventFacts]
) -> None:
    # The same number with other amounts, in place of the first one.
    entry = sandbox.booked(reference(posted[2]))[0]
    typed_again(sandbox, posted[2], amount=19.0)
    body = {"Id": entry["Id"], "SyncToken": entry["SyncToken"]}
    api(sandbox, running, "POST", "journalentry?operation=delete", body)
    assert compared(running, posted) == {reference(posted[2]): "changed"}


def test_an_entry_with_our_mark_that_we_do_not_know_is_told(
    sandbox: Sandbox, running: Connection, posted: list[EventFacts]
) -> None:
    JournalEntry.objects.filter(reference=reference(posted[0])).update(state=DeliveryState.REJECTED)
    assert compared(running, posted) == {reference(posted[0]): "unknown_here"}


def test_an_adopted_entry_is_not_missing(
    sandbox: Sandbox, running: Connection, source: Source, posted: list[EventFacts]
) -> None:
    """It bears the words of the person who typed it, not our mark."""
    assert running.book is not None
    office = Office(source, running.book)
    facts = sale(at=database_now() + timedelta(hours=1), day=DAY)
    office.record(facts)
    office.enter()
    likeness = sandbox.booked(reference(posted[0]))[0]
    lines = [
        {
            "Amount": float(line["amount"]),
            "DetailType": "JournalEntryLineDetail",
            "JournalEntryLineDetail": {"PostingType": line["side"], "AccountRef": {"value": line["account"]}},
        }
        for line in likeness["lines"]
    ]
    body = {"DocNumber": reference(facts), "TxnDate": DAY.isoformat(), "PrivateNote": "By hand", "Line": lines}
    sandbox.control("quickbooks/entries", body)
    pipeline.post(running)
    remote = pipeline.vendors.accounting(running).find([reference(facts)])[reference(facts)][0]
    orders.adopt(office.posting(facts), remote, link="", actor=None)
    assert compared(running, [*posted, facts]) == {}
