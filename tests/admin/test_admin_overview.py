"""The first page: what it says of each book, whose figures it shows, and that it asks little of the database."""

import re
from collections.abc import Callable
from datetime import UTC, date, timedelta
from decimal import Decimal
from html import unescape
from zoneinfo import ZoneInfo

import pytest
from django.conf import settings
from django.contrib.auth.models import Group, User
from django.db import connection as database
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from config.overview import sums
from config.overview.chart import PLOT, chart
from config.overview.money import periods
from config.overview.sums import Status, Tally, Today
from integrations import alerts, connecting, tasks
from integrations.admin_views import health
from integrations.models import Alert, Capture, Connection
from ledger.admin.scoping import ACCOUNTANT, AUDITOR, STORE_MANAGER
from ledger.clock import database_now
from ledger.journal import feeds, figures, orders
from ledger.models import Book, Feed, FiguresTaken, JournalEntry, Posting, Source, Store
from ledger.moments import plain
from ledger.terms import DeliveryState, Side, SyncState
from ledger.values import OutgoingLine, RemoteEntry
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
    assert "Action Required" in page and "1 event, 70.00 USD, since" in words(page)
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
    assert f"Oldest that is not in the books: {oldest.number} , of {yesterday():%b %-d, %Y}, 1 day old, Error" in page
    missing = health.mapped(trading.book).missing
    assert missing > 1 and f"{missing} places of the mapping without an account" in page


def test_of_what_is_older_than_two_months_the_date_is_told_and_no_age(
    admin_client: Client, trading: Office, connection: Connection
) -> None:
    day = yesterday() - timedelta(days=400)
    Posting.objects.filter(state=SyncState.ERROR).update(business_date=day)
    taken(trading, connection)
    page = words(part(shown(admin_client), "books"))
    assert f", of {day:%b %-d, %Y}, Error" in page and "days old" not in page


def test_a_red_book_says_whose_turn_it_is_and_that_nothing_is_lost(
    admin_client: Client, trading: Office, connection: Connection, till: Connection
) -> None:
    page = words(part(shown(admin_client), "books"))
    assert "Held up by: A person: 1 event in Error." in page
    assert "Nothing is lost: 1 event in Error is kept until a person has acted." in page
    expired = {"state": Connection.State.ACTION_REQUIRED, "problem": "The refresh token has expired."}
    Connection.objects.filter(pk=connection.pk).update(**expired)
    assert "Held up by: A person: QuickBooks Online must be connected again." in words(
        part(shown(admin_client), "books")
    )


def test_a_book_that_stands_well_is_not_asked_what_holds_it_up(
    admin_client: Client, office: Office, connection: Connection, till: Connection
) -> None:
    office.record(sale("20.00", day=yesterday(), at=database_now()))
    office.post()
    taken(office, connection)
    page = words(part(shown(admin_client), "books"))
    assert "Things are good" in page and "Held up by" not in page


def test_a_book_says_through_when_it_is_closed(admin_client: Client, trading: Office) -> None:
    Book.objects.update(closed_through=date(2010, 10, 31))
    assert "Books closed through Oct 31, 2010" in shown(admin_client)


def test_the_page_says_when_its_figures_were_true_and_warns_of_old_ones(admin_client: Client, trading: Office) -> None:
    at = FiguresTaken.objects.get().at
    assert f"Figures as of {plain(at, UTC)}" in shown(admin_client)
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
    money = part(shown(admin_client), "money")
    assert f"0.00 USD ✓ all of {yesterday():%b %-d} posted" in words(row(money, "Yesterday"))
    assert "Error 70.00 USD 1 event" in words(row(money, "Earlier")) and "✓" not in row(money, "Earlier")


def test_nothing_earlier_that_waits_is_said_of_the_days_that_are_meant(admin_client: Client, trading: Office) -> None:
    begun = (yesterday() + timedelta(days=1)).replace(day=1) - timedelta(days=1)
    earlier = row(part(shown(admin_client), "money"), "Earlier")
    assert f"✓ nothing before {begun.replace(day=1):%b %-d, %Y} waits" in words(earlier)


