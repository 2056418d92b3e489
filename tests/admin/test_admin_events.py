"""The Financial Events tab: what it lists, in which order, what can be chosen and retried."""

import re
from datetime import date, timedelta
from html import unescape
from typing import Any

import pytest
from django.contrib import admin
from django.db import connection as database
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from integrations import alerts
from integrations.admin_views import events, filtering, health
from integrations.models import Alert, BulkDeed, BulkItem, Connection
from integrations.seeing import OUTCOME_UNKNOWN
from ledger.clock import database_now
from ledger.errors import OutcomeUnknown
from ledger.journal import orders
from ledger.models import Attempt, Posting, Store
from ledger.terms import SyncState
from tests.admin.conftest import Login
from tests.office import Office
from tests.trade import item, paid, sale, ticket, unreadable

SEE, RETRY = "ledger.view_posting", "ledger.retry_posting"


def tab(client: Client, connection: Connection, **chosen: str) -> str:
    answer = client.get(reverse("integrations:events", args=[connection.pk]), chosen)
    assert answer.status_code == 200
    return answer.content.decode()


def unmapped(external_id: str) -> Any:
    """A sale whose tender no mapping knows."""
    return ticket(item("20.00"), paid("20.00", by="99"), external_id=external_id)


def test_newest_comes_first_and_the_first_event_ever_can_be_reached(
    admin_client: Client, office: Office, connection: Connection
) -> None:
    office.record(*(sale(external_id=str(7000 + n), day=date(2010, 12, 1 + n // 3)) for n in range(60)))
    newest, oldest = tab(admin_client, connection), tab(admin_client, connection, sort="oldest")
    assert newest.index("T7059") < newest.index("T7058") and "T7000<" not in newest
    assert oldest.index("T7000") < oldest.index("T7001") and "T7059" not in oldest
    assert "T7000" in tab(admin_client, connection, page="2")


def test_a_state_a_range_and_a_number_narrow_the_list(
    admin_client: Client, office: Office, connection: Connection
) -> None:
    office.record(sale(external_id="1", day=date(2010, 12, 1)), sale(external_id="2", day=date(2010, 12, 2)))
    office.record(unreadable("3", readable=True))
    assert "T3<" in tab(admin_client, connection, state="error") and "T1<" not in tab(
        admin_client, connection, state="error"
    )
    by_day = tab(admin_client, connection, first="2010-12-02", last="2010-12-02")
    assert "T2<" in by_day and "T1<" not in by_day
    by_number = tab(admin_client, connection, number=" t1 ")
    assert "T1<" in by_number and "T2<" not in by_number


def test_store_kind_and_amounts_narrow_it_further_and_together(
    admin_client: Client, office: Office, connection: Connection, stores: dict[str, Store]
) -> None:
    office.record(sale("20.00", external_id="1"), sale("30.00", external_id="2"))
    office.record(sale("30.00", external_id="3", store="100002"), sale("-5.00", external_id="4"))
    los_angeles = str(stores["Los Angeles"].pk)
    assert shown(admin_client, connection, store=los_angeles) == ["T3"]
    assert shown(admin_client, connection, least="20.01") == ["T3", "T2"]
    assert shown(admin_client, connection, most="0") == ["T4"]
    assert shown(admin_client, connection, least="20", most="20") == ["T1"]
    assert shown(admin_client, connection, least="30", store=los_angeles, kind="ticket", state="open") == ["T3"]
    assert shown(admin_client, connection, least="30", store=los_angeles, state="error") == []


def test_many_events_of_such_amounts_are_narrowed_just_the_same(
    admin_client: Client, office: Office, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    office.record(*(sale(f"{n}.00", external_id=str(n)) for n in range(1, 9)))
    few = shown(admin_client, connection, least="3", most="6.00")
    monkeypatch.setattr(filtering, "FEW", 2)
    assert shown(admin_client, connection, least="3", most="6.00") == few == ["T6", "T5", "T4", "T3"]


def test_the_filter_stands_as_chips_that_can_be_taken_away_one_by_one(
    admin_client: Client, office: Office, connection: Connection, stores: dict[str, Store]
) -> None:
    store = stores["Main Street"]
    office.record(unreadable("3", readable=True, what="its total is missing."))
    page = tab(admin_client, connection, store=str(store.pk), state="error", first="2010-12-01", cause="unreadable")
    chips = dict(re.findall(r'<a href="([^"]*)" aria-label="Without ([^"]*)">', page))
    said = {words: unescape(address) for address, words in chips.items()}
    assert said["Store: Main Street"] == "?state=error&first=2010-12-01&cause=unreadable"
    assert said["From: Dec 1, 2010"] == f"?state=error&store={store.pk}&cause=unreadable"
    assert any(words.startswith("Cause: ") and "its total is missing" in words for words in said)


def test_the_other_order_and_the_next_page_keep_the_filter(
    admin_client: Client, office: Office, connection: Connection
) -> None:
    office.record(*(sale("9.00", external_id=str(7000 + n)) for n in range(51)))
    page = unescape(tab(admin_client, connection, least="9"))
    assert 'href="?least=9&sort=oldest"' in page and 'href="?least=9&page=2"' in page
    assert shown(admin_client, connection, least="9", page="2", sort="oldest") == ["T7050"]


def test_an_event_without_a_date_stands_behind_all_others(
    admin_client: Client, office: Office, connection: Connection
) -> None:
    office.record(sale(external_id="1", day=date(2010, 12, 1)), unreadable("5"), sale(external_id="2"))
    undated = Posting.objects.get(business_date=None).number
    assert shown(admin_client, connection) == ["T2", "T1", undated]
    assert shown(admin_client, connection, sort="oldest") == [undated, "T1", "T2"]


def test_what_was_set_aside_can_be_listed(admin_client: Client, office: Office, connection: Connection) -> None:
    office.record(sale(external_id="1"), sale(external_id="2"))
    Posting.objects.filter(number="T2").update(set_aside_reason="Training")
    assert shown(admin_client, connection, state="set_aside") == ["T2"]


def test_what_was_set_aside_is_told_apart_from_what_nobody_asked_for(
    admin_client: Client, office: Office, connection: Connection
) -> None:
    office.record(sale(external_id="1"), sale(external_id="2"), sale(external_id="3"))
    Posting.objects.filter(number="T2").update(set_aside_reason="Training")
    assert shown(admin_client, connection, state="never_synced") == ["T3", "T1"]
    page = tab(admin_client, connection)
    assert "Never Synced (2)" in page and "Set aside (1)" in page
    status = admin_client.get(reverse("integrations:vendor", args=["quickbooks"])).content.decode()
    assert 'data-count="never_synced">2<' in status and 'data-count="set_aside">1<' in status


def test_the_list_tells_the_money_of_what_matches(
    admin_client: Client, office: Office, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    office.record(sale("20.00", external_id="1"), sale("-1234.50", external_id="2"), unreadable("3"))
    assert "2 events, (1,214.50) USD." in tab(admin_client, connection, state="never_synced")
    assert "3 events, (1,214.50) USD, 1 without a readable amount." in tab(admin_client, connection)
    monkeypatch.setattr(filtering, "LARGEST_COUNT", 1)
    monkeypatch.setattr(events, "LARGEST_COUNT", 1)
    assert "1+ events, narrow the filter to see their money." in tab(admin_client, connection)


def test_events_without_an_answer_are_those_that_the_alert_counts(
    admin_client: Client, office: Office, connection: Connection
) -> None:
    lost, fresh = sale(external_id="1"), sale(external_id="2")
    for facts, minutes in ((lost, 16), (fresh, 1)):
        office.record(facts)
        Posting.objects.filter(number=facts.header.number).update(state=SyncState.NOT_SYNCED)
        office.enter()
        claim = office.sent()
        office.answer(claim, error=OutcomeUnknown("The answer was lost."))
        sent = database_now() - timedelta(minutes=minutes)
        Attempt.objects.filter(entry__in=claim.entries).update(started_at=sent, ended_at=sent)
    alerts.refresh(connection)
    alert = Alert.objects.get(cause=OUTCOME_UNKNOWN)
    assert alert.events == 1 and shown(admin_client, connection, state="processing") == ["T2", "T1"]
    address = health.events_address(connection, cause=OUTCOME_UNKNOWN)
    assert re.findall(r'<th scope="row"><a [^>]*>([^<]+)</a>', admin_client.get(address).content.decode()) == ["T1"]


def test_an_order_of_past_events_leads_to_its_events(
    admin_client: Client, office: Office, connection: Connection
) -> None:
    office.record(sale(external_id="1", day=date(2010, 12, 1)), sale(external_id="2", day=date(2010, 12, 2)))
    order = orders.order_past(office.book, date(2010, 12, 1), date(2010, 12, 1), actor=None)
    assert shown(admin_client, connection, order=str(order.pk)) == ["T1"]
    assert "past events, Dec 1, 2010 to Dec 1, 2010" in tab(admin_client, connection, order=str(order.pk))


@pytest.mark.parametrize(
    ("broken", "said"),
    [
        ({"first": "2026-13-45"}, "From: Enter a valid date."),
        ({"least": "25", "most": "much"}, "Amount to: Enter a number."),
        ({"store": "9999"}, "Store: Select a valid choice."),
    ],
)
def test_while_a_part_of_the_filter_cannot_be_read_nothing_is_listed_counted_or_offered(
    admin_client: Client, office: Office, connection: Connection, broken: dict[str, str], said: str
) -> None:
    office.record(sale("30.00", external_id="1"), unreadable("2", readable=True))
    page = tab(admin_client, connection, **broken)
    assert said in page and "Nothing is listed while a part of the filter cannot be read" in page
    assert shown(admin_client, connection, **broken) == []
    for offered in ('name="chosen"', 'name="deed"', "data-count", "Retry Failed", "Export all"):
        assert offered not in page, offered
    assert watched(admin_client, connection, **broken)["counts"] == {"retry": ""}


def test_a_store_manager_is_offered_the_own_stores_only(
    login: Login, office: Office, connection: Connection, stores: dict[str, Store]
) -> None:
    office.record(sale(external_id="1"), sale(external_id="3", store="100002"))
    client = login(SEE, stores=(stores["Main Street"],))
    assert "Los Angeles" not in tab(client, connection) and shown(client, connection) == ["T1"]
    assert shown(client, connection, store=str(stores["Los Angeles"].pk)) == []


def test_a_long_list_of_stores_is_searched_by_typing(
    admin_client: Client, office: Office, connection: Connection
) -> None:
    assert "data-chooser" not in tab(admin_client, connection)
    Store.objects.bulk_create(Store(source=office.source, external_id=f"x{n}", name=f"Shop {n}") for n in range(200))
    assert 'data-chooser="All stores"' in tab(admin_client, connection)


def test_a_long_name_of_a_store_is_cut_and_can_be_read_in_full(
    admin_client: Client, office: Office, connection: Connection
) -> None:
    long = "The Store at the Corner of Main Street and Second Avenue"
    Store.objects.filter(external_id="100001").update(name=long)
    office.record(sale(external_id="1"))
    assert f'title="{long}">{long[:29]}…' in tab(admin_client, connection)


def shown(client: Client, connection: Connection, **chosen: str) -> list[str]:
    """The numbers in the list, in its order."""
    return re.findall(r'<th scope="row"><a [^>]*>([^<]+)</a>', tab(client, connection, **chosen))


def test_an_entry_is_found_by_its_number_in_the_books(
    admin_client: Client, office: Office, connection: Connection
) -> None:
    facts, other = sale(external_id="41"), sale(external_id="42")
    office.record(facts, other)
    Posting.objects.update(state=SyncState.NOT_SYNCED)
    office.post()
    found = tab(admin_client, connection, number="hr-t41")
    assert "T41<" in found and "T42<" not in found


def test_the_number_of_an_entry_is_met_by_the_indexes(
    admin_client: Client, office: Office, connection: Connection
) -> None:
    """One condition over two columns is met by SQLite with a walk over the whole book."""
    facts = sale(at=database_now() + timedelta(hours=1))
    office.record(facts)
    office.enter()
    with CaptureQueriesContext(database) as asked:
        shown(admin_client, connection, number=office.entry(facts).reference)
    narrowing = [query["sql"] for query in asked.captured_queries if '"number" IN' in query["sql"]]
    assert narrowing and not [sql for sql in narrowing if " OR " in sql]


def test_states_other_than_synced_are_offered_with_their_counts(
    admin_client: Client, office: Office, connection: Connection
) -> None:
    office.record(sale(), sale(), unreadable("3"))
    page = tab(admin_client, connection)
    assert "Never Synced (2)" in page and "Error (1)" in page and "Not Synced (0)" in page


def test_an_error_says_its_cause_in_the_row(admin_client: Client, office: Office, connection: Connection) -> None:
    office.record(unreadable("3", what="its total is missing."))
    page = tab(admin_client, connection)
    assert "its total is missing." in page and 'aria-label="Retry 3"' in page


def watched(client: Client, connection: Connection, **chosen: str) -> dict[str, Any]:
    """What an open tab asks for every few seconds."""
    answer = client.get(reverse("integrations:events", args=[connection.pk]), {**chosen, "watch": "1"})
    told: dict[str, Any] = answer.json()
    return told


def test_an_open_tab_is_told_when_its_rows_change(admin_client: Client, office: Office, connection: Connection) -> None:
    facts = sale(external_id="1")
    office.record(facts)
    before = watched(admin_client, connection)
    assert before["stamp"] in tab(admin_client, connection) and before == watched(admin_client, connection)
    Posting.objects.update(state=SyncState.NOT_SYNCED)
    after = watched(admin_client, connection)
    assert after["stamp"] != before["stamp"] and after["counts"]["not_synced"] == "1"


def test_what_one_of_several_events_says_is_an_example(
    admin_client: Client, office: Office, connection: Connection
) -> None:
    office.record(unreadable("3", what="its total is missing."), unreadable("4", what="its total is missing."))
    said = tab(admin_client, connection, cause=Posting.objects.values_list("cause", flat=True)[0])
    assert "one cause holds up: for example" in said


def test_nonsense_in_the_address_harms_nothing(admin_client: Client, office: Office, connection: Connection) -> None:
    office.record(sale(external_id="1"))
    for chosen in ({"page": "x"}, {"page": "999999999"}, {"state": "nope"}, {"first": "soon"}, {"page": "-1"}):
        tab(admin_client, connection, **chosen)


def test_a_long_list_asks_the_database_no_more_than_a_short_one(
    admin_client: Client, office: Office, connection: Connection, django_assert_max_num_queries: Any
) -> None:
    office.record(*(unreadable(str(n), readable=True) for n in range(55)))
    with django_assert_max_num_queries(26):
        tab(admin_client, connection)


def test_retry_failed_queues_everything_that_failed(
    login: Login, office: Office, connection: Connection, woken: list[object], django_capture_on_commit_callbacks: Any
) -> None:
    stuck = [unmapped("1"), unmapped("2")]
    office.record(*stuck)
    Posting.objects.update(state=SyncState.NOT_SYNCED)
    office.enter()
    assert office.states(stuck) == [SyncState.ERROR, SyncState.ERROR]
    with django_capture_on_commit_callbacks(execute=True):
        login(SEE, RETRY).post(reverse("integrations:retry_failed", args=[connection.pk]))
    assert office.states(stuck) == [SyncState.NOT_SYNCED, SyncState.NOT_SYNCED]
    assert ("integrations.tasks.work", connection.pk) in woken


def test_retrying_an_unreadable_document_reads_it_again(
    login: Login, office: Office, connection: Connection, woken: list[object], django_capture_on_commit_callbacks: Any
) -> None:
    till = Connection.objects.create(vendor="heartland_retail", source=office.source)
    office.record(unreadable("3", readable=True))
    posting = Posting.objects.get()
    with django_capture_on_commit_callbacks(execute=True):
        login(RETRY).post(reverse("integrations:retry", args=[posting.pk]))
    assert ("integrations.tasks.reread", till.pk, [posting.event_id]) in woken


def test_a_store_manager_retries_only_what_is_mended_at_the_till(
    login: Login, office: Office, connection: Connection, stores: dict[str, Store]
) -> None:
    office.record(unmapped("1"), unreadable("2", readable=True))
    Posting.objects.filter(number="T1").update(state=SyncState.NOT_SYNCED)
    office.enter()
    client = login(SEE, RETRY, stores=(stores["Main Street"],))
    page = tab(client, connection)
    assert 'aria-label="Choose T2"' in page and 'aria-label="Choose T1"' not in page
    assert 'data-count="retry">1</span> of your stores' in page
    for number in ("T1", "T2"):
        client.post(reverse("integrations:retry", args=[Posting.objects.get(number=number).pk]))
    assert dict(Posting.objects.values_list("number", "state")) == {
        "T1": SyncState.ERROR,
        "T2": SyncState.NOT_SYNCED,
    }
    assert "Your accountant has to act on this event first." in tab(client, connection)


def test_an_event_that_was_retried_in_vain_says_when_and_that_nothing_is_new(
    admin_client: Client, office: Office, connection: Connection
) -> None:
    def fail(cause: str) -> None:
        Posting.objects.update(state=SyncState.ERROR, error="No.", cause=cause, error_code="rejected")

    office.record(sale(external_id="1"))
    fail("rejected")
    assert "Tried again" not in tab(admin_client, connection)
    admin_client.post(reverse("integrations:retry", args=[Posting.objects.get().pk]))
    fail("rejected")
    assert "held up for the same reason" in tab(admin_client, connection)
    admin_client.post(reverse("integrations:retry_failed", args=[connection.pk]))
    fail("period_closed")
    page = tab(admin_client, connection)
    assert "Tried again <time" in page and "and held up again, for another reason" in page
    assert "the same reason" not in page
    admin_client.post(reverse("integrations:retry_failed", args=[connection.pk]))
    fail("period_closed")
    assert "held up for the same reason" in tab(admin_client, connection)


@pytest.mark.parametrize(
    ("chosen", "said"),
    [
        ({"first": "2010-12-20", "last": "2010-12-01"}, "From: It lies after “To”."),
        ({"least": "20", "most": "10"}, "Amount from: It lies above “Amount to”."),
    ],
)
def test_a_filter_that_ends_before_it_begins_says_so(
    admin_client: Client, office: Office, connection: Connection, chosen: dict[str, str], said: str
) -> None:
    office.record(sale())
    page = tab(admin_client, connection, **chosen)
    assert said in page and "No event matches" not in page


def test_of_an_older_retry_nobody_knows_whether_the_reason_was_the_same(
    admin_client: Client, office: Office, connection: Connection
) -> None:
    office.record(unreadable("3", readable=True))
    deed = BulkDeed.objects.create(
        book=office.book, kind=BulkDeed.Kind.RETRY, events=1, ordered_at=database_now(), ended_at=database_now()
    )
    item = deed.items.create(posting=Posting.objects.get(), outcome=BulkItem.Outcome.DONE)
    said = tab(admin_client, connection)
    assert "and held up again</div>" in said and "same reason" not in said
    deed.items.filter(pk=item.pk).update(cause="period_closed")
    assert "and held up again, for another reason" in tab(admin_client, connection)


@pytest.mark.parametrize("address", ["https://elsewhere.example/", "//elsewhere.example/", "javascript:alert(1)"])
def test_retry_leads_back_to_no_foreign_page(
    admin_client: Client, office: Office, connection: Connection, address: str
) -> None:
    office.record(unreadable("3", readable=True))
    posting = Posting.objects.get()
    answer = admin_client.post(reverse("integrations:retry", args=[posting.pk]), {"next": address})
    assert answer["Location"] == reverse("admin:ledger_posting_change", args=[posting.pk])


def test_the_gap_between_the_pages_of_a_list_is_no_link(
    admin_client: Client, office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    office.record(*(sale(external_id=str(n)) for n in range(1, 15)))
    monkeypatch.setattr(admin.site.get_model_admin(Posting), "list_per_page", 1)
    page = admin_client.get(reverse("admin:ledger_posting_changelist")).content.decode()
    assert re.search(r">\s*…\s*</div>", page) and not re.search(r"<a [^>]*>\s*…", page)
    assert re.search(r'<a href="\?p=14"[^>]*>14</a>', page)
