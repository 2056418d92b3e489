"""One event on its page: what is shown, and what a person can do about it."""

import re
from datetime import date

import pytest
from django.contrib.auth.models import User
from django.db import connection as database
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from integrations import alerts, bulk, pipeline
from integrations.bulk_deeds import DEEDS
from integrations.models import Alert, Connection
from ledger.audit import note
from ledger.errors import Rejected
from ledger.journal import delivery, orders
from ledger.models import Account, AuditRecord, Posting, Store
from ledger.terms import Outcome, SyncState
from ledger.values import EventFacts
from tests.admin.conftest import Login
from tests.office import Office
from tests.sandbox_fixture import Sandbox
from tests.trade import changed, item, new_id, paid, sale, tax, ticket, unreadable

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


# --- The whole story ------------------------------------------------------------------------------


def story(client: Client, posting: Posting) -> list[str]:
    """What the page tells, in its order."""
    answer = client.get(reverse("admin:ledger_posting_change", args=[posting.pk]))
    return [happening.what for happening in answer.context["story"]]


@pytest.fixture
def told(office: Office, connection: Connection, admin_user: User) -> Posting:
    """A sale that failed, was changed at the till, set aside and taken back, refused, retried, posted, changed."""
    facts = ticket(item("10.00", name="Tea towel"), paid("10.00", by="99"), external_id="556")
    ordered(office, facts)
    office.enter()
    facts = changed(facts, item("12.00", name="Tea towel"), paid("12.00", by="2"))
    office.record(facts)
    orders.set_aside(office.posting(facts), "Test sale?", actor=admin_user)
    orders.take_back(office.posting(facts), actor=admin_user)
    office.enter()
    refusal = Rejected("QuickBooks refused it. Correct it, then Retry.", vendor_code="6000", vendor_message="No way")
    office.answer(office.sent(), error=refusal)
    orders.retry(Posting.objects.filter(pk=office.posting(facts).pk), actor=admin_user)
    office.post()
    office.record(changed(facts, item("15.00", name="Tea towel"), paid("15.00", by="2")))
    return office.posting(facts)


def test_the_page_tells_everything_in_the_order_in_which_it_happened(admin_client: Client, told: Posting) -> None:
    whats = story(admin_client, told)
    assert whats == [
        "Captured from Heartland Retail, Main Street.",
        "Ordered by Daybook: Sync Past Events, Dec 14, 2010 to Dec 14, 2010, 1 event.",
        "Changed at the till (revision 2).",
        "admin set aside an event.",
        "admin took back an event that was set aside.",
        "Booked: entry HR-T556, 20.00 USD, dated Dec 14, 2010, dropped later and never posted.",
        "Sent to QuickBooks Online, which refused it.",
        "admin retried failed events.",
        "Booked: entry HR-T556, 20.00 USD, dated Dec 14, 2010.",
        "Sent to QuickBooks Online, which took it.",
        f"Synced. It stands in the books: entry {told.entry.remote_id} of QuickBooks Online.",  # type: ignore[union-attr]
        "Changed at the till (revision 3).",
    ]


def test_the_story_says_what_changed_in_words_and_why_each_account(admin_client: Client, told: Posting) -> None:
    shown = " ".join(re.sub(r"<[^>]+>", " ", page(admin_client, told)).split())
    for part in (
        "Total 10.00 USD 12.00 USD",
        "Item Tea towel 1 for 10.00 USD, in Home, cost 8 each 1 for 12.00 USD, in Home, cost 8 each",
        "Tender Visa - 12.00 USD",
        "Their words: No way",
        "Code 6000",
        "Test sale?",
        "Not Synced",
        "It was booked before that: the entry stays as it was.",
        "Debit Card Clearing:Visa and Mastercard, 12.00 USD (Payment account). Mapping Payment account (Visa)",
    ):
        assert part in shown, part


def test_the_story_names_the_alerts_it_was_part_of(
    admin_client: Client, office: Office, connection: Connection
) -> None:
    ordered(office, ticket(item("20.00"), paid("20.00", by="99"), external_id="557"))
    office.enter()
    alerts.refresh(connection)
    posting = Posting.objects.get()
    assert "Part of an alert." in story(admin_client, posting)
    assert reverse("admin:integrations_alert_change", args=[Alert.objects.get().pk]) in page(admin_client, posting)


def test_an_alert_that_closed_stays_in_the_story_of_what_it_held_up(
    admin_client: Client, office: Office, connection: Connection
) -> None:
    ordered(office, ticket(item("20.00"), paid("20.00", by="99"), external_id="557"))
    office.enter()
    alerts.refresh(connection)
    orders.set_aside(Posting.objects.get(), "Test sale", actor=None)
    alerts.refresh(connection)
    told = story(admin_client, Posting.objects.get())
    assert told[-3:] == ["Part of an alert.", "Daybook set aside an event.", "The alert closed: its cause was gone."]


def test_an_order_is_named_with_who_gave_it_and_leads_to_the_audit(
    admin_client: Client, office: Office, connection: Connection, admin_user: User
) -> None:
    office.record(SALE)
    orders.order_past(office.book, date(2010, 12, 1), date(2010, 12, 31), actor=admin_user)
    posting = office.posting(SALE)
    assert "Ordered by admin: Sync Past Events, Dec 1, 2010 to Dec 31, 2010, 1 event." in story(admin_client, posting)
    record = AuditRecord.objects.get(deed="ordered past events")
    assert reverse("admin:ledger_auditrecord_change", args=[record.pk]) in page(admin_client, posting)


