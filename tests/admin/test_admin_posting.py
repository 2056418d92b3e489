"""One event on its page: what is shown, and what a person can do about it."""

import re
from dataclasses import replace
from datetime import date, timedelta

import pytest
from django.contrib.auth.models import User
from django.db import connection as database
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from integrations import alerts, bulk, pipeline, remedies
from integrations.bulk_deeds import DEEDS
from integrations.models import Alert, Connection
from ledger.audit import note
from ledger.errors import AT_THE_TILL, Flaw, Rejected
from ledger.journal import delivery, orders
from ledger.models import Account, Attempt, AuditRecord, Book, DimensionValue, Posting, Store
from ledger.terms import Outcome, Role, SyncState
from ledger.values import EventFacts
from mappings import editing, loading
from mappings.admin_forms import MappingForm
from mappings.loading import MappingRow
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


def test_how_long_a_try_took_is_told_from_a_second_on(
    admin_client: Client, office: Office, connection: Connection
) -> None:
    ordered(office, SALE)
    office.post()
    for seconds, told in ((0.02, False), (2.5, True)):
        attempt = Attempt.objects.latest("pk")
        Attempt.objects.update(ended_at=attempt.started_at + timedelta(seconds=seconds))
        assert ("It took" in page(admin_client, office.posting(SALE))) is told
    assert "It took 2.5 seconds." in page(admin_client, office.posting(SALE))


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


def test_a_store_manager_does_not_read_the_document_with_its_costs(
    login: Login, office: Office, connection: Connection, stores: dict[str, Store]
) -> None:
    office.record(SALE)
    address = reverse("admin:ledger_posting_document", args=[office.posting(SALE).pk])
    assert login("ledger.view_posting", stores=(stores["Main Street"],)).get(address).status_code == 403
    assert login("ledger.view_posting", name="lee").get(address).status_code == 200


@pytest.mark.parametrize("flaw", Flaw)
def test_a_store_manager_is_offered_retry_where_it_is_taken_and_nowhere_else(
    login: Login, office: Office, connection: Connection, stores: dict[str, Store], flaw: Flaw
) -> None:
    office.record(unreadable("9", readable=True))
    Posting.objects.update(cause=flaw.cause)
    client = login("ledger.view_posting", "ledger.retry_posting", stores=(stores["Main Street"],))
    offered = ">Retry</button>" in page(client, Posting.objects.get())
    assert offered == (flaw.cause in AT_THE_TILL) == remedies.is_a_stores(flaw.cause)
    client.post(reverse("integrations:retry", args=[Posting.objects.get().pk]))
    assert (Posting.objects.get().state == SyncState.NOT_SYNCED) is offered


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


def test_what_was_set_aside_is_called_so_everywhere(
    admin_client: Client, office: Office, connection: Connection
) -> None:
    office.record(SALE)
    posting = office.posting(SALE)
    orders.set_aside(posting, "Test sale", actor=None)
    shown = page(admin_client, posting)
    assert ">Set aside</span>" in shown and ">Never Synced</span>" not in shown
    listed = admin_client.get(reverse("admin:ledger_posting_changelist")).content.decode()
    listed = listed.split("<tbody")[1].split("</table>")[0]
    assert "Set aside" in listed and "Never Synced" not in listed
    typed = admin_client.get("/admin/search/", {"s": posting.number}).content.decode()
    assert "Set aside, Dec 14, 2010" in typed
    for name, args in (("admin:ledger_posting_export_csv", []), ("integrations:export_events_csv", [connection.pk])):
        table = bytes(admin_client.get(reverse(name, args=args)).getvalue()).decode()
        assert ",Set aside," in table and "Never Synced" not in table


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
        "Item Tea towel 1 for 10.00 USD, in Home, cost 8.00 each 1 for 12.00 USD, in Home, cost 8.00 each",
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


def test_how_long_an_attempt_took_is_said_from_a_second_on(admin_client: Client, told: Posting) -> None:
    assert "It took" not in page(admin_client, told)
    last = Attempt.objects.latest("pk")
    Attempt.objects.filter(pk=last.pk).update(ended_at=last.started_at + timedelta(seconds=2.5))
    assert "It took 2.5 seconds." in page(admin_client, told)


def test_a_store_manager_reads_what_was_sold_taxed_and_paid_and_nothing_of_the_books(
    login: Login, told: Posting, stores: dict[str, Store]
) -> None:
    client = login("ledger.view_posting", "ledger.retry_posting", stores=(stores["Main Street"],))
    shown = re.sub(r"<[^>]+>", " ", page(client, told).split('<main id="main-content"')[1].split("</main>")[0])
    for part in ("What was sold, taxed and paid", "Tea towel", "Paid with Visa", "What happened to it", "It is done"):
        assert part in shown, part
    for part in (
        "cost",
        "Debit",
        "Credit",
        "entry",
        "Entry",
        "booked",
        "books",
        "QuickBooks",
        "Sync Past Events began",
    ):
        assert part not in shown, part


