"""Settings > Financial: the mapping is saved as a whole or not at all, and says why an account is refused."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from integrations.admin_views import health
from integrations.models import Connection
from ledger.journal import charts
from ledger.models import Account, AuditRecord, Book, DimensionValue, Posting, Store
from ledger.terms import SyncState
from ledger.values import RemoteAccount
from mappings import use
from mappings.models import DayUse, Mapping
from mappings.table import MappingTable
from tests.admin.conftest import Login
from tests.office import Office
from tests.trade import item, paid, ticket

MAP = ("mappings.view_mapping", "mappings.change_mapping")
VISA, SHIPPING = "account:tender:2:", "account:shipping_income::"


def save(client: Client, book: Book, changes: dict[str, Any]) -> tuple[int, str]:
    """Save these rows; the status and what the page says."""
    address = reverse("mappings:configuration", args=[book.pk])
    answer = client.post(address, {key: str(value) for key, value in changes.items()}, follow=True)
    return answer.status_code, answer.content.decode()


def account_of(book: Book, role: str, **selectors: str) -> str:
    return Mapping.objects.get(book=book, role=role, store=None, **selectors).account.full_name


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("Accounts Receivable (A/R)", "would need a customer or vendor"),
        ("Accounts Payable (A/P)", "customer or vendor"),
    ],
)
def test_receivable_and_payable_accounts_are_refused_with_the_reason(
    login: Login, book: Book, mapping: MappingTable, chart: dict[str, Account], name: str, why: str
) -> None:
    status, said = save(login(*MAP), book, {VISA: chart[name].pk, SHIPPING: ""})
    assert status == 422 and why in said and "Nothing was saved" in said
    assert account_of(book, "tender", tender="2") == "Card Clearing:Visa and Mastercard"
    assert account_of(book, "shipping_income") == "Shipping Income"


def test_an_account_of_another_type_is_refused(
    login: Login, book: Book, mapping: MappingTable, chart: dict[str, Account]
) -> None:
    status, said = save(login(*MAP), book, {SHIPPING: chart["Checking"].pk})
    assert status == 422 and "Shipping income takes income" in said


def test_an_account_of_another_book_is_not_on_the_list(login: Login, book: Book, mapping: MappingTable) -> None:
    other = Book.objects.create(name="Another company")
    foreign = Account.objects.create(
        book=other, external_id="1", name="X", full_name="X", type="income", imported_at="2026-01-01T00:00:00Z"
    )
    status, said = save(login(*MAP), book, {SHIPPING: str(foreign.pk)})
    assert status == 422 and "not on the list" in said


def test_choosing_an_account_sends_what_waited_for_it(
    login: Login,
    office: Office,
    connection: Connection,
    chart: dict[str, Account],
    woken: list[object],
    django_capture_on_commit_callbacks: Any,
) -> None:
    Mapping.objects.filter(role="tender", tender="2").delete()
    facts = ticket(item("20.00"), paid("20.00", by="2"))
    office.record(facts)
    Posting.objects.update(state=SyncState.NOT_SYNCED)
    office.enter()
    assert office.posting(facts).state == SyncState.ERROR
    client = login(*MAP)
    assert "1 of" in client.get(reverse("mappings:configuration", args=[office.book.pk])).content.decode()
    with django_capture_on_commit_callbacks(execute=True):
        save(client, office.book, {VISA: chart["Card Clearing:American Express"].pk})
    assert office.posting(facts).state == SyncState.NOT_SYNCED
    assert ("integrations.tasks.work", connection.pk) in woken
    record = AuditRecord.objects.get(deed="changed the mapping")
    assert record.after == {"Payment account: Visa": "Card Clearing:American Express"} and record.actor_name == "sam"


# --- What matters, and what changes ---------------------------------------------------------------


@pytest.fixture
def zelle(office: Office) -> Office:
    """Two events paid by a tender that the till has just begun to take, and one by card."""
    DimensionValue.objects.create(source=office.source, dimension="tender", code="9", name="Zelle")
    office.record(
        *(ticket(item("20.00"), paid("20.00", by="9")) for _ in range(2)), ticket(item("7.00"), paid("7.00", by="2"))
    )
    Posting.objects.update(state=SyncState.NOT_SYNCED)
    office.post()
    use.refresh(office.book)
    return office


def mapping_page(client: Client, book: Book) -> str:
    """The page with single spaces."""
    return " ".join(client.get(reverse("mappings:configuration", args=[book.pk])).content.decode().split())


def row_of(page: str, label: str) -> str:
    """The row of the table whose chooser has this label."""
    return next(row for row in page.split("<tr")[1:] if f'aria-label="{label}"' in row).split("</tr>")[0]


def test_a_row_says_how_many_events_and_how_much_money_it_has(login: Login, zelle: Office) -> None:
    page = mapping_page(login(*MAP), zelle.book)
    assert "1 event<br>7.00 USD" in row_of(page, "Payment account: Visa")
    assert "no event" in row_of(page, "Payment account: Mastercard")
    assert "3 events<br>47.00 USD" in row_of(page, "Sales: Home")
    assert "Sep 16, 2010 to Dec 14, 2010" in page


def test_what_holds_up_events_stands_first_in_red_with_what_waits(
    login: Login, zelle: Office, connection: Connection
) -> None:
    page = mapping_page(login(*MAP), zelle.book)
    assert "1 of " in page and "2 events, 40.00 USD, wait in Error until it is chosen" in page
    assert page.index("Payment account: Zelle") < page.index("Payment account: Visa") < page.index("Sales: Home")
    row = row_of(page, "Payment account: Zelle")
    assert "db-missing" in row and "2 events, 40.00 USD, wait for this</a>" in row
    address = row.split('href="')[1].split('"')[0].replace("&amp;", "&")
    assert "2 events" in login("ledger.view_posting", name="lee").get(address).content.decode()


def test_what_nothing_waits_for_is_not_needed_yet(login: Login, zelle: Office) -> None:
    page = mapping_page(login(*MAP), zelle.book)
    row = row_of(page, "Deposit account: Zelle")
    assert "db-missing" not in row and "db-error" not in row and "Not needed yet" in row


def test_while_nothing_was_counted_every_place_without_an_account_is_told(login: Login, zelle: Office) -> None:
    DayUse.objects.all().delete()
    page = mapping_page(login(*MAP), zelle.book)
    assert "db-missing" in row_of(page, "Deposit account: Zelle") and "Not needed yet" not in page


def test_a_value_that_the_till_lists_no_more_has_a_row_while_events_wait_for_it(login: Login, zelle: Office) -> None:
    client = login(*MAP)
    DimensionValue.objects.filter(code="9").update(active=False)
    assert "2 events, 40.00 USD" in row_of(mapping_page(client, zelle.book), "Payment account: Zelle")


def test_the_status_counts_the_same_places_as_the_mapping_also_what_the_till_lists_no_more(
    login: Login, zelle: Office, connection: Connection
) -> None:
    DimensionValue.objects.filter(dimension="tender", code="2").update(active=False)
    Mapping.objects.filter(role="tender", tender="2").delete()
    page, mapped = mapping_page(login(*MAP), zelle.book), health.mapped(zelle.book)
    assert "db-missing" in row_of(page, "Payment account: Visa")
    assert f"2 of {mapped.all} places have no account yet" in page and f"1 of {mapped.all} places has no" in page
    assert mapped.missing == 3


def test_what_changes_is_told_and_nothing_is_saved(login: Login, zelle: Office, chart: dict[str, Account]) -> None:
    client, wanted = login(*MAP), {"account:tender:9:": chart["Checking"].pk, VISA: chart["Savings"].pk, SHIPPING: ""}
    status, said = save(client, zelle.book, {**wanted, "preview": "on"})
    page = " ".join(said.split())
    assert status == 200 and "Nothing is saved yet" in page and "3 places of the mapping would change" in page
    assert "2 events, 40.00 USD</strong> that wait in Error are then sent by themselves" in page
    assert "Shipping income: no account any more" in page
    assert 'data-label="Entries that keep the account of now">1</td>' in page
    assert account_of(zelle.book, "tender", tender="2") == "Card Clearing:Visa and Mastercard"
    assert not Mapping.objects.filter(tender="9").exists()
    assert not AuditRecord.objects.filter(deed="changed the mapping").exists()
    assert f'value="{chart["Savings"].pk}"' in page.split('name="account:tender:2:"')[1].split("selected")[0][-200:]
    save(client, zelle.book, wanted)
    assert account_of(zelle.book, "tender", tender="2") == "Savings"


def test_a_preview_of_no_change_says_so(login: Login, zelle: Office) -> None:
    _, said = save(login(*MAP), zelle.book, {"preview": "on"})
    assert "Nothing: every row has the account that it had" in said


def test_a_preview_with_a_refused_row_says_why(login: Login, zelle: Office, chart: dict[str, Account]) -> None:
    status, said = save(login(*MAP), zelle.book, {SHIPPING: chart["Checking"].pk, "preview": "on"})
    assert status == 422 and "Shipping income takes income" in said and "Nothing is saved yet" not in said


def test_a_preview_is_for_who_may_change_the_mapping(login: Login, zelle: Office) -> None:
    status, _ = save(login("mappings.view_mapping"), zelle.book, {SHIPPING: "", "preview": "on"})
    assert status == 403


def test_a_row_for_one_store_is_added_and_can_be_emptied_again(
    login: Login, book: Book, mapping: MappingTable, chart: dict[str, Account], stores: dict[str, Store]
) -> None:
    client, store = login(*MAP), stores["Chicago"]
    added = {"added:tender:value": "2", "added:tender:store": str(store.pk)}
    save(client, book, {**added, "added:tender:account": chart["Checking"].pk})
    assert Mapping.objects.get(role="tender", tender="2", store=store).account.full_name == "Checking"
    save(client, book, {f"{VISA}{store.pk}": ""})
    assert not Mapping.objects.filter(role="tender", tender="2", store=store).exists()


def test_half_a_row_for_one_store_is_refused(
    login: Login, book: Book, mapping: MappingTable, stores: dict[str, Store]
) -> None:
    status, said = save(login(*MAP), book, {"added:tender:store": str(stores["Chicago"].pk)})
    assert status == 422 and "Choose the value, the store and the account" in said


def test_saving_without_a_change_says_so_and_leaves_no_audit(login: Login, book: Book, mapping: MappingTable) -> None:
    _, said = save(login(*MAP), book, {SHIPPING: str(Mapping.objects.get(role="shipping_income").account_id)})
    assert "Nothing was changed" in said and "Saved" not in said
    assert not AuditRecord.objects.filter(deed="changed the mapping").exists()


def test_a_reader_of_the_mapping_changes_nothing(login: Login, book: Book, mapping: MappingTable) -> None:
    status, _ = save(login("mappings.view_mapping"), book, {SHIPPING: ""})
    assert status == 403 and Mapping.objects.filter(role="shipping_income").exists()


def test_the_mapping_appears_with_the_switch(admin_client: Client, book: Book, mapping: MappingTable) -> None:
    Book.objects.update(uses_financials=False)
    address = reverse("mappings:configuration", args=[book.pk])
    assert "Account Mapping</h2>" not in admin_client.get(address).content.decode()
    said = admin_client.post(reverse("mappings:switches", args=[book.pk]), {"uses_financials": "on"}, follow=True)
    assert "Account Mapping</h2>" in said.content.decode()
    assert AuditRecord.objects.get(deed="changed the settings of").before["uses_financials"] is False


def test_a_mapped_account_cannot_be_deleted(
    admin_client: Client, book: Book, mapping: MappingTable, chart: dict[str, Account]
) -> None:
    used = chart["Shipping Income"]
    address = reverse("mappings:delete_account", args=[book.pk, used.pk])
    assert "is used by the mapping Shipping income" in admin_client.post(address, follow=True).content.decode()
    used.refresh_from_db()
    assert used.deleted_at is None


def test_an_unused_account_leaves_the_list_until_the_next_import(
    admin_client: Client, book: Book, chart: dict[str, Account], remote_chart: list[RemoteAccount]
) -> None:
    unused = chart["Checking"]
    address = reverse("mappings:delete_account", args=[book.pk, unused.pk])
    assert "the next import brings it back" in admin_client.get(address).content.decode()
    admin_client.post(address)
    assert address not in admin_client.get(reverse("mappings:accounts", args=[book.pk])).content.decode()
    charts.import_accounts(book, remote_chart)
    assert address in admin_client.get(reverse("mappings:accounts", args=[book.pk])).content.decode()


def test_deleting_an_account_needs_its_permission(login: Login, book: Book, chart: dict[str, Account]) -> None:
    address = reverse("mappings:delete_account", args=[book.pk, chart["Checking"].pk])
    assert login("ledger.view_account").post(address).status_code == 403


# --- Rows that the form does not edit -------------------------------------------------------------


def test_rows_narrowed_further_are_shown_and_can_be_deleted(
    login: Login, book: Book, mapping: MappingTable, chart: dict[str, Account]
) -> None:
    base = Mapping.objects.get(role="shipping_income")
    row = Mapping.objects.create(book=book, role="shipping_income", tender="2", account=chart["Services"])
    client = login(*MAP)
    page = client.get(reverse("mappings:configuration", args=[book.pk])).content.decode()
    address = reverse("mappings:delete_row", args=[book.pk, row.pk])
    assert "Shipping income: Visa" in page and address in page
    assert "Its lines go to Services now" in client.get(address).content.decode()
    assert Mapping.objects.filter(pk=row.pk).exists()
    client.post(address)
    assert not Mapping.objects.filter(pk=row.pk).exists() and Mapping.objects.filter(pk=base.pk).exists()
    record = AuditRecord.objects.get(deed="deleted a row of the mapping of")
    assert record.before == {"Shipping income: Visa": "Services"}


def test_a_reader_of_the_mapping_deletes_no_row(login: Login, book: Book, mapping: MappingTable) -> None:
    row = Mapping.objects.first()
    assert row is not None
    client = login("mappings.view_mapping")
    assert client.post(reverse("mappings:delete_row", args=[book.pk, row.pk])).status_code == 403


# --- Ten thousand accounts and two hundred stores -------------------------------------------------


@pytest.fixture
def large(book: Book, mapping: MappingTable, stores: dict[str, Store], chart: dict[str, Account]) -> Book:
    """10,000 accounts, 200 stores, and cash of each store on an account of its own."""
    kinds = ["bank", "income", "current_liability", "cost_of_goods_sold", "current_asset"]
    accounts = [
        Account(
            book=book,
            external_id=f"x{n}",
            number=f"{n:05}",
            name=f"Account of a department with a long name {n}",
            full_name=f"Accounts of the company:Account of a department with a long name {n}",
            type=kinds[n % 5],
            imported_at="2026-01-01T00:00:00Z",
        )
        for n in range(10_000)
    ]
    Account.objects.bulk_create(accounts, batch_size=500)
    source = stores["Chicago"].source
    shops = [Store(source=source, external_id=f"9{n}", name=f"Shopping Centre {n:03}") for n in range(200)]
    Store.objects.bulk_create(shops)
    rows = [Mapping(book=book, role="tender", tender="1", store=shop, account=chart["Checking"]) for shop in shops]
    Mapping.objects.bulk_create(rows)
    return book


def test_a_large_company_does_not_break_the_mapping(
    login: Login, large: Book, django_assert_max_num_queries: Any
) -> None:
    client = login(*MAP, "ledger.view_account")
    client.get(reverse("mappings:accounts", args=[large.pk]))
    with django_assert_max_num_queries(40):
        page = client.get(reverse("mappings:configuration", args=[large.pk]))
    assert page.status_code == 200 and len(page.content) < 1_000_000
    assert "Shopping Centre 199" in page.content.decode() and "data-choices" in page.content.decode()
    with django_assert_max_num_queries(30):
        listed = client.get(reverse("mappings:accounts", args=[large.pk]))
    assert len(listed.content) < 300_000 and "Page 1 of 10" in listed.content.decode()


def test_of_many_accounts_those_that_hold_what_one_types_are_offered(login: Login, large: Book) -> None:
    client = login(*MAP)
    address = reverse("mappings:choices", args=[large.pk, "shipping_income"])
    found = client.get(address, {"q": "department 777"}).json()["options"]
    assert found and all("777" in option["text"] and "department" in option["text"] for option in found)
    assert client.get(address, {"q": "00006"}).json()["options"][0]["number"] == "00006"
    assert client.get(address, {"q": "00005"}).json()["options"] == []  # a bank account fits no income
    everything = client.get(address).json()
    assert len(everything["options"]) == 50 and everything["more"]
    (party,) = [o for o in client.get(address, {"q": "receivable"}).json()["options"] if o.get("why")]
    assert party["value"] == "" and "customer or vendor" in party["why"]


def test_an_account_that_the_page_did_not_list_is_saved(login: Login, large: Book) -> None:
    account = Account.objects.get(number="00006")
    status, said = save(login(*MAP), large, {SHIPPING: account.pk})
    assert status == 200 and "Saved, 1 changed" in said
    assert account_of(large, "shipping_income") == account.full_name


def test_what_was_chosen_is_kept_when_another_row_is_refused(login: Login, large: Book) -> None:
    account, wrong = Account.objects.get(number="00006"), Account.objects.get(full_name="Checking")
    status, page = save(login(*MAP), large, {SHIPPING: account.pk, "account:rounding::": wrong.pk})
    assert status == 422 and f'value="{account.pk}" data-own' in page
    assert "Checking (cannot be used any more)" in page


def test_the_choices_are_for_who_reads_the_mapping(login: Login, book: Book) -> None:
    assert login("ledger.view_account").get(reverse("mappings:choices", args=[book.pk, "sales"])).status_code == 403
    assert login(*MAP, name="lee").get(reverse("mappings:choices", args=[book.pk, "sails"])).status_code == 404
