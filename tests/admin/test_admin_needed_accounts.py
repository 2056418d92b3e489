"""After connecting, a person is told which accounts to create before the import."""

import csv
import io
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from integrations import vendors
from integrations.models import AccountCreation, Connection
from ledger.models import Account, AuditRecord, Book, Feed, Store
from mappings.table import MappingTable
from tests.admin.conftest import Login

OPERATE = ("integrations.view_connection", "integrations.operate_sync")
VISA = {"create:tender:2": "on", "name:tender:2": "Visa Clearing"}


def address(connection: Connection) -> str:
    return reverse("integrations:suggested_accounts", args=[connection.pk])


def rows_of(order: AccountCreation) -> list[tuple[str, str]]:
    return [(row["name"], row["state"]) for row in order.rows]


def test_who_has_just_connected_is_shown_the_accounts_that_are_needed(
    admin_client: Client, connection: Connection
) -> None:
    page = admin_client.get(reverse("integrations:vendor", args=[connection.vendor])).content.decode()
    shown = page.split("<details open>")[1].split("</details>")[0]
    assert "Which accounts do you need?" in shown
    assert all(needed.purpose in shown for needed in vendors.VENDORS["quickbooks"].needed_accounts)


def test_the_suggested_accounts_are_those_of_this_till(
    login: Login, connection: Connection, feed: Feed, chart: dict[str, Account]
) -> None:
    page = login(*OPERATE).get(address(connection)).content.decode()
    assert "Visa Clearing" in page and "Sales Tax Collected - Chicago" in page and "Other Current Liabilities" in page
    assert "In the chart: Customer Deposits" in page and "Not in the chart yet" in page
    status = login(*OPERATE, name="lee").get(reverse("integrations:vendor", args=[connection.vendor]))
    assert address(connection) in status.content.decode()


def test_what_is_mapped_is_ticked_off(login: Login, connection: Connection, mapping: MappingTable) -> None:
    page = login(*OPERATE).get(address(connection)).content.decode()
    assert "Mapped: Card Clearing:Visa and Mastercard" in page and "Mapped, store by store" in page


def test_the_list_leaves_as_a_file(login: Login, connection: Connection, feed: Feed) -> None:
    answer = login("integrations.view_connection").get(
        reverse("integrations:export_suggestions_csv", args=[connection.pk])
    )
    rows = list(csv.DictReader(io.StringIO(answer.getvalue().decode("utf-8-sig"))))
    visa = next(row for row in rows if row["Account name"] == "Visa Clearing")
    assert (visa["Account type"], visa["Detail type"]) == ("Other Current Asset", "Other Current Assets")


def test_nothing_is_ordered_before_it_is_confirmed(
    login: Login, connection: Connection, feed: Feed, woken: list[Any], django_capture_on_commit_callbacks: Any
) -> None:
    client = login(*OPERATE)
    page = client.post(address(connection), VISA).content.decode()
    assert "Create 1 account in QuickBooks Online?" in page and not AccountCreation.objects.exists()
    with django_capture_on_commit_callbacks(execute=True):
        said = client.post(address(connection), {**VISA, "confirmed": "1"}, follow=True).content.decode()
    order = AccountCreation.objects.get()
    assert "Ordered: 1 account." in said and "Waiting its turn" in said
    assert rows_of(order) == [("Visa Clearing", "waiting")] and not order.fill_mapping
    assert ("integrations.tasks.create_accounts", order.pk) in woken
    assert AuditRecord.objects.get(deed="ordered new accounts").after["accounts"] == ["Visa Clearing"]


def test_a_name_can_be_changed_before(login: Login, connection: Connection, feed: Feed) -> None:
    mine = {**VISA, "name:tender:2": "  Visa at the  bank ", "confirmed": "1"}
    login(*OPERATE).post(address(connection), mine)
    assert rows_of(AccountCreation.objects.get()) == [("Visa at the bank", "waiting")]


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("Checking", "an account of this name already"),
        ("A:B", "no quotation mark, colon"),
        ("x" * 101, "at most 100 characters"),
        ("", "needs a name"),
    ],
)
def test_a_name_that_cannot_be_taken_is_told_and_nothing_is_ordered(
    login: Login, connection: Connection, feed: Feed, chart: dict[str, Account], name: str, why: str
) -> None:
    answer = login(*OPERATE).post(address(connection), {**VISA, "name:tender:2": name, "confirmed": "1"})
    assert answer.status_code == 422 and why in answer.content.decode()
    assert not AccountCreation.objects.exists()


def test_two_new_accounts_of_one_name_are_told(login: Login, connection: Connection, feed: Feed) -> None:
    both = {**VISA, "create:tender:3": "on", "name:tender:3": "visa clearing", "confirmed": "1"}
    assert login(*OPERATE).post(address(connection), both).status_code == 422


def test_the_mapping_is_filled_only_by_who_may_change_it(
    login: Login, connection: Connection, feed: Feed, chart: dict[str, Account]
) -> None:
    order = {**VISA, "fill": "on", "confirmed": "1"}
    login(*OPERATE).post(address(connection), order)
    assert not AccountCreation.objects.get().fill_mapping
    AccountCreation.objects.all().delete()
    login(*OPERATE, "mappings.change_mapping", name="maria").post(address(connection), order)
    made = AccountCreation.objects.get()
    assert made.fill_mapping and ("Customer Deposits", "found") in rows_of(made)


def test_a_reader_sees_the_list_and_orders_nothing(login: Login, connection: Connection, feed: Feed) -> None:
    client = login("integrations.view_connection")
    assert "Preview" not in client.get(address(connection)).content.decode()
    assert client.post(address(connection), {**VISA, "confirmed": "1"}).status_code == 403


def test_a_store_manager_does_not_see_it(
    login: Login, everything: list[str], connection: Connection, stores: dict[str, Store]
) -> None:
    assert login(*everything, stores=(stores["Chicago"],)).get(address(connection)).status_code == 403


def test_an_unconnected_book_shows_the_list_without_a_button(login: Login, book: Book, feed: Feed) -> None:
    connection = Connection.objects.create(vendor="quickbooks", book=book)
    page = login(*OPERATE).get(address(connection)).content.decode()
    assert "Visa Clearing" in page and "is not connected" in page and "Preview" not in page
