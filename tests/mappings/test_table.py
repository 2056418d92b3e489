"""Which account a line goes to: the most specific row wins, fall-backs stand in, unusable accounts are refused."""

from collections.abc import Callable

import pytest
from django.db import IntegrityError, transaction

from ledger.errors import UnmappedAccount
from ledger.journal import charts
from ledger.models import Account, Book, DimensionValue, Feed, Store
from ledger.terms import ROLES, Dimension, Role
from ledger.values import RemoteAccount
from mappings.models import Mapping
from mappings.table import MappingTable

Map = Callable[..., Mapping]


@pytest.fixture
def put(book: Book, feed: Feed, chart: dict[str, Account]) -> Map:
    """Put a row into the table: role, account by its name, selectors."""

    def row(role: Role, account: str, **selectors: object) -> Mapping:
        return Mapping.objects.create(book=book, role=role, account=chart[account], **selectors)

    return row


def account(book: Book, role: Role, **dimensions: str) -> str:
    """The account for a line; the store by its primary key."""
    found = MappingTable(book).resolve(role, {Dimension(name): code for name, code in dimensions.items()})
    return Account.objects.get(pk=found.account_id).full_name


def test_each_value_of_a_dimension_has_its_row(book: Book, put: Map) -> None:
    put(Role.TENDER, "Checking", tender="1")
    put(Role.TENDER, "Card Clearing", tender="2")
    assert account(book, Role.TENDER, tender="1") == "Checking"
    assert account(book, Role.TENDER, tender="2") == "Card Clearing"


def test_more_dimensions_win_over_fewer(book: Book, put: Map, stores: dict[str, Store]) -> None:
    put(Role.TENDER, "Checking", tender="1")
    put(Role.TENDER, "Cash on Hand:Chicago", tender="1", store=stores["Chicago"])
    assert account(book, Role.TENDER, tender="1", store=str(stores["Chicago"].pk)) == "Cash on Hand:Chicago"
    assert account(book, Role.TENDER, tender="1", store=str(stores["Main Street"].pk)) == "Checking"


def test_on_a_tie_the_class_goes_before_the_category_and_the_category_before_the_store(
    book: Book, put: Map, stores: dict[str, Store]
) -> None:
    chicago = stores["Chicago"]
    put(Role.SALES, "Sales:Other", item_class="1", store=chicago)
    put(Role.SALES, "Sales:Bags and Toys", item_class="1", category="Town")
    where = {"item_class": "1", "category": "Town", "store": str(chicago.pk)}
    assert account(book, Role.SALES, **where) == "Sales:Bags and Toys"
    put(Role.SALES, "Sales:Home and Decor", item_class="1", category="Town", store=chicago)
    assert account(book, Role.SALES, **where) == "Sales:Home and Decor"


def test_the_order_on_a_tie_is_the_order_of_the_vocabulary(book: Book, put: Map, stores: dict[str, Store]) -> None:
    """For a role without a needed dimension each single selector is a row of its own."""
    chicago = stores["Chicago"]
    put(Role.SHIPPING_INCOME, "Sales:Other", store=chicago)
    where = {"tender": "1", "tax_jurisdiction": "1", "item_class": "1", "category": "Town", "store": str(chicago.pk)}
    later = [("category", "Town"), ("item_class", "1"), ("tax_jurisdiction", "1"), ("tender", "1")]
    names = ["Sales:Bags and Toys", "Sales:Home and Decor", "Shipping Income", "Services"]
    assert account(book, Role.SHIPPING_INCOME, **where) == "Sales:Other"
    for (dimension, code), name in zip(later, names, strict=True):
        put(Role.SHIPPING_INCOME, name, **{dimension: code})
        assert account(book, Role.SHIPPING_INCOME, **where) == name


def test_a_row_without_the_needed_dimension_serves_nobody(book: Book, put: Map) -> None:
    put(Role.SALES, "Sales:Other")
    with pytest.raises(UnmappedAccount):
        account(book, Role.SALES, item_class="1")


def test_sales_returns_fall_back_to_sales(book: Book, put: Map) -> None:
    put(Role.SALES, "Sales:Home and Decor", item_class="1")
    assert account(book, Role.SALES_RETURNS, item_class="1") == "Sales:Home and Decor"
    put(Role.SALES_RETURNS, "Refunds-Allowances", item_class="1")
    assert account(book, Role.SALES_RETURNS, item_class="1") == "Refunds-Allowances"


def test_a_gift_card_falls_back_to_its_payment_account(book: Book, put: Map) -> None:
    put(Role.TENDER, "Gift Cards Outstanding", tender="5")
    put(Role.TENDER, "Checking", tender="1")
    assert account(book, Role.GIFT_CARD_LIABILITY, tender="5") == "Gift Cards Outstanding"


@pytest.mark.parametrize("role", [Role.COGS, Role.INVENTORY_ON_HAND])
def test_cost_and_stock_fall_back_to_the_default_class(book: Book, put: Map, role: Role) -> None:
    put(role, "Cost of Goods Sold", item_class="default")
    assert account(book, role, item_class="3") == "Cost of Goods Sold"


