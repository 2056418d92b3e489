"""One event on its page: what is shown, and what a person can do about it."""

from datetime import date

import pytest
from django.test import Client
from django.urls import reverse

from integrations import pipeline
from integrations.models import Connection
from ledger.errors import Rejected
from ledger.journal import delivery, orders
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
    """Somebody asked for the event; it waits for its turn."""
    office.record(facts)
    day = facts.header.business_date
    assert day is not None
    orders.order_past(office.book, day, day, actor=None)


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


def typed_by_hand(reference: str, lines: list[tuple[str, str, str]], *, day: date) -> dict[str, object]:
    """An entry of somebody else's that bears our number; a line is side, account id, amount."""
    shown = [
        {
            "Amount": amount,
            "DetailType": "JournalEntryLineDetail",
            "JournalEntryLineDetail": {"PostingType": side, "AccountRef": {"value": account}},
        }
        for side, account, amount in lines
    ]
    return {"DocNumber": reference, "TxnDate": day.isoformat(), "PrivateNote": "typed by Maria", "Line": shown}


@pytest.fixture
def taken(office: Office, running: Connection, sandbox: Sandbox) -> Posting:
    """A sale whose number somebody used in QuickBooks for an entry of their own, as the worker left it."""
    facts = sale("20.00", external_id=new_id())
    ordered(office, facts)
    office.enter()
    ids = dict(Account.objects.filter(book=running.book).values_list("full_name", "external_id"))
    lines = [("Debit", ids["Checking"], "12.50"), ("Credit", ids["Sales:Other"], "12.50")]
    sandbox.control("quickbooks/entries", typed_by_hand(office.entry(facts).reference, lines, day=date(2010, 12, 1)))
    pipeline.post(running)
    return office.posting(facts)


def adopting(posting: Posting) -> str:
    return reverse("integrations:adopt", args=[posting.pk])


def there(posting: Posting, sandbox: Sandbox) -> str:
    """The id of the entry that stands there under the number of this posting's entry."""
    assert posting.entry is not None
    return str(sandbox.booked(posting.entry.reference)[0]["Id"])


@pytest.mark.django_db(transaction=True)
def test_adopting_shows_what_differs_in_words_and_amounts(admin_client: Client, taken: Posting) -> None:
    assert taken.error_code == "foreign_entry" and "Compare with the entry that stands there" in page(
        admin_client, taken
    )
    compared = admin_client.get(adopting(taken)).content.decode()
    for part in ("typed by Maria", "which Daybook did not write", "Cash on Hand:Main Street", "Sales:Other"):
        assert part in compared, part
    for part in ("It is not the same entry", "It comes to 12.50 USD", "to 28.00 USD, so it is 15.50 USD less"):
        assert part in compared, part
    assert "It bears the date Dec 1, 2010; this event" in compared
    taken.refresh_from_db()
    assert taken.state == SyncState.ERROR


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("said", [{}, {"compared": "on"}, {"reason": "It is the same sale"}])
def test_an_entry_that_differs_is_not_adopted_by_one_click(
    admin_client: Client, taken: Posting, sandbox: Sandbox, said: dict[str, str]
) -> None:
    answer = admin_client.post(adopting(taken), {"remote_id": there(taken, sandbox), **said})
    assert "Nothing was adopted" in answer.content.decode()
    taken.refresh_from_db()
    assert taken.state == SyncState.ERROR


@pytest.mark.django_db(transaction=True)
def test_an_adopted_entry_stands_for_the_event_and_is_shown_in_place_of_ours(
    admin_client: Client, taken: Posting, sandbox: Sandbox
) -> None:
    assert taken.entry is not None
    wanted = there(taken, sandbox)
    reason = {"compared": "on", "reason": "Booked by hand in two parts"}
    admin_client.post(adopting(taken), {"remote_id": wanted, **reason})
    taken.refresh_from_db()
    assert (taken.state, taken.outcome) == (SyncState.SYNCED, Outcome.ADOPTED)
    assert len(sandbox.booked(taken.entry.reference)) == 1
    shown = page(admin_client, taken)
    assert f"Adopted: entry {wanted} of the accounting system stands for this event" in shown
    assert "Booked by hand in two parts" in shown and "12.50 USD" in shown and "was not posted" in shown
    entry = reverse("admin:ledger_journalentry_change", args=[taken.entry_id])
    assert "These lines were not posted" in admin_client.get(entry).content.decode()


@pytest.mark.django_db(transaction=True)
def test_an_entry_that_says_the_same_is_adopted_by_one_click(
    admin_client: Client, office: Office, running: Connection, sandbox: Sandbox
) -> None:
    facts = sale("20.00", external_id=new_id())
    ordered(office, facts)
    office.enter()
    entry = delivery.outgoing([office.entry(facts)])[office.entry(facts).reference]
    lines = [(line.side.value.capitalize(), line.account, str(line.amount)) for line in entry.lines]
    sandbox.control("quickbooks/entries", typed_by_hand(entry.reference, lines, day=entry.posting_date))
    pipeline.post(running)
    posting = office.posting(facts)
    assert "are the same as ours" in admin_client.get(adopting(posting)).content.decode()
    admin_client.post(adopting(posting), {"remote_id": there(posting, sandbox)})
    assert office.posting(facts).outcome == Outcome.ADOPTED


@pytest.mark.django_db(transaction=True)
def test_only_an_entry_that_was_found_can_be_adopted(admin_client: Client, taken: Posting) -> None:
    answer = admin_client.post(adopting(taken), {"remote_id": "1", "compared": "on", "reason": "x"})
    assert "not there any more" in answer.content.decode()
    taken.refresh_from_db()
    assert taken.state == SyncState.ERROR
