"""The buttons of the Status tab: who may press them, and what they leave behind."""

import re
from datetime import date
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from integrations import alerts
from integrations.models import Connection
from ledger.models import AuditRecord, Book, Posting, SyncOrder
from ledger.terms import SyncState
from tests.admin.conftest import Login
from tests.office import Office
from tests.trade import sale, unreadable

OPERATE = ("integrations.view_connection", "integrations.operate_sync")


def press(client: Client, name: str, connection: Connection, **values: str) -> str:
    """Press a button of the Status tab; what the page says then."""
    answer = client.post(reverse(f"integrations:{name}", args=[connection.pk]), values, follow=True)
    assert answer.status_code == 200
    return answer.content.decode()


def status(client: Client, connection: Connection) -> str:
    return client.get(reverse("integrations:vendor", args=[connection.vendor])).content.decode()


BUTTONS = ["start", "stop", "past", "import", "keys", "limits", "test", "retry_failed"]


@pytest.mark.parametrize("name", [*BUTTONS, "days", "feed"])
def test_a_reader_presses_no_button(login: Login, started: Book, connection: Connection, name: str) -> None:
    client = login("integrations.view_connection")
    assert client.post(reverse(f"integrations:{name}", args=[connection.pk])).status_code == 403


@pytest.mark.parametrize("name", [*BUTTONS, "connect"])
def test_no_button_works_by_following_a_link(admin_client: Client, connection: Connection, name: str) -> None:
    assert admin_client.get(reverse(f"integrations:{name}", args=[connection.pk])).status_code == 405


