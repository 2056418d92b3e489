"""What leaves the house as a table: the columns of postings and of entries by line, and the way every table takes.

The columns are django-import-export's; the files are written by `ledger.exporting`, row by row, so that a million rows
need no memory.
"""

from typing import Any, ClassVar

from django.db.models import Model, QuerySet
from django.http.response import HttpResponseBase
from import_export import resources
from import_export.fields import Field
from import_export.widgets import Widget

from ledger.audit import Actor
from ledger.errors import Refused
from ledger.exporting import XLSX, Table, exported
from ledger.models import DimensionValue, JournalLine, Posting
from ledger.terms import ROLES, Dimension, EntryKind, Outcome, Role, SyncState

MOST_IN_XLSX = 100_000
"""A workbook is written as a whole before it leaves; a CSV has no limit."""


class AsItIs(Widget):
    """Amounts stay numbers and dates stay dates until the file is written."""

    def render(self, value: Any, obj: Any = None, **kwargs: Any) -> Any:
        return value


def column(heading: str, attribute: str = "") -> Field:
    """A column of this heading; without an attribute the resource's `dehydrate_...` makes its cell."""
    return Field(attribute=attribute or None, column_name=heading, widget=AsItIs(), readonly=True)


class TableResource(resources.Resource):
    """The columns of one kind of table, and what its rows bring along so that no cell asks the database."""

    what: ClassVar[str]

    class Meta:
        chunk_size = 2000

    def ready(self, rows: QuerySet[Any]) -> QuerySet[Any]:
        """The rows with what their cells need."""
        return rows

    def table(self, rows: QuerySet[Any]) -> Table:
        found = self.iter_queryset(self.ready(rows))
        return Table(self.what, self.get_export_headers(), (self.export_resource(row) for row in found))


def download(
    actor: Actor,
    resource: TableResource,
    rows: QuerySet[Any],
    *,
    form: str,
    about: Model | type[Model],
    book: str = "",
    **asked: Any,
) -> HttpResponseBase:
    """The rows as a file, with what was asked for and how many rows it has in the audit. Raises Refused.

    The caller has checked the permission and scoped the rows.
    """
    count = rows.count()
    if form == XLSX and count > MOST_IN_XLSX:
        raise Refused(
            f"{count:,} rows are too many for a workbook, which takes {MOST_IN_XLSX:,} here. "
            "Narrow the list, or take CSV, which has no limit."
        )
    return exported(actor, resource.table(rows), form=form, about=about, book=book, rows=count, **asked)


class PostingResource(TableResource):
    """Financial events, one row each."""

    what = "financial events"

    number = column("Number", "number")
    kind = column("Kind", "get_kind_display")
    state = column("State")
    outcome = column("How it was settled")
    business_date = column("Business date", "business_date")
    store = column("Store", "store__name")
    book = column("Book", "book__name")
    amount = column("Amount", "amount")
    currency = column("Currency", "book__currency")
    entry = column("Entry", "entry__reference")
    remote_id = column("Entry there", "entry__remote_id")
    error = column("What to know", "error")
    changed_since = column("Changed after it was posted", "changed_since")
    set_aside_reason = column("Set aside because", "set_aside_reason")
    updated_at = column("Last change (UTC)", "updated_at")

    def ready(self, rows: QuerySet[Posting]) -> QuerySet[Posting]:
        heavy = ("error_detail", "entry__sent_body", "entry__memo")
        return rows.select_related(None).select_related("book", "store", "entry").defer(None).defer(*heavy)

    def dehydrate_state(self, posting: Posting) -> str:
        return SyncState(posting.state).label

    def dehydrate_outcome(self, posting: Posting) -> str:
        return Outcome(posting.outcome).label if posting.outcome else ""


class EntryLineResource(TableResource):
    """Journal entries, one row a line, so that an accountant can pivot them."""

    what = "journal entries"

    reference = column("Entry", "entry__reference")
    kind = column("Kind")
    state = column("State", "entry__get_state_display")
    posting_date = column("Posting date", "entry__posting_date")
    book = column("Book", "entry__book__name")
    store = column("Store", "entry__store__name")
    event = column("Event", "posting__number")
    business_date = column("Business date", "posting__business_date")
    account_number = column("Account number", "account__number")
    account_name = column("Account name", "account__full_name")
    account_type = column("Account type", "account__get_type_display")
    role = column("Role")
    tender = column("Tender")
    item_class = column("Item class")
    tax_jurisdiction = column("Tax jurisdiction")
    debit = column("Debit")
    credit = column("Credit")
    currency = column("Currency", "entry__currency")
    text = column("Text", "text")
    why = column("Why this account", "why")
    remote_id = column("Entry there", "entry__remote_id")
    posted_at = column("Posted at (UTC)", "entry__posted_at")

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        known = DimensionValue.objects.values_list("source_id", "dimension", "code", "name")
        self._names = {(source, dimension, code): name for source, dimension, code, name in known}

    def ready(self, rows: QuerySet[JournalLine]) -> QuerySet[JournalLine]:
        related = rows.select_related("entry__book", "entry__store", "posting__event", "account")
        told = ("posting__error", "posting__error_detail", "posting__event__problem")
        return related.defer("entry__sent_body", "entry__memo", *told).order_by("-entry_id", "id")

    def dehydrate_kind(self, line: JournalLine) -> str:
        return EntryKind(line.entry.kind).value.capitalize()

    def dehydrate_role(self, line: JournalLine) -> str:
        return ROLES[Role(line.role)].label

    def dehydrate_tender(self, line: JournalLine) -> str:
        return self._named(line, Dimension.TENDER)

    def dehydrate_item_class(self, line: JournalLine) -> str:
        return self._named(line, Dimension.ITEM_CLASS)

    def dehydrate_tax_jurisdiction(self, line: JournalLine) -> str:
        return self._named(line, Dimension.TAX_JURISDICTION)

    def dehydrate_debit(self, line: JournalLine) -> Any:
        return line.debit or None

    def dehydrate_credit(self, line: JournalLine) -> Any:
        return line.credit or None

    def _named(self, line: JournalLine, dimension: Dimension) -> str:
        code = str(line.dimensions.get(dimension.value, ""))
        return self._names.get((line.posting.event.source_id, dimension.value, code), code)
