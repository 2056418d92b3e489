"""Every address of the admin, opened as a stranger and as a manager of one store: nothing of others is shown."""

from collections.abc import Iterator
from itertools import product
from typing import Any

import pytest
from django.apps import apps
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from integrations import alerts
from integrations.models import Connection
from ledger.journal import orders
from ledger.models import Posting, Store
from ledger.terms import SyncState
from tests.admin.conftest import Login
from tests.office import Office
from tests.trade import item, paid, sale, ticket, unreadable

FOREIGN = ("T810001", "T810002", "T810003", "777.77", "888.88", "555.55", "Secret Street", "said of another store")
"""What only the other store's rows hold."""


def addresses() -> Iterator[str]:
    """Every address under /admin/, with every id that exists in its place."""
    found = _below(get_resolver().url_patterns, "/")
    return (address for address in found if address.startswith("/admin/"))


def _below(patterns: list[Any], prefix: str) -> Iterator[str]:
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            yield from _below(pattern.url_patterns, prefix + _plain(pattern))
        elif isinstance(pattern, URLPattern):
            yield from _filled(prefix + _plain(pattern), pattern)


def _plain(pattern: URLPattern | URLResolver) -> str:
    return str(pattern.pattern).removeprefix("^").removesuffix("$").replace("\\Z", "")


def _filled(address: str, pattern: URLPattern) -> Iterator[str]:
    converters = pattern.pattern.converters
    if "(" in address:
        return
    for values in product(*(_values(name, converter) for name, converter in converters.items())):
        filled = address
        for (name, _), value in zip(converters.items(), values, strict=True):
            filled = _put(filled, name, value)
        yield filled


def _put(address: str, name: str, value: str) -> str:
    start = address.index(f"{name}>")
    opening = address.rindex("<", 0, start)
    return address[:opening] + value + address[start + len(name) + 1 :]


def _values(name: str, converter: Any) -> list[str]:
    if name == "vendor":
        return ["quickbooks", "heartland-retail"]
    if name in {"app_label", "url"}:
        return ["ledger"]
    models = [
        model for room in ("ledger", "mappings", "integrations") for model in apps.get_app_config(room).get_models()
    ]
    ids = {str(pk) for model in models for pk in model._default_manager.values_list("pk", flat=True)[:12]}
    return sorted(ids, key=int)[:14]


@pytest.fixture
def two_stores(office: Office, connection: Connection, stores: dict[str, Store]) -> tuple[Store, Store]:
    """Events in every state in both stores; the other store's bear marks that nobody else may read."""
    mine, other = stores["Main Street"], stores["Los Angeles"]
    Store.objects.filter(pk=other.pk).update(name="Secret Street")
    Connection.objects.create(vendor="heartland_retail", source=office.source)
    stuck = ticket(item("888.88"), paid("888.88", by="99"), external_id="810002", store="100002")
    office.record(sale("777.77", external_id="810001", store="100002"), stuck, sale("11.11", external_id="1"))
    office.record(sale("555.55", external_id="810003", store="100002"), sale("22.22", external_id="2"), unreadable("3"))
    office.record(ticket(item("33.33"), paid("33.33", by="98"), external_id="4"))
    Posting.objects.filter(state=SyncState.NEVER_SYNCED).exclude(number="T810003").update(state=SyncState.NOT_SYNCED)
    office.post()
    orders.retry(Posting.objects.filter(number="T810002"), actor=None)
    office.enter()
    Posting.objects.filter(number="T810002").update(error="said of another store", cause="unmapped:tender:99")
    alerts.refresh(connection)
    return mine, other


def test_a_stranger_sees_the_login_and_nothing_else(client: Client, two_stores: tuple[Store, Store]) -> None:
    seen = 0
    for address in addresses():
        answer = client.get(address)
        seen += 1
        free = address.startswith(("/admin/login/", "/admin/logout/", "/admin/jsi18n/"))
        assert free or answer.status_code in {302, 405}, (address, answer.status_code)
        assert free or answer.status_code == 405 or "/admin/login/" in answer["Location"], address
    assert seen > 200


def test_a_store_manager_with_every_permission_sees_the_own_store_only(
    login: Login, everything: list[str], two_stores: tuple[Store, Store]
) -> None:
    client = login(*everything, stores=(two_stores[0],))
    opened = 0
    for address in [*addresses(), *searches()]:
        if address.startswith("/admin/logout/"):
            continue
        answer = client.get(address)
        assert answer.status_code in {200, 302, 400, 403, 404, 405}, (address, answer.status_code)
        opened += answer.status_code == 200
        for mark in FOREIGN:  # A search repeats what was searched for; the row's amount would still give it away.
            assert mark in address or mark not in answer.content.decode(), (address, mark)
    assert opened > 20


def searches() -> list[str]:
    """Lists, searched and filtered for what belongs to the other store; the choosers of forms."""
    events = [reverse("integrations:events", args=[c.pk]) for c in Connection.objects.filter(book__isnull=False)]
    chosen = [
        "number=T810001",
        "number=HR-T810001",
        "state=error",
        "state=open",
        "sort=oldest",
        "cause=unmapped:tender:99",
    ]
    lists = [f"{address}?{query}" for address in events for query in chosen]
    chooser = "/admin/autocomplete/?app_label=ledger&model_name=store&field_name=managers&term=Secret"
    return [
        *lists,
        chooser,
        "/admin/ledger/posting/?q=T810001",
        "/admin/ledger/journalentry/?q=HR-T810001",
        "/admin/ledger/store/?q=Secret",
        "/admin/integrations/alert/?open=all",
        "/admin/search/?s=T810001&extended=1",
    ]


def test_the_own_store_is_shown(login: Login, everything: list[str], two_stores: tuple[Store, Store]) -> None:
    client = login(*everything, stores=(two_stores[0],))
    listed = client.get("/admin/ledger/posting/").content.decode()
    assert "T1" in listed and "T2" in listed
    alert = client.get("/admin/integrations/alert/").content.decode()
    assert "98" in alert


@pytest.mark.parametrize("name", ["retry", "set_aside", "take_back", "adopt"])
def test_a_store_manager_does_nothing_to_another_stores_event(
    login: Login, everything: list[str], two_stores: tuple[Store, Store], name: str
) -> None:
    client = login(*everything, stores=(two_stores[0],))
    theirs = Posting.objects.get(number="T810002")
    answer = client.post(reverse(f"integrations:{name}", args=[theirs.pk]), {"reason": "mine"})
    assert answer.status_code == 404
    theirs.refresh_from_db()
    assert theirs.state == SyncState.ERROR


def test_retry_failed_of_a_store_manager_leaves_other_stores_alone(
    login: Login, everything: list[str], two_stores: tuple[Store, Store]
) -> None:
    client = login(*everything, stores=(two_stores[0],))
    connection = Connection.objects.get(vendor="quickbooks")
    client.post(reverse("integrations:retry_failed", args=[connection.pk]))
    states = dict(Posting.objects.filter(number__in=["T4", "T810002"]).values_list("number", "state"))
    assert states == {"T4": SyncState.NOT_SYNCED, "T810002": SyncState.ERROR}


@pytest.mark.parametrize(
    "name", ["start", "stop", "past", "import", "keys", "test", "connect", "disconnect", "days", "feed"]
)
def test_a_store_manager_orders_nothing_for_the_whole_company(
    login: Login, everything: list[str], two_stores: tuple[Store, Store], name: str
) -> None:
    client = login(*everything, stores=(two_stores[0],))
    connection = Connection.objects.get(vendor="quickbooks")
    assert client.post(reverse(f"integrations:{name}", args=[connection.pk])).status_code == 403
