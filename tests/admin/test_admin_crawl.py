"""Every address there is, opened as a stranger and in each role: nothing of others is shown, nothing is taken."""

import re
from collections.abc import Iterable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from integrations import alerts
from integrations.models import Connection
from ledger.admin.scoping import ACCOUNTANT, ADMINISTRATOR, AUDITOR, STORE_MANAGER
from ledger.journal import orders
from ledger.models import Posting, Store
from ledger.terms import SyncState
from tests.admin.conftest import Login
from tests.admin.crawling import IDS, OWN, addresses, buttons, everything_kept
from tests.config.signing_in import somebody
from tests.office import Office
from tests.trade import item, paid, sale, ticket, unreadable

FOREIGN = ("T810001", "T810002", "T810003", "777.77", "888.88", "555.55", "Secret Street", "said of another store")
"""What only the other store's rows hold."""


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


ALIVE = {200, 302, 400, 401, 403, 404, 405, 415, 422}
"""What a page may answer to whoever asks; never a 5xx."""
MINE = ("11.11", "22.22", "33.33")
"""What only the own store's rows hold."""


@pytest.fixture(autouse=True)
def no_throttle(settings: Any) -> None:
    settings.API_CALLS_PER_MINUTE = 1_000_000


def member(role: str, *, stores: tuple[Store, ...] = ()) -> Client:
    """A client of somebody of this role."""
    person = somebody(role.split()[0].lower(), role=role)
    person.stores.set(stores)
    client = Client()
    client.force_login(person)
    return client


def opened(client: Client, *, more: Iterable[str] = ()) -> dict[str, str]:
    """The pages that open for somebody, by their address; whatever else there is must answer in order."""
    pages = {}
    for address in [*addresses(), *more]:
        if address.startswith("/admin/logout/"):
            continue
        answer = client.get(address)
        assert answer.status_code in ALIVE, (address, answer.status_code)
        if answer.status_code == 200:
            body = b"".join(answer.streaming_content) if answer.streaming else answer.content  # type: ignore[attr-defined]
            pages[address] = body.decode(errors="replace")
    return pages


def shown(pages: dict[str, str], marks: Iterable[str]) -> list[tuple[str, str]]:
    """Where a mark is read. A search repeats what was searched for; the row's amount would still give it away."""
    return [
        (address, mark) for address, page in pages.items() for mark in marks if mark in page and mark not in address
    ]


def test_a_stranger_sees_the_login_and_nothing_else(client: Client, two_stores: tuple[Store, Store]) -> None:
    seen = addresses()
    for address in seen:
        answer = client.get(address)
        if address.startswith("/api/") and answer.status_code != 302:
            assert answer.status_code in {401, 403, 404}, (address, answer.status_code)
            continue
        free = address.startswith(("/admin/login/", "/admin/logout/", "/admin/jsi18n/"))
        assert free or answer.status_code in {302, 405}, (address, answer.status_code)
        assert free or answer.status_code == 405 or "/admin/login/" in answer["Location"], address
    assert len(seen) > 200


def test_an_administrator_opens_every_page(two_stores: tuple[Store, Store]) -> None:
    pages = opened(member(ADMINISTRATOR), more=searches())
    assert len(pages) > 80
    must = ["/admin/auth/user/", "/admin/auth/group/", "/admin/ledger/auditrecord/", "/admin/integrations/quickbooks/"]
    assert [address for address in must if address not in pages] == []


def test_an_accountant_works_in_the_books_and_reaches_no_keys_and_no_people(two_stores: tuple[Store, Store]) -> None:
    client = member(ACCOUNTANT)
    pages = opened(client, more=searches())
    assert len(pages) > 60
    assert [address for address in pages if address.startswith("/admin/auth/")] == []
    keys = [address for address, page in pages.items() if re.search(r'name="(api_token|client_secret|base_url)"', page)]
    assert keys == []
    wrong = [action for page in pages.values() for action in buttons(page) if "/auth/" in action or "/keys/" in action]
    assert wrong == []
    before = everything_kept()
    for address in addresses("/admin/auth/"):
        answer = client.post(address, ANYTHING)
        assert answer.status_code in {302, 403, 404, 405}, address
    for name in ("keys", "test", "connect", "disconnect", "days", "feed"):
        for connection in Connection.objects.all():
            assert client.post(reverse(f"integrations:{name}", args=[connection.pk])).status_code == 403, name
    after = everything_kept()
    assert [table for table in before if before[table] != after[table]] == []


