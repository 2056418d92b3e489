"""A day's work against the running QuickBooks: sell, send, let time pass, and look at what stands there."""

from datetime import timedelta
from typing import Any

from django.db.models import F

from integrations import pipeline
from integrations.models import CallLog, Circuit, Connection
from ledger.clock import database_now
from ledger.models import Account, Posting
from ledger.terms import SyncState
from ledger.values import EventFacts
from tests.office import Office
from tests.sandbox_fixture import Sandbox
from tests.trade import sale

SETTLE = 5
FEW, MANY = 1, 5
"""Fewer than BATCH_WORTH go one by one; more go in a batch."""


def sell(office: Office, count: int, **header: Any) -> list[EventFacts]:
    """So many sales after the start, booked and ready to go."""
    facts = [sale(at=database_now() + timedelta(hours=1), **header) for _ in range(count)]
    office.record(*facts)
    office.enter()
    return facts


def later(office: Office, seconds: float = SETTLE + 1) -> None:
    """Let time pass for the entries, the limiter and the circuit; two minutes clear every pause, seven every rest."""
    office.later(seconds)
    gone = timedelta(seconds=seconds)
    CallLog.objects.exclude(paused_until=None).update(paused_until=F("paused_until") - gone)
    Circuit.objects.exclude(rests_until=None).update(rests_until=F("rests_until") - gone)


def work(running: Connection, office: Office, *, rounds: int = 6) -> None:
    """Rounds of sending, with enough time in between for every wait to end."""
    for _ in range(rounds):
        pipeline.book(running)
        while pipeline.post(running):
            pass
        if not Posting.objects.filter(book=office.book, state__in=["processing", "not_synced"]).exists():
            return
        later(office, 400)


def there(sandbox: Sandbox, facts: EventFacts) -> list[dict[str, Any]]:
    return sandbox.booked(f"HR-T{facts.header.external_id}")


def assert_once(sandbox: Sandbox, office: Office, sales: list[EventFacts]) -> None:
    """Every sale is Synced, and stands there once, under the id that we know."""
    assert office.states(sales) == [SyncState.SYNCED] * len(sales)
    for facts in sales:
        (found,) = there(sandbox, facts)
        entry = office.entry(facts)
        assert entry.remote_id == found["Id"]
        assert found["PrivateNote"].startswith(f"[Daybook {entry.reference}]")
        assert sum(float(line["amount"]) for line in found["lines"]) == 2 * float(entry.total)


def typed_by_hand(sandbox: Sandbox, office: Office, facts: EventFacts, *, memo: str) -> None:
    """Somebody types an entry into QuickBooks under the number of one of our sales."""
    accounts = Account.objects.filter(book=office.book, full_name__in=["Checking", "Sales:Other"])
    ids = {account.full_name: account.external_id for account in accounts}
    lines = [
        {
            "Amount": 12.50,
            "DetailType": "JournalEntryLineDetail",
            "JournalEntryLineDetail": {"PostingType": side, "AccountRef": {"value": ids[name]}},
        }
        for side, name in (("Debit", "Checking"), ("Credit", "Sales:Other"))
    ]
    number = f"HR-T{facts.header.external_id}"
    body = {"DocNumber": number, "TxnDate": "2010-12-14", "PrivateNote": memo, "Line": lines}
    sandbox.control("quickbooks/entries", body)
