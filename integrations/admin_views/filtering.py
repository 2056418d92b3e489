"""What narrows a list of financial events: one form, the rows that it leaves, and itself in words.

The list, its bulk deeds and the address that one shares all read it from the same query, so that they mean the same.
Dates go newest first; an event without a date stands behind everything else, on both databases.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.db.models import ExpressionWrapper, F, QuerySet, Value

from integrations.admin_forms import date_input
from integrations.bulk_deeds import deed_of
from integrations.models import BulkDeed
from integrations.seeing import LASTS_MINUTES, long_unknown
from ledger import money
from ledger.admin import upstairs
from ledger.admin.adopted import ADOPTED
from ledger.admin.base import LARGEST_COUNT
from ledger.admin.scoping import Person, is_store_manager, own_stores, visible
from ledger.models import AuditRecord, Book, JournalEntry, Posting, Store, SyncOrder
from ledger.models.fields import AmountField, NewestFirst, choices
from ledger.terms import EventKind, Outcome, SyncState

OPEN, CHANGED, ASIDE, UNANSWERED, TAKEN = "open", "changed", "set_aside", "unanswered", "adopted"
SPECIAL = {
    OPEN: "Anything but Synced",
    CHANGED: "Changed after it was posted",
    ASIDE: "Set aside",
    UNANSWERED: f"No answer for {LASTS_MINUTES} minutes",
    TAKEN: Outcome.ADOPTED.label,
}
"""What may be chosen beside the states themselves."""

COUNTED = (SyncState.ERROR, SyncState.PROCESSING, SyncState.NOT_SYNCED, SyncState.NEVER_SYNCED, ASIDE)
"""Everything but Synced, each event in one of them: what was set aside is told apart from what nobody asked for."""

OLDEST = "oldest"
MANY_STORES = 12
FEW = 5_000
"""Up to so many rows the index of amounts is the shorter way; more are met soon enough in the order of their dates."""


class EventFilter(forms.Form):
    """What the Financial Events tab shows. While a value cannot be read it leaves nothing: it might mean all."""

    state = forms.ChoiceField(required=False, label="State")
    kind = forms.ChoiceField(required=False, label="Kind", choices=[("", "All kinds"), *choices(EventKind)])
    store = forms.ModelChoiceField(Store.objects.none(), required=False, label="Store", empty_label="All stores")
    first = forms.DateField(required=False, label="From", widget=date_input())
    last = forms.DateField(required=False, label="To", widget=date_input())
    least = forms.DecimalField(required=False, label="Amount from", max_digits=15, decimal_places=2)
    most = forms.DecimalField(required=False, label="Amount to", max_digits=15, decimal_places=2)
    number = forms.CharField(required=False, label="Number", max_length=60)
    cause = forms.CharField(required=False, label="Cause", max_length=200, widget=forms.HiddenInput)
    order = forms.ModelChoiceField(SyncOrder.objects.none(), required=False, label="Order", widget=forms.HiddenInput)
    sort = forms.CharField(required=False, max_length=10, widget=forms.HiddenInput)

    def __init__(self, data: Mapping[str, Any], *, book: Book, person: Person) -> None:
        super().__init__(data)
        self.book, self.person = book, person
        stores = self.fields["store"]
        self._offer_states({})
        stores.queryset = stores_of(book, person=person)  # type: ignore[attr-defined]
        self.fields["order"].queryset = SyncOrder.objects.filter(book=book)  # type: ignore[attr-defined]
        for name in ("least", "most"):
            self.fields[name].widget.attrs |= {"inputmode": "decimal", "size": 8}
        self.is_valid()

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        for low, high in (("first", "last"), ("least", "most")):
            begin, end = cleaned.get(low), cleaned.get(high)
            if begin is not None and end is not None and begin > end:
                self.add_error(low, f"It lies {'after' if low == 'first' else 'above'} “{self.fields[high].label}”.")
        return cleaned

    def _offer_states(self, counts: Mapping[str, str]) -> None:
        def words(state: str) -> str:
            return label_of(state) + (f" ({counts[state]})" if state in counts else "")

        states = (OPEN, *SyncState, ASIDE, CHANGED, UNANSWERED, *(() if is_store_manager(self.person) else (TAKEN,)))
        offered = [(str(state), words(state)) for state in states]
        self.fields["state"].choices = [("", "All states"), *offered]  # type: ignore[attr-defined]

    def for_the_screen(self, counts: Iterable[Mapping[str, Any]]) -> "EventFilter":
        """With counts behind the states; a long list of stores becomes a field to type a part of the name in."""
        self._offer_states({row["state"]: row["shown"] for row in counts})
        stores = self.fields["store"]
        if stores.queryset.count() > MANY_STORES:  # type: ignore[attr-defined]
            words = {"data-chooser": "All stores", "data-none": "No store of this name.", "data-noun": "store"}
            stores.widget.attrs |= words | {"aria-label": "Store"}
        return self

    @property
    def chosen(self) -> dict[str, Any]:
        """What could be read and is not empty."""
        return {name: value for name, value in self.cleaned_data.items() if value not in (None, "") and name != "sort"}

    @property
    def is_oldest_first(self) -> bool:
        return bool(self.cleaned_data.get("sort") == OLDEST)

    @property
    def query(self) -> dict[str, str]:
        """The filter as it stands in an address; without the order and the page."""
        return {name: str(self.data.get(name)) for name in self.chosen}

    def in_words(self) -> dict[str, str]:
        """Each part by its label, as a person reads it; the audit keeps it so."""
        return {str(self.fields[name].label): self._said(name, value) for name, value in self.chosen.items()}

    def _said(self, name: str, value: Any) -> str:
        if name == "state":
            return label_of(value)
        if name == "kind":
            return dict(choices(EventKind))[value]
        if isinstance(value, date):
            return f"{value:%b %-d, %Y}"
        if isinstance(value, Decimal):
            return money.shown(value, currency=self.book.currency)
        if isinstance(value, SyncOrder):
            return _order_in_words(value)
        return str(value)

    def chips(self) -> list["Chip"]:
        """One for each part, with the address of the list without it."""
        sort = {"sort": OLDEST} if self.is_oldest_first else {}
        found = []
        for name, value in self.chosen.items():
            rest = {key: said for key, said in self.query.items() if key != name}
            words = self._example(value) if name == "cause" else self._said(name, value)
            found.append(Chip(str(self.fields[name].label), words, f"?{urlencode(rest | sort)}"))
        return found

    def _example(self, cause: str) -> str:
        """What one of the events that it holds up says; the cause itself when it holds up none any more."""
        failed = Posting.objects.filter(book=self.book, state=SyncState.ERROR, cause=cause)
        example = visible(failed, to=self.person).order_by().first()
        return upstairs.problem_of(example, self.person) if example else cause


@dataclass(frozen=True)
class Chip:
    """A part of the filter in words; following `without` takes it away."""

    label: str
    words: str
    without: str


def _order_in_words(order: SyncOrder) -> str:
    if order.first_date and order.last_date:
        return f"past events, {order.first_date:%b %-d, %Y} to {order.last_date:%b %-d, %Y}"
    return f"{order.get_kind_display()} of {order.ordered_at:%b %-d, %Y}"


def stores_of(book: Book, *, person: Person) -> QuerySet[Store]:
    """The stores that can have events in a book, as far as a person may see them."""
    rows = Store.objects.filter(source__feeds__book=book).distinct().order_by("name")
    own = own_stores(person)
    return rows if own is None else rows.filter(pk__in=own)


def label_of(state: str) -> str:
    """A state, or what may be chosen beside the states, as people read it."""
    return SPECIAL.get(state) or SyncState(state).label


def offered_counts(book: Book, *, person: Person) -> list[dict[str, Any]]:
    """Where the events of a book stand, as the filter divides them: `state`, `label`, `count`, `shown`."""
    rows = visible(Posting.objects.filter(book=book), to=person)
    return [{"state": str(one), "label": label_of(one), **bounded(_by_state(rows, one))} for one in COUNTED]


def to_retry(book: Book, *, person: Person) -> dict[str, Any]:
    """How many events this person's Retry Failed takes, and of what: `count`, `shown`, `whose`."""
    seen = visible(Posting.objects.filter(book=book), to=person)
    whose = "in this book" if own_stores(person) is None else "of your stores"
    return bounded(deed_of(BulkDeed.Kind.RETRY, person).touches(seen, book)) | {"whose": whose}


