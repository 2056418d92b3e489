"""The first page: what it says of each book, whose figures it shows, and that it asks little of the database."""

import re
from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from html import unescape

import pytest
from django.conf import settings
from django.contrib.auth.models import Group
from django.db import connection as database
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from config.overview.chart import PLOT, chart
from config.overview.money import periods
from config.overview.sums import Tally, Today
from integrations import alerts, tasks
from integrations.admin_views import health
from integrations.models import Alert, Capture, Connection
from ledger.admin.scoping import ACCOUNTANT, AUDITOR, STORE_MANAGER
from ledger.clock import database_now
from ledger.journal import figures, orders
from ledger.models import Book, Feed, FiguresTaken, Posting, Source, Store
from ledger.terms import SyncState
from mappings.models import Mapping
from tests.admin.conftest import Login
from tests.office import Office
from tests.trade import item, paid, sale, ticket, unreadable

HOME = "/admin/"


def yesterday() -> date:
    return database_now().date() - timedelta(days=1)


def shown(client: Client) -> str:
    """The page below its title, as it stands in the source but with plain characters."""
    answer = client.get(HOME)
    assert answer.status_code == 200
    return unescape(answer.content.decode()).split('<div class="db">', 1)[1]


def part(page: str, heading: str) -> str:
    """One section, by the id of its heading."""
    return next(one for one in re.split(r"(?=<section)", page) if f'id="{heading}"' in one)


def row(page: str, name: str) -> str:
    """The row of a table that names this."""
    return next(one for one in re.findall(r"<tr.*?</tr>", page, re.DOTALL) if name in one)


