"""Type-ahead search by number, and for accounts, stores and pages by words: what is found, and for whom."""

import pytest
from django.db import connection as database
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from integrations.models import Connection
from ledger.models import Account, Book, JournalEntry, Posting, Store
from tests.admin.conftest import Login
from tests.office import Office
from tests.trade import sale, unreadable

SEARCH = "/admin/search/"


def links(client: Client, typed: str) -> list[str]:
    """Where the results lead, without the lists of the admin that are called so."""
    answer = client.get(SEARCH, {"s": typed})
    assert answer.status_code == 200
    return [found.link for found in answer.context["results"] if found.description != "Page"]


@pytest.fixture
def booked(office: Office, connection: Connection) -> JournalEntry:
    """Two sales, one in each of two stores, the first of them posted."""
    facts = sale("20.00", external_id="4711001")
    office.record(facts, sale("30.00", external_id="4711002", store="100002"), unreadable("4711003"))
    posting = office.posting(facts)
    posting.state = "not_synced"
    posting.save()
    office.post()
    return office.entry(facts)


def page_of(office: Office, external_id: str) -> str:
    posting = office.book.postings.get(event__external_id=external_id)
    return reverse("admin:ledger_posting_change", args=[posting.pk])


@pytest.mark.parametrize("typed", ["T4711001", "4711001", "HR-T4711001", "hr-t4711001", " T4711001 "])
def test_an_event_is_found_by_its_number_its_document_and_its_id_in_the_log(
    admin_client: Client, office: Office, booked: JournalEntry, typed: str
) -> None:
    assert page_of(office, "4711001") in links(admin_client, typed)


@pytest.mark.parametrize("typed", ["T4711", "4711", "HR-T4711"])
def test_the_beginning_of_a_number_is_enough(
    admin_client: Client, office: Office, booked: JournalEntry, typed: str
) -> None:
    found = links(admin_client, typed)
    assert {page_of(office, "4711001"), page_of(office, "4711002")} <= set(found)


def test_an_event_without_an_entry_is_found_by_its_id_in_the_log(
    admin_client: Client, office: Office, booked: JournalEntry
) -> None:
    assert links(admin_client, "HR-T4711003") == [page_of(office, "4711003")]


def test_an_entry_is_found_by_its_number_here_and_there(admin_client: Client, booked: JournalEntry) -> None:
    page = reverse("admin:ledger_journalentry_change", args=[booked.pk])
    assert page in links(admin_client, "hr-t471") and links(admin_client, booked.remote_id) == [page]


def test_an_account_is_found_by_its_number(admin_client: Client, office: Office) -> None:
    account = Account.objects.filter(book=office.book).first()
    assert account is not None
    Account.objects.filter(pk=account.pk).update(number="4000-10")
    (link,) = links(admin_client, "4000")
    assert link.startswith(reverse("mappings:accounts", args=[office.book.pk]))


def test_an_account_is_found_by_part_of_its_name(admin_client: Client, office: Office) -> None:
    assert Account.objects.filter(book=office.book, full_name="Cash on Hand:Main Street").exists()
    found = links(admin_client, "hand:main")
    assert found == [f"{reverse('mappings:accounts', args=[office.book.pk])}?q=Main+Street"]


def test_a_store_is_found_by_part_of_its_name(
    admin_client: Client, login: Login, office: Office, stores: dict[str, Store]
) -> None:
    store = stores["Los Angeles"]
    page = reverse("admin:ledger_store_change", args=[store.pk])
    assert page in links(admin_client, "angel")
    sam = login("ledger.view_posting", stores=(store,))
    events = f"{reverse('admin:ledger_posting_changelist')}?store__id__exact={store.pk}"
    assert links(sam, "angel") == [events] and links(sam, "Main Street") == []
    assert sam.get(events).status_code == 200


@pytest.mark.parametrize("typed", ["mapping", "account mapping", "Main Street Trading"])
def test_the_mapping_of_a_book_is_found_by_its_name(admin_client: Client, login: Login, book: Book, typed: str) -> None:
    address = reverse("mappings:configuration", args=[book.pk])
    assert address in links(admin_client, typed)
    assert address not in links(login("ledger.view_posting"), typed)


