"""Every address of the API that reads, as a stranger and as a manager of one store: nothing of others is shown."""

from collections.abc import Iterator

import pytest
from django.contrib.auth.models import Permission
from django.db.models import Model
from django.test import Client
from django.urls import URLPattern
from pytest_django import Settings

from integrations.api.urls import urlpatterns
from integrations.models import Alert, Connection
from ledger.admin.scoping import STORE_MANAGER
from ledger.models import Book, JournalEntry, Posting, Store, SyncOrder
from tests.admin.conftest import connection
from tests.admin.test_admin_crawl import FOREIGN, two_stores
from tests.integrations.api_people import API, Caller, caller

__all__ = ["connection", "two_stores"]  # fixtures
ROWS: dict[str, type[Model]] = {
    "book_id": Book,
    "event_id": Posting,
    "entry_id": JournalEntry,
    "order_id": SyncOrder,
    "alert_id": Alert,
}


@pytest.fixture(autouse=True)
def without_a_rate(settings: Settings) -> None:
    settings.API_CALLS_PER_MINUTE = 10**9


def addresses() -> Iterator[str]:
    """Every address with every id that exists in its place; lists also filtered for what is another store's."""
    for pattern in urlpatterns:
        if not isinstance(pattern, URLPattern) or "(?P" in str(pattern.pattern):
            continue
        for address in _filled(f"{API}/{pattern.pattern}", list(pattern.pattern.converters)):
            yield address
            if address.endswith(("/events/", "/entries/", "/alerts/", "/stores/")):
                yield from (f"{address}?{query}" for query in NARROWED)


def _filled(address: str, names: list[str]) -> list[str]:
    """An address has one id at most."""
    if not names:
        return [address]
    [name] = names
    ids = ROWS[name]._default_manager.order_by("pk").values_list("pk", flat=True)
    return [address.replace(f"<int:{name}>", str(pk)) for pk in [*ids, 10**9]]


NARROWED = [
    "limit=1",
    "state=error",
    "state=all",
    "number=T810001",
    "number=HR-T810001",
    "reference=HR-T810001",
    "cause=unmapped:tender:99",
    "least=555.55&most=888.88",
    "first=2010-12-01&last=2010-12-31",
]


@pytest.fixture
def sam(two_stores: tuple[Store, Store]) -> Caller:
    """A manager of one store with every permission there is: the stores alone limit him."""
    return caller("sam", role=STORE_MANAGER, stores=(two_stores[0],))


def test_a_stranger_is_told_nothing(two_stores: tuple[Store, Store]) -> None:
    seen = 0
    for address in addresses():
        answer = Client().get(address)
        assert answer.status_code == 401 or "/admin/login/" in answer.headers.get("Location", ""), address
        seen += 1
    assert seen > 50


@pytest.mark.parametrize("permissions", ["of the role", "all"])
def test_a_store_manager_reads_the_own_store_only(
    sam: Caller, two_stores: tuple[Store, Store], everything: list[int], permissions: str
) -> None:
    if permissions == "all":
        sam.person.user_permissions.set(everything)
    opened = 0
    for address in addresses():
        answer = Client().get(address, headers=sam.headers)
        assert answer.status_code in {200, 302, 400, 403, 404, 405}, (address, answer.status_code)
        opened += answer.status_code == 200
        for mark in FOREIGN:
            assert mark in address or mark not in answer.content.decode(), (address, mark)
    assert opened > 15


@pytest.fixture
def everything(db: None) -> list[int]:
    return list(Permission.objects.values_list("pk", flat=True))


def test_what_is_another_stores_is_not_there(
    sam: Caller, two_stores: tuple[Store, Store], everything: list[int]
) -> None:
    sam.person.user_permissions.set(everything)
    mine, other = two_stores
    for rows, kind in ((Posting.objects, "events"), (JournalEntry.objects, "entries")):
        own, foreign = rows.filter(store=mine).first(), rows.filter(store=other).first()
        assert own and foreign
        assert sam.get(f"/{kind}/{own.pk}/").status_code == 200
        assert sam.get(f"/{kind}/{foreign.pk}/").status_code == 404
    foreign_event = Posting.objects.filter(store=other, state="error").first()
    assert foreign_event
    book = Connection.objects.get(vendor="quickbooks").book
    assert book and sam.post(f"/books/{book.pk}/retry/", {"ids": [foreign_event.pk]}).status_code == 404
    foreign_event.refresh_from_db()
    assert foreign_event.state == "error"


def test_the_crawl_finds_what_it_looks_for(sam: Caller, two_stores: tuple[Store, Store]) -> None:
    """The crawl above has found the rows at all: the same addresses show them to somebody without limits."""
    ines = caller("ines")
    said = "".join(Client().get(address, headers=ines.headers).content.decode() for address in addresses())
    assert {mark for mark in FOREIGN if mark not in said} <= {"said of another store"}
