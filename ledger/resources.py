"""What leaves the house as a table: the columns of events and of entries by line, and the way every table takes.

The columns are django-import-export's; the files are written by `ledger.exporting`, row by row, so that a million rows
need no memory.
"""

from collections.abc import Callable, Iterable
from operator import attrgetter
from typing import Any, ClassVar

from django.db.models import Exists, Model, OuterRef, QuerySet
from django.http.response import HttpResponseBase
from import_export import resources
from import_export.fields import Field
from import_export.widgets import Widget

from ledger.audit import Actor
from ledger.errors import Refused
from ledger.exporting import XLSX, Table, exported
from ledger.models import Attempt, DimensionValue, JournalLine, Posting
from ledger.models.fields import choices
from ledger.terms import ROLES, AccountType, DeliveryState, Dimension, EntryKind, Outcome

KINDS, STATES, TYPES = (dict(choices(words)) for words in (EntryKind, DeliveryState, AccountType))
LABELS = {role.value: meaning.label for role, meaning in ROLES.items()}

MOST_IN_XLSX = 100_000
"""A workbook is written as a whole before it leaves; a CSV has no limit."""


NOT_POSTED = "Adopted, not posted"


def is_adopted(entry: str = "pk") -> Exists:
    """Whether a person took an entry of the accounting system in place of ours, whose lines were then not posted."""
    return Exists(Attempt.objects.filter(entry=OuterRef(entry), result=Attempt.Result.ADOPTED))


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

    def found(self, rows: QuerySet[Any]) -> Iterable[Any]:
        """The rows one after another."""
        return self.iter_queryset(self.ready(rows))

    def table(self, rows: QuerySet[Any]) -> Table:
        return self.table_of(self.found(rows))

    def table_of(self, found: Iterable[Any]) -> Table:
        # Each cell's maker is looked up once: the library does it anew for each cell of each row.
        makers = [self.maker(name, field) for name, field in self.fields.items()]
        return Table(self.what, self.get_export_headers(), ([make(row) for make in makers] for row in found))

    def maker(self, name: str, field: Field) -> Callable[[Any], Any]:
        """What makes the cell of a column from a row."""
        return getattr(self, f"dehydrate_{name}", None) or field.export


class ValuesResource(TableResource):
    """Rows that are read as the values of their columns, for a long table: no object is made for any of them.

    A row bears each value under the path of its column, such as `entry__reference`; `also`: what its made cells need.
    """

    also: ClassVar[tuple[str, ...]] = ()

    def found(self, rows: QuerySet[Any]) -> Iterable[Any]:
        paths = [*(field.attribute for field in self.fields.values() if field.attribute), *self.also]
        return self.ready(rows).values_list(*paths, named=True).iterator(chunk_size=self._meta.chunk_size)

    def maker(self, name: str, field: Field) -> Callable[[Any], Any]:
        return getattr(self, f"dehydrate_{name}", None) or attrgetter(field.attribute)


def download(
    actor: Actor,
    resource: TableResource,
    rows: QuerySet[Any],
    *,
    form: str,
    about: Model | type[Model],
    **asked: Any,
) -> HttpResponseBase:
    """The rows as a file, with how many they are in the audit. Raises Refused.

    The caller has checked the permission and scoped the rows. `asked`: what `exported` takes besides.
    """
    count = rows.count()
    if form == XLSX and count > MOST_IN_XLSX:
        raise Refused(
            f"{count:,} rows are too many for a workbook, which takes {MOST_IN_XLSX:,} here. "
            "Narrow the list, or take CSV, which has no limit."
        )
    return exported(actor, resource.table(rows), form=form, about=about, rows=count, **asked)