def words(html: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", html).split())


def links(html: str) -> list[str]:
    return re.findall(r'href="([^"#][^"]*)"', html)


@pytest.fixture(autouse=True)
def stores_keep_utc(stores: dict[str, Store]) -> None:
    Store.objects.update(time_zone="UTC")


@pytest.fixture
def till(source: Source) -> Connection:
    """A till that was read a moment ago."""
    now = database_now()
    created = Connection.objects.create(
        vendor="heartland_retail", source=source, state=Connection.State.CONNECTED, connected_at=now
    )
    Capture.objects.create(connection=created, live_since=now, history_until=now, history_done=True, last_run_at=now)
    return created


@pytest.fixture
def trading(office: Office, connection: Connection, till: Connection) -> Office:
    """Yesterday: two sales posted, one in Error for want of an account, one Never Synced, in two stores."""
    now = database_now()
    fine = [sale("20.00", day=yesterday(), at=now), sale("30.50", day=yesterday(), at=now, store="100002")]
    stuck = ticket(item("70.00"), paid("70.00", by="99"), day=yesterday(), at=now)
    office.record(*fine, stuck, sale("5.25", day=yesterday()))
    office.post()
    taken(office, connection)
    return office


def taken(office: Office, connection: Connection) -> None:
    """What the worker does at the end of its work."""
    figures.refresh(office.book)
    alerts.refresh(connection)


@pytest.fixture
def member(login: Login) -> Callable[..., Client]:
    """Log somebody in who has a role and nothing else."""

    def logged_in(role: str, *, stores: tuple[Store, ...] = ()) -> Client:
        client = login(name=f"one-{role}", stores=stores)
        user = client.session["_auth_user_id"]
        Group.objects.get(name=role).user_set.add(user)
        return client

    return logged_in


# --- Books ----------------------------------------------------------------------------------------


def test_a_book_says_how_it_stands_and_each_count_leads_to_its_events(admin_client: Client, trading: Office) -> None:
    page = part(shown(admin_client), "books")
    assert "Action Required" in page and "1 event, 70.00 USD." in words(page)
    for state, count in {"synced": "2", "error": "1", "never_synced": "1"}.items():
        link = re.search(rf'<a class="ov-chip" href="([^"]*\?state={state})">(.*?)</a>', page, re.DOTALL)
        assert link and words(link[2]).endswith(count)
        assert rows_behind(admin_client, link[1]) == int(count)


def rows_behind(client: Client, link: str) -> int:
    """How many events a list shows."""
    answer = client.get(link)
    assert answer.status_code == 200
    return len(answer.context["rows"])


def test_a_book_names_the_oldest_event_that_is_not_in_it_and_what_is_not_mapped(
    admin_client: Client, trading: Office
) -> None:
    Mapping.objects.filter(role="rounding").delete()
    oldest = Posting.objects.get(state=SyncState.ERROR)
    page = words(part(shown(admin_client), "books"))
    assert f"Oldest that is not in the books: {oldest.number} , 1 day old, Error" in page
    missing = health.mapped(trading.book).missing
    assert missing > 1 and f"{missing} places of the mapping without an account" in page


def test_a_book_says_through_when_it_is_closed(admin_client: Client, trading: Office) -> None:
    Book.objects.update(closed_through=date(2010, 10, 31))
    assert "Books closed through Oct 31, 2010" in shown(admin_client)


def test_the_page_says_when_its_figures_were_true_and_warns_of_old_ones(admin_client: Client, trading: Office) -> None:
    at = FiguresTaken.objects.get().at
    assert f"Figures as of {at:%b %-d, %H:%M} UTC" in shown(admin_client)
    FiguresTaken.objects.update(at=at - timedelta(minutes=9))
    assert "see whether the worker runs" in shown(admin_client)


# --- The money ------------------------------------------------------------------------------------


def test_the_difference_of_till_and_books_is_told_by_state(admin_client: Client, trading: Office) -> None:
    money = row(part(shown(admin_client), "money"), "Yesterday")
    said = words(money)
    assert "125.75 USD" in said and "50.50 USD" in said and "75.25 USD" in said
    assert "Error 70.00 USD 1 event" in said and "Never Synced 5.25 USD 1 event" in said


def test_every_figure_leads_to_the_events_it_is_made_of(admin_client: Client, trading: Office) -> None:
    found = links(row(part(shown(admin_client), "money"), "Yesterday"))
    assert [rows_behind(admin_client, link) for link in found] == [4, 2, 2, 1, 1]
    days = row(part(shown(admin_client), "days"), f"{yesterday():%a, %b %-d}")
    assert [rows_behind(admin_client, link) for link in links(days)] == [4, 4, 2, 1, 1]


def test_what_is_all_posted_says_so(admin_client: Client, trading: Office, connection: Connection) -> None:
    Posting.objects.exclude(state=SyncState.SYNCED).update(business_date=yesterday() - timedelta(days=200))
    taken(trading, connection)
    assert "0.00 USD ✓ all posted" in words(row(part(shown(admin_client), "money"), "Yesterday"))


def test_what_was_changed_at_the_till_since_is_told(
    admin_client: Client, trading: Office, connection: Connection
) -> None:
    Posting.objects.filter(state=SyncState.SYNCED, amount=20).update(changed_since=True)
    taken(trading, connection)
    assert "1 changed at the till since" in words(row(part(shown(admin_client), "money"), "Yesterday"))


def test_a_till_that_sold_nothing_lately_shows_its_latest_days(
    admin_client: Client, office: Office, connection: Connection
) -> None:
    """The demo's sales are of 2010: an empty page would help nobody."""
    office.record(sale("20.00", day=date(2010, 12, 23)), sale("7.00", day=date(2010, 12, 1)))
    figures.refresh(office.book)
    page = shown(admin_client)
    assert "No sale is known of the last 30 days" in page
    assert "27.00 USD" in row(part(page, "money"), "December 2010")
    assert "20.00 USD" in row(part(page, "days"), "Thu, Dec 23")


def test_periods_end_and_begin_with_the_months() -> None:
    named = {p.name: (p.first, p.last) for p in periods(Today(date(2026, 3, 1), True, "UTC"))}
    assert named == {
        "Yesterday": (date(2026, 2, 28), date(2026, 2, 28)),
        "Last 7 days": (date(2026, 2, 22), date(2026, 2, 28)),
        "This month": (date(2026, 3, 1), date(2026, 3, 1)),
        "Last month": (date(2026, 2, 1), date(2026, 2, 28)),
    }


# --- By cause -------------------------------------------------------------------------------------


def test_a_cause_is_one_row_with_its_events_its_money_and_its_cure(
    admin_client: Client, office: Office, connection: Connection, till: Connection
) -> None:
    now = database_now()
    office.record(*(ticket(item("70.00"), paid("70.00", by="99"), day=yesterday(), at=now) for _ in range(3)))
    office.post()
    taken(office, connection)
    causes = part(shown(admin_client), "causes")
    assert len(re.findall(r"<tr>", causes)) == 2  # the heading and one cause
    cause = row(causes, "99")
    assert "210.00 USD" in cause and "Choose the account" in cause
    assert rows_behind(admin_client, next(link for link in links(cause) if "cause=" in link)) == 3


def test_nothing_wrong_is_said_as_well(admin_client: Client, office: Office, connection: Connection) -> None:
    office.record(sale(day=yesterday()))
    taken(office, connection)
    assert "Nothing. What needs you appears here by itself" in words(part(shown(admin_client), "causes"))


def test_a_till_that_is_not_read_is_a_cause_though_no_worker_told_of_it(
    admin_client: Client, trading: Office, till: Connection
) -> None:
    Capture.objects.update(last_run_at=database_now() - timedelta(hours=2))
    assert "It was not read since" in words(part(shown(admin_client), "causes"))


def test_more_causes_than_a_first_page_holds_are_counted(
    admin_client: Client, trading: Office, connection: Connection
) -> None:
    now = database_now()
    Alert.objects.bulk_create(
        Alert(book=trading.book, cause=f"rejected:{n}", sentence=f"No {n}", first_seen_at=now, last_seen_at=now)
        for n in range(20)
    )
    assert "9 more in Alerts" in words(part(shown(admin_client), "causes"))


# --- The drawing ----------------------------------------------------------------------------------


def test_the_drawing_is_told_in_words_and_in_a_table_too(admin_client: Client, trading: Office) -> None:
    days = part(shown(admin_client), "days")
    assert "2 Synced, 1 Never Synced, 1 Error" in days
    assert f"<title>{yesterday():%b %-d}: 2 Synced, 1 Never Synced, 1 Error</title>" in days
    assert len(re.findall(r"<th scope=\"row\"", days)) == 30
    assert "style=" not in days


def test_one_event_among_thousands_is_still_drawn() -> None:
    day = date(2026, 3, 1)
    drawn = chart([day], {day: {SyncState.SYNCED: Tally(9_999), SyncState.ERROR: Tally(1)}})
    heights = {segment.state: segment.height for segment in drawn.bars[0].segments}
    assert heights[SyncState.ERROR] >= 2 and heights[SyncState.SYNCED] <= PLOT
    assert drawn.ticks[-1].label == "10,000"


@pytest.mark.parametrize(("most", "top"), [(0, 2), (3, 4), (9, 10), (11, 12), (99, 100), (260, 300), (12_345, 16_000)])
def test_the_axis_ends_at_a_number_that_people_like(most: int, top: int) -> None:
    day = date(2026, 3, 1)
    drawn = chart([day], {day: {SyncState.SYNCED: Tally(most)}})
    assert drawn.ticks[-1].label == f"{top:,}"
    assert int(drawn.ticks[1].label.replace(",", "")) * 2 == top


# --- The set-up path ------------------------------------------------------------------------------


def next_steps(page: str) -> list[str]:
    return re.findall(r"Next step: ([^<]+)</a>", page)


def test_a_newcomer_is_led_from_the_till_to_the_first_entry(
    admin_client: Client, source: Source, stores: dict[str, Store]
) -> None:
    """Exactly one next step at a time, and what was done is marked."""
    assert next_steps(shown(admin_client)) == ["Set up Heartland Retail"]
    till = Connection.objects.create(vendor="heartland_retail", source=source)
    assert next_steps(shown(admin_client)) == ["Connect the till"]
    now = database_now()
    Connection.objects.filter(pk=till.pk).update(state=Connection.State.CONNECTED, connected_at=now)
    Capture.objects.create(connection=till, live_since=now, history_until=now, last_run_at=now)
    page = shown(admin_client)
    assert "its history is being read, 0 events so far" in page
    assert next_steps(page) == ["Set up QuickBooks Online"]
    Capture.objects.update(history_done=True)
    assert "Discover ✓ done" in words(shown(admin_client))
    book = Book.objects.create(name="Main Street Trading")
    books = Connection.objects.create(vendor="quickbooks", book=book)
    assert next_steps(shown(admin_client)) == ["Connect to the accounting system"]
    connected = {"state": Connection.State.CONNECTED, "installation_id": settings.INSTALLATION_ID}
    Connection.objects.filter(pk=books.pk).update(**connected)
    assert next_steps(shown(admin_client)) == ["Choose the stores"]
    Feed.objects.create(source=source, book=book)
    assert next_steps(shown(admin_client)) == ["Import Accounts"]


def test_a_book_that_is_mapped_is_started_validated_and_then_live(
    admin_client: Client, office: Office, connection: Connection, till: Connection
) -> None:
    Book.objects.update(syncing=False, sync_started_at=None)
    page = shown(admin_client)
    assert next_steps(page) == ["Start Sync"] and "Configure and map ✓ done" in words(page)
    orders.start_sync(office.book, actor=None)
    assert next_steps(shown(admin_client)) == ["Send one past day"]
    office.record(sale("20.00", day=yesterday()))
    orders.order_past(office.book, yesterday(), yesterday(), actor=None)
    office.post()
    taken(office, connection)
    page = shown(admin_client)
    assert next_steps(page) == [] and "Set up" not in page


def test_how_many_places_are_mapped_is_part_of_the_path(
    admin_client: Client, office: Office, connection: Connection, till: Connection
) -> None:
    Book.objects.update(syncing=False, sync_started_at=None)
    Mapping.objects.filter(role="rounding").delete()
    page = shown(admin_client)
    assert re.search(r"(\d+) of (\d+) places of the mapping have an account", page)
    assert next_steps(page) == ["Map the accounts"]


# --- Who sees what --------------------------------------------------------------------------------


def test_a_store_manager_reads_of_the_own_stores_alone(
    member: Callable[..., Client], trading: Office, stores: dict[str, Store], connection: Connection
) -> None:
    """Main Street sold 20.00, and 70.00 that is stuck, and 5.25 from before; the 30.50 are another store's."""
    page = shown(member(STORE_MANAGER, stores=(stores["Main Street"],)))
    assert "95.25 USD" in page and "125.75" not in page and "30.50" not in page
    assert "Your stores" in page and "The money of your stores" in page
    assert "Next step" not in page and "of the mapping" not in page and 'id="tills"' not in page
    assert "125.75 USD" in shown(member(ACCOUNTANT))


def test_what_a_stores_accountant_must_do_is_one_row_in_a_stores_words(
    member: Callable[..., Client], office: Office, stores: dict[str, Store], connection: Connection, till: Connection
) -> None:
    now = database_now()
    office.record(*(ticket(item("7.00"), paid("7.00", by=tender), day=yesterday(), at=now) for tender in ("98", "99")))
    office.record(unreadable("900", what="its total is missing.", readable=True))
    office.post()
    taken(office, connection)
    causes = part(shown(member(STORE_MANAGER, stores=(stores["Main Street"],))), "causes")
    assert causes.count("Something new was sold") == 1 and "14.00 USD" in causes and "tender" not in causes
    assert causes.index("its total is missing") < causes.index("Something new was sold")


def test_a_manager_without_a_store_sees_no_figure(member: Callable[..., Client], trading: Office) -> None:
    page = shown(member(STORE_MANAGER))
    assert "USD" not in page and "No event yet" in page


def test_an_auditor_sees_everything_and_no_button(member: Callable[..., Client], trading: Office) -> None:
    Book.objects.update(uses_financials=False)
    page = shown(member(AUDITOR))
    assert "125.75 USD" in page and "is off: nothing is booked" in page
    assert "db-button" not in page and "<form" not in page


def test_somebody_without_any_role_is_told_whom_to_ask(login: Login, trading: Office) -> None:
    client = login()
    assert "Ask an administrator for a role" in shown(client)
    assert client.get(reverse("overview_json")).json() == {"stamp": "", "detail": ""}


# --- What it asks of the database -----------------------------------------------------------------


def test_the_number_of_queries_does_not_grow_with_events_stores_or_causes(
    admin_client: Client, trading: Office, connection: Connection, source: Source
) -> None:
    """Three books; first a handful of events, then hundreds in many stores, days, states and causes."""
    others = [Book.objects.create(name=f"Company {n}", uses_financials=True) for n in range(2)]
    for book in others:
        Feed.objects.create(source=source, book=book)
        connected = {"state": Connection.State.CONNECTED, "installation_id": settings.INSTALLATION_ID}
        Connection.objects.create(vendor="quickbooks", book=book, **connected)
        orders.start_sync(book, actor=None)
    few = asked(admin_client)
    many_stores = [Store(source=source, external_id=str(n), name=f"Store {n}") for n in range(40)]
    Store.objects.bulk_create(many_stores)
    trading.record(
        *(
            sale(f"{n}.00", day=yesterday() - timedelta(days=n % 25), store=str(n % 40), at=database_now())
            for n in range(1, 300)
        )
    )
    ids = list(Posting.objects.filter(state=SyncState.NOT_SYNCED).values_list("pk", flat=True)[:200])
    for n, pk in enumerate(ids):
        Posting.objects.filter(pk=pk).update(state=SyncState.ERROR, error=f"No {n % 30}.", cause=f"rejected:{n % 30}")
    for book in (trading.book, *others):
        figures.refresh(book)
        alerts.refresh(Connection.objects.get(book=book))
    many = asked(admin_client)
    assert len(many) <= len(few) + 3 * 4  # A book with events in Error looks at these, a quiet one at its backlog.
    assert len(many) < 100


def asked(client: Client) -> list[str]:
    client.get(HOME)
    with CaptureQueriesContext(database) as queries:
        client.get(HOME)
    return [query["sql"] for query in queries]


def test_no_query_of_the_first_page_reads_postings_without_an_end(admin_client: Client, trading: Office) -> None:
    """Figures come from summary rows; of the postings it counts no further than 10,001, and reads single ones."""
    postings = [sql for sql in asked(admin_client) if '"ledger_posting"' in sql]
    assert postings
    assert [sql for sql in postings if "LIMIT" not in sql and '"ledger_posting"."id" IN' not in sql] == []


def test_the_question_whether_anything_changed_is_short(admin_client: Client, trading: Office) -> None:
    with CaptureQueriesContext(database) as queries:
        assert admin_client.get(reverse("overview_json")).status_code == 200
    assert len(queries) <= 15
    assert not [q["sql"] for q in queries if '"ledger_posting"' in q["sql"]]


# --- True by itself -------------------------------------------------------------------------------


def stamp(client: Client) -> str:
    return str(client.get(reverse("overview_json")).json()["stamp"])


def test_the_stamp_changes_with_what_is_shown_and_not_without(
    admin_client: Client, trading: Office, connection: Connection
) -> None:
    begun = stamp(admin_client)
    assert f'data-stamp="{begun}"' in shown(admin_client)
    taken(trading, connection)
    assert stamp(admin_client) == begun
    trading.record(sale("1.00", day=yesterday()))
    figures.refresh(trading.book)
    after_sale = stamp(admin_client)
    Alert.objects.update(acknowledged_at=database_now())
    after_alert = stamp(admin_client)
    orders.stop_sync(trading.book, actor=None)
    assert len({begun, after_sale, after_alert, stamp(admin_client)}) == 4


def test_the_sweep_takes_the_figures(admin_client: Client, trading: Office) -> None:
    trading.record(sale("1000.00", day=yesterday()))
    assert "1,125.75" not in shown(admin_client)
    tasks.sweep()
    assert "1,125.75 USD" in shown(admin_client)


def test_money_that_cannot_be_read_is_counted_as_an_event_without_any(
    admin_client: Client, office: Office, connection: Connection
) -> None:
    office.record(unreadable("900"), sale("20.00", day=yesterday()))
    taken(office, connection)
    page = shown(admin_client)
    assert "1 problem needs a person" in words(page)
    assert sum(f.amount for f in office.book.day_figures.all()) == Decimal("20.00")
