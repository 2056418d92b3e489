"""What runs and how far it is: counts, speed and time left from our rows, and the reason when nothing moves."""

import re
from datetime import date, timedelta
from html import unescape
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.test import Client
from django.urls import reverse

from integrations import tasks, vendors
from integrations.models import AccountImport, CallLog, Circuit, Connection, Heartbeat
from ledger.clock import database_now
from ledger.errors import Rejected, Unreachable
from ledger.journal import orders
from ledger.models import JournalEntry, Posting, SyncOrder
from ledger.moments import plain
from ledger.terms import SyncState
from ledger.values import RemoteAccount
from tests.admin.conftest import Login
from tests.office import Office
from tests.trade import sale, unreadable

DAY = date(2010, 12, 14)
OPERATE = ("integrations.view_connection", "integrations.operate_sync")


def told(client: Client, connection: Connection) -> dict[str, Any]:
    """What an open Status tab is told."""
    answer: dict[str, Any] = client.get(reverse("integrations:status_json", args=[connection.pk])).json()
    return answer


def status(client: Client, connection: Connection) -> str:
    return client.get(reverse("integrations:vendor", args=[connection.vendor])).content.decode()


@pytest.fixture
def run(office: Office, connection: Connection) -> SyncOrder:
    """Ten past events, ordered and ready to go."""
    office.record(*(sale(external_id=str(n)) for n in range(1, 11)))
    order = orders.order_past(office.book, DAY, DAY, actor=None)
    office.enter()
    return order


def post(office: Office, count: int, *, seconds_ago: float) -> None:
    """So many entries were posted, the first one so long ago, the last one just now."""
    claim = office.sent(limit=count)
    office.answer(claim)
    ids = [entry.pk for entry in claim.entries]
    JournalEntry.objects.filter(pk=ids[0]).update(posted_at=database_now() - timedelta(seconds=seconds_ago))


def words(client: Client, connection: Connection, run: SyncOrder) -> str:
    return str(told(client, connection)["progress"][f"run-{run.pk}"]["words"])


def test_a_run_tells_its_count_its_speed_and_the_time_left(
    admin_client: Client, office: Office, connection: Connection, run: SyncOrder
) -> None:
    post(office, 4, seconds_ago=60)
    now = told(admin_client, connection)["progress"][f"run-{run.pk}"]
    assert (now["value"], now["most"]) == (4, 10)
    assert now["words"] == "4 of 10 events are Synced, 6 waiting. 4 per minute. About 2 minutes left."


def test_when_nothing_has_moved_no_time_is_guessed(
    admin_client: Client, office: Office, connection: Connection, run: SyncOrder
) -> None:
    assert "per minute" not in words(admin_client, connection, run)
    post(office, 4, seconds_ago=60)
    JournalEntry.objects.exclude(posted_at=None).update(posted_at=database_now() - timedelta(minutes=2))
    said = words(admin_client, connection, run)
    assert "per minute" not in said and "left" not in said and "Waiting for its turn" in said


def test_a_pause_that_the_vendor_asked_for_is_named(
    admin_client: Client, office: Office, connection: Connection, run: SyncOrder
) -> None:
    until = database_now() + timedelta(minutes=3)
    CallLog.objects.create(connection=connection, paused_until=until)
    local = plain(until, ZoneInfo("America/Chicago"), seconds=True)
    assert f"QuickBooks Online asked for a pause until {local};" in words(admin_client, connection, run)


def test_while_the_circuit_rests_the_next_call_is_named(
    admin_client: Client, office: Office, connection: Connection, run: SyncOrder
) -> None:
    until = database_now() + timedelta(minutes=3)
    Circuit.objects.create(connection=connection, failures=5, rests=1, opened_at=database_now(), rests_until=until)
    local = plain(until, ZoneInfo("America/Chicago"), seconds=True)
    assert f"Waiting: QuickBooks Online does not answer; Daybook asks again at {local}" in words(
        admin_client, connection, run
    )