def bounded(rows: QuerySet[Posting]) -> dict[str, Any]:
    """The number of rows, counted no further than it must be: `count`, and `shown` as people read it."""
    count = rows.order_by()[: LARGEST_COUNT + 1].count()
    return {"count": count, "shown": f"{LARGEST_COUNT:,}+" if count > LARGEST_COUNT else f"{count:,}"}


def narrowed(book: Book, form: EventFilter, *, person: Person) -> QuerySet[Posting]:
    """The events of a book that the filter leaves, as far as a person may see them; in no order."""
    if form.errors:
        return Posting.objects.none()
    rows = _by_state(visible(Posting.objects.filter(book=book), to=person), form.chosen.get("state", ""))
    same = {"kind": "kind", "store": "store", "order": "order"}
    since = {"first": "business_date__gte", "last": "business_date__lte"}
    for name, lookup in {**same, **since}.items():
        if name in form.chosen:
            rows = rows.filter(**{lookup: form.chosen[name]})
    if "cause" in form.chosen:
        rows = rows.filter(state=SyncState.ERROR, cause=form.chosen["cause"])
    rows = _by_amount(rows, book, least=form.chosen.get("least"), most=form.chosen.get("most"))
    return _with_number(rows, form.chosen.get("number", "").strip())


def in_order(rows: QuerySet[Posting], form: EventFilter) -> QuerySet[Posting]:
    """Newest first unless the reader turned it round."""
    ordered = rows.order_by(NewestFirst("business_date"), "-id")
    return ordered.reverse() if form.is_oldest_first else ordered


