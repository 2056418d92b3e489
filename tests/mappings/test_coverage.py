"""What is missing before a book can post, and applying a whole mapping at once."""

import pytest

from ledger.models import Account, Book, DimensionValue, Feed, Store
from ledger.terms import Dimension, Role
from mappings import coverage, loading
from mappings.loading import MappingRow, UnknownName
from mappings.models import Mapping
from mappings.table import MappingTable


def gaps(book: Book) -> set[tuple[str, str]]:
    return {(gap.slot.role.value, gap.slot.value) for gap in coverage.missing(book)}


def test_the_demos_mapping_leaves_nothing_out(book: Book, mapping: MappingTable) -> None:
    assert coverage.missing(book) == []


def test_without_a_mapping_everything_is_missing(book: Book, feed: Feed) -> None:
    missing = gaps(book)
    assert {("tender", "1"), ("tender_deposit", "1"), ("sales", "default"), ("tax_payable", "3")} <= missing
    assert {("shipping_income", ""), ("rounding", ""), ("customer_balance_clearing", "")} <= missing
    assert len(missing) == len(list(coverage.slots(book)))


def test_a_new_value_at_the_till_is_a_new_gap(book: Book, mapping: MappingTable, feed: Feed) -> None:
    DimensionValue.objects.create(source=feed.source, dimension=Dimension.TENDER, code="9", name="Zelle")
    assert gaps(book) == {("tender", "9"), ("tender_deposit", "9")}
    assert any("'Zelle'" in gap.sentence for gap in coverage.missing(book))


def test_a_value_that_is_no_longer_used_is_no_gap(book: Book, mapping: MappingTable, feed: Feed) -> None:
    DimensionValue.objects.create(source=feed.source, dimension="tender", code="9", name="Zelle", active=False)
    assert gaps(book) == set()


def test_a_store_without_a_row_of_its_own_is_a_gap(book: Book, mapping: MappingTable, stores: dict[str, Store]) -> None:
    Mapping.objects.filter(book=book, store=stores["Chicago"]).delete()
    assert gaps(book) == {("tender", "1")}


def test_a_closed_store_leaves_no_gap(book: Book, mapping: MappingTable, stores: dict[str, Store]) -> None:
    Mapping.objects.filter(book=book, store=stores["Chicago"]).delete()
    Store.objects.filter(name="Chicago").update(active=False)
    assert gaps(book) == set()


def test_a_store_that_does_not_feed_the_book_leaves_no_gap(
    book: Book, mapping: MappingTable, feed: Feed, stores: dict[str, Store]
) -> None:
    Mapping.objects.filter(book=book, store=stores["Chicago"]).delete()
    Feed.objects.filter(pk=feed.pk).update(all_stores=False)
    feed.stores.set([stores["Main Street"], stores["Los Angeles"]])
    assert gaps(book) == set()


def test_a_book_that_posts_no_cost_needs_no_accounts_for_it(book: Book, mapping: MappingTable) -> None:
    Mapping.objects.filter(book=book, role__in=[Role.COGS, Role.INVENTORY_ON_HAND]).delete()
    assert {role for role, _ in gaps(book)} == {"cogs", "inventory_on_hand"}
    book.post_cost = False
    assert gaps(book) == set()


def test_a_row_whose_account_is_inactive_is_a_gap(book: Book, mapping: MappingTable) -> None:
    Account.objects.filter(full_name="Shipping Income").update(active=False)
    assert gaps(book) == {("shipping_income", "")}
    assert "is inactive" in coverage.missing(book)[0].sentence


# --- Applying a whole mapping ---------------------------------------------------------------------


def test_applied_twice_it_is_the_same(book: Book, mapping: MappingTable, mapping_rows: list[MappingRow]) -> None:
    before = Mapping.objects.count()
    assert loading.apply(book, mapping_rows, actor=None) == before == Mapping.objects.count()


@pytest.mark.parametrize(
    ("row", "words"),
    [
        (MappingRow("sails", "Checking"), "there is no role 'sails'"),
        (MappingRow("sales", "Cheque", item_class="1"), "there is no account 'Cheque'"),
        (MappingRow("tender", "Checking", tender="1", store="Boston"), "there is no store 'Boston'"),
        (MappingRow("sales", "Checking", item_class="1"), "Sales takes income, other income"),
        (MappingRow("tender", "Accounts Receivable (A/R)", tender="5"), "needs? a customer or vendor"),
        (MappingRow("tender", "Accounts Payable (A/P)", tender="5"), "needs? a customer or vendor"),
    ],
)
def test_a_row_that_cannot_be_is_refused(book: Book, mapping: MappingTable, row: MappingRow, words: str) -> None:
    with pytest.raises(UnknownName, match=words):
        loading.apply(book, [row], actor=None)


def test_all_problems_are_told_and_nothing_is_applied(book: Book, feed: Feed, chart: dict[str, Account]) -> None:
    good = MappingRow("tender", "Checking", tender="1")
    bad = [MappingRow("sails", "Checking"), MappingRow("sales", "Cheque", item_class="1")]
    with pytest.raises(UnknownName, match=r"'sails'; there is no account 'Cheque'"):
        loading.apply(book, [good, *bad], actor=None)
    assert not Mapping.objects.exists()


def test_receivable_and_payable_are_refused_for_every_role(chart: dict[str, Account]) -> None:
    accounts = [account for account in chart.values() if account.type in {"receivable", "payable"}]
    assert {account.type for account in accounts} == {"receivable", "payable"}
    for account in accounts:
        assert all("customer or vendor" in loading.refusal(role, account) for role in Role)


def test_an_account_that_fits_is_not_refused(chart: dict[str, Account], mapping_rows: list[MappingRow]) -> None:
    assert [loading.refusal(Role(row.role), chart[row.account]) for row in mapping_rows] == [""] * len(mapping_rows)