def test_a_limit_that_is_used_up_is_named(
    admin_client: Client, office: Office, connection: Connection, run: SyncOrder
) -> None:
    Connection.objects.filter(pk=connection.pk).update(batches_per_minute=1)
    connection.refresh_from_db()
    vendors.limiter(connection).wait("request", "batch").leave()
    assert "Waiting: the limit of QuickBooks Online is used up until" in words(admin_client, connection, run)


def test_a_vendor_that_cannot_be_reached_is_named_with_the_next_try(
    admin_client: Client, office: Office, connection: Connection, run: SyncOrder
) -> None:
    office.answer(office.sent(), error=Unreachable("QuickBooks did not answer."))
    assert "QuickBooks Online could not be reached at the last try" in words(admin_client, connection, run)


def test_a_stopped_sync_and_a_lost_connection_are_named(
    admin_client: Client, office: Office, connection: Connection, run: SyncOrder
) -> None:
    orders.stop_sync(office.book, actor=None)
    assert "Waiting: the sync is stopped." in words(admin_client, connection, run)
    Connection.objects.filter(pk=connection.pk).update(state=Connection.State.ACTION_REQUIRED)
    assert "the connection to QuickBooks Online must be renewed" in words(admin_client, connection, run)


def test_a_worker_that_is_silent_is_named(
    admin_client: Client, office: Office, connection: Connection, run: SyncOrder
) -> None:
    Heartbeat.objects.create(name="worker", at=database_now() - timedelta(minutes=9))
    assert "no worker has given a sign of life since" in words(admin_client, connection, run)


def test_a_run_is_finished_when_every_event_in_scope_is_synced(
    admin_client: Client, office: Office, connection: Connection, run: SyncOrder
) -> None:
    before = told(admin_client, connection)["stamp"]
    post(office, 10, seconds_ago=30)
    assert told(admin_client, connection)["progress"] == {} and told(admin_client, connection)["stamp"] != before
    page = status(admin_client, connection)
    assert "Done:" in page and "10 of 10 events are Synced" in page and "Finished" in page


def test_a_run_with_a_failed_event_is_not_finished_and_leads_to_it(
    admin_client: Client, office: Office, connection: Connection, run: SyncOrder
) -> None:
    post(office, 9, seconds_ago=30)
    office.answer(office.sent(), error=Rejected("The account is inactive."))
    page = status(admin_client, connection)
    assert "9 of 10 events are Synced, 1 in Error" in page and "Not finished: 1 of this order in Error" in page
    assert f"?order={run.pk}&amp;state=error" in page and "Done:" not in page


def test_every_event_of_an_order_stands_in_one_of_its_parts_and_leads_there(
    admin_client: Client, office: Office, connection: Connection, run: SyncOrder
) -> None:
    post(office, 4, seconds_ago=30)
    office.answer(office.sent(limit=1), error=Rejected("The account is inactive."))
    waiting = Posting.objects.filter(state=SyncState.NOT_SYNCED).order_by("pk")
    for posting in waiting[:2]:
        orders.set_aside(posting, "Training", actor=None)
    page = status(admin_client, connection)
    assert "4 of 10 events are Synced, 3 waiting, 1 in Error, 2 set aside" in page
    for state, number in (("synced", "4"), ("not_synced", "3"), ("error", "1"), ("set_aside", "2 set aside")):
        assert re.search(rf"\?order={run.pk}&amp;state={state}\">{number}</a>", page), state


def test_a_retried_event_still_counts_in_the_run_it_belongs_to(
    admin_client: Client, office: Office, connection: Connection, run: SyncOrder
) -> None:
    post(office, 9, seconds_ago=30)
    office.answer(office.sent(), error=Rejected("The account is inactive."))
    orders.retry(Posting.objects.filter(book=office.book), actor=None)
    assert told(admin_client, connection)["progress"][f"run-{run.pk}"]["value"] == 9
    office.post()
    assert "10 of 10 events are Synced" in status(admin_client, connection)


def test_live_sales_that_wait_are_told_without_an_end(
    admin_client: Client, office: Office, connection: Connection
) -> None:
    office.record(*(sale(at=database_now() + timedelta(hours=1)) for _ in range(3)))
    now = told(admin_client, connection)["progress"]["backlog"]
    assert now["most"] is None and now["words"].startswith("3 events waiting.")
    office.post()
    assert told(admin_client, connection)["progress"] == {}


