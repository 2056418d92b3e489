"""Accounts and mappings as tables. What the mapping's table says can be read back by `mappings.files`."""

from django.db.models import QuerySet

from ledger.exporting import guarded
from ledger.models import Book
from ledger.resources import TableResource, column
from ledger.terms import ROLES, Dimension, Role
from mappings.models import SELECTORS, Mapping
from mappings.names import Known


class AccountResource(TableResource):
    """The chart of accounts as it was imported."""

    what = "accounts"

    number = column("Account number", "number")
    full_name = column("Account name", "full_name")
    type = column("Account type", "get_type_display")
    detail = column("Detail type", "detail")
    currency = column("Currency", "currency")
    active = column("Active", "active")
    external_id = column("Id there", "external_id")
    warning = column("What to know", "warning")
    imported_at = column("Imported at (UTC)", "imported_at")


class MappingResource(TableResource):
    """The mapping of one book, in the words of the screen. A row narrowed further brings a column for it."""

    what = "account mapping"

    role = column("Role")
    value = column("Value")
    store = column("Store")
    tender = column("Tender")
    reason = column("Reason")
    tax_jurisdiction = column("Tax jurisdiction")
    item_class = column("Item class")
    category = column("Category")
    account_number = column("Account number", "account__number")
    account_name = column("Account name", "account__full_name")

    def __init__(self, book: Book) -> None:
        super().__init__()
        rows = list(Mapping.objects.filter(book=book).select_related("store"))
        self._known = Known(book, rows=rows, accounts=False)
        narrowed = {dimension for row in rows for dimension in row.further()}
        for dimension in SELECTORS:
            if dimension not in narrowed:
                del self.fields[dimension.value]

    def ready(self, rows: QuerySet[Mapping]) -> QuerySet[Mapping]:
        return rows.select_related("account", "store")

    def dehydrate_role(self, row: Mapping) -> str:
        return ROLES[Role(row.role)].label

    def dehydrate_value(self, row: Mapping) -> str:
        required = ROLES[Role(row.role)].required
        code = getattr(row, required.value) if required else ""
        return self._known.said(required, code) if required and code else ""

    def dehydrate_store(self, row: Mapping) -> str:
        return self._known.said(Dimension.STORE, str(row.store_id)) if row.store_id else ""

    def dehydrate_tender(self, row: Mapping) -> str:
        return self._further(row, Dimension.TENDER)

    def dehydrate_reason(self, row: Mapping) -> str:
        return self._further(row, Dimension.REASON)

    def dehydrate_tax_jurisdiction(self, row: Mapping) -> str:
        return self._further(row, Dimension.TAX_JURISDICTION)

    def dehydrate_item_class(self, row: Mapping) -> str:
        return self._further(row, Dimension.ITEM_CLASS)

    def dehydrate_category(self, row: Mapping) -> str:
        return self._further(row, Dimension.CATEGORY)

    def _further(self, row: Mapping, dimension: Dimension) -> str:
        return getattr(row, dimension.value) if dimension in row.further() else ""


def lines_of(book: Book) -> list[dict[str, str]]:
    """The mapping of a book as the lines of its file, by the headings of the columns: what a template keeps."""
    resource = MappingResource(book)
    table = resource.table(Mapping.objects.filter(book=book))
    return [dict(zip(table.headings, map(guarded, row), strict=True)) for row in table.rows]