def test_a_store_manager_reads_of_an_event_on_its_way_without_orders_and_ranges(
    login: Login, office: Office, connection: Connection, stores: dict[str, Store]
) -> None:
    office.record(SALE)
    client = login("ledger.view_posting", stores=(stores["Main Street"],))
    assert "Your accountant has not asked for it yet" in page(client, office.posting(SALE))
    orders.order_past(office.book, date(2010, 12, 14), date(2010, 12, 14), actor=None)
    assert "It is on its way" in page(client, office.posting(SALE))


# --- Who mapped it --------------------------------------------------------------------------------


def mapped_to(book: Book, account: str, *, by: User, value: str = "Visa") -> AuditRecord:
    """Somebody puts another account where this is paid; the record of that."""
    row = MappingRow(role="tender", value=value, account=account)
    made = loading.plan(book, [row])
    assert loading.carry_out(book, made, actor=by, deed="imported the mapping of") == 1
    return AuditRecord.objects.latest("pk")


def by_visa(office: Office) -> Posting:
    """A sale that was paid by Visa, and booked."""
    facts = ticket(item("20.00"), paid("20.00", by="2"), external_id=new_id())
    ordered(office, facts)
    office.enter()
    return office.posting(facts)


def test_each_line_names_who_mapped_it_and_when_and_leads_to_the_audit(
    admin_client: Client, login: Login, office: Office, connection: Connection, admin_user: User
) -> None:
    maria = User.objects.create_user("maria", is_staff=True)
    record = mapped_to(office.book, "Checking", by=maria)
    posting = by_visa(office)
    told_by_maria = f'<a href="{reverse("admin:ledger_auditrecord_change", args=[record.pk])}">Mapped by maria</a>'
    entry = reverse("admin:ledger_journalentry_change", args=[posting.entry_id])
    for shown in (page(admin_client, posting), admin_client.get(entry).content.decode()):
        assert told_by_maria in shown and "Mapped by Daybook" in shown
        assert "kind=Account+mapping" in shown
    reader = page(login("ledger.view_posting"), posting)
    assert "Mapped by maria" in reader and "/auditrecord/" not in reader


def test_the_line_names_the_mapping_as_it_was_when_it_was_booked(
    admin_client: Client, office: Office, connection: Connection, admin_user: User
) -> None:
    posting = by_visa(office)
    mapped_to(office.book, "Checking", by=admin_user)
    shown = page(admin_client, posting)
    assert "Mapped by Daybook" in shown and "Mapped by admin" not in shown


def test_a_row_for_one_store_and_a_default_are_found_as_the_screen_names_them(
    admin_client: Client, office: Office, connection: Connection, admin_user: User, stores: dict[str, Store]
) -> None:
    form = MappingForm(office.book)
    store = stores["Main Street"]
    cash = Account.objects.get(book=office.book, full_name="Checking")
    visa = next(row for row in form.rows if row.role == Role.TENDER and row.name == "Visa" and row.store is None)
    own = replace(visa, store=store, mapping=None)
    editing.save(office.book, [editing.Change(own, cash)], actor=admin_user)
    assert "Mapped by admin" in page(admin_client, by_visa(office))


def test_an_account_that_was_called_something_else_names_nobody(
    admin_client: Client, office: Office, connection: Connection, admin_user: User
) -> None:
    mapped_to(office.book, "Checking", by=admin_user)
    Account.objects.filter(book=office.book, full_name="Checking").update(name="House bank", full_name="House bank")
    shown = page(admin_client, by_visa(office))
    assert "to House bank" in shown and "Mapped by admin" not in shown and "was called" not in shown


def test_who_mapped_another_payment_type_of_that_name_is_not_named(
    admin_client: Client, office: Office, connection: Connection, admin_user: User
) -> None:
    """The till gives Visa the name that American Express had when it was mapped."""
    mapped_to(office.book, "Checking", by=admin_user, value="American Express")
    types = DimensionValue.objects.filter(dimension="tender")
    types.filter(name="American Express").update(name="Amex")
    types.filter(name="Visa").update(name="American Express")
    shown = page(admin_client, by_visa(office))
    assert "(American Express) to Card Clearing:Visa and Mastercard" in shown and "Mapped by admin" not in shown