def test_a_store_manager_of_the_role_sees_the_own_store_only(two_stores: tuple[Store, Store]) -> None:
    pages = opened(member(STORE_MANAGER, stores=(two_stores[0],)), more=searches())
    assert shown(pages, FOREIGN) == []
    assert any("11.11" in page for page in pages.values())
    orders_something = {action for page in pages.values() for action in buttons(page)}
    foreign = [action for action in orders_something if not re.search(OF_A_STORE_MANAGER, action)]
    assert foreign == []


OF_A_STORE_MANAGER = (
    r"^$|/(logout|password_change|second-factor|api-tokens|hearing|retry|retry-failed|bulk|events|acknowledge)\b"
)
"""What a store manager finds a button for; a form without an address answers to its own page."""


def test_a_store_manager_without_a_store_sees_no_event_at_all(two_stores: tuple[Store, Store]) -> None:
    pages = opened(member(STORE_MANAGER), more=searches())
    assert shown(pages, (*FOREIGN, *MINE)) == []


def test_a_store_manager_with_every_permission_sees_the_own_store_only(
    login: Login, everything: list[str], two_stores: tuple[Store, Store]
) -> None:
    pages = opened(login(*everything, stores=(two_stores[0],)), more=searches())
    assert shown(pages, FOREIGN) == []
    assert len(pages) > 20


def test_an_auditor_reads_everything_and_finds_nothing_to_press(two_stores: tuple[Store, Store]) -> None:
    pages = opened(member(AUDITOR), more=searches())
    assert len(pages) > 70
    for must in ("/admin/ledger/auditrecord/", "/admin/auth/user/", "/admin/integrations/quickbooks/"):
        assert must in pages
    pressed = {(address, action) for address, page in pages.items() for action in buttons(page)}
    assert [(at, action) for at, action in sorted(pressed) if not (action or at).startswith(OWN)] == []


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
def test_an_auditor_changes_nothing(two_stores: tuple[Store, Store], method: str) -> None:
    client = member(AUDITOR)
    before, taken = everything_kept(), []
    for address in addresses(ids=IDS if method == "post" else 1):
        if address.startswith(OWN) or "/export" in address:  # Who exports has read; the audit tells of it.
            continue
        answer = getattr(client, method)(address, *([ANYTHING] if method == "post" else []))
        assert answer.status_code < 500, address
        if answer.status_code not in {401, 403, 404, 405, 415} and not is_a_list(address, answer):
            taken.append((address, answer.status_code))
    after = everything_kept()
    assert [table for table in before if before[table] != after[table]] == []
    assert taken == []


ANYTHING = {
    "reason": "mine",
    "compared": "on",
    "remote_id": "1",
    "which": "none",
    "book": "1",
    "name": "Mine",
    "first": "2010-12-01",
    "last": "2030-12-31",
    "action": "delete_selected",
    "_selected_action": "1",
    "post": "yes",
    "username": "mine",
    "is_superuser": "on",
    "is_active": "on",
    "day_start": "05:00",
}
"""What forms ask for, all at once."""


def is_a_list(address: str, answer: Any) -> bool:
    """Django's lists and choosers answer a POST like a GET, and its way from an unknown row leads back."""
    if answer.status_code not in {200, 302} or answer.streaming:
        return False
    return not [action for action in buttons(answer.content.decode()) if not (action or address).startswith(OWN)]


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


def test_an_event_of_another_store_is_answered_like_one_that_does_not_exist(
    login: Login, everything: list[str], two_stores: tuple[Store, Store]
) -> None:
    client = login(*everything, stores=(two_stores[0],))
    theirs = Posting.objects.get(number="T810002")
    for pk in (theirs.pk, 987_654):
        answer = client.get(reverse("admin:ledger_posting_change", args=[pk]))
        page = answer.content.decode()
        assert answer.status_code == 404 and "it is not in one of your stores." in page, pk
        assert "deleted" not in page and "Back to Overview" in page


def test_retry_failed_of_a_store_manager_leaves_other_stores_alone(
    login: Login, everything: list[str], two_stores: tuple[Store, Store]
) -> None:
    client = login(*everything, stores=(two_stores[0],))
    connection = Connection.objects.get(vendor="quickbooks")
    Posting.objects.filter(state=SyncState.ERROR).update(error_code="unreadable", cause="unreadable:payments")
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