class PostingResource(TableResource):
    """Financial events, one row each. `problem` says what holds one up, in the words of the reader.

    `of_the_books` is false for who runs stores: how an event was booked is then left out.
    """

    what = "events"
    booked: ClassVar = ("outcome", "entry", "remote_id")

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
    remote_id = column("Entry in the accounting system", "entry__remote_id")
    error = column("What to know")
    changed_since = column("Changed after it was posted", "changed_since")
    set_aside_reason = column("Set aside because", "set_aside_reason")
    updated_at = column("Last change (UTC)", "updated_at")

    def __init__(self, *, problem: Callable[[Posting], str] = attrgetter("error"), of_the_books: bool = True) -> None:
        super().__init__()
        self._problem = problem
        for name in () if of_the_books else self.booked:
            del self.fields[name]

    def ready(self, rows: QuerySet[Posting]) -> QuerySet[Posting]:
        heavy = ("error_detail", "entry__sent_body", "entry__memo")
        return rows.select_related(None).select_related("book", "store", "entry").defer(None).defer(*heavy)

    def dehydrate_state(self, posting: Posting) -> str:
        return posting.standing

    def dehydrate_outcome(self, posting: Posting) -> str:
        return Outcome(posting.outcome).label if posting.outcome else ""

    def dehydrate_error(self, posting: Posting) -> str:
        return self._problem(posting)


class EntryLineResource(ValuesResource):
    """Journal entries, one row a line, so that an accountant can pivot them."""

    what = "entries"
    also = (
        *("entry__kind", "entry__state", "account__type", "role", "dimensions", "debit", "credit"),
        "posting__event__source",
        "adopted",
    )

    reference = column("Entry", "entry__reference")
    kind = column("Kind")
    state = column("State")
    posting_date = column("Posting date", "entry__posting_date")
    book = column("Book", "entry__book__name")
    store = column("Store", "entry__store__name")
    event = column("Event", "posting__number")
    business_date = column("Business date", "posting__business_date")
    account_number = column("Account number", "account__number")
    account_name = column("Account name", "account__full_name")
    account_type = column("Account type")
    role = column("Role")
    tender = column("Tender")
    item_class = column("Item class")
    tax_jurisdiction = column("Tax jurisdiction")
    debit = column("Debit")
    credit = column("Credit")
    currency = column("Currency", "entry__currency")
    text = column("Text", "text")
    why = column("Why this account", "why")
    remote_id = column("Entry in the accounting system", "entry__remote_id")
    posted_at = column("Posted at (UTC)", "entry__posted_at")

    def __init__(self) -> None:
        super().__init__()
        known = DimensionValue.objects.values_list("source_id", "dimension", "code", "name")
        self._names = {(source, dimension, code): name for source, dimension, code, name in known}

    def ready(self, rows: QuerySet[JournalLine]) -> QuerySet[JournalLine]:
        return rows.annotate(adopted=is_adopted("entry")).order_by("-entry_id", "id")

    def dehydrate_kind(self, line: Any) -> str:
        return KINDS[line.entry__kind]

    def dehydrate_state(self, line: Any) -> str:
        return NOT_POSTED if line.adopted else STATES[line.entry__state]

    def dehydrate_account_type(self, line: Any) -> str:
        return TYPES[line.account__type]

    def dehydrate_role(self, line: Any) -> str:
        return LABELS[line.role]

    def dehydrate_tender(self, line: Any) -> str:
        return self._named(line, Dimension.TENDER)

    def dehydrate_item_class(self, line: Any) -> str:
        return self._named(line, Dimension.ITEM_CLASS)

    def dehydrate_tax_jurisdiction(self, line: Any) -> str:
        return self._named(line, Dimension.TAX_JURISDICTION)

    def dehydrate_debit(self, line: Any) -> Any:
        return line.debit or None

    def dehydrate_credit(self, line: Any) -> Any:
        return line.credit or None

    def _named(self, line: Any, dimension: Dimension) -> str:
        code = line.dimensions.get(dimension.value, "")
        return self._names.get((line.posting__event__source, dimension.value, code), code) if code else ""