def test_the_rows_of_the_money_account_for_everything_that_is_stuck(
    admin_client: Client, office: Office, connection: Connection, till: Connection
) -> None:
    """One of today, one of long ago, one of days that are still to come, one without a date."""
    now, today = database_now(), database_now().date()
    days = [today, today - timedelta(days=400), today + timedelta(days=3)]
    office.record(*(ticket(item("7.00"), paid("7.00", by="99"), day=day, at=now) for day in days), unreadable("900"))
    office.post()
    taken(office, connection)
    money = part(shown(admin_client), "money")
    stuck = [row(money, name) for name in ("This month", "Earlier", "Later", "Without a date")]
    assert [words(one).count("Error") for one in stuck] == [1, 1, 1, 1]
    assert Posting.objects.filter(state=SyncState.ERROR).count() == 4
    for one in stuck[:3]:
        assert "7.00 USD" in one
        assert rows_behind(admin_client, next(link for link in links(one) if "state=error" in link)) == 1
    undated = links(stuck[3])[0]
    assert "no amount" in stuck[3] and admin_client.get(undated).context["rows"][0].posting.business_date is None


def test_what_a_person_set_aside_stays_in_sight_and_leads_to_its_events(
    admin_client: Client, trading: Office, connection: Connection
) -> None:
    """It is Never Synced for the figures: everything that bears this name leaves it out."""
    orders.set_aside(Posting.objects.get(state=SyncState.ERROR), "Booked by hand.", actor=None)
    taken(trading, connection)
    page = shown(admin_client)
    books, money = part(page, "books"), row(part(page, "money"), "Yesterday")
    assert "Set aside by a person: 1 event, 70.00 USD" in words(books)
    assert "Never Synced 1" in words(books) and "Error" not in words(money)
    assert "Never Synced 5.25 USD 1 event" in words(money) and "Set aside 70.00 USD 1 event" in words(money)
    for found in (books, money):
        for state in ("set_aside", "never_synced"):
            assert rows_behind(admin_client, next(one for one in links(found) if f"state={state}" in one)) == 1


