"""Steps 1 to 3 over the running till: nothing is passed by, nothing is taken twice, whatever it answers."""

import time
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from integrations import capturing, pipeline
from integrations.models import Capture, Connection
from ledger.errors import Unreachable
from ledger.journal import recording
from ledger.models import EventRevision, FinancialEvent, Source
from ledger.terms import SyncState
from ledger.values import Cursor
from tests.integrations.at_the_till import LAMP, capture, posting, sold
from tests.sandbox_fixture import Sandbox
from tests.trade import new_id, unreadable

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
