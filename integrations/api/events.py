"""Financial events of a book, as the screens' Financial Events tab shows them."""

from collections.abc import Sequence
from functools import partial
from typing import Any

from django.db.models import QuerySet
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from integrations.api.described import operation
from integrations.api.fields import Amount, AmountAsked, Day, Id, PageInDaybook, Text, amount, asked
from integrations.api.paging import BY_ID, Order, Page, Paged, by_amount, by_date, page
from integrations.api.problems import found
from integrations.remedies import cause_for
from ledger.admin import upstairs
from ledger.admin.scoping import Person, is_store_manager, may_for_all, visible
from ledger.models import Attempt, Book, JournalEntry, Posting
from ledger.terms import DeliveryState, EventKind, SyncState
from ledger.trace import trace_of

OPEN, CHANGED = "open", "changed"
MOST_ALIKE = 400
"""So many events may share one number, over all books and tills."""
STATES = [*(state.value for state in SyncState), OPEN, CHANGED]


class EventFilters(Paged):
    """Which events; filters narrow each other."""

    state = serializers.ChoiceField(
        STATES, required=False, help_text="`open` is every state but synced; `changed` is synced and changed since."
    )
    kind = serializers.ChoiceField([kind.value for kind in EventKind], required=False, help_text="Kind of event.")
    store = Id(required=False, help_text="Id of a store.")
    first = Day(required=False, help_text="First business date.")
    last = Day(required=False, help_text="Last business date, included.")
    number = Text(required=False, max_length=60, help_text="The whole number of the event or of its entry.")
    cause = Text(required=False, max_length=200, help_text="Events in error of one cause; see the alerts.")
    least = AmountAsked(required=False, help_text="Smallest amount, included.")
    most = AmountAsked(required=False, help_text="Largest amount, included.")


class EntryOfEvent(serializers.Serializer):
    """The journal entry that carries the event now."""

    id = serializers.IntegerField()
    reference = serializers.CharField(help_text="Its number in the accounting system.")
    state = serializers.ChoiceField([state.value for state in DeliveryState])
    remote_id = serializers.CharField(help_text="Its id in the accounting system; empty before it is posted.")
    remote_link = serializers.CharField(help_text="Its page in the accounting system; empty if there is none.")


class Event(serializers.Serializer):
    """One financial event in one book."""

    id = serializers.IntegerField(help_text="Of the event in this book.")
    trace = serializers.SerializerMethodField(help_text="The id that stands in every line of the logs about it.")
    book = serializers.IntegerField(source="book_id")
    number = serializers.CharField()
    kind = serializers.ChoiceField([kind.value for kind in EventKind])
    store = serializers.IntegerField(source="store_id", allow_null=True)
    store_name = serializers.CharField(source="store.name", allow_null=True)
    business_date = Day(allow_null=True, help_text="Empty while the document cannot be read.")
    amount = Amount(allow_null=True)
    currency = serializers.CharField(source="book.currency")
    state = serializers.ChoiceField(
        [state.value for state in SyncState], help_text="never_synced, too, what was set aside; see set_aside_reason."
    )
    outcome = serializers.CharField(
        help_text="How it came to be synced: posted, adopted, nothing_to_post, ...; empty for a store manager."
    )
    error = serializers.SerializerMethodField(
        help_text="What is wrong and what to do; empty unless the state is error."
    )
    cause = serializers.SerializerMethodField(
        help_text="Events of one cause are mended together; for a store manager only what is mended at the till."
    )
    changed_since = serializers.BooleanField(help_text="Changed at the till after it was posted.")
    set_aside_reason = serializers.CharField()
    entry = EntryOfEvent(allow_null=True, help_text="Null before it is booked, and for a store manager.")
    updated_at = serializers.DateTimeField()
    page = PageInDaybook("admin:ledger_posting_change")

    def get_trace(self, posting: Posting) -> str:
        return trace_of(posting.event.source.code, posting.event.kind, posting.event.external_id)

    def get_error(self, posting: Posting) -> str:
        return upstairs.problem_of(posting, self.context["request"].user)

    def get_cause(self, posting: Posting) -> str:
        return cause_for(self.context["request"].user, posting.cause)

    def to_representation(self, posting: Posting) -> dict[str, Any]:
        """A store manager reads nothing of how the event was booked."""
        shown: dict[str, Any] = super().to_representation(posting)
        return shown | {"outcome": "", "entry": None} if is_store_manager(self.context["request"].user) else shown


