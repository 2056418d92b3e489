"""The list of alerts, the page of one, who has it, and how a person hears of them."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from html import unescape
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection as database
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from integrations import alerts, hearing, remedies, tasks
from integrations.admin_views.alerts import lines
from integrations.models import Alert, Connection, Heartbeat, Notice, Subscription
from ledger.clock import database_now
from ledger.errors import Flaw
from ledger.models import Account, AuditRecord, Book, Posting, Store
from ledger.terms import SyncState
from mappings.models import Mapping
from tests.admin.conftest import Login
from tests.integrations.post_office import Chat, chat_receiver, free_port
from tests.office import Office
from tests.sandbox_fixture import ROOT
from tests.trade import item, paid, ticket, unreadable

LIST = "/admin/integrations/alert/"
OF_ALERTS = AuditRecord.objects.filter(subject_kind="integrations.alert")
ACCOUNTANT = ("integrations.view_alert", "integrations.change_alert", "integrations.view_connection")


def text_of(client: Client, address: str = LIST) -> str:
    answer = client.get(address)
    assert answer.status_code == 200, address
    return unescape(answer.content.decode())


def page_of(alert: Alert) -> str:
    return reverse("admin:integrations_alert_change", args=[alert.pk])


def lost(kind: str, *, value: str = "20.00", store: str = "100001") -> Any:
    late = database_now() + timedelta(hours=1)
    return ticket(item(value, kind=kind), paid(value), at=late, store=store)


@pytest.fixture
def unmapped(office: Office, connection: Connection) -> Alert:
    """Three events in two stores of a class that nobody mapped."""
    office.record(lost("9"), lost("9", value="30.00"), lost("9", value="40.00", store="100002"))
    office.enter()
    alerts.refresh(connection)
    return Alert.objects.get()


@pytest.fixture
def dead(connection: Connection) -> Alert:
    Connection.objects.update(state=Connection.State.ACTION_REQUIRED, problem="QuickBooks wants a new log-in.")
    alerts.refresh(connection)
    return Alert.objects.get(cause="auth_expired")


# --- The list -------------------------------------------------------------------------------------


def test_where_nothing_is_wrong_the_list_says_since_when(
    admin_client: Client, office: Office, connection: Connection
) -> None:
    assert "All is well" in text_of(admin_client) and "Nothing has gone wrong so far" in text_of(admin_client)
    now = database_now()
    closed = now - timedelta(days=2)
    Alert.objects.create(book=office.book, cause="x", first_seen_at=now, last_seen_at=now, closed_at=closed)
    assert f"{closed:%b %-d, %Y}" in text_of(admin_client)


def test_a_worker_that_gave_no_sign_is_said_before_all_is_well(admin_client: Client, connection: Connection) -> None:
    Heartbeat.objects.create(name="worker", at=database_now() - timedelta(hours=1))
    shown = text_of(admin_client)
    assert "has given no sign since" in shown and "db-health-green" not in shown


def test_a_line_says_what_where_how_many_how_much_and_who_has_it(
    login: Login, unmapped: Alert, connection: Connection
) -> None:
    client = login(*ACCOUNTANT, "mappings.view_mapping")
    Alert.objects.update(assigned_to=User.objects.get(username="sam"))
    shown = text_of(client)
    for part in (
        "No account is mapped for sales",
        "QuickBooks Online: Main Street Trading",
        "90.00 USD",
        ">sam<",
        "Action required",
    ):
        assert part in shown, part
    assert f'href="{reverse("integrations:events", args=[connection.pk])}?cause=unmapped%3Asales%3A9">3<' in shown
    assert "#role-sales" in shown and "Choose the account" in shown


def test_many_alerts_cost_no_more_questions_than_one(
    admin_client: Client, unmapped: Alert, admin_user: User, django_assert_max_num_queries: Any, book: Book
) -> None:
    with CaptureQueriesContext(database) as one:
        text_of(admin_client)
    now = database_now()
    row = {"book": book, "sentence": "So.", "first_seen_at": now, "last_seen_at": now, "assigned_to": admin_user}
    Alert.objects.bulk_create(Alert(cause=f"rejected:{n}", **row) for n in range(30))
    with django_assert_max_num_queries(len(one)):
        assert text_of(admin_client).count("So</a>") == 30


def test_whoever_mends_connections_reads_of_those_first(login: Login, unmapped: Alert, dead: Alert) -> None:
    Alert.objects.filter(pk=unmapped.pk).update(first_seen_at=database_now() - timedelta(days=1))
    maria, ines = login(*ACCOUNTANT, name="maria"), login(*ACCOUNTANT, "integrations.change_connection", name="ines")
    first, second = text_of(maria), text_of(ines)
    assert first.index("No account is mapped for sales") < first.index("wants a new log-in")
    assert second.index("No account is mapped for sales") > second.index("wants a new log-in")


def test_the_list_is_narrowed_by_severity_book_and_person(
    login: Login, unmapped: Alert, dead: Alert, book: Book
) -> None:
    client = login(*ACCOUNTANT)
    other = Book.objects.create(name="Other company")
    Alert.objects.filter(pk=dead.pk).update(severity="warning", assigned_to=User.objects.get(username="sam"))
    for query, found in {
        "severity=warning": (False, True),
        "severity=error": (True, False),
        "mine=on": (False, True),
        f"book={book.pk}": (True, True),
        f"book={other.pk}": (False, False),
        "open=closed": (False, False),
        "open=all": (True, True),
        "severity=nonsense": (False, False),
        "book=77": (False, False),
        "open=ajar": (False, False),
        "page=x": (True, True),
    }.items():
        shown = text_of(client, f"{LIST}?{query}")
        assert ("No account is mapped for sales" in shown, "wants a new log-in" in shown) == found, query


@pytest.mark.parametrize("query", ["severity=nonsense", "book=77", "open=ajar"])
def test_a_filter_that_cannot_be_read_says_so_and_not_that_all_is_well(
    admin_client: Client, connection: Connection, query: str
) -> None:
    shown = text_of(admin_client, f"{LIST}?{query}")
    assert "Select a valid choice" in shown and "No alert is listed while the filter cannot be read" in shown
    assert "All is well" not in shown


def test_an_alert_is_told_in_the_time_of_its_book_and_the_rest_in_that_of_the_house(
    admin_client: Client, unmapped: Alert, dead: Alert
) -> None:
    first_seen = datetime(2026, 7, 2, 3, 30, tzinfo=UTC)
    Alert.objects.update(first_seen_at=first_seen)
    Store.objects.update(time_zone="America/Chicago")
    for shown in (
        text_of(admin_client),
        text_of(admin_client, page_of(unmapped)),
        text_of(admin_client, page_of(dead)),
    ):
        assert "Jul 1, 2026, 22:30 CDT" in shown and 'title="Jul 2, 2026, 03:30:00 UTC (America/Chicago)"' in shown


def test_a_store_manager_reads_of_alerts_in_the_time_of_the_own_store(
    login: Login, connection: Connection, unmapped: Alert
) -> None:
    Alert.objects.update(first_seen_at=datetime(2026, 7, 2, 3, 30, tzinfo=UTC))
    Store.objects.update(time_zone="America/Chicago")
    store = Posting.objects.filter(cause=unmapped.cause).values("store")[:1]
    Store.objects.filter(pk__in=store).update(time_zone="America/Los_Angeles")
    client = login("integrations.view_alert", "ledger.view_posting", name="sam")
    User.objects.get(username="sam").stores.set(Store.objects.filter(pk__in=store))
    for shown in (text_of(client), text_of(client, page_of(unmapped))):
        assert "Jul 1, 2026, 20:30 PDT" in shown and "CDT" not in shown
    Subscription.objects.create(user=User.objects.get(username="sam"), time_zone="Europe/Berlin")
    for shown in (text_of(client), text_of(client, page_of(unmapped))):
        assert "Jul 2, 2026, 05:30 CEST" in shown and "PDT" not in shown, "the zone that was chosen comes first"


def test_that_nobody_is_told_is_said_with_what_is_missing_by_name(
    admin_client: Client, login: Login, connection: Connection, settings: Any
) -> None:
    settings.EMAIL_CONFIGURED = False
    login(*ACCOUNTANT, name="maria")
    User.objects.filter(username="admin").update(email="admin@example.com")
    for address in (LIST, reverse("integrations:hearers")):
        shown = text_of(admin_client, address)
        assert "Nobody is told of alerts" in shown and "EMAIL_URL" in shown
        assert ">maria</a>" in shown and ">admin</a>" not in shown.split("No e-mail address")[1].split("</li>")[0]
    assert "Nobody is told of alerts" not in text_of(login(*ACCOUNTANT, name="bob"))
    assert not Subscription.objects.exists()
    settings.EMAIL_CONFIGURED = True
    assert "Nobody is told of alerts" not in text_of(admin_client)


def test_who_hears_what_names_the_address_that_is_missing(admin_client: Client, login: Login, settings: Any) -> None:
    settings.EMAIL_CONFIGURED = True
    login(*ACCOUNTANT, name="maria")
    Subscription.objects.create(user=User.objects.get(username="maria"), email_errors="at_once", chat_errors="at_once")
    login(*ACCOUNTANT, name="lou")
    shown = text_of(admin_client, reverse("integrations:hearers"))
    assert "not sent: no e-mail address" in shown and "not sent: no chat address" in shown
    assert "has not chosen, and has no e-mail address" in shown


def test_who_may_only_read_is_led_to_no_cure(login: Login, unmapped: Alert) -> None:
    lee = login("integrations.view_alert", "mappings.view_mapping", "integrations.view_connection", name="lee")
    for shown in (text_of(lee), text_of(lee, page_of(unmapped))):
        assert ">Choose the account</a>" not in shown and "Cure" not in shown
    assert "How those who may act mend it" in text_of(lee, page_of(unmapped))


def test_who_may_not_view_alerts_sees_neither_list_nor_page_nor_lines(login: Login, unmapped: Alert) -> None:
    client = login("ledger.view_posting")
    assert client.get(LIST).status_code == 403 and client.get(page_of(unmapped)).status_code == 404
    assert client.get(reverse("integrations:hearing")).status_code == 403
    assert lines(User.objects.get(username="sam")) == []


# --- One alert ------------------------------------------------------------------------------------


def test_the_page_says_what_to_do_step_by_step_and_leads_there(
    admin_client: Client, unmapped: Alert, book: Book
) -> None:
    shown = text_of(admin_client, page_of(unmapped))
    steps = re.findall(r"<li>(.*?)</li>", shown.split('<ol class="db-todo">')[1].split("</ol>")[0])
    assert len(steps) == 3 and "Choose the account" in steps[1]
    assert f'href="{reverse("mappings:configuration", args=[book.pk])}#role-sales"' in shown
    for part in ("By store", "Los Angeles", "50.00 USD", "90.00 USD", "First seen", "Last seen", "Opened"):
        assert part in shown, part
    assert all(number in shown for number in Posting.objects.values_list("number", flat=True))


def test_a_page_of_many_events_shows_fifty_and_leads_to_all(
    admin_client: Client, office: Office, connection: Connection
) -> None:
    office.record(*[lost("9") for _ in range(60)])
    office.enter()
    alerts.refresh(connection)
    shown = text_of(admin_client, page_of(Alert.objects.get()))
    assert len(re.findall(r"/ledger/posting/\d+/change/", shown)) == 50 and "All 60" in shown


@pytest.mark.parametrize(
    ("cause", "says"),
    [
        ("auth_expired", "press Connect"),
        ("period_closed", "open the period"),
        ("foreign_entry", "Adopt it"),
        ("rejected:6000", "Do what the sentence above says"),
        ("unreadable:cost", "Enter the cost of that item"),
        ("unreadable:anything", "mend it"),
        ("outcome_unknown", "Do not enter these by hand"),
        ("changed_since", "compare the document"),
        ("till_silent", "See whether the worker"),
        ("nobody_knows", "report it with the number"),
    ],
)
def test_every_cause_has_its_own_steps(
    admin_client: Client, connection: Connection, book: Book, cause: str, says: str
) -> None:
    now = database_now()
    alert = Alert.objects.create(book=book, cause=cause, sentence="So it is.", first_seen_at=now, last_seen_at=now)
    assert says in text_of(admin_client, page_of(alert))


def test_every_cause_of_the_runbook_has_a_remedy_of_its_own() -> None:
    table = (ROOT / "docs" / "runbook.md").read_text().split("### Where is event X?")[0]
    causes = {cause.split(":<")[0] for cause in re.findall(r"^\| `([^`]+)`", table, re.MULTILINE)}
    found = {cause: remedies.remedy(remedies.Where(cause, None, None)).steps for cause in causes}
    assert len(causes) > 15 and [cause for cause in causes if found[cause] == remedies.UNLISTED.steps] == []


def test_acknowledging_and_giving_it_to_somebody_stand_in_the_audit_and_the_history(
    login: Login, unmapped: Alert, connection: Connection
) -> None:
    client = login(*ACCOUNTANT, name="maria")
    other = User.objects.create_superuser("ines")
    client.post(reverse("integrations:acknowledge", args=[unmapped.pk]))
    client.post(reverse("integrations:assign", args=[unmapped.pk]), {"to": other.pk})
    alerts.refresh(connection)  # both survive an update
    unmapped.refresh_from_db()
    assert (str(unmapped.acknowledged_by), unmapped.assigned_to) == ("maria", other)
    deeds = list(OF_ALERTS.values_list("actor_name", "deed"))
    assert deeds == [("maria", "assigned an alert"), ("maria", "acknowledged an alert")]
    shown = text_of(client, page_of(unmapped))
    assert "maria acknowledged it" in shown and "maria gave it to ines" in shown
    again = client.post(reverse("integrations:acknowledge", args=[unmapped.pk]), follow=True)
    assert "has acknowledged it already" in again.content.decode()


def test_taking_it_and_leaving_it(login: Login, unmapped: Alert) -> None:
    client = login(*ACCOUNTANT, name="maria")
    maria = User.objects.get(username="maria")
    assert "Take it myself" in text_of(client, page_of(unmapped))
    client.post(reverse("integrations:assign", args=[unmapped.pk]), {"to": maria.pk})
    assert "maria has it" in text_of(client, page_of(unmapped)) and "mine=on" not in text_of(client)
    client.post(reverse("integrations:assign", args=[unmapped.pk]), {"to": ""})
    assert Alert.objects.get().assigned_to is None


@pytest.mark.parametrize("who", ["a store manager", "inactive", "without the permission", "unknown"])
def test_an_alert_goes_to_nobody_who_cannot_look_after_it(
    login: Login, unmapped: Alert, stores: dict[str, Store], who: str
) -> None:
    client = login(*ACCOUNTANT, name="maria")
    login(*(ACCOUNTANT if who != "without the permission" else ()), name="other")
    other = User.objects.get(username="other")
    if who == "a store manager":
        stores["Main Street"].managers.add(other)
    User.objects.filter(pk=other.pk).update(is_active=who != "inactive")
    wanted = 10**6 if who == "unknown" else other.pk
    answer = client.post(reverse("integrations:assign", args=[unmapped.pk]), {"to": wanted}, follow=True)
    assert "Choose somebody of the list" in answer.content.decode() and Alert.objects.get().assigned_to is None


def test_who_may_only_view_alerts_changes_nothing(login: Login, unmapped: Alert) -> None:
    client = login("integrations.view_alert", name="lee")
    assert "Acknowledge" not in text_of(client, page_of(unmapped))
    for name in ("acknowledge", "assign"):
        assert client.post(reverse(f"integrations:{name}", args=[unmapped.pk]), {"to": "1"}).status_code == 403
    assert Alert.objects.get().acknowledged_at is None and not OF_ALERTS.exists()


def test_a_solved_alert_says_so_and_has_no_buttons(admin_client: Client, unmapped: Alert) -> None:
    Alert.objects.update(closed_at=database_now())
    shown = text_of(admin_client, page_of(unmapped))
    assert "It is solved" in shown and "Acknowledge" not in shown and "Closed by itself" in shown
    pressed = admin_client.post(reverse("integrations:acknowledge", args=[unmapped.pk]), follow=True)
    assert "It is solved already" in pressed.content.decode()


# --- Store managers -------------------------------------------------------------------------------


def test_a_store_manager_sees_the_own_events_and_no_accounting(
    login: Login, unmapped: Alert, stores: dict[str, Store]
) -> None:
    client = login("integrations.view_alert", "integrations.change_alert", stores=(stores["Main Street"],))
    for shown in (text_of(client), text_of(client, page_of(unmapped))):
        assert "50.00 USD" in shown and "90.00" not in shown and "Los Angeles" not in shown
        assert "your accountant has to say where it is booked" in shown and "Settings > Financial" not in shown
    assert "there is nothing to do for you" in text_of(client, page_of(unmapped))
    assert "History" not in text_of(client, page_of(unmapped)) and "item class" not in text_of(
        client, page_of(unmapped)
    )


def test_a_store_manager_reads_what_to_mend_in_the_documents_words(
    login: Login, office: Office, connection: Connection, stores: dict[str, Store]
) -> None:
    office.record(unreadable("900", what="its total is missing.", readable=True))
    alerts.refresh(connection)
    client = login("integrations.view_alert", stores=(stores["Main Street"],))
    assert "T900: its total is missing" in text_of(client)
    assert "Open that document in Heartland Retail" in text_of(client, page_of(Alert.objects.get()))


def test_a_store_manager_acknowledges_the_own_and_assigns_none(
    login: Login, unmapped: Alert, dead: Alert, stores: dict[str, Store]
) -> None:
    rights = ("integrations.view_alert", "integrations.change_alert")
    stranger = login(*rights, name="chris", stores=(stores["Chicago"],))
    sam = login(*rights, name="sam", stores=(stores["Main Street"],))
    for client, alert in ((stranger, unmapped), (sam, dead)):
        assert client.get(page_of(alert)).status_code == 404
        assert client.post(reverse("integrations:acknowledge", args=[alert.pk])).status_code == 404
    assert "All is well in your stores" in text_of(stranger)
    assert sam.post(reverse("integrations:assign", args=[unmapped.pk]), {"to": "1"}).status_code == 403
    refused = sam.post(reverse("integrations:acknowledge", args=[unmapped.pk]), follow=True).content.decode()
    assert "Your accountant has to act on this" in refused and ">Acknowledge</button>" not in refused
    assert Alert.objects.get(pk=unmapped.pk).acknowledged_at is None
    Alert.objects.filter(pk=unmapped.pk).update(cause=Flaw.TOTAL.cause)
    Posting.objects.filter(cause=unmapped.cause).update(cause=Flaw.TOTAL.cause)
    assert ">Acknowledge</button>" in text_of(sam, page_of(unmapped))
    sam.post(reverse("integrations:acknowledge", args=[unmapped.pk]))
    assert str(Alert.objects.get(pk=unmapped.pk).acknowledged_by) == "sam"


def test_an_alert_is_offered_only_to_who_may_act_on_it(login: Login, unmapped: Alert, stores: dict[str, Store]) -> None:
    client = login(*ACCOUNTANT, name="maria")
    login("integrations.view_alert", name="ines")
    rights = ("integrations.view_alert", "integrations.change_alert")
    login(*rights, name="chris", stores=(stores["Chicago"],))
    login(*rights, name="sam", stores=(stores["Main Street"],))

    def offered() -> set[str]:
        return set(re.findall(r"<option[^>]*>([^<]*)</option>", text_of(client, page_of(unmapped))))

    assert offered() == {"nobody", "maria"}
    Alert.objects.filter(pk=unmapped.pk).update(cause=Flaw.TOTAL.cause)
    Posting.objects.filter(cause=unmapped.cause).update(cause=Flaw.TOTAL.cause)
    assert offered() == {"nobody", "maria", "sam"}
    address = reverse("integrations:assign", args=[unmapped.pk])
    client.post(address, {"to": User.objects.get(username="sam").pk})
    assert str(Alert.objects.get(pk=unmapped.pk).assigned_to) == "sam"


def test_what_nobody_has_is_not_taken_from_anybody(login: Login, unmapped: Alert) -> None:
    client = login(*ACCOUNTANT, name="maria")
    answer = client.post(reverse("integrations:assign", args=[unmapped.pk]), {"to": ""}, follow=True)
    assert "Nobody has it." in answer.content.decode() and not OF_ALERTS.exists()


# --- From the first page to the cure (A-33, A-34) -------------------------------------------------


def test_a_problem_stands_on_the_list_and_the_status_tab_and_solving_it_clears_both(
    admin_client: Client, admin_user: User, unmapped: Alert, office: Office, connection: Connection, book: Book
) -> None:
    status = reverse("integrations:vendor", args=[connection.vendor])
    (row,) = lines(admin_user)
    assert row.link in text_of(admin_client)
    for place in (status, reverse("admin:index")):
        assert "No account is mapped for sales" in text_of(admin_client, place), place
    before = Mapping.objects.filter(book=book, role="sales").count()
    for kind in ("sales", "cogs", "inventory_on_hand"):
        wanted = Mapping.objects.filter(book=book, role=kind).exclude(item_class="").first()
        account = wanted.account if wanted else Account.objects.filter(book=book, type="income").first()
        assert account is not None
        chosen = {f"account:{kind}:9:": account.pk}
        saved = admin_client.post(reverse("mappings:configuration", args=[book.pk]), chosen, follow=True)
        assert saved.status_code == 200
    assert Mapping.objects.filter(book=book, role="sales").count() == before + 1
    office.post()
    tasks.sweep()
    assert set(Posting.objects.values_list("state", flat=True)) == {SyncState.SYNCED}
    assert lines(admin_user) == [] and "All is well" in text_of(admin_client)
    for place in (status, reverse("admin:index")):
        assert "No account is mapped for sales" not in text_of(admin_client, place), place


# --- How I hear of alerts -------------------------------------------------------------------------

HEARING = "/admin/integrations/alerts/hearing/"
CHOSEN = {
    "email_errors": "never",
    "email_warnings": "never",
    "chat_errors": "at_once",
    "chat_warnings": "daily",
    "chat": "slack",
    "digest_at": "07:30",
    "quiet_from": "22:00",
    "quiet_until": "06:00",
    "time_zone": "America/Chicago",
}


@pytest.fixture
def chat() -> Iterator[Chat]:
    with chat_receiver() as receiver:
        yield receiver


def own() -> Subscription:
    return Subscription.objects.get(user__username="sam")


def test_a_visit_shows_what_a_person_begins_with_and_saves_nothing(login: Login, settings: Any) -> None:
    client = login(*ACCOUNTANT)
    shown = text_of(client, HEARING)
    assert "hear of what requires action at once and of warnings once a day" in shown
    assert "has no mail server" in shown and "carry no links" in shown
    settings.EMAIL_CONFIGURED = True
    assert "Your user has no e-mail address" in text_of(client, HEARING) and not Subscription.objects.exists()
    User.objects.update(email="sam@example.com")
    assert '<option value="at_once" selected>' in text_of(client, HEARING)
    text_of(client, "/admin/")
    text_of(client, "/admin/integrations/alert/")
    assert not Subscription.objects.exists()
    client.post(HEARING, CHOSEN | {"chat_errors": "never", "chat_warnings": "never", "email_errors": "daily"})
    assert own().email_errors == "daily"


def test_what_a_person_chose_is_kept_and_audited_but_for_the_address(login: Login, chat: Chat) -> None:
    client = login(*ACCOUNTANT)
    answer = client.post(HEARING, {**CHOSEN, "chat_url": chat.address}, follow=True)
    shown = answer.content.decode()
    assert "Saved." in shown and "very-secret" not in shown and "Stored; it is not shown again" in shown
    kept = own()
    assert kept.chat_address == {"url": chat.address} and f"{kept.quiet_from:%H:%M}" == "22:00"
    record = AuditRecord.objects.get(deed="changed how alerts are told")
    assert record.after["chat_errors"] == "at_once" and record.after["chat_address"] == "changed"
    assert "very-secret" not in str(record.before) + str(record.after)
    client.post(HEARING, {**CHOSEN, "digest_at": "09:00"})  # an empty field keeps the address
    assert own().chat_address == {"url": chat.address}
    client.post(HEARING, {**CHOSEN, "chat_errors": "never", "chat_warnings": "never", "forget_chat": "on"})
    assert own().chat_address == {}


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"quiet_until": ""}, "Quiet hours have a beginning and an end"),
        ({"chat_url": ""}, "Give the address of the chat"),
        ({"email_errors": "at_once"}, "Your user has no e-mail address"),
        ({"time_zone": "Mars/Base"}, "Select a valid choice"),
        ({"digest_at": "25:00"}, "Enter a valid time"),
        ({"chat_url": "http://hooks.example.com/x"}, "must begin with https://"),
        ({"chat_url": "https://10.1.2.3/x"}, "is not on the public internet"),
    ],
)
def test_what_cannot_be_is_refused_in_words(
    login: Login, chat: Chat, settings: Any, wrong: dict[str, str], says: str
) -> None:
    settings.ALLOW_LOOPBACK_VENDORS = "chat_url" not in wrong
    client = login(*ACCOUNTANT)
    answer = client.post(HEARING, {**CHOSEN, "chat_url": chat.address, **wrong})
    assert answer.status_code == 422 and says in answer.content.decode() and not Subscription.objects.exists()


def test_the_test_message_says_what_came_of_it(login: Login, chat: Chat) -> None:
    client = login(*ACCOUNTANT)
    client.post(HEARING, {**CHOSEN, "chat_url": chat.address})

    def tried(channel: str = "chat") -> str:
        Notice.objects.update(due_at=database_now() - timedelta(minutes=1))
        answer = client.post(reverse("integrations:hearing_test"), {"channel": channel}, follow=True)
        return unescape(answer.content.decode())

    assert "Slack took it" in tried() and "test message" in str(chat.bodies)
    chat.status, chat.says = 404, b"no_service"
    assert "It did not go through. The chat refused the message: HTTP 404. Make a new webhook" in tried()
    assert "Given up: The chat refused the message" in text_of(client, HEARING)
    Subscription.objects.update(chat_address={"url": f"http://127.0.0.1:{free_port()}/x"})
    assert "cannot be reached" in tried()
    assert "There is no address to send it to" in tried("email")
    tried()
    at_once = client.post(reverse("integrations:hearing_test"), {"channel": "chat"}, follow=True)
    assert "left a moment ago" in at_once.content.decode()


def test_an_administrator_sees_who_hears_what_and_nobody_else_does(login: Login, chat: Chat) -> None:
    everybody = reverse("integrations:hearers")
    maria = login(*ACCOUNTANT, name="sam")
    maria.post(HEARING, {**CHOSEN, "chat_url": chat.address})
    Notice.objects.create(
        subscription=own(), channel="chat", occasion="x", state="failed", problem="It is gone.", due_at=database_now()
    )
    login(*ACCOUNTANT, name="lena")
    assert maria.get(everybody).status_code == 403
    shown = text_of(login("integrations.view_alert", "auth.view_user", name="ines"), everybody)
    assert "Action required: at once; Warning: in the daily digest" in shown and "22:00 to 06:00" in shown
    assert "It is gone." in shown and "very-secret" not in shown and "has not chosen" in shown


def test_the_page_of_one_says_whom_it_was_told(admin_client: Client, admin_user: User, unmapped: Alert) -> None:
    own_row, now = hearing.subscription_of(admin_user), database_now()
    row = {"subscription": own_row, "alert": unmapped, "due_at": now}
    Notice.objects.create(**row, channel="email", occasion=f"opened:{unmapped.pk}", state="sent", sent_at=now)
    Notice.objects.create(**row, channel="chat", occasion=f"opened:{unmapped.pk}", state="failed", problem="No.")
    shown = text_of(admin_client, page_of(unmapped))
    assert "Told admin by e-mail" in shown and "Could not tell admin by chat: No." in shown
