"""Which accounts a book needs follows from what its till tells apart; what it has already is recognised."""

import pytest

from ledger.models import Account, Book, DimensionValue, Feed
from ledger.terms import ROLES, AccountType, Role
from mappings import coverage
from mappings.models import Mapping
from mappings.suggesting import LONGEST_NAME, Suggested, suggestions
from mappings.table import MappingTable


def by_name(book: Book) -> dict[str, Suggested]:
    return {one.name: one for one in suggestions(book)}


def test_each_place_of_the_mapping_has_its_account(book: Book, feed: Feed) -> None:
    covered = [(slot.role, slot.value) for one in suggestions(book) for slot in one.places if not one.optional]
    assert sorted(covered) == sorted((slot.role, slot.value) for slot in coverage.slots(book))
    assert all(one.type in ROLES[one.role].fits for one in suggestions(book))


def test_the_names_come_from_the_till(book: Book, feed: Feed) -> None:
    names = by_name(book)
    assert {"Cash on Hand", "Visa Clearing", "Gift Card Outstanding", "Customer Deposits", "Sales - Home"} <= set(names)
    assert {"Sales - Other", "Sales Tax Collected - Chicago", "Cost of Goods Sold", "Inventory Asset"} <= set(names)
    assert names["Cash on Hand"].type == AccountType.BANK
    assert names["Gift Card Outstanding"].type == AccountType.CURRENT_LIABILITY
    assert len(names["Customer Deposits"].places) == 5
    assert names["Tips Payable"].optional and names["Tips Payable"].is_missing


def test_a_new_tender_at_the_till_is_a_new_account(book: Book, mapping: MappingTable, feed: Feed) -> None:
    assert not [one for one in suggestions(book) if one.is_missing and not one.optional]
    DimensionValue.objects.create(source=feed.source, dimension="tender", code="9", name="Zelle")
    missing = {one.name for one in suggestions(book) if one.is_missing and not one.optional}
    assert missing == {"Zelle Clearing"}  # the deposit account serves the new tender too


@pytest.mark.parametrize("name", ["Sales:Home", "sales - HOME", "Sales Home"])
def test_an_account_of_that_name_is_recognised_with_any_separator(
    book: Book, feed: Feed, chart: dict[str, Account], name: str
) -> None:
    Account.objects.filter(full_name="Sales:Other").update(full_name=name, name=name.rsplit(":")[-1])
    one = by_name(book)["Sales - Home"]
    assert one.found and one.found.full_name == name and one.open and not one.is_missing


def test_an_account_of_that_name_and_another_type_is_not_taken(
    book: Book, feed: Feed, chart: dict[str, Account]
) -> None:
    Account.objects.filter(full_name="Checking").update(full_name="Shipping Income", name="Shipping Income")
    Account.objects.filter(full_name="Shipping Income", type="income").delete()
    assert by_name(book)["Shipping Income"].found is None


def test_what_is_mapped_is_ticked_off_with_its_account(book: Book, mapping: MappingTable) -> None:
    one = by_name(book)["Visa Clearing"]
    assert one.is_mapped and str(one.found) == "Card Clearing:Visa and Mastercard"
    assert by_name(book)["Cash on Hand"].is_mapped  # store by store


def test_strange_names_become_names_that_can_be_taken(book: Book, feed: Feed) -> None:
    DimensionValue.objects.filter(dimension="tender", code="2").update(name='My "card": new')
    DimensionValue.objects.filter(dimension="tender", code="3").update(name="x" * 180)
    names = by_name(book)
    assert "My card new Clearing" in names and all(0 < len(name) <= LONGEST_NAME for name in names)


def test_two_roles_never_share_an_account_by_an_accident_of_names(book: Book, feed: Feed) -> None:
    DimensionValue.objects.filter(dimension="tender", code="2").update(name="Customer Balance")
    told = suggestions(book)
    assert len({one.name.casefold() for one in told}) == len(told)


def test_a_book_without_a_till_still_needs_the_rest(book: Book) -> None:
    assert {one.role for one in suggestions(book)} == {*coverage.ALWAYS, Role.TIPS_PAYABLE}
    assert not Mapping.objects.exists()
