"""Books with their health, and stores."""

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema_serializer
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from integrations.admin_views import health
from integrations.admin_views.access import address_of
from integrations.api.described import operation
from integrations.api.fields import Day, Id, asked
from integrations.api.paging import Page, Paged, page
from integrations.api.problems import found
from integrations.models import Connection
from integrations.vendors import VENDORS
from ledger.admin.base import LARGEST_COUNT
from ledger.admin.scoping import may, visible
from ledger.models import Book, Store
from ledger.terms import SyncState


class ProblemOfBook(serializers.Serializer):
    """One cause of trouble."""

    sentence = serializers.CharField(help_text="What is wrong and what to do.")
    events = serializers.IntegerField(help_text="How many events it holds up.")
    since = serializers.DateTimeField(allow_null=True)
    needs_a_person = serializers.BooleanField(source="is_error")


class HealthOfBook(serializers.Serializer):
    """How a book stands, in words."""

    colour = serializers.ChoiceField(["green", "grey", "red"], help_text="Good; nothing is sent; a person must act.")
    headline = serializers.CharField()
    detail = serializers.CharField()
    problems = ProblemOfBook(source="troubles", many=True)


class Counts(serializers.Serializer):
    """Events by state, counted up to 10,001; synced ones are not counted."""

    never_synced = serializers.IntegerField()
    not_synced = serializers.IntegerField()
    processing = serializers.IntegerField()
    error = serializers.IntegerField()


@extend_schema_serializer(component_name="Book")
class BookShown(serializers.Serializer):
    """A company's books in one accounting system."""

    id = serializers.IntegerField()
    name = serializers.CharField()
    currency = serializers.CharField()
    accounting_system = serializers.CharField(allow_null=True)
    connected = serializers.BooleanField()
    syncing = serializers.BooleanField(help_text="Whether the sync is on.")
    sync_started_at = serializers.DateTimeField(allow_null=True)
    closed_through = Day(allow_null=True, help_text="The books are closed up to this date.")
    health = HealthOfBook(allow_null=True, help_text="Null without the permission to see the connection.")
    counts = Counts()
    page = serializers.CharField(allow_null=True, help_text="Its page in Daybook.")


class BookPage(Page):
    """A page of books."""

    results = BookShown(many=True)


BOOK: dict[str, Any] = {
    "id": 1,
    "name": "Main Street Trading",
    "currency": "USD",
    "accounting_system": "QuickBooks Online",
    "connected": True,
    "syncing": True,
    "sync_started_at": "2010-12-01T09:00:00Z",
    "closed_through": "2010-10-31",
    "health": {
        "colour": "green",
        "headline": "Things are good",
        "detail": "Nothing is waiting. Sales were read at 14:32 UTC.",
        "problems": [],
    },
    "counts": {"never_synced": 0, "not_synced": 0, "processing": 0, "error": 0},
    "page": "https://daybook.example.com/admin/integrations/quickbooks/?connection=1",
}


def shown(book: Book, request: Request) -> dict[str, Any]:
    """A book as this person sees it."""
    connection: Connection | None = getattr(book, "connection", None)
    seen = connection is not None and may(request.user, "integrations.view_connection")
    counts = {
        row["state"]: min(row["count"], LARGEST_COUNT + 1) for row in health.open_counts(book, person=request.user)
    }
    values = {name: getattr(book, name) for name in ("id", "name", "currency", "syncing", "sync_started_at")}
    values |= {
        "closed_through": book.closed_through,
        "accounting_system": VENDORS[connection.vendor].label if connection else None,
        "connected": connection is not None and connection.state == Connection.State.CONNECTED,
        "health": health.health(connection, person=request.user) if connection and seen else None,
        "counts": {state.value: counts[state] for state in SyncState if state is not SyncState.SYNCED},
        "page": request.build_absolute_uri(address_of(connection)) if connection and seen else None,
    }
    return dict(BookShown(values).data)


def books() -> QuerySet[Book]:
    """Every book with its connection."""
    return Book.objects.select_related("connection")


class BooksView(APIView):
    """All books."""

    needs = "ledger.view_posting"
    store_managers = True

    @operation(
        "list_books",
        tag="Books",
        summary="Books and how they stand",
        description=(
            "Every book with its health in words and its open events by state. A store manager reads the counts and "
            "problems of the own stores."
        ),
        filters=Paged,
        answer=BookPage,
        example={"next": None, "next_cursor": None, "results": [BOOK]},
        refusals=(400,),
    )
    def get(self, request: Request) -> Response:
        chosen = asked(Paged, request.query_params)
        return page(request, books(), chosen, lambda them: [shown(book, request) for book in them])


class BookView(APIView):
    """One book."""

    needs = "ledger.view_posting"
    store_managers = True

    @operation(
        "get_book",
        tag="Books",
        summary="One book and how it stands",
        description="Its switches, its health in words with every problem, and its open events by state.",
        answer=BookShown,
        example=BOOK,
        refusals=(404,),
    )
    def get(self, request: Request, book_id: int) -> Response:
        return Response(shown(found(books(), book_id, what="book"), request))


@extend_schema_serializer(component_name="Store")
class StoreShown(serializers.Serializer):
    """A store of a till."""

    id = serializers.IntegerField()
    name = serializers.CharField()
    till = serializers.CharField(source="source.name", help_text="The point of sale it belongs to.")
    till_id = serializers.IntegerField(source="source_id")
    external_id = serializers.CharField(help_text="Its id at the till.")
    time_zone = serializers.CharField()
    day_start = serializers.SerializerMethodField(help_text="When its business day begins, by its own clock.")
    active = serializers.BooleanField()

    def get_day_start(self, store: Store) -> str:
        return f"{store.day_start:%H:%M}"


class StoreFilters(Paged):
    """Which stores."""

    till = Id(required=False, help_text="Id of a point of sale.")


class StorePage(Page):
    """A page of stores."""

    results = StoreShown(many=True)


STORE: dict[str, Any] = {
    "id": 2,
    "name": "Los Angeles",
    "till": "Heartland Retail",
    "till_id": 1,
    "external_id": "100002",
    "time_zone": "America/Los_Angeles",
    "day_start": "00:00",
    "active": True,
}


class StoresView(APIView):
    """The stores a person may see: whoever reads events may narrow them by their stores."""

    needs = "ledger.view_posting"
    store_managers = True

    @operation(
        "list_stores",
        tag="Books",
        summary="Stores",
        description="The stores of every till; a store manager's own only. Their ids are what `store` filters by.",
        filters=StoreFilters,
        answer=StorePage,
        example={"next": None, "next_cursor": None, "results": [STORE]},
        refusals=(400,),
    )
    def get(self, request: Request) -> Response:
        chosen = asked(StoreFilters, request.query_params)
        rows = visible(Store.objects.select_related("source"), to=request.user, store="pk")
        if "till" in chosen:
            rows = rows.filter(source=chosen["till"])
        return page(request, rows, chosen, lambda them: StoreShown(them, many=True).data)
