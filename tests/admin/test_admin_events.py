"""The Financial Events tab: what it lists, in which order, what can be chosen and retried."""

from datetime import date
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from integrations.models import Connection
from ledger.models import Posting
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


def test_an_entry_is_found_by_its_number_in_the_books(
    admin_client: Client, office: Office, connection: Connection
) -> None:
    facts, other = sale(external_id="41"), sale(external_id="42")
    office.record(facts, other)
    Posting.objects.update(state=SyncState.NOT_SYNCED)
    office.post()
    found = tab(admin_client, connection, number="hr-t41")
    assert "T41<" in found and "T42<" not in found


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
    with django_assert_max_num_queries(16):
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


@pytest.mark.parametrize("address", ["https://elsewhere.example/", "//elsewhere.example/", "javascript:alert(1)"])
def test_retry_leads_back_to_no_foreign_page(
    admin_client: Client, office: Office, connection: Connection, address: str
) -> None:
    office.record(unreadable("3", readable=True))
    posting = Posting.objects.get()
    answer = admin_client.post(reverse("integrations:retry", args=[posting.pk]), {"next": address})
    assert answer["Location"] == reverse("admin:ledger_posting_change", args=[posting.pk])
