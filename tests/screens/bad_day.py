"""Main Street on a bad day: two months of sales in two books, and by half past two nearly everything went wrong.

Written through the real journal, day by day under a standing clock; what is drawn by chance, a seed fixes.
"""

import csv
import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from random import Random
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User

from integrations import alerts, connecting
from integrations.models import AccountImport, Capture, Connection
from ledger.clock import database_now
from ledger.errors import DaybookError, Flaw, ForeignEntry, OutcomeUnknown, PeriodClosed, Rejected
from ledger.journal import charts, delivery, figures, marking, orders, recording
from ledger.journal.delivery import Claim
from ledger.journal.readings import Reading
from ledger.models import Book, Feed, JournalEntry, Posting, Source, Store
from ledger.terms import Dimension, SyncState
from ledger.values import Delivered, DimensionName, EventFacts, ItemFact, RemoteEntry, TaxFact, TenderFact
from mappings import loading, use
from tests.conftest import CHART, DEMO_MAPPING, VALUES, remote_account
from tests.office import LEASE, Office, begin
from tests.screens import people
from tests.screens.clock import Clock
from tests.trade import item, paid, tax, ticket, unreadable

DAYS = 60
LIVE_DAYS = 45
"""Start Sync was pressed so many days ago; what lies before it is ordered today, as past events."""

LONG_NAMES = {
    "Main Street": "Main Street Flagship Store with Kitchen Workshop and Garden Terrace, 1200 Main Street, New York",
    "Los Angeles": "Los Angeles, Third Street Promenade (Outlet, Returns and Online Orders)",
    "Chicago": "Chicago, Magnificent Mile: Home, Gifts & Seasonal Decorations",
}
TOWNS = [
    "Albany",
    "Ann Arbor",
    "Asheville",
    "Austin",
    "Baltimore",
    "Berkeley",
    "Boise",
    "Boulder",
    "Burlington",
    "Charleston",
    "Cleveland",
    "Columbus",
    "Dallas",
    "Denver",
    "Detroit",
    "Eugene",
    "Fresno",
    "Hartford",
    "Houston",
    "Indianapolis",
    "Jacksonville",
    "Kansas City",
    "Knoxville",
    "Lexington",
    "Louisville",
    "Madison",
    "Memphis",
    "Miami",
    "Milwaukee",
    "Minneapolis",
    "Nashville",
    "New Orleans",
    "Oakland",
    "Omaha",
    "Orlando",
    "Philadelphia",
    "Phoenix",
    "Pittsburgh",
    "Portland",
    "Providence",
]
GOODS = [
    ("1", "Table Lamp, Brass"),
    ("2", "Copper Saucepan"),
    ("3", "Beeswax Candle"),
    ("4", "Letter Set"),
    ("5", "Tote Bag"),
]
EXPIRED = "QuickBooks does not accept the connection any more: its refresh token has expired. Press Connect again."


@dataclass
class Company:
    """What the day is made of."""

    clock: Clock
    source: Source
    stores: list[Store]
    main: Office
    holding: Office
    people: dict[str, User]
    random: Random
    next_ticket: int = 201000

    @property
    def connections(self) -> Iterable[Connection]:
        return Connection.objects.order_by("pk")


def fill(clock: Clock) -> Company:
    """The whole scene; the clock shows afterwards what it showed before."""
    now = clock.now
    clock.put(now - timedelta(days=DAYS + 1))
    company = _open(clock)
    for ago in range(DAYS, 0, -1):
        _one_day(company, now.date() - timedelta(days=ago), now)
    _this_morning(company, now)
    _this_afternoon(company, now)
    clock.put(now)
    _look(company)
    return company


# --- The company ------------------------------------------------------------------------------------------------


def _open(clock: Clock) -> Company:
    source = Source.objects.create(code="HR", name="Heartland Retail")
    names = [DimensionName(by, code, name) for by, known in VALUES.items() for code, name in known.items()]
    candles = DimensionName(Dimension.ITEM_CLASS, "3", "Candles and Lights")
    recording.name_values(source, names, rename=True)
    recording.name_values(source, [candles], rename=True)
    stores = list(_stores(source))
    staff = people.make(stores_of_sam=stores[1:2])
    ines = staff["ines"]
    main = _book("Main Street Trading", source, [], ines, company="Main Street Trading Company, Inc.")
    holding = _book("Main Street Holding", source, stores[1:2], ines, company="Main Street Holding LLC")
    _till(source, ines)
    return Company(clock, source, stores, Office(source, main), Office(source, holding), staff, Random(20261120))


