"""One event on its page: what is shown, and what a person can do about it."""

import pytest
from django.test import Client
from django.urls import reverse

from integrations import pipeline
from integrations.models import Connection
from ledger.errors import Rejected
from ledger.journal import orders
from ledger.models import Account, AuditRecord, Posting
from ledger.terms import Outcome, SyncState
from ledger.values import EventFacts
from tests.admin.conftest import Login
from tests.office import Office
from tests.sandbox_fixture import Sandbox
from tests.trade import item, new_id, paid, sale, tax, ticket, unreadable

SALE = ticket(item("20.00", name="Brass lamp"), tax("1.78"), paid("21.78"), external_id="555")


def page(client: Client, posting: Posting) -> str:
    answer = client.get(reverse("admin:ledger_posting_change", args=[posting.pk]))
    assert answer.status_code == 200
    return answer.content.decode()


def ordered(office: Office, facts: EventFacts) -> None:
    """The event waits for its turn."""
    office.record(facts)
    Posting.objects.filter(event__external_id=facts.header.external_id).update(state=SyncState.NOT_SYNCED)


def test_a_synced_event_shows_its_document_its_roles_its_accounts_and_the_answer(
    admin_client: Client, office: Office, connection: Connection
) -> None:
    ordered(office, SALE)
    office.post()
    shown = page(admin_client, office.posting(SALE))
    for part in ("Brass lamp", "Cost of goods sold", "Cash on Hand:Main Street", "29.78 USD", "HR-T555", "Posted"):
        assert part in shown, part
    assert "Mapping Payment account (Cash, Main Street) to Cash on Hand:Main Street" in shown
    assert "#role-tender" in shown


def test_an_event_nobody_asked_for_says_how_to_send_it(
    admin_client: Client, office: Office, connection: Connection
) -> None:
    office.record(SALE)
    shown = page(admin_client, office.posting(SALE))
    assert "Nobody has asked for it yet" in shown and "Dec 14, 2010" in shown


def test_a_document_that_cannot_be_read_is_shown_as_it_came(
    admin_client: Client, office: Office, connection: Connection
) -> None:
    office.record(unreadable("9"))
    posting = Posting.objects.get()
    assert "its total is missing." in page(admin_client, posting)
    raw = admin_client.get(reverse("admin:ledger_posting_document", args=[posting.pk]))
    assert raw["Content-Type"].startswith("text/plain") and '"broken": true' in raw.content.decode()


def test_the_refusal_of_the_accounting_system_is_shown_in_its_words_and_ours(
    admin_client: Client, office: Office, connection: Connection
) -> None:
    ordered(office, SALE)
    office.enter()
    refusal = Rejected("QuickBooks refused it. Correct it, then Retry.", vendor_code="6000", vendor_message="No way")
    office.answer(office.sent(), error=refusal)
    shown = page(admin_client, office.posting(SALE))
    assert "QuickBooks refused it" in shown and "Their words: No way" in shown and "6000" in shown


def test_nothing_is_changed_by_posting_to_the_page(admin_client: Client, office: Office) -> None:
    office.record(SALE)
    posting = office.posting(SALE)
    admin_client.post(reverse("admin:ledger_posting_change", args=[posting.pk]), {"state": "synced", "number": "X"})
    assert office.posting(SALE).state == SyncState.NEVER_SYNCED


@pytest.mark.parametrize("name", ["retry", "set_aside", "take_back", "adopt"])
def test_a_reader_of_events_can_do_nothing_about_them(login: Login, office: Office, name: str) -> None:
    office.record(SALE)
    address = reverse(f"integrations:{name}", args=[office.posting(SALE).pk])
    assert login("ledger.view_posting").post(address, {"reason": "because"}).status_code == 403
    assert office.posting(SALE).set_aside_reason == ""


def test_setting_aside_needs_a_reason(login: Login, office: Office, connection: Connection) -> None:
    office.record(SALE)
    client = login("ledger.view_posting", "ledger.set_aside_posting")
    address = reverse("integrations:set_aside", args=[office.posting(SALE).pk])
    assert "Say why" in client.post(address, {"reason": " "}, follow=True).content.decode()
    assert office.posting(SALE).set_aside_reason == ""