class EventPage(Page):
    """A page of events, newest first."""

    results = Event(many=True)


class AttemptMade(serializers.Serializer):
    """One try to send an entry of the event."""

    entry = serializers.IntegerField(source="entry_id")
    started_at = serializers.DateTimeField()
    ended_at = serializers.DateTimeField(allow_null=True)
    result = serializers.ChoiceField(Attempt.Result.values)
    code = serializers.CharField(help_text="The vendor's code, if it gave one.")
    message = serializers.CharField(help_text="Our sentence.")
    vendor_message = serializers.CharField(help_text="The vendor's own words.")
    vendor_request_id = serializers.CharField(help_text="For the vendor's support.")


class Story(serializers.Serializer):
    """The ids by which every step of an event's way is found."""

    event = serializers.IntegerField(source="event_id", help_text="Of the document, over all books.")
    document = serializers.CharField(source="event.external_id", help_text="The document's id at the till.")
    revision = serializers.IntegerField(source="event.revision", help_text="The latest form of its facts.")
    booked_revision = serializers.IntegerField(
        allow_null=True, help_text="The form that was booked; null for a store manager."
    )
    order = serializers.IntegerField(source="order_id", allow_null=True, help_text="The order that asked for it.")
    entries = serializers.ListField(
        child=serializers.IntegerField(), help_text="Every entry that carried it; none for a store manager."
    )
    captured_at = serializers.DateTimeField(source="event.captured_at")
    completed_at = serializers.DateTimeField(source="event.completed_at", allow_null=True)


class EventInFull(Event):
    """One event with its story."""

    story = Story(source="*")
    attempts = AttemptMade(many=True)

    def to_representation(self, posting: Posting) -> dict[str, Any]:
        shown = super().to_representation(posting)
        if is_store_manager(self.context["request"].user):
            shown["story"] |= {"booked_revision": None, "entries": []}
        return shown


EVENT: dict[str, Any] = {
    "id": 1204,
    "trace": "HR-T100123",
    "book": 1,
    "number": "100123",
    "kind": "ticket",
    "store": 2,
    "store_name": "Los Angeles",
    "business_date": "2010-12-03",
    "amount": "86.40",
    "currency": "USD",
    "state": "synced",
    "outcome": "posted",
    "error": "",
    "cause": "",
    "changed_since": False,
    "set_aside_reason": "",
    "entry": {
        "id": 981,
        "reference": "HR-T100123",
        "state": "posted",
        "remote_id": "145",
        "remote_link": "https://qbo.intuit.com/app/journal?txnId=145",
    },
    "updated_at": "2010-12-04T02:44:10Z",
    "page": "https://daybook.example.com/admin/ledger/posting/1204/change/",
}
STORY: dict[str, Any] = {
    "event": 998,
    "document": "100123",
    "revision": 1,
    "booked_revision": 1,
    "order": None,
    "entries": [981],
    "captured_at": "2010-12-04T02:43:51Z",
    "completed_at": "2010-12-04T02:42:00Z",
}


def events_of(book: Book, chosen: dict[str, Any], *, person: Person) -> QuerySet[Posting]:
    """The events that the filters leave, as far as this person sees them."""
    rows = visible(Posting.objects.filter(book=book), to=person)
    plain = {"kind": "kind", "store": "store", "first": "business_date__gte", "last": "business_date__lte"}
    rows = rows.filter(**{column: chosen[name] for name, column in plain.items() if name in chosen})
    rows = rows.filter(**_amounts(chosen))
    if state := chosen.get("state"):
        rows = _in_state(rows, state)
    if "cause" in chosen:
        rows = rows.filter(state=SyncState.ERROR, cause=chosen["cause"])
    return _numbered(rows, chosen["number"]) if "number" in chosen else rows