def _stores(source: Source) -> Iterable[Store]:
    zones = ["America/New_York", "America/Los_Angeles", "America/Chicago"]
    names = [*LONG_NAMES.values(), *TOWNS]
    for place, name in enumerate(names):
        yield Store.objects.create(
            source=source, external_id=str(100001 + place), name=name, time_zone=zones[place % 3], day_start=time(4)
        )


def _book(name: str, source: Source, stores: Sequence[Store], ines: User, *, company: str) -> Book:
    book = Book.objects.create(name=name, uses_financials=True)
    feed = Feed.objects.create(source=source, book=book, all_stores=not stores)
    feed.stores.set(stores)
    charts.import_accounts(book, [remote_account(row) for row in json.loads(CHART.read_text())])
    loading.apply(book, _mapping(book), actor=ines)
    connection = Connection.objects.create(vendor="quickbooks", book=book)
    connecting.save_keys(connection, {"client_id": "sandbox-client", "client_secret": "sandbox-secret"}, ines)
    _connected(connection, ines, company=company)
    AccountImport.objects.create(
        connection=connection, ordered_by=ines, started_at=book.accounts.first().imported_at,  # type: ignore[union-attr]
        ended_at=book.accounts.first().imported_at, accounts=book.accounts.count(),  # type: ignore[union-attr]
    )  # fmt: skip
    return book


def _connected(connection: Connection, person: User, *, company: str = "", account: str = "9130357849204416") -> None:
    now = database_now()
    Connection.objects.filter(pk=connection.pk).update(
        state=Connection.State.CONNECTED,
        company_name=company,
        account_id=account,
        installation_id=settings.INSTALLATION_ID,
        connected_by=person,
        connected_at=now,
        answered_at=now,
        token_expires_at=now + timedelta(days=365),
    )


def _mapping(book: Book) -> list[loading.MappingRow]:
    """The demo's, by the long names, cash of the small stores together, and no cost account for a new class."""
    with DEMO_MAPPING.open() as file:
        written: list[dict[str, Any]] = list(csv.DictReader(file))
    rows = [loading.MappingRow(**row) for row in written]
    known = set(Store.objects.filter(source__feeds__book=book).values_list("name", flat=True))
    rows = [replace(row, store=LONG_NAMES.get(row.store, "")) for row in rows if not _is_default_cost(row)]
    rows = [row for row in rows if not row.store or row.store in known]
    return [*rows, loading.MappingRow("tender", "Cash on Hand", tender="1")]


def _is_default_cost(row: loading.MappingRow) -> bool:
    return row.item_class == "default" and row.role in {"cogs", "inventory_on_hand"}


def _till(source: Source, ines: User) -> None:
    till = Connection.objects.create(vendor="heartland_retail", source=source)
    _connected(till, ines, company="Main Street", account="mainstreet")
    now = database_now()
    Capture.objects.create(
        connection=till, live_since=now, history_since=now, history_until=now, history_done=True, last_run_at=now
    )


# --- Days like any other ----------------------------------------------------------------------------------------


def _one_day(company: Company, day: date, now: datetime) -> None:
    """Sales are read as they happen; in the night everything that is ordered has gone out."""
    company.clock.put(datetime.combine(day + timedelta(days=1), time(5, 4), UTC))
    if day == now.date() - timedelta(days=LIVE_DAYS):
        _start(company)
    tickets = [_sale(company, store, day) for store in _open_stores(company, day)]
    company.main.record(*tickets)
    _send(company.main)
    if day < now.date() - timedelta(days=3):
        _send(company.holding)


def _start(company: Company) -> None:
    now = company.clock.now
    company.clock.put(now - timedelta(hours=24))
    for office in (company.main, company.holding):
        orders.start_sync(office.book, actor=company.people["maria"])
    company.clock.put(now)


def _open_stores(company: Company, day: date) -> list[Store]:
    """The three big stores sell every day, the small ones by turns."""
    small = company.stores[3:]
    turn = day.toordinal() * 8 % len(small)
    return [store for store in company.stores[:3] for _ in range(4)] + (small + small)[turn : turn + 8]


def _sale(company: Company, store: Store, day: date, *, by: str = "", kind: str = "") -> EventFacts:
    """A ticket of one to three things, taxed, paid in full; now and then one of them is brought back."""
    random, company.next_ticket = company.random, company.next_ticket + 1
    goods = [(kind, "Scented Candle, Fig")] if kind else random.sample(GOODS, random.randint(1, 3))
    sign = -1 if not kind and not by and random.random() < 0.05 else 1
    items = [_item(random, code, name, sign) for code, name in goods]
    value = sum((one.value for one in items), Decimal(0))
    levied = (value * Decimal("0.08875")).quantize(Decimal("0.01"))
    tender = paid(str(value + levied), by=by or random.choice(["1", "2", "2", "3", "4", "5"]))
    place = str(1 + company.stores.index(store) % 3)
    at = datetime.combine(day, time(15 + random.randint(0, 7), random.randint(0, 59)), UTC)
    lines: list[ItemFact | TaxFact | TenderFact] = [*items, tax(str(levied), place=place), tender]
    return ticket(
        *lines, external_id=str(company.next_ticket), store=store.external_id, day=day, at=min(at, company.clock.now)
    )