def test_an_event_is_set_aside_with_its_reason_in_the_audit(
    login: Login, office: Office, connection: Connection
) -> None:
    office.record(SALE)
    client = login("ledger.view_posting", "ledger.set_aside_posting")
    address = reverse("integrations:set_aside", args=[office.posting(SALE).pk])
    shown = client.post(address, {"reason": "Booked by hand"}, follow=True).content.decode()
    assert "Set aside: Booked by hand" in shown
    assert AuditRecord.objects.get(deed="set aside an event").after == {"reason": "Booked by hand"}


def test_an_event_that_was_set_aside_is_taken_back(login: Login, office: Office, connection: Connection) -> None:
    ordered(office, SALE)
    orders.set_aside(office.posting(SALE), "By mistake", actor=None)
    client = login("ledger.view_posting", "ledger.set_aside_posting")
    client.post(reverse("integrations:take_back", args=[office.posting(SALE).pk]))
    taken_back = office.posting(SALE)
    assert (taken_back.state, taken_back.set_aside_reason) == (SyncState.NOT_SYNCED, "")


def test_a_single_failed_event_is_retried(login: Login, office: Office, connection: Connection) -> None:
    stuck = ticket(item("20.00"), paid("20.00", by="99"), external_id="1")
    ordered(office, stuck)
    office.enter()
    client = login("ledger.view_posting", "ledger.retry_posting")
    client.post(reverse("integrations:retry", args=[office.posting(stuck).pk]))
    assert office.posting(stuck).state == SyncState.NOT_SYNCED


def typed_by_hand(reference: str, amount: str) -> dict[str, object]:
    """An entry of somebody else's that bears our number, between two accounts of the chart."""
    sides = [("Debit", "Checking"), ("Credit", "Sales:Other")]
    accounts = {name: Account.objects.get(full_name=name).external_id for _, name in sides}
    lines = [
        {
            "Amount": amount,
            "DetailType": "JournalEntryLineDetail",
            "JournalEntryLineDetail": {"PostingType": side, "AccountRef": {"value": accounts[name]}},
        }
        for side, name in sides
    ]
    return {"DocNumber": reference, "TxnDate": "2010-12-14", "PrivateNote": "typed by Maria", "Line": lines}


@pytest.fixture
def taken(office: Office, running: Connection, sandbox: Sandbox) -> Posting:
    """A sale whose number somebody used in QuickBooks for an entry of their own, as the worker left it."""
    facts = sale("20.00", external_id=new_id())
    ordered(office, facts)
    office.enter()
    sandbox.control("quickbooks/entries", typed_by_hand(office.entry(facts).reference, "20.00"))
    pipeline.post(running)
    return office.posting(facts)


@pytest.mark.django_db(transaction=True)
def test_adopting_shows_both_entries_before_a_person_decides(admin_client: Client, taken: Posting) -> None:
    assert taken.error_code == "foreign_entry" and "Adopt the entry" in page(admin_client, taken)
    compared = admin_client.get(reverse("integrations:adopt", args=[taken.pk])).content.decode()
    for part in ("typed by Maria", "which Daybook did not write", "Cash on Hand:Main Street", "Sales:Other"):
        assert part in compared, part
    taken.refresh_from_db()
    assert taken.state == SyncState.ERROR


@pytest.mark.django_db(transaction=True)
def test_an_adopted_entry_makes_the_event_synced(admin_client: Client, taken: Posting, sandbox: Sandbox) -> None:
    assert taken.entry is not None
    there = sandbox.booked(taken.entry.reference)
    address = reverse("integrations:adopt", args=[taken.pk])
    admin_client.post(address, {"remote_id": there[0]["Id"]})
    taken.refresh_from_db()
    assert (taken.state, taken.outcome) == (SyncState.SYNCED, Outcome.ADOPTED)
    assert len(sandbox.booked(taken.entry.reference)) == 1


@pytest.mark.django_db(transaction=True)
def test_only_an_entry_that_was_found_can_be_adopted(admin_client: Client, taken: Posting) -> None:
    answer = admin_client.post(reverse("integrations:adopt", args=[taken.pk]), {"remote_id": "1"})
    assert "not there any more" in answer.content.decode()
    taken.refresh_from_db()
    assert taken.state == SyncState.ERROR