def test_sales_do_not_fall_back_to_the_default_class(book: Book, put: Map) -> None:
    put(Role.SALES, "Sales:Other", item_class="default")
    with pytest.raises(UnmappedAccount):
        account(book, Role.SALES, item_class="3")


def test_one_default_serves_every_jurisdiction_without_a_row(book: Book, put: Map) -> None:
    put(Role.TAX_PAYABLE, "Sales Tax Collected")
    put(Role.TAX_PAYABLE, "Sales Tax Collected:Chicago", tax_jurisdiction="3")
    assert account(book, Role.TAX_PAYABLE, tax_jurisdiction="1") == "Sales Tax Collected"
    assert account(book, Role.TAX_PAYABLE, tax_jurisdiction="3") == "Sales Tax Collected:Chicago"


def test_the_default_class_may_be_narrowed_by_store(book: Book, put: Map, stores: dict[str, Store]) -> None:
    put(Role.COGS, "Cost of Goods Sold", item_class="default")
    put(Role.COGS, "Cost of Goods Sold:Bags and Toys", item_class="default", store=stores["Chicago"])
    assert account(book, Role.COGS, item_class="3", store=str(stores["Chicago"].pk)).endswith("Bags and Toys")


def test_what_is_missing_is_named_with_what_to_do(book: Book, feed: Feed) -> None:
    with pytest.raises(UnmappedAccount) as missing:
        account(book, Role.TENDER, tender="2")
    assert str(missing.value).startswith("No payment account is mapped for tender 'Visa'. Choose an account under")
    assert missing.value.cause == "unmapped:tender:2"


def test_a_deleted_account_is_not_used(book: Book, put: Map, chart: dict[str, Account]) -> None:
    put(Role.TENDER, "Checking", tender="1")
    charts.delete_account(chart["Checking"], actor=None, used_by="")
    with pytest.raises(UnmappedAccount, match="the account Checking was deleted from the list"):
        account(book, Role.TENDER, tender="1")


def test_an_inactive_account_is_not_used(
    book: Book, put: Map, chart: dict[str, Account], remote_chart: list[RemoteAccount]
) -> None:
    put(Role.TENDER, "Checking", tender="1")
    charts.import_accounts(book, [a for a in remote_chart if a.full_name != "Checking"])
    with pytest.raises(UnmappedAccount, match="the account Checking is inactive"):
        account(book, Role.TENDER, tender="1")


def test_an_unusable_row_does_not_give_way_to_a_less_specific_one(
    book: Book, put: Map, chart: dict[str, Account], stores: dict[str, Store]
) -> None:
    """Money would land, unseen, on an account that nobody chose for it."""
    put(Role.TENDER, "Checking", tender="1")
    put(Role.TENDER, "Cash on Hand:Chicago", tender="1", store=stores["Chicago"])
    charts.delete_account(chart["Cash on Hand:Chicago"], actor=None, used_by="")
    with pytest.raises(UnmappedAccount):
        account(book, Role.TENDER, tender="1", store=str(stores["Chicago"].pk))


def test_why_is_told_in_the_words_of_the_shop(book: Book, put: Map, stores: dict[str, Store]) -> None:
    put(Role.TENDER, "Cash on Hand:Chicago", tender="1", store=stores["Chicago"])
    dimensions = {Dimension.TENDER: "1", Dimension.STORE: str(stores["Chicago"].pk)}
    why = MappingTable(book).resolve(Role.TENDER, dimensions).why
    assert why == "Mapping Payment account (Cash, Chicago) to Cash on Hand:Chicago"


def test_another_books_rows_do_not_count(book: Book, put: Map, chart: dict[str, Account]) -> None:
    put(Role.TENDER, "Checking", tender="1")
    with pytest.raises(UnmappedAccount):
        account(Book.objects.create(name="Second company"), Role.TENDER, tender="1")


def test_a_second_row_with_the_same_selectors_is_refused_by_the_database(
    book: Book, put: Map, stores: dict[str, Store]
) -> None:
    for selectors in ({"tender": "1"}, {"tender": "1", "store": stores["Chicago"]}):
        put(Role.TENDER, "Checking", **selectors)
        with pytest.raises(IntegrityError), transaction.atomic():
            put(Role.TENDER, "Card Clearing", **selectors)


def test_resolving_asks_the_database_nothing(
    mapping: MappingTable, django_assert_num_queries: Callable[[int], object]
) -> None:
    with django_assert_num_queries(0):  # type: ignore[attr-defined]
        mapping.resolve(Role.SALES, {Dimension.ITEM_CLASS: "1"})


def test_every_role_says_what_it_needs() -> None:
    assert set(ROLES) == set(Role)
    assert all(needs.falls_back_to in {None, *Role} and needs.fits for needs in ROLES.values())


def test_a_role_fits_no_account_that_needs_a_customer_or_vendor() -> None:
    assert not any({"receivable", "payable"} & {kind.value for kind in needs.fits} for needs in ROLES.values())


def test_names_come_from_the_sources_that_feed_the_book(book: Book, feed: Feed, stores: dict[str, Store]) -> None:
    names = MappingTable(book).names
    assert names[Dimension.TENDER, "2"] == "Visa"
    assert names[Dimension.STORE, str(stores["Chicago"].pk)] == "Chicago"
    assert len(names) == DimensionValue.objects.count() + len(stores)