def _item(random: Random, code: str, name: str, sign: int) -> ItemFact:
    cents = random.randint(450, 18_900)
    return item(
        str(Decimal(cents * sign) / 100),
        qty=str(sign),
        cost=str(Decimal(cents * 45 // 100) / 100),
        kind=code,
        name=name,
    )


# --- Sending, with QuickBooks' part spoken by us ----------------------------------------------------------------

Answer = Callable[[JournalEntry], Delivered]


def _posted(entry: JournalEntry) -> Delivered:
    return Delivered(entry.reference, remote_id=str(4000 + entry.pk), request_id=f"1-67f0{entry.pk:06x}")


def _refused(error: DaybookError) -> Answer:
    return lambda entry: Delivered(entry.reference, error=error, request_id=f"1-67f0{entry.pk:06x}")


def _send(office: Office, answer: Answer = _posted, *, limit: int = 30) -> None:
    """Everything that is ordered is booked, and what is ready gets this answer."""
    while office.enter().total:
        pass
    while claim := office.claim(limit=limit):
        _answered(claim, answer)


def _answered(claim: Claim, answer: Answer) -> None:
    begin(claim, claim.entries)
    results = [answer(entry) for entry in claim.entries]
    links = {r.reference: f"https://qbo.intuit.com/app/journal?txnId={r.remote_id}" for r in results if r.remote_id}
    marking.finish(claim, results, links)


# --- The day itself ---------------------------------------------------------------------------------------------


def _this_morning(company: Company, now: datetime) -> None:
    """New ways to pay, a new class of goods, a connection that ends, documents that cannot be read."""
    clock, today = company.clock, now.date()
    clock.put(now - timedelta(hours=26))
    new = [DimensionName(Dimension.TENDER, "6", "Zelle"), DimensionName(Dimension.ITEM_CLASS, "6", "Candles")]
    recording.name_values(company.source, new, rename=True)
    candles = loading.MappingRow("sales", "Sales:Candles and Lights", item_class="6")
    for office in (company.main, company.holding):
        loading.apply(office.book, [candles], actor=company.people["maria"])
    flagship, los_angeles = company.stores[0], company.stores[1]
    yesterday = today - timedelta(days=1)
    company.main.record(*(_sale(company, flagship, yesterday, by="6") for _ in range(14)))
    _send(company.main)
    _look(company)
    clock.put(now - timedelta(hours=5))
    company.main.record(*(_sale(company, store, today, by="6") for store in company.stores[:7]))
    company.main.record(*(_sale(company, los_angeles, today, kind="6") for _ in range(4)))
    _send(company.main)
    _expire(company)
    _look(company)
    clock.put(now - timedelta(hours=3))
    company.main.record(*_unreadable_tickets(company, today))
    company.main.record(*(_sale(company, store, today) for store in _open_stores(company, today)))
    _send(company.main)


def _expire(company: Company) -> None:
    held = Connection.objects.get(book=company.holding.book)
    Connection.objects.filter(pk=held.pk).update(
        state=Connection.State.ACTION_REQUIRED, problem=EXPIRED, answered_at=company.clock.now
    )


def _unreadable_tickets(company: Company, day: date) -> list[Reading]:
    """One whose header can be read, in Sam's store, and one of which nothing can."""
    los_angeles = company.stores[1].external_id
    known = ticket(item("42.00"), paid("42.00"), external_id="100873", store=los_angeles, day=day, at=company.clock.now)
    said = "its item 22423 has no unit cost. Enter the cost in Heartland, then the ticket is read again by itself."
    one = unreadable("100873", what=said, readable=True, flaw=Flaw.COST)
    assert one.problem is not None
    one.problem.header = known.header
    missing = "its total is missing. Complete or void the ticket in Heartland."
    return [one, unreadable("100874", what=missing, flaw=Flaw.AMOUNT)]


def _this_afternoon(company: Company, now: datetime) -> None:
    company.clock.put(now - timedelta(minutes=50))
    _some_are_refused(company, now.date())
    _look(company)
    company.clock.put(now - timedelta(minutes=22))
    _past_events(company, now.date())
    company.clock.put(now - timedelta(minutes=2))
    _what_people_do(company)


def _some_are_refused(company: Company, today: date) -> None:
    """A number that is taken, an account that was made inactive, and an answer that never came."""
    chicago, office = company.stores[2], company.main
    office.record(*(_sale(company, chicago, today) for _ in range(6)))
    office.enter()
    _claimed(office, 2, lambda claim: marking.refuse(claim, {e.reference: _foreign(e) for e in claim.entries}))
    inactive = Rejected(
        "QuickBooks refused the entry: the account 'Sales:Gifts and Stationery' is inactive there. "
        "Make it active again, or map another account, then press Retry.",
        vendor_code="610",
        vendor_message="Object Not Found: Another user has deleted this transaction or made the list element inactive.",
    )
    _claimed(office, 2, lambda claim: _answered(claim, _refused(inactive)))
    lost = OutcomeUnknown(
        "QuickBooks did not answer in time. Daybook looks the entry up before anything is sent again."
    )
    _claimed(office, 2, lambda claim: _answered(claim, _refused(lost)))


def _claimed(office: Office, limit: int, then: Callable[[Claim], object]) -> None:
    """The next entries, but for those whose outcome is unknown: in this scene nobody finds them."""
    claim = delivery.claim(office.book, limit=limit, lease=LEASE, settle=timedelta(days=1))
    assert claim is not None
    then(claim)


def _foreign(entry: JournalEntry) -> ForeignEntry:
    return ForeignEntry(entry.reference, remote_id=str(9000 + entry.pk), why="which Daybook did not write")


def _past_events(company: Company, today: date) -> None:
    """The days before Start Sync were ordered; the first three lie in a closed period, and the rest is on its way."""
    office, begun = company.main, today - timedelta(days=LIVE_DAYS)
    first, closed = begun - timedelta(days=8), begun - timedelta(days=6)
    Book.objects.filter(pk=office.book.pk).update(closed_through=closed)
    orders.order_past(office.book, first, begun - timedelta(days=1), actor=company.people["maria"])
    while office.enter().total:
        pass
    for _ in range(3):
        _claimed(office, 24, lambda claim: _answered(claim, lambda entry: _by_date(entry, closed)))
    company.clock.put(company.clock.now + timedelta(minutes=20))
    _claimed(office, 12, lambda claim: begin(claim, claim.entries))


def _by_date(entry: JournalEntry, closed: date) -> Delivered:
    return _refused(PeriodClosed(entry.posting_date))(entry) if entry.posting_date <= closed else _posted(entry)


def _what_people_do(company: Company) -> None:
    """Maria sets one aside and adopts another; a ticket is changed at the till after it was posted."""
    maria, book = company.people["maria"], company.main.book
    failed = Posting.objects.filter(book=book, state=SyncState.ERROR)
    closed = failed.filter(error_code=PeriodClosed.code).order_by("pk").first()
    assert closed is not None
    orders.set_aside(closed, "Booked by hand in the September closing, journal 2026-09-114.", actor=maria)
    foreign = failed.filter(error_code=ForeignEntry.code).order_by("pk").first()
    assert foreign is not None and foreign.entry is not None
    orders.adopt(foreign, _there(foreign.entry), link="https://qbo.intuit.com/app/journal?txnId=9311", actor=maria)
    _changed_at_the_till(company)


def _there(entry: JournalEntry) -> RemoteEntry:
    ours = delivery.outgoing([entry])[entry.reference]
    return RemoteEntry("9311", entry.reference, entry.posting_date, "Corrected by hand, M. Lindqvist", ours.lines)


def _changed_at_the_till(company: Company) -> None:
    synced = Posting.objects.filter(book=company.main.book, state=SyncState.SYNCED, store=company.stores[2])
    for posting in synced.select_related("event__source", "store").order_by("-business_date", "-pk")[2:4]:
        event = posting.event
        assert event.business_date and event.completed_at
        same = ticket(
            item("64.00"), paid("64.00"), external_id=event.external_id, store=company.stores[2].external_id,
            day=event.business_date, at=event.completed_at,
        )  # fmt: skip
        company.main.record(same)


def _look(company: Company) -> None:
    """What the worker does each minute: alerts follow the rows, the till was read just now."""
    now = company.clock.now
    Capture.objects.update(last_run_at=now, live_since=now)
    Connection.objects.filter(state=Connection.State.CONNECTED).update(answered_at=now)
    for connection in company.connections:
        alerts.refresh(connection)
    for office in (company.main, company.holding):
        figures.refresh(office.book)
        use.refresh(office.book)
