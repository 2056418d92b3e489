"""What the tests of all rooms share: a small company with three stores, its chart and mapping, and the sandbox."""

import csv
import json
import tempfile
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import hypothesis
import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.db import connections
from django.test import TransactionTestCase

from integrations import capturing, connecting, vendors, waking
from integrations.models import Capture, Connection
from integrations.quickbooks.payloads import ACCOUNT_TYPES
from ledger import guards
from ledger.journal import charts, orders, recording
from ledger.models import Account, Book, Feed, Source, Store
from ledger.terms import Dimension
from ledger.values import DimensionName, RemoteAccount
from mappings import files, loading
from mappings.table import MappingTable
from tests.chromium import browser
from tests.integrations.at_the_till import LAMP
from tests.office import Office
from tests.sandbox_fixture import ROOT, Sandbox, running_sandbox

__all__ = ["browser"]  # a fixture for every room

CHART = ROOT / "sandbox" / "data" / "chart_of_accounts.json"
DEMO_MAPPING = ROOT / "config" / "demo" / "mapping.csv"
STORES = {
    "100001": ("Main Street", "America/New_York"),
    "100002": ("Los Angeles", "America/Los_Angeles"),
    "100003": ("Chicago", "America/Chicago"),
}
VALUES = {
    Dimension.TENDER: {"1": "Cash", "2": "Visa", "3": "Mastercard", "4": "American Express", "5": "Gift Card"},
    Dimension.ITEM_CLASS: {"1": "Home", "2": "Kitchen", "3": "Candles", "4": "Gifts", "5": "Bags", "default": "None"},
    Dimension.TAX_JURISDICTION: {"1": "New York", "2": "Los Angeles", "3": "Chicago"},
}
"""What the till tells apart, with the names that people know."""


# Not slower on a slow machine, and nothing left behind in the folder.
hypothesis.settings.register_profile(
    "daybook", deadline=None, max_examples=60, database=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("daybook")

# --- The database ---------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings_parallel_suffix: None) -> Iterator[None]:
    """On SQLite a file, as in life: an in-memory database is locked table by table between connections."""
    if settings.DATABASE["ENGINE"] != "django.db.backends.sqlite3":
        yield
        return
    with tempfile.TemporaryDirectory() as folder:
        settings.DATABASES["default"].setdefault("TEST", {})["NAME"] = f"{folder}/tests.sqlite3"
        yield


@pytest.fixture(scope="session", autouse=True)
def guards_give_way_to_the_flush() -> Iterator[None]:
    """After a transactional test Django empties every table, which the guards would refuse."""
    flush: Callable[[TransactionTestCase], None] = vars(TransactionTestCase)["_fixture_teardown"]

    def teardown(case: TransactionTestCase) -> None:
        for connection in connections.all():
            guards.drop(connection)
        flush(case)
        for connection in connections.all():
            guards.install(connection)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TransactionTestCase, "_fixture_teardown", teardown)
        yield


@pytest.fixture(autouse=True)
def woken(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, ...]]:
    """No test puts a message into a queue: what would be woken is remembered instead."""
    messages: list[tuple[Any, ...]] = []
    monkeypatch.setattr(waking, "async_task", lambda *message: messages.append(message))
    return messages


# --- The company ----------------------------------------------------------------------------------


@pytest.fixture
def source(db: None) -> Source:
    """The point of sale, with the names of its tenders, classes and jurisdictions."""
    created = Source.objects.create(code="HR", name="Heartland Retail")
    names = [DimensionName(by, code, name) for by, known in VALUES.items() for code, name in known.items()]
    recording.name_values(created, names, rename=True)
    return created


@pytest.fixture
def stores(source: Source) -> dict[str, Store]:
    """The three stores by name."""
    return {
        name: Store.objects.create(source=source, external_id=external_id, name=name, time_zone=time_zone)
        for external_id, (name, time_zone) in STORES.items()
    }


@pytest.fixture
def book(db: None) -> Book:
    """The books of the company, switched on, the sync not yet started."""
    return Book.objects.create(name="Main Street Trading", uses_financials=True)


@pytest.fixture
def feed(source: Source, book: Book, stores: dict[str, Store]) -> Feed:
    """Every store feeds the book."""
    return Feed.objects.create(source=source, book=book)