def test_a_deed_on_many_events_is_part_of_the_story_of_each(
    admin_client: Client, office: Office, connection: Connection, admin_user: User
) -> None:
    ordered(office, SALE)
    office.record(sale("20.00", external_id=new_id()))
    rows = Posting.objects.all()
    row = bulk.order(office.book, DEEDS["set_aside"], rows, actor=admin_user, narrowed={}, reason="Test sales")
    bulk.run(row, go_on=lambda: True)
    assert "Set aside, chosen by admin, with 1 other." in story(admin_client, office.posting(SALE))
    assert "Reason: Test sales" in page(admin_client, office.posting(SALE))


def test_a_store_manager_reads_of_anothers_deed_only_what_became_of_this_event(
    login: Login, office: Office, connection: Connection, admin_user: User, stores: dict[str, Store]
) -> None:
    ordered(office, SALE)
    office.record(sale("20.00", external_id=new_id(), store="100002"))
    rows, why = Posting.objects.all(), "The other store's fraud"
    bulk.order(office.book, DEEDS["set_aside"], rows, actor=admin_user, narrowed={}, reason=why)
    manager = login("ledger.view_posting", stores=(stores["Main Street"],))
    posting = office.posting(SALE)
    assert "Set aside, chosen by admin." in story(manager, posting)
    shown = page(manager, posting)
    assert "Not done yet." in shown and "fraud" not in shown and "1 other" not in shown


def test_a_store_manager_does_not_read_how_many_events_an_order_took(
    login: Login, office: Office, connection: Connection, stores: dict[str, Store]
) -> None:
    office.record(sale("20.00", external_id=new_id(), store="100002"))
    ordered(office, SALE)
    manager = login("ledger.view_posting", stores=(stores["Main Street"],))
    shown = page(manager, office.posting(SALE))
    assert "Ordered by Daybook: Sync Past Events, Dec 14, 2010 to Dec 14, 2010." in shown and "2 events" not in shown


def test_times_are_the_stores_own_with_the_other_time_on_hover(
    admin_client: Client, office: Office, connection: Connection
) -> None:
    facts = sale("20.00", external_id=new_id(), store="100002")
    office.record(facts)
    shown = page(admin_client, office.posting(facts))
    assert 'title="Dec 14, 2010, 17:00:00 UTC (America/Los_Angeles)">Dec 14, 2010, 09:00 PST</time>' in shown
    assert f"Sale {facts.header.number}, Los Angeles, Dec 14, 2010, 09:00, 20.00 USD, Cash" in shown


def test_the_id_of_the_logs_stands_on_the_page_before_there_is_an_entry(
    admin_client: Client, office: Office, connection: Connection
) -> None:
    office.record(SALE)
    assert '<code class="db-trace">HR-T555</code>' in page(admin_client, office.posting(SALE))


def test_a_store_manager_reads_the_story_without_the_audit_and_the_mapping(
    login: Login, told: Posting, stores: dict[str, Store]
) -> None:
    client = login("ledger.view_posting", "integrations.view_alert", stores=(stores["Main Street"],))
    shown = page(client, told)
    assert "admin set aside an event." in shown and "Test sale?" in shown
    assert "/auditrecord/" not in shown and "/configuration/" not in shown


def test_a_long_story_takes_no_more_queries_than_a_short_one(
    admin_client: Client, office: Office, connection: Connection, told: Posting, admin_user: User
) -> None:
    page(admin_client, told)
    with CaptureQueriesContext(database) as short:
        page(admin_client, told)
    for amount in range(20, 26):
        lines = item(f"{amount}.00", name="Tea towel"), paid(f"{amount}.00", by="2")
        office.record(changed(ticket(*lines, external_id="556"), *lines))
        note(admin_user, "adopted an entry", told, after={"entry": "1"})
    with CaptureQueriesContext(database) as long:
        page(admin_client, told)
    assert len(long) <= len(short)


def test_an_entrys_page_tells_its_story_and_what_was_sent(
    admin_client: Client, login: Login, told: Posting, stores: dict[str, Store]
) -> None:
    address = reverse("admin:ledger_journalentry_change", args=[told.entry_id])
    answer = admin_client.get(address)
    whats = [happening.what for happening in answer.context["story"]]
    assert "Booked: entry HR-T556, 20.00 USD, dated Dec 14, 2010." in whats
    assert whats.index("Sent to QuickBooks Online, which took it.") > whats.index("admin retried failed events.")
    sent = reverse("admin:ledger_journalentry_sent", args=[told.entry_id])
    assert sent in answer.content.decode()
    assert admin_client.get(sent).content.decode() == "the body of HR-T556"
    manager = login("ledger.view_journalentry", stores=(stores["Main Street"],))
    assert manager.get(address).status_code == 200 and sent not in manager.get(address).content.decode()
    assert manager.get(sent).status_code == 403
    assert login("ledger.view_posting", name="lee").get(sent).status_code == 403


# --- Adopting -------------------------------------------------------------------------------------


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