def test_start_sync_turns_the_sync_on_and_wakes_a_worker(
    login: Login, book: Book, connection: Connection, woken: list[object], django_capture_on_commit_callbacks: Any
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        said = press(login(*OPERATE), "start", connection)
    book.refresh_from_db()
    assert "The sync is on" in said
    assert book.syncing and ("integrations.tasks.work", connection.pk) in woken
    assert AuditRecord.objects.get().actor_name == "sam"


def test_start_sync_before_the_switch_is_on_says_what_to_do(login: Login, book: Book, connection: Connection) -> None:
    Book.objects.update(uses_financials=False)
    assert "Use the financial system" in press(login(*OPERATE), "start", connection)
    assert not SyncOrder.objects.exists()


def test_stop_sync_turns_it_off(login: Login, started: Book, connection: Connection) -> None:
    assert "The sync is off" in press(login(*OPERATE), "stop", connection)
    started.refresh_from_db()
    assert not started.syncing


@pytest.mark.parametrize(
    ("first", "last", "said"),
    [
        ("2010-12-20", "2010-12-01", "The start date lies after the end date"),
        ("", "2010-12-01", "Choose a start date."),
        ("2010-12-01", "", "Choose an end date."),
        ("tomorrow", "2010-12-01", "Enter a valid date."),
    ],
)
def test_a_wrong_range_is_refused_in_words_and_orders_nothing(
    login: Login, office: Office, connection: Connection, first: str, last: str, said: str
) -> None:
    office.record(sale())
    assert said in press(login(*OPERATE), "past", connection, first=first, last=last)
    assert not SyncOrder.objects.filter(kind=SyncOrder.Kind.PAST).exists()


def test_past_events_of_the_range_are_ordered(login: Login, office: Office, connection: Connection) -> None:
    inside, outside = sale(day=date(2010, 12, 14)), sale(day=date(2010, 12, 15))
    office.record(inside, outside)
    said = press(login(*OPERATE), "past", connection, first="2010-12-14", last="2010-12-14")
    assert "Ordered: 1 event." in said and "0 of 1 events are Synced" in said
    assert office.states([inside, outside]) == [SyncState.NOT_SYNCED, SyncState.NEVER_SYNCED]


def test_a_range_tells_its_events_and_its_money(login: Login, office: Office, connection: Connection) -> None:
    office.record(sale("20.00"), sale("12.50"))
    address = reverse("integrations:range_json", args=[connection.pk])
    said = login(*OPERATE).get(address, {"first": "2010-12-01", "last": "2010-12-31"}).json()
    assert said == {
        "problem": "",
        "figures": "2 events, 32.50 USD, Dec 1, 2010 to Dec 31, 2010",
        "parts": [],
        "sends": True,
        "closed": "",
    }


def test_a_closed_period_is_named_beside_a_range_that_touches_it_only(
    login: Login, office: Office, connection: Connection
) -> None:
    office.record(sale(day=date(2010, 12, 14)))
    Book.objects.update(closed_through=date(2010, 12, 10))
    client, said = login(*OPERATE), "Your books were closed through Dec 10, 2010"
    assert said in press(client, "preview", connection, first="2010-12-10", last="2010-12-31")
    assert said not in press(client, "preview", connection, first="2010-12-11", last="2010-12-31")
    assert said not in status(client, connection)


def test_sync_stands_out_only_where_there_is_something_to_send(
    login: Login, office: Office, connection: Connection
) -> None:
    def sync(page: str) -> str:
        found = re.search(r'<button class="([^"]*)" type="submit" data-sync>', page)
        assert found
        return found[1]

    office.record(sale(day=date(2010, 12, 14)))
    client = login(*OPERATE)
    stands_out = sync(press(client, "preview", connection, first="2010-12-14", last="2010-12-14"))
    assert stands_out == sync(status(client, connection)) == "db-button db-button-main"
    assert sync(press(client, "preview", connection, first="2010-11-14", last="2010-11-14")) == "db-button"


def test_the_figures_of_a_range_can_be_read_without_a_script(
    login: Login, office: Office, connection: Connection
) -> None:
    office.record(sale("20.00"))
    assert "1 event, 20.00 USD" in press(login(*OPERATE), "preview", connection, first="2010-12-01", last="2010-12-31")


def test_the_cut_off_warning_stands_beside_the_dates(
    admin_client: Client, started: Book, connection: Connection
) -> None:
    assert "Ask your accountant" in status(admin_client, connection)


def test_a_healthy_book_says_that_things_are_good(admin_client: Client, started: Book, connection: Connection) -> None:
    page = status(admin_client, connection)
    assert "Things are good" in page and "Action Required" not in page


def test_a_problem_is_told_with_the_way_to_its_events(
    admin_client: Client, office: Office, connection: Connection
) -> None:
    office.record(unreadable("900", readable=True))
    events = reverse("integrations:events", args=[connection.pk])
    alerts.refresh(connection)
    page = status(admin_client, connection)
    assert "Action Required" in page and "its total is missing" in page
    assert f"{events}?cause=unreadable" in page


def test_accounts_are_imported_once_at_a_time(
    login: Login, book: Book, connection: Connection, woken: list[object]
) -> None:
    client = login(*OPERATE)
    press(client, "import", connection)
    assert "running already" in press(client, "import", connection)
    assert connection.imports.count() == 1


def test_a_stored_secret_is_never_shown_again(admin_client: Client, connection: Connection) -> None:
    said = press(admin_client, "keys", connection, client_id="the-client", client_secret="the-secret-value")
    assert "Saved." in said and "the-client" in said and "the-secret-value" not in said
    press(admin_client, "keys", connection, client_id="the-client", client_secret="")
    connection.refresh_from_db()
    assert connection.credentials["client_secret"] == "the-secret-value"


def test_keys_are_not_sent_to_a_host_that_is_not_the_vendors(admin_client: Client, connection: Connection) -> None:
    assert "is not an address of" in press(admin_client, "keys", connection, base_url="https://evil.example/api")
    connection.refresh_from_db()
    assert connection.base_url == ""


def test_a_time_to_settle_below_the_vendors_is_refused(
    admin_client: Client, connection: Connection, settings: Any
) -> None:
    settings.ALLOW_LOOPBACK_VENDORS = False
    assert "150 seconds are the least" in press(admin_client, "keys", connection, settle_seconds="5")
    press(admin_client, "keys", connection, settle_seconds="200")
    connection.refresh_from_db()
    assert connection.settle_seconds == 200


def test_the_states_of_a_range_without_anything_to_send_add_up_and_lead_to_their_events(
    admin_client: Client, office: Office, connection: Connection
) -> None:
    office.record(*(sale(external_id=str(n), day=date(2010, 12, 14)) for n in range(1, 7)))
    Posting.objects.filter(number="T1").update(set_aside_reason="Training")
    Posting.objects.filter(number="T2").update(state=SyncState.SYNCED, outcome="posted")
    Posting.objects.filter(number="T3").update(state=SyncState.PROCESSING)
    Posting.objects.filter(number="T4").update(state=SyncState.NOT_SYNCED)
    Posting.objects.filter(number__in=["T5", "T6"]).update(state=SyncState.ERROR, error="No.", cause="no")
    range_ = {"first": "2010-12-14", "last": "2010-12-14"}
    said = admin_client.get(reverse("integrations:range_json", args=[connection.pk]), range_).json()
    assert said["figures"] == "Nothing to send. The 6 events of Dec 14, 2010 to Dec 14, 2010 are:"
    parts = [part["words"] for part in said["parts"]]
    assert parts == ["1 Synced", "1 Processing", "1 Not Synced", "2 in Error", "1 set aside"]
    for part in said["parts"]:
        listed = admin_client.get(part["link"]).content.decode()
        assert len(re.findall(r'<th scope="row"><a ', listed)) == int(part["words"].split()[0]), part
    assert 'state=error&amp;first=2010-12-14&amp;last=2010-12-14">2 in Error</a>' in press(
        admin_client, "preview", connection, **range_
    )


def test_a_link_to_a_set_up_leads_to_the_page_that_has_its_form(admin_client: Client, db: None) -> None:
    answer = admin_client.get("/admin/integrations/new/quickbooks/")
    assert (answer.status_code, answer["Location"]) == (302, reverse("integrations:vendor", args=["quickbooks"]))


def test_a_range_without_anything_to_send_says_why_and_orders_nothing(
    admin_client: Client, office: Office, connection: Connection
) -> None:
    office.record(sale(day=date(2010, 12, 14)))
    range_ = {"first": "2010-12-01", "last": "2010-12-31"}
    press(admin_client, "past", connection, **range_)
    said = press(admin_client, "past", connection, **range_)
    assert "Nothing to send. The 1 event of Dec 1, 2010 to Dec 31, 2010 is: 1 Not Synced." in said
    assert "no event is known" in press(admin_client, "past", connection, first="1999-01-01", last="1999-12-31")
    assert SyncOrder.objects.filter(kind=SyncOrder.Kind.PAST).count() == 1


def test_another_company_is_added_from_the_page_of_the_first(
    admin_client: Client, login: Login, connection: Connection
) -> None:
    new = reverse("integrations:new", args=[connection.vendor])
    assert "Add another company" in status(admin_client, connection)
    assert f'action="{new}"' in status(admin_client, connection)
    assert "Add another company" not in status(login("integrations.view_connection"), connection)
    page = admin_client.post(new, {"name": "Second company"}, follow=True).content.decode()
    second = Connection.objects.get(book__name="Second company")
    assert f'<a href="?connection={second.pk}" aria-current="page">Second company</a>' in page
    assert f'<a href="?connection={connection.pk}">{connection.book}</a>' in page
