"""Names that are long, written from the right or drawn; many stores, accounts and alerts: no page breaks or crawls."""

from collections.abc import Iterable

import pytest
from playwright.sync_api import BrowserContext, Page

from integrations.models import Alert, Connection
from ledger.clock import database_now
from ledger.models import Account, Book, Feed, Posting, Store
from ledger.terms import AccountType, SyncState
from tests.admin.conftest import connection as connection
from tests.office import Office
from tests.screens.inspecting import too_wide
from tests.trade import sale, unreadable

pytestmark = pytest.mark.django_db(transaction=True)

UNBROKEN = "Wholesalewarehouse" * 11
FROM_THE_RIGHT = "متجر الشارع الرئيسي للأدوات المنزلية والهدايا والشموع " * 4
DRAWN = "🏬🕯️👩‍👩‍👧‍👦" * 20
SECONDS = 3.0


@pytest.fixture
def crowd(office: Office, connection: Connection) -> Office:
    """200 stores, 10,000 accounts, 100 alerts, and events whose words do not end."""
    Book.objects.filter(pk=office.book.pk).update(name=UNBROKEN[:200])
    for store, name in zip(Store.objects.order_by("pk"), (UNBROKEN, FROM_THE_RIGHT, DRAWN), strict=True):
        Store.objects.filter(pk=store.pk).update(name=name[:200])
    Store.objects.bulk_create(
        Store(source=office.source, external_id=str(n), name=f"Store {n} {UNBROKEN[:60]}")
        for n in range(200_000, 200_200)
    )
    Account.objects.bulk_create(accounts(office.book), batch_size=500)
    Alert.objects.bulk_create(alerts(office.book))
    office.record(sale("9999999.99", external_id="1"), unreadable("2", what=UNBROKEN, readable=True))
    Posting.objects.filter(number="T1").update(state=SyncState.NOT_SYNCED)
    office.post()
    return office


def accounts(book: Book) -> Iterable[Account]:
    now = database_now()
    names = (f"Sales:Region {n % 40}:{UNBROKEN[:120]} {n}" for n in range(10_000))
    for n, name in enumerate(names):
        yield Account(
            book=book, external_id=f"many-{n}", number=str(40_000 + n), name=name[-100:], full_name=name,
            type=AccountType.INCOME, imported_at=now,
        )  # fmt: skip


def alerts(book: Book) -> Iterable[Alert]:
    now = database_now()
    for n in range(100):
        yield Alert(
            book=book,
            cause=f"cause-{n}",
            sentence=f"{n} {UNBROKEN} {DRAWN}.",
            events=n,
            first_seen_at=now,
            last_seen_at=now,
        )


def test_long_names_and_large_numbers_break_no_page(
    context: BrowserContext, crowd: Office, connection: Connection
) -> None:
    page = context.new_page()
    page.set_viewport_size({"width": 390, "height": 844})
    broken = [fault for address in addresses(crowd, connection) for fault in faults(page, address)]
    assert not broken, "\n".join(broken)


def faults(page: Page, address: str) -> Iterable[str]:
    answer = page.goto(address, wait_until="load")
    if answer is None or answer.status != 200:
        yield f"{address} answers {answer and answer.status}"
        return
    if wide := too_wide(page):
        yield f"{address} is too wide, {wide}"
    if (took := seconds(page)) > SECONDS:
        page.goto(address, wait_until="load")  # once more: the machine may have been busy
        took = seconds(page)
        if took > SECONDS:
            yield f"{address} took {took:.1f} s"


def seconds(page: Page) -> float:
    """From the question to the page that can be used."""
    return float(page.evaluate("performance.getEntriesByType('navigation')[0].domContentLoadedEventEnd")) / 1000


def addresses(office: Office, connection: Connection) -> list[str]:
    posting, book = Posting.objects.get(number="T1"), office.book.pk
    Feed.objects.filter(book=book).update(all_stores=False)
    store = Store.objects.order_by("pk")[0].pk
    return [
        "/admin/",
        "/admin/integrations/quickbooks/",
        "/admin/integrations/heartland-retail/",
        f"/admin/integrations/connections/{connection.pk}/events/",
        f"/admin/integrations/connections/{connection.pk}/events/?state=error",
        f"/admin/ledger/posting/{posting.pk}/change/",
        f"/admin/ledger/posting/{Posting.objects.get(number='T2').pk}/change/",
        f"/admin/ledger/journalentry/{posting.entry_id}/change/",
        "/admin/ledger/posting/",
        "/admin/ledger/journalentry/",
        "/admin/ledger/store/",
        f"/admin/ledger/store/{store}/change/",
        "/admin/integrations/alert/",
        f"/admin/integrations/alert/{Alert.objects.latest('pk').pk}/change/",
        f"/admin/settings/financial/{book}/",
        f"/admin/settings/financial/{book}/configuration/",
        "/admin/auth/user/add/",
    ]