def test_more_that_was_set_aside_than_is_counted_is_said_without_a_sum(
    admin_client: Client, trading: Office, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    Posting.objects.exclude(state=SyncState.SYNCED).update(
        state=SyncState.NEVER_SYNCED, set_aside_reason="No.", error="", error_code="", cause=""
    )
    taken(trading, connection)
    assert "Set aside by a person: 2 events, 75.25 USD" in words(part(shown(admin_client), "books"))
    monkeypatch.setattr(sums, "LARGEST_COUNT", 1)
    assert "Set aside by a person: at least 2 events" in words(part(shown(admin_client), "books"))
    assert "75.25 USD" not in part(shown(admin_client), "books")


def test_a_book_of_which_more_was_set_aside_than_is_counted_shows_no_row_by_halves(
    admin_client: Client, trading: Office, connection: Connection, source: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another book, of which all is counted, still tells apart what was set aside there."""
    Posting.objects.exclude(state=SyncState.SYNCED).update(
        state=SyncState.NEVER_SYNCED, set_aside_reason="No.", error="", error_code="", cause=""
    )
    other = Book.objects.create(name="Company", uses_financials=True)
    Connection.objects.create(vendor="quickbooks", book=other, state=Connection.State.CONNECTED)
    known = {"set_aside_reason": "No.", "updated_at": database_now(), "business_date": yesterday(), "amount": 3}
    Posting.objects.create(event=Posting.objects.all()[0].event, book=other, number="T1", **known)
    FiguresTaken.objects.create(book=other, at=database_now())
    monkeypatch.setattr(sums, "LARGEST_COUNT", 1)
    money = part(shown(admin_client), "money")
    main, company = (words(one) for one in re.findall(r"<tr>.*?</tr>", money, re.DOTALL) if "Yesterday" in one)
    assert "Never Synced 75.25 USD 2 events" in main and "Set aside" not in main
    assert "Set aside 3.00 USD 1 event" in company and "Never Synced" not in company
    books = words(part(shown(admin_client), "books"))
    assert "Set aside by a person: at least 2 events" in books and "Set aside by a person: 1 event, 3.00 USD" in books


def test_what_daybook_set_aside_with_its_store_is_no_persons_deed(
    admin_client: Client, member: Callable[..., Client], trading: Office, stores: dict[str, Store]
) -> None:
    feed = Feed.objects.get(book=trading.book)
    feed.all_stores = False
    feed.save()
    feed.stores.set([Store.objects.get(external_id="100002")])
    assert feeds.follow(trading.book, trading.source).left == 2
    books = words(part(shown(admin_client), "books"))
    assert "Stores that no longer feed this book: 2 events, 75.25 USD" in books
    assert "Set aside by a person" not in books
    own = words(part(shown(member(STORE_MANAGER, stores=(stores["Main Street"],))), "stores"))
    assert "2 sales of stores that no longer belong to these accounts" in own and "set aside" not in own


def test_an_adopted_entry_of_another_amount_is_told_with_its_difference(
    admin_client: Client, trading: Office, connection: Connection
) -> None:
    """One that agrees is nothing to tell. Each has 8.00 of cost beside the sale."""
    alike, other = Posting.objects.filter(state=SyncState.SYNCED).order_by("amount")
    for posting, amount in ((alike, "28.00"), (other, "37.00")):
        JournalEntry.objects.filter(postings=posting).update(state=DeliveryState.REJECTED)
        lines = [OutgoingLine("1", side, Decimal(amount), "") for side in (Side.DEBIT, Side.CREDIT)]
        remote = RemoteEntry("77", "DB-1", yesterday(), "By hand", tuple(lines))
        orders.adopt(posting, remote, link="https://books/77", actor=None, reason="Compared.")
    books = part(shown(admin_client), "books")
    assert "Adopted with a difference: 1 event, (1.50) USD" in words(books)
    assert rows_behind(admin_client, next(link for link in links(books) if "state=adopted" in link)) == 2


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


def test_an_old_till_whose_sales_end_with_a_month_shows_the_whole_month_before(
    admin_client: Client, office: Office, connection: Connection
) -> None:
    office.record(sale("20.00", day=date(2010, 12, 31)), sale("7.00", day=date(2010, 11, 1)))
    figures.refresh(office.book)
    assert "7.00 USD" in row(part(shown(admin_client), "money"), "November 2010")


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


def test_a_cause_is_read_and_its_links_say_where_they_lead(
    admin_client: Client, office: Office, connection: Connection, till: Connection
) -> None:
    office.record(unreadable("900", what="its total is missing."), unreadable("901", what="its lines are missing."))
    taken(office, connection)
    cause = row(part(shown(admin_client), "causes"), "for example")
    assert "2 events, for example: " in words(cause)
    said = [words(one) for one in re.findall(r"<a .*?</a>", cause, re.DOTALL)]
    assert said == ["Details and what to do", "2", "Open the documents"]


def test_a_cause_is_told_in_the_time_of_the_stores_of_its_book(
    admin_client: Client, trading: Office, till: Connection
) -> None:
    Store.objects.update(time_zone="America/Los_Angeles")
    begun = Alert.objects.get(book=trading.book).first_seen_at
    page = shown(admin_client)
    local = plain(begun, ZoneInfo("America/Los_Angeles"))
    assert local in part(page, "causes") and f"1 event, 70.00 USD, since {local}" in words(part(page, "books"))
    assert "UTC<" not in part(page, "books") + part(page, "causes") + part(page, "tills")


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
    assert "style=" not in days


def test_days_in_a_row_without_a_sale_are_one_row_that_counts_them(
    admin_client: Client, office: Office, connection: Connection
) -> None:
    """Sales yesterday and nine days before: today, eight days between them, and the rest of the 30."""
    days = [yesterday(), yesterday() - timedelta(days=9)]
    office.record(*(sale("20.00", day=day, at=database_now()) for day in days))
    figures.refresh(office.book)
    told = [words(one) for one in re.findall(r"<tr.*?</tr>", part(shown(admin_client), "days"), re.DOTALL)][1:]
    assert [("20.00 USD" in one) for one in told] == [False, True, False, True, False]
    assert told[2].endswith("no sale on these 8 days") and told[0].endswith("no sale")


def test_one_event_among_thousands_is_still_drawn() -> None:
    day = date(2026, 3, 1)
    drawn = chart([day], {day: {Status.SYNCED: Tally(9_999), Status.ERROR: Tally(1)}})
    heights = {segment.state: segment.height for segment in drawn.bars[0].segments}
    assert heights[Status.ERROR] >= 2 and heights[Status.SYNCED] <= PLOT
    assert drawn.ticks[-1].label == "10,000"


@pytest.mark.parametrize(("most", "top"), [(0, 2), (3, 4), (9, 10), (11, 12), (99, 100), (260, 300), (12_345, 16_000)])
def test_the_axis_ends_at_a_number_that_people_like(most: int, top: int) -> None:
    day = date(2026, 3, 1)
    drawn = chart([day], {day: {Status.SYNCED: Tally(most)}})
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


def test_who_may_not_do_the_next_step_reads_who_does_it(
    member: Callable[..., Client], stores: dict[str, Store]
) -> None:
    page = shown(member(ACCOUNTANT))
    assert next_steps(page) == []
    assert "Next step: Set up Heartland Retail. Somebody with the role Administrator does it." in words(page)


def test_a_book_without_an_event_leads_to_its_set_up(admin_client: Client, connection: Connection) -> None:
    page = shown(admin_client)
    assert "No event yet. The set-up above shows what to do next." in words(part(page, "books"))
    assert next_steps(page) == ["Set up Heartland Retail"]


# --- Who sees what --------------------------------------------------------------------------------


def test_a_store_manager_reads_of_the_own_stores_alone(
    member: Callable[..., Client], trading: Office, stores: dict[str, Store], connection: Connection
) -> None:
    """Main Street sold 20.00, and 70.00 that is stuck, and 5.25 from before; the 30.50 are another store's."""
    page = shown(member(STORE_MANAGER, stores=(stores["Main Street"],)))
    assert "95.25 USD" in page and "125.75" not in page and "30.50" not in page
    assert "Your stores" in page and "Sales of your stores" in page
    assert "Next step" not in page and "of the mapping" not in page and 'id="tills"' not in page
    assert "125.75 USD" in shown(member(ACCOUNTANT))


def test_a_store_manager_reads_no_word_of_accounting(
    member: Callable[..., Client], trading: Office, stores: dict[str, Store], connection: Connection
) -> None:
    Book.objects.update(closed_through=date(2010, 10, 31))
    page = words(shown(member(STORE_MANAGER, stores=(stores["Main Street"],))))
    found = re.findall(r"posted|booked |in the books|closed|entr|sync|mapping|event|journal|cause", page, re.IGNORECASE)
    assert found == []


def test_a_store_manager_reads_whether_anything_is_to_do(
    member: Callable[..., Client], office: Office, stores: dict[str, Store], connection: Connection, till: Connection
) -> None:
    now = database_now()
    client = member(STORE_MANAGER, stores=(stores["Main Street"],))

    def said() -> str:
        figures.refresh(office.book)
        alerts.refresh(connection)
        return words(part(shown(client), "stores"))

    office.record(sale("20.00", day=yesterday(), at=now))
    assert "✓ Nothing for you to do" in said() and "1 sale waiting for their turn" in said()
    office.post()
    assert "✓ All sales of your stores are done" in said()
    office.record(sale("5.00", day=yesterday()))
    assert "✓ Nothing for you to do" in said() and "1 sale that your accountant has not asked for" in said()
    office.record(ticket(item("7.00"), paid("7.00", by="99"), day=yesterday(), at=now))
    office.post()
    assert "✓ Nothing for you to do" in said() and "1 sale for your accountant to deal with" in said()
    office.record(unreadable("900", what="its total is missing.", readable=True))
    assert "1 sale needs you" in said() and "✓" not in said()


def test_a_document_that_waits_in_two_books_is_one_thing_to_do_for_its_store(
    member: Callable[..., Client], office: Office, source: Source, stores: dict[str, Store], connection: Connection
) -> None:
    holding = Book.objects.create(name="Holding", uses_financials=True)
    Feed.objects.create(source=source, book=holding)
    door = Connection.objects.create(vendor="quickbooks", book=holding, state=Connection.State.CONNECTED)
    office.record(unreadable("900", what="its total is missing.", readable=True))
    for book, one in ((office.book, connection), (holding, door)):
        figures.refresh(book)
        alerts.refresh(one)
    assert Posting.objects.filter(state=SyncState.ERROR).count() == 2
    page = shown(member(STORE_MANAGER, stores=(stores["Main Street"],)))
    assert "1 sale needs you" in words(page) and part(page, "causes").count("its total is missing") == 1


def test_a_store_reads_of_errors_that_no_alert_tells_of_yet(
    member: Callable[..., Client], office: Office, stores: dict[str, Store], connection: Connection, till: Connection
) -> None:
    client = member(STORE_MANAGER, stores=(stores["Main Street"],))
    office.record(ticket(item("7.00"), paid("7.00", by="99"), day=yesterday(), at=database_now()))
    office.post()
    said = part(shown(client), "stores")
    assert "✓ Nothing for you to do" in words(said) and "1 sale for your accountant to deal with" in words(said)
    assert [rows_behind(client, link) for link in links(said)] == [1]
    office.record(unreadable("900", what="its total is missing.", readable=True))
    page = shown(client)
    assert "1 sale needs you" in words(page) and "✓" not in part(page, "stores") + part(page, "causes")
    assert [rows_behind(client, link) for link in links(part(page, "stores"))] == [2, 2]


def test_a_store_is_not_told_that_all_is_done_while_figures_are_behind(
    member: Callable[..., Client], office: Office, stores: dict[str, Store], connection: Connection, till: Connection
) -> None:
    figures.refresh(office.book)
    days = [yesterday() - timedelta(days=number) for number in range(figures.FEW_DAYS + 1)]
    office.record(*(sale("1.00", day=day, at=database_now()) for day in days))
    page = words(part(shown(member(STORE_MANAGER, stores=(stores["Main Street"],))), "stores"))
    assert "Nothing for you to do" in page and "All sales" not in page


def test_sales_that_need_a_store_are_counted_once_whatever_books_they_wait_in(
    member: Callable[..., Client], office: Office, source: Source, stores: dict[str, Store], connection: Connection
) -> None:
    """In one book they are two causes, in the other, whose alert is older, one."""
    holding = Book.objects.create(name="Holding", uses_financials=True)
    Feed.objects.create(source=source, book=holding)
    door = Connection.objects.create(vendor="quickbooks", book=holding, state=Connection.State.CONNECTED)
    office.record(unreadable("900", readable=True))
    alerts.refresh(door)
    office.record(unreadable("901", what="its lines are missing.", readable=True))
    alerts.refresh(connection)
    page = words(part(shown(member(STORE_MANAGER, stores=(stores["Main Street"],))), "stores"))
    assert "2 sales need you" in page


def test_documents_that_are_read_again_bring_their_alerts_in_line(
    office: Office, connection: Connection, till: Connection, admin_user: User
) -> None:
    connecting.save_keys(till, {"api_token": "sandbox-heartland-token"}, admin_user)
    office.record(unreadable("900", readable=True))
    assert not Alert.objects.filter(book=office.book).exists()
    tasks.reread(till.pk, [])
    assert Alert.objects.filter(book=office.book, closed_at=None).exists()


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
    assert "USD" not in page and "No store is yours yet" in page


def test_an_auditor_sees_everything_and_no_button(member: Callable[..., Client], trading: Office) -> None:
    Book.objects.update(uses_financials=False)
    page = shown(member(AUDITOR))
    assert "125.75 USD" in page and "is off: nothing is booked" in page
    assert "db-button" not in page and "<form" not in page


def test_the_first_stop_of_every_page_of_the_menu_leads_past_the_menu(
    admin_client: Client, trading: Office, till: Connection
) -> None:
    menu = admin_client.get(HOME).content.decode().split('<main id="main-content"')[0]
    pages = {link for link in links(menu) if link.startswith("/admin/") and "logout" not in link}
    assert len(pages) > 10
    for address in pages:
        page = admin_client.get(address, follow=True).content.decode().split("<body", 1)[1]
        first = re.search(r"<(a|button|input|select|summary)\b[^>]*>", page)
        assert first and first[0] == '<a class="db-skip" href="#main-content">', address
        assert 'id="main-content"' in page, address


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
    # A book with events in Error looks at these, and asks whose turn it is: a pause, a rest, the limit, an entry.
    assert len(many) <= len(few) + 3 * 5
    assert len(many) < 110


def asked(client: Client, address: str = HOME) -> list[str]:
    """What it asks the tables; the time, which PostgreSQL is asked for, reads none."""
    client.get(address)
    with CaptureQueriesContext(database) as queries:
        assert client.get(address).status_code == 200
    return [query["sql"] for query in queries if "clock_timestamp" not in query["sql"]]


def test_no_query_of_the_first_page_reads_postings_without_an_end(admin_client: Client, trading: Office) -> None:
    """Figures come from summary rows; of the postings it counts no further than 10,001, and reads single ones."""
    postings = [sql for sql in asked(admin_client) if '"ledger_posting"' in sql]
    assert postings
    assert [sql for sql in postings if "LIMIT" not in sql and '"ledger_posting"."id" IN' not in sql] == []


def test_the_question_whether_anything_changed_is_short(admin_client: Client, trading: Office) -> None:
    queries = asked(admin_client, reverse("overview_json"))
    assert len(queries) <= 16
    assert not [sql for sql in queries if '"ledger_posting"' in sql]


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
    """Of more days than a page waits for; until then it says that they change."""
    days = [yesterday() - timedelta(days=number) for number in range(figures.FEW_DAYS + 1)]
    trading.record(*(sale("1000.00", day=day) for day in days))
    page = shown(admin_client)
    assert "1,125.75" not in page and ", being brought up to date" in page
    assert ", being brought up to date" in admin_client.get(reverse("overview_json")).json()["detail"]
    tasks.sweep()
    page = shown(admin_client)
    assert "1,125.75 USD" in page and "being brought up to date" not in page


def test_a_persons_own_deed_is_in_every_figure_at_once(admin_client: Client, trading: Office) -> None:
    failed = Posting.objects.get(state=SyncState.ERROR)
    orders.set_aside(failed, "Booked by hand.", actor=None)
    books, money = (part(shown(admin_client), name) for name in ("books", "money"))
    assert "Set aside by a person: 1 event, 70.00 USD" in words(books)
    for said in (books, money):
        assert 'class="db-state db-state-error"' not in said
    orders.take_back(failed, actor=None)
    books, money = (part(shown(admin_client), name) for name in ("books", "money"))
    assert "Set aside" not in books + money and "Not Synced 70.00 USD 1 event" in words(row(money, "Yesterday"))


def test_money_that_cannot_be_read_is_counted_as_an_event_without_any(
    admin_client: Client, office: Office, connection: Connection
) -> None:
    office.record(unreadable("900"), sale("20.00", day=yesterday()))
    taken(office, connection)
    page = shown(admin_client)
    assert "1 problem needs a person" in words(page)
    assert sum(f.amount for f in office.book.day_figures.all()) == Decimal("20.00")