@pytest.fixture(scope="session")
def remote_chart() -> list[RemoteAccount]:
    """The retailer's chart as an accounting system would tell it."""
    return [remote_account(row) for row in json.loads(CHART.read_text())]


def remote_account(row: dict[str, Any]) -> RemoteAccount:
    return RemoteAccount(
        external_id=row["id"],
        name=row["name"].rsplit(":", 1)[-1],
        full_name=row["name"],
        number="",
        type=ACCOUNT_TYPES[row["type"].lower()],
        detail=row.get("subtype", ""),
        currency="USD",
        active=row.get("active", True),
    )


@pytest.fixture
def chart(book: Book, remote_chart: list[RemoteAccount]) -> dict[str, Account]:
    """The accounts of the book by their full names."""
    charts.import_accounts(book, remote_chart)
    return {account.full_name: account for account in Account.objects.filter(book=book)}


@pytest.fixture(scope="session")
def mapping_rows() -> list[loading.MappingRow]:
    with DEMO_MAPPING.open() as file:
        return files.from_dicts(csv.DictReader(file))


@pytest.fixture
def mapping(book: Book, feed: Feed, chart: dict[str, Account], mapping_rows: list[loading.MappingRow]) -> MappingTable:
    """The whole mapping of the demo."""
    loading.apply(book, mapping_rows, actor=None)
    return MappingTable(book)


@pytest.fixture
def started(book: Book, mapping: MappingTable) -> Book:
    """A book that is ready and whose sync was started."""
    orders.start_sync(book, actor=None)
    return book


# --- The vendors ----------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def _sandbox() -> Iterator[Sandbox]:
    with running_sandbox() as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(_sandbox: Sandbox, settings: Any) -> Sandbox:
    """The running sandbox without faults and without limits; the doors lead to it."""
    _sandbox.control("faults", method="DELETE")
    _sandbox.control("quickbooks", {"limits": False})
    settings.VENDOR_URLS = {
        "heartland_retail": f"{_sandbox.heartland_retail}/api",
        "quickbooks": _sandbox.quickbooks,
    }
    return _sandbox


@pytest.fixture
def till(sandbox: Sandbox, source: Source, feed: Feed, admin_user: User, monkeypatch: pytest.MonkeyPatch) -> Connection:
    """Heartland Retail, connected by its token; history and overlap are left out, so that a test sees its own sales."""
    monkeypatch.setattr(capturing, "OVERLAP", timedelta(0))
    connection = Connection.objects.create(vendor="heartland_retail", source=source)
    connecting.save_keys(connection, {"api_token": "sandbox-heartland-token"}, admin_user)
    connecting.test(connection, admin_user)
    Capture.objects.filter(connection=connection).update(history_done=True)
    return connection


@pytest.fixture
def lamp(sandbox: Sandbox) -> None:
    """The item that the tests sell at the till."""
    row = {"id": LAMP, "description": "Lamp", "financial_class_id": 3, "track_inventory?": True}
    sandbox.control("heartland/items", row)


@pytest.fixture
def quickbooks(sandbox: Sandbox, book: Book, admin_user: User) -> Connection:
    """QuickBooks Online, connected through the OAuth code flow."""
    connection = Connection.objects.create(vendor="quickbooks", book=book)
    keys = {"client_id": "sandbox-quickbooks-client", "client_secret": "sandbox-quickbooks-secret"}
    connecting.save_keys(connection, keys, admin_user)
    address = connecting.begin(connection, admin_user, "http://127.0.0.1:9/admin/callback")
    return connecting.complete(sandbox.callback(address), admin_user)


@pytest.fixture
def running(quickbooks: Connection, feed: Feed, mapping_rows: list[loading.MappingRow]) -> Connection:
    """QuickBooks with its own chart imported and mapped, and the sync started."""
    book = quickbooks.book
    assert book is not None
    charts.import_accounts(book, vendors.accounting(quickbooks).accounts())
    loading.apply(book, mapping_rows, actor=None)
    orders.start_sync(book, actor=None)
    quickbooks.refresh_from_db()
    return quickbooks


@pytest.fixture
def office(source: Source, started: Book) -> Office:
    """The journal of the company's book, mapped and started."""
    return Office(source, started)