def test_a_running_import_tells_how_many_accounts_have_come(
    admin_client: Client, office: Office, connection: Connection
) -> None:
    order = AccountImport.objects.create(connection=connection)
    assert "a worker begins in a moment" in told(admin_client, connection)["progress"]["import"]["words"]
    began = database_now() - timedelta(seconds=30)
    AccountImport.objects.filter(pk=order.pk).update(started_at=began, accounts=200)
    said = told(admin_client, connection)["progress"]["import"]["words"]
    assert said.startswith("200 accounts read, ") and "per minute" in said


def test_an_import_counts_while_it_reads(connection: Connection, remote_chart: list[RemoteAccount]) -> None:
    order = AccountImport.objects.create(connection=connection)
    accounts = [remote_chart[0]] * 250
    for number, _ in enumerate(tasks._counting(accounts, order.pk), start=1):
        order.refresh_from_db()
        assert order.accounts == number // tasks.COUNTED_EVERY * tasks.COUNTED_EVERY


def test_the_latest_five_runs_are_listed_with_who_and_how_many(
    login: Login, office: Office, connection: Connection
) -> None:
    client = login(*OPERATE)
    for day in range(1, 8):
        office.record(sale(day=date(2010, 12, day)))
        dates = {"first": f"2010-12-{day:02}", "last": f"2010-12-{day:02}"}
        client.post(reverse("integrations:past", args=[connection.pk]), dates)
    page = status(client, connection)
    assert page.count("Stop this run") == 5
    assert "Dec 7, 2010 to Dec 7, 2010" in page and "Dec 2, 2010 to Dec 2, 2010" not in page
    assert "by sam" in page


def test_a_run_is_stopped_by_its_button_and_says_what_was_called_back(
    login: Login, office: Office, connection: Connection, run: SyncOrder
) -> None:
    post(office, 4, seconds_ago=30)
    said = login(*OPERATE).post(reverse("integrations:stop_past", args=[run.pk]), follow=True).content.decode()
    assert "Stopped: 6 events had not begun, and are Never Synced again." in said
    assert "4 of 10 events are Synced, 6 called back" in said and "Stopped, the rest is Synced" in said
    assert Posting.objects.filter(state=SyncState.NEVER_SYNCED).count() == 6


def test_who_may_not_operate_the_sync_stops_no_run(
    login: Login, office: Office, connection: Connection, run: SyncOrder
) -> None:
    client = login("integrations.view_connection")
    assert client.post(reverse("integrations:stop_past", args=[run.pk])).status_code == 403
    assert "Stop this run" not in status(client, connection)


def test_a_store_manager_is_not_told_of_the_companys_runs(
    login: Login, office: Office, connection: Connection, run: SyncOrder, stores: dict[str, Any]
) -> None:
    client = login(*OPERATE, stores=(stores["Los Angeles"],))
    assert told(client, connection)["progress"] == {}
    assert client.post(reverse("integrations:stop_past", args=[run.pk])).status_code == 403


def test_a_run_names_the_events_of_its_dates_that_are_in_error_and_not_in_it(
    admin_client: Client, office: Office, connection: Connection, run: SyncOrder
) -> None:
    assert "more of these dates" not in status(admin_client, connection)
    Posting.objects.filter(number="T1").update(state=SyncState.ERROR, error="No.", cause="no")
    office.record(unreadable("901", readable=True), unreadable("902", readable=True))
    Posting.objects.filter(number__in=["T901", "T902"]).update(business_date=DAY)
    link = f"{reverse('integrations:events', args=[connection.pk])}?state=error&first={DAY}&last={DAY}"
    page = unescape(status(admin_client, connection))
    assert f'<a href="{link}">2 more of these dates are in Error; all 3</a>' in page
    assert len(re.findall(r'<th scope="row"><a ', admin_client.get(link).content.decode())) == 3
    Posting.objects.filter(number="T902").update(business_date=DAY - timedelta(days=1))
    assert "1 more of these dates is in Error; all 2" in status(admin_client, connection)