@pytest.mark.parametrize("typed", ["alerts", "overview", "users", "QuickBooks", "journal"])
def test_the_pages_of_the_menu_are_found_by_name(admin_client: Client, typed: str) -> None:
    found = admin_client.get(SEARCH, {"s": typed}).context["results"]
    assert [one for one in found if one.description == "Page"]
    assert len({one.link for one in found}) == len(found)


def test_what_a_number_holds_in_its_middle_is_not_looked_for(admin_client: Client, booked: JournalEntry) -> None:
    assert links(admin_client, "711001") == []


def test_one_character_and_nothing_at_all_find_no_number(admin_client: Client, booked: JournalEntry) -> None:
    assert links(admin_client, "T") == []
    assert admin_client.get(SEARCH, {"s": " "}).context["results"] == []


def test_a_manager_finds_the_own_stores_events_and_entries_only(
    login: Login, everything: list[str], office: Office, booked: JournalEntry, stores: dict[str, Store]
) -> None:
    entry = reverse("admin:ledger_journalentry_change", args=[booked.pk])
    mine = login(*everything, stores=(stores["Main Street"],))
    assert {page_of(office, "4711001"), entry} == set(links(mine, "HR-T4711"))
    other = login(*everything, name="lou", stores=(stores["Los Angeles"],))
    assert links(other, "HR-T4711") == [page_of(office, "4711002")]
    assert links(other, "4711001") == links(other, booked.remote_id) == []
    assert links(other, office.book.accounts.first().external_id) == []  # type: ignore[union-attr]


def test_each_result_needs_the_permission_for_its_page(login: Login, office: Office, booked: JournalEntry) -> None:
    entry = reverse("admin:ledger_journalentry_change", args=[booked.pk])
    assert links(login(name="none"), "HR-T4711001") == []
    assert links(login("ledger.view_posting", name="events"), "HR-T4711001") == [page_of(office, "4711001")]
    assert links(login("ledger.view_journalentry", name="entries"), "HR-T4711001") == [entry]


def test_nothing_is_remembered_for_who_may_not_see_it_any_more(
    login: Login, office: Office, booked: JournalEntry, stores: dict[str, Store]
) -> None:
    client = login("ledger.view_posting")
    assert links(client, "T4711001")
    stores["Los Angeles"].managers.set([int(client.session["_auth_user_id"])])
    assert links(client, "T4711001") == []


def test_a_stranger_is_led_to_the_log_in(client: Client, booked: JournalEntry) -> None:
    answer = client.get(SEARCH, {"s": "T4711001"})
    assert answer.status_code == 302 and "T4711001" not in answer.content.decode()


def test_lists_of_the_admin_are_found_by_name_as_far_as_they_may_be_opened(
    admin_client: Client, login: Login, booked: JournalEntry
) -> None:
    assert "/admin/ledger/auditrecord/" in admin_client.get(SEARCH, {"s": "audit"}).content.decode()
    assert "/admin/ledger/auditrecord/" not in login("ledger.view_posting").get(SEARCH, {"s": "audit"}).content.decode()


@pytest.mark.parametrize("typed", ["K900", "k900", "k90"])
def test_a_number_is_found_in_small_letters_too(admin_client: Client, office: Office, typed: str) -> None:
    office.record(sale(external_id="4711001"))
    posting = office.book.postings.get()
    Posting.objects.update(number="K900")
    assert links(admin_client, typed) == [reverse("admin:ledger_posting_change", args=[posting.pk])]


def test_the_pages_of_many_books_take_no_more_questions_than_those_of_one(
    admin_client: Client, book: Book, connection: Connection
) -> None:
    links(admin_client, "status of the sync")
    with CaptureQueriesContext(database) as one:
        status = links(admin_client, "status of the sync")
    assert status == [f"{reverse('integrations:vendor', args=['quickbooks'])}?connection={connection.pk}"]
    for number in range(5):
        Connection.objects.create(vendor="quickbooks", book=Book.objects.create(name=f"Company {number}"))
    with CaptureQueriesContext(database) as many:
        assert len(links(admin_client, "status of the sync")) == 6
    assert len(many) == len(one)