def _by_state(rows: QuerySet[Posting], state: str) -> QuerySet[Posting]:
    if state == OPEN:
        return rows.exclude(state=SyncState.SYNCED)
    if state == CHANGED:
        return rows.filter(changed_since=True)
    if state == ASIDE:
        return rows.exclude(set_aside_reason="")
    if state == UNANSWERED:
        # Few are on their way, so that their index comes before the look into their attempts.
        return long_unknown(rows)
    if state == TAKEN:
        return _adopted(rows)
    if state == SyncState.NEVER_SYNCED:
        return rows.filter(state=state, set_aside_reason="")
    return rows.filter(state=state) if state else rows


def _adopted(rows: QuerySet[Posting]) -> QuerySet[Posting]:
    """No index tells outcomes apart; the audit has one of deeds, and few events are adopted."""
    deeds = AuditRecord.objects.filter(deed=ADOPTED, subject_kind=Posting._meta.label_lower)
    few = list(deeds.order_by().values_list("subject_id", flat=True)[: FEW + 1])
    rows = rows.filter(state=SyncState.SYNCED, outcome=Outcome.ADOPTED)
    return rows.filter(pk__in=few) if len(few) <= FEW else rows


def _by_amount(
    rows: QuerySet[Posting], book: Book, *, least: Decimal | None, most: Decimal | None
) -> QuerySet[Posting]:
    """Few events of such amounts are named by their ids, or either database may sort a million rows for fifty."""
    bounds = {"gte": least, "lte": most}
    wanted = {lookup: bound for lookup, bound in bounds.items() if bound is not None}
    if not wanted:
        return rows
    there = Posting.objects.filter(book=book, **{f"amount__{lookup}": bound for lookup, bound in wanted.items()})
    few = list(there.order_by("amount", "id").values_list("pk", flat=True)[: FEW + 1])
    if len(few) <= FEW:
        return rows.filter(pk__in=few)
    # No index serves a sum, so that the rows are met in the order of their dates; half of a million would be sorted.
    as_it_is = ExpressionWrapper(F("amount") + Value(0), output_field=AmountField())
    return rows.alias(worth=as_it_is).filter(**{f"worth__{lookup}": bound for lookup, bound in wanted.items()})


def _with_number(rows: QuerySet[Posting], number: str) -> QuerySet[Posting]:
    """The exact number of the event, or of its entry. The entries are looked up first: a join would read every row."""
    if not number:
        return rows
    wanted = {number, number.upper()}
    entries = list(JournalEntry.objects.filter(reference__in=wanted).values_list("pk", flat=True))
    if not entries:
        return rows.filter(number__in=wanted)
    # Each by its own index: "one or the other" is met by SQLite with a walk over the whole book.
    same = Posting.objects.filter(number__in=wanted).order_by()
    carried = Posting.objects.filter(entry__in=entries).order_by()
    ids = {pk for found in (same, carried) for pk in found.values_list("pk", flat=True)}
    return rows.filter(pk__in=ids)
