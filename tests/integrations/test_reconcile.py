"""Step 9 over the running QuickBooks: what somebody did there is found, and nothing else."""

from datetime import date, timedelta
from typing import Any

import pytest
import requests

from integrations import pipeline
from integrations.models import Connection
from ledger.clock import database_now
from ledger.journal import orders
from ledger.models import Discrepancy, JournalEntry, ReconciliationRun, Source
from ledger.terms import DeliveryState
from ledger.values import EventFacts
from tests.office import Office
from tests.sandbox_fixture import Sandbox
from tests.trade import sale

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