def _numbered(rows: QuerySet[Posting], number: str) -> QuerySet[Posting]:
    """By the event's number or its entry's: both looked up first, along their indexes, for together they have none."""
    wanted = {number, number.upper()}
    events = Posting.objects.filter(number__in=wanted).order_by().values_list("pk", flat=True)
    entries = JournalEntry.objects.filter(reference__in=wanted).order_by().values_list("pk", flat=True)
    carried = Posting.objects.filter(entry__in=list(entries)).order_by().values_list("pk", flat=True)
    return rows.filter(pk__in=[*events[:MOST_ALIKE], *carried[:MOST_ALIKE]])


def _order(chosen: dict[str, Any]) -> Order:
    if "first" in chosen or "last" in chosen:
        return by_date("business_date")
    return by_amount("amount") if "least" in chosen or "most" in chosen else BY_ID


def _amounts(chosen: dict[str, Any]) -> dict[str, Any]:
    bounds = {"least": "amount__gte", "most": "amount__lte"}
    return {column: amount(chosen[name]) for name, column in bounds.items() if name in chosen}


def _in_state(rows: QuerySet[Posting], state: str) -> QuerySet[Posting]:
    if state == OPEN:
        return rows.filter(state__in=[state for state in SyncState if state is not SyncState.SYNCED])
    return rows.filter(changed_since=True) if state == CHANGED else rows.filter(state=state)


def _with_the_rest(rows: QuerySet[Posting]) -> QuerySet[Posting]:
    related = rows.select_related("book", "event__source", "store", "entry")
    return related.defer("error_detail", "entry__sent_body", "entry__memo", "event__problem")


def _shown(request: Request, found: Sequence[Posting]) -> Any:
    return Event(found, many=True, context={"request": request}).data


class EventsView(APIView):
    """The events of a book."""

    needs = "ledger.view_posting"
    store_managers = True

    @operation(
        "list_events",
        tag="Events",
        summary="The events of a book",
        description=(
            "Every financial event as it stands in this book, in pages: the latest captured first; narrowed by date "
            "the latest date first; narrowed by amount alone the largest first. A store manager reads the events of "
            "the own stores, and what is wrong without accounting. Rows that arrive between two pages do not disturb "
            "them."
        ),
        filters=EventFilters,
        answer=EventPage,
        example={"next": None, "next_cursor": None, "results": [EVENT]},
        refusals=(400, 404),
    )
    def get(self, request: Request, book_id: int) -> Response:
        chosen = asked(EventFilters, request.query_params)
        book = found(Book.objects.all(), book_id, what="book")
        rows = _with_the_rest(events_of(book, chosen, person=request.user))
        return page(request, rows, chosen, partial(_shown, request), order=_order(chosen))


class EventView(APIView):
    """One event in one book."""

    needs = "ledger.view_posting"
    store_managers = True

    @operation(
        "get_event",
        tag="Events",
        summary="One event with its story",
        description=(
            "Where one event stands in one book, with the ids of its story (document, order, entries), its trace in "
            "the logs, and every try to send it. A store manager reads what is wrong without accounting, no tries, and "
            "nothing of how it was booked: `outcome`, `entry`, `booked_revision` and `entries` are empty."
        ),
        answer=EventInFull,
        example={**EVENT, "story": STORY, "attempts": []},
        refusals=(404,),
    )
    def get(self, request: Request, event_id: int) -> Response:
        rows = visible(_with_the_rest(Posting.objects.all()), to=request.user)
        posting = found(rows, event_id, what="event")
        lines = posting.lines.order_by().values_list("entry", flat=True).distinct()
        entries = sorted({*lines, *([posting.entry_id] if posting.entry_id else [])})
        tried = Attempt.objects.filter(entry__in=entries).order_by("pk")
        tries = list(tried) if may_for_all(request.user, "ledger.view_attempt") else []
        posting.__dict__.update(entries=entries, attempts=tries)
        return Response(EventInFull(posting, context={"request": request}).data)