def test_who_mapped_a_payment_type_is_named_whatever_it_is_called(
    admin_client: Client, office: Office, connection: Connection, admin_user: User
) -> None:
    DimensionValue.objects.filter(dimension="tender", name="Visa").update(name="Gift (old) to go")
    mapped_to(office.book, "Checking", by=admin_user, value="Gift (old) to go")
    assert "Mapped by admin" in page(admin_client, by_visa(office))


def test_who_mapped_the_lines_costs_one_question_however_many_they_are(
    admin_client: Client, office: Office, connection: Connection, admin_user: User
) -> None:
    posting = by_visa(office)
    with CaptureQueriesContext(database) as few:
        page(admin_client, posting)
    for account in ("Checking", "Cash on Hand:Main Street") * 3:
        mapped_to(office.book, account, by=admin_user)
    with CaptureQueriesContext(database) as many:
        page(admin_client, posting)
    assert len(many) <= len(few)


def test_who_may_not_change_the_mapping_is_not_asked_to(login: Login, office: Office, connection: Connection) -> None:
    stuck = ticket(item("20.00"), paid("20.00", by="99"), external_id="1")
    ordered(office, stuck)
    office.enter()
    reads = ("ledger.view_posting", "mappings.view_mapping")
    assert "Choose the account</a>" not in page(login(*reads, name="lee"), office.posting(stuck))
    assert "Choose the account</a>" in page(login(*reads, "mappings.change_mapping"), office.posting(stuck))


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
    told = admin_client.get(entry).content.decode()
    assert f"Entry {wanted} of the accounting system stands for this event; these lines were not posted." in told
    assert "<dd>Adopted</dd>" in told and "<dd>Posted</dd>" not in told


@pytest.mark.django_db(transaction=True)
def test_an_adopted_entry_is_nowhere_told_as_posted(
    admin_client: Client, taken: Posting, running: Connection, sandbox: Sandbox
) -> None:
    assert taken.entry is not None
    said = {"remote_id": there(taken, sandbox), "compared": "on", "reason": "Booked by hand"}
    admin_client.post(adopting(taken), said)
    listed = reverse("admin:ledger_journalentry_changelist")
    reference = taken.entry.reference

    def exported(query: str = "") -> str:
        answer = admin_client.get(reverse("admin:ledger_journalentry_export_csv") + query)
        return bytes(answer.getvalue()).decode()

    assert "Adopted, not posted" in exported() and ",Posted," not in exported()
    assert reference not in exported("?state__exact=posted")
    shown = admin_client.get(listed).content.decode()
    assert reference in shown and "Adopted" in shown
    assert reference not in admin_client.get(f"{listed}?state__exact=posted").content.decode()
    typed = admin_client.get(reverse("admin:search"), {"s": reference}).content.decode()
    assert "Journal entry, Adopted, entry" in typed and "Journal entry, Posted" not in typed


@pytest.mark.django_db(transaction=True)
def test_a_store_manager_reads_of_an_adoption_only_that_the_accountant_dealt_with_it(
    admin_client: Client, login: Login, taken: Posting, sandbox: Sandbox, stores: dict[str, Store]
) -> None:
    wanted = there(taken, sandbox)
    admin_client.post(adopting(taken), {"remote_id": wanted, "compared": "on", "reason": "Booked by hand"})
    client = login("ledger.view_posting", "ledger.retry_posting", stores=(stores["Main Street"],))
    shown = re.sub(r"<[^>]+>", " ", page(client, taken).split('<main id="main-content"')[1].split("</main>")[0])
    assert "Your accountant dealt with it." in shown
    for part in ("dopt", "entry", "memo", "typed by Maria", "12.50", "Booked by hand", "debit", "credit"):
        assert part not in shown, part


@pytest.mark.django_db(transaction=True)
def test_the_list_of_events_tells_adopted_ones_apart(
    admin_client: Client, login: Login, taken: Posting, running: Connection, sandbox: Sandbox, stores: dict[str, Store]
) -> None:
    assert taken.entry is not None
    address = reverse("integrations:events", args=[running.pk])
    adopted = f"{address}?state=adopted"
    assert taken.number not in admin_client.get(adopted).content.decode()
    wanted = there(taken, sandbox)
    admin_client.post(adopting(taken), {"remote_id": wanted, "compared": "on", "reason": "Booked by hand"})
    shown = admin_client.get(adopted).content.decode()
    assert taken.number in shown and f"Entry {wanted}" in shown
    assert f"{taken.entry.reference}, not in the books" in shown
    limited = login("ledger.view_posting", stores=(stores["Main Street"],)).get(address).content.decode()
    assert taken.number in limited
    for accounting in ("Adopted", "not in the books", taken.entry.reference):
        assert accounting not in limited, accounting


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
