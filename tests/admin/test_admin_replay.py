"""From an alert's page all the events that it holds up are replayed, set aside or adopted in one deed."""

import re
from html import unescape

import pytest
from django.test import Client
from django.urls import reverse

from integrations import alerts, pipeline
from integrations.models import Alert, Connection
from ledger.errors import Flaw, ForeignEntry
from ledger.models import Posting, Store
from ledger.terms import Outcome, SyncState
from mappings.models import Mapping
from tests.admin.conftest import Login
from tests.admin.test_admin_alerts import lost, page_of, text_of
from tests.office import Office

DEEDS = ("ledger.view_posting", "ledger.retry_posting", "ledger.set_aside_posting", "ledger.adopt_posting")

SYNCED = {"state": SyncState.SYNCED, "outcome": Outcome.NOTHING_TO_POST, "cause": "", "error": "", "error_code": ""}


@pytest.fixture
def alert(office: Office, connection: Connection) -> Alert:
    """Two events want an account for class 9; a third in Error wants another."""
    office.record(lost("9"), lost("9", value="30.00", store="100002"), lost("8", value="50.00"))
    office.enter()
    alerts.refresh(connection)
    return Alert.objects.get(cause="unmapped:sales:9")


def deeds(shown: str) -> dict[str, str]:
    """Words and address of each deed that an alert's page offers."""
    links = re.findall(r'href="([^"]*deed=[^"]*)">([^<]*)<', shown)
    return {words: unescape(address) for address, words in links}


def behind(alert: Alert, *, cause: str) -> Alert:
    """The same alert and events, held up by another cause."""
    Posting.objects.filter(cause=alert.cause).update(cause=cause)
    Alert.objects.filter(pk=alert.pk).update(cause=cause)
    return Alert.objects.get(pk=alert.pk)


def test_what_one_cause_held_up_is_mended_and_replayed_in_one_deed(
    admin_client: Client, office: Office, connection: Connection, alert: Alert
) -> None:
    anywhere = Mapping.objects.filter(role="sales")[0].account
    Mapping.objects.create(book=office.book, role="sales", item_class="9", account=anywhere)
    address = deeds(text_of(admin_client, page_of(alert)))["Retry all 2 like this ..."]
    preview = text_of(admin_client, address)
    assert "Retry: 2 events, 50.00 USD" in preview
    seen = re.search(r'name="seen" value="(\w+)"', preview)
    assert seen
    admin_client.post(address, {"seen": seen[1]})
    pipeline.book(connection)
    assert list(Posting.objects.filter(state=SyncState.ERROR).values_list("cause", flat=True)) == ["unmapped:sales:8"]


def test_the_deeds_that_can_help_are_offered_and_no_other(admin_client: Client, alert: Alert) -> None:
    retry, aside, adopt = (f"{deed} all 2 like this ..." for deed in ("Retry", "Set aside", "Adopt"))
    assert list(deeds(text_of(admin_client, page_of(alert)))) == [retry, aside]
    assert list(deeds(text_of(admin_client, page_of(behind(alert, cause=Flaw.TYPE.cause))))) == [aside]
    taken = behind(Alert.objects.get(cause=Flaw.TYPE.cause), cause=ForeignEntry.code)
    assert list(deeds(text_of(admin_client, page_of(taken)))) == [adopt, retry, aside]


def test_of_a_single_event_it_says_so(admin_client: Client, alert: Alert) -> None:
    assert "Retry this event ..." in deeds(text_of(admin_client, page_of(Alert.objects.get(cause="unmapped:sales:8"))))


def test_who_may_only_read_is_offered_no_deed(login: Login, alert: Alert) -> None:
    client = login("integrations.view_alert", "ledger.view_posting")
    assert deeds(text_of(client, page_of(alert))) == {}


def test_a_store_manager_replays_what_the_store_mends_and_nothing_else(
    login: Login, alert: Alert, stores: dict[str, Store]
) -> None:
    client = login("integrations.view_alert", *DEEDS[:2], stores=(stores["Main Street"],))
    assert deeds(text_of(client, page_of(alert))) == {}
    mended = behind(alert, cause=Flaw.TOTAL.cause)
    offered = deeds(text_of(client, page_of(mended)))
    assert list(offered) == ["Retry this event ..."]
    assert "1 event" in text_of(client, offered["Retry this event ..."])


def test_a_warning_about_entries_that_stand_offers_no_deed(
    admin_client: Client, office: Office, connection: Connection, alert: Alert
) -> None:
    Posting.objects.filter(cause=alert.cause).update(**SYNCED, changed_since=True)
    alerts.refresh(connection)
    changed = Alert.objects.get(cause="changed_since")
    assert reverse("integrations:events", args=[connection.pk]) in text_of(admin_client, page_of(changed))
    assert deeds(text_of(admin_client, page_of(changed))) == {}
