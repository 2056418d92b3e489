"""What is ordered through the API, by the same functions as the buttons of the screens: past events, and Retry."""

from collections.abc import Sequence
from typing import Any

from django.db.models import Count, QuerySet
from drf_spectacular.utils import extend_schema_serializer
from rest_framework import serializers
from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from integrations import tasks
from integrations.admin_views import ranges
from integrations.admin_views.postings import queue_again
from integrations.admin_views.words import counted
from integrations.api.described import operation
from integrations.api.fields import Amount, Day, IdInBody, Strict, Text, Yes, asked, valid
from integrations.api.paging import Page, Paged, page
from integrations.api.problems import Conflict, found
from integrations.bulk_deeds import deed_of
from integrations.models import BulkDeed, Connection
from ledger.admin.scoping import Person, visible
from ledger.journal import orders
from ledger.models import Book, Posting, SyncOrder
from ledger.terms import SyncState

MOST_IDS = 1_000


class PastSync(Strict):
    """A range of business dates, both ends included."""

    first = Day(help_text="First business date.")
    last = Day(help_text="Last business date, included.")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if attrs["first"] > attrs["last"]:
            raise ValidationError({"last": ["The last date lies before the first."]})
        return attrs


@extend_schema_serializer(component_name="Order")
class OrderShown(serializers.Serializer):
    """An order and how far it has come."""

    id = serializers.IntegerField()
    book = serializers.IntegerField(source="book_id")
    kind = serializers.ChoiceField(SyncOrder.Kind.values)
    first = Day(source="first_date", allow_null=True)
    last = Day(source="last_date", allow_null=True)
    events = serializers.IntegerField(help_text="How many events it took.")
    amount = Amount(help_text="The money in them.")
    ordered_by = serializers.CharField(source="ordered_by.username", allow_null=True)
    ordered_at = serializers.DateTimeField()
    synced = serializers.IntegerField(help_text="How many of them are done.")
    waiting = serializers.IntegerField(help_text="How many still wait or are being sent.")
    failed = serializers.IntegerField(help_text="How many wait for a person.")
    done = serializers.BooleanField(help_text="Nothing of it waits any more.")


class OrderPage(Page):
    """A page of orders, newest first."""

    results = OrderShown(many=True)


class Retry(Strict):
    """Which failed events: exactly one of the three."""

    also_described = {"minProperties": 1, "maxProperties": 1}

    ids = serializers.ListField(
        child=IdInBody(), required=False, min_length=1, max_length=MOST_IDS, help_text="Ids of events of this book."
    )
    cause = Text(required=False, max_length=200, help_text="Every event in error of this cause.")
    all = Yes(required=False, help_text="Every event in error of this book.")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if len(attrs) != 1:
            raise ValidationError("Say exactly one of `ids`, `cause` and `all`.")
        return attrs


class Retried(serializers.Serializer):
    """What was put back in the queue."""

    events = serializers.IntegerField(help_text="How many events wait for their turn again; 0 if none had failed.")
    sentence = serializers.CharField()


ORDER: dict[str, Any] = {
    "id": 7,
    "book": 1,
    "kind": "past",
    "first": "2010-12-01",
    "last": "2010-12-31",
    "events": 1204,
    "amount": "96310.55",
    "ordered_by": "maria",
    "ordered_at": "2011-01-03T09:12:44Z",
    "synced": 0,
    "waiting": 1204,
    "failed": 0,
    "done": False,
}


def shown(found: Sequence[SyncOrder]) -> list[dict[str, Any]]:
    """Orders with their progress: one count for all of them."""
    states: dict[int, dict[str, int]] = {order.pk: {} for order in found}
    rows = Posting.objects.filter(order__in=found).order_by().values("order", "state").annotate(n=Count("pk"))
    for row in rows:
        states[row["order"]][row["state"]] = row["n"]
    for order in found:
        now = states[order.pk]
        waiting = now.get(SyncState.NOT_SYNCED, 0) + now.get(SyncState.PROCESSING, 0)
        failed = now.get(SyncState.ERROR, 0)
        synced = max(0, order.events - waiting - failed)
        order.__dict__.update(waiting=waiting, failed=failed, synced=synced, done=not waiting)
    return list(OrderShown(found, many=True).data)


def connected(book_id: int) -> tuple[Book, Connection]:
    """A book and what it is sent through."""
    book = found(Book.objects.select_related("connection"), book_id, what="book")
    connection: Connection | None = getattr(book, "connection", None)
    if connection is None:
        raise Conflict(f"{book} has no accounting system to send to. Set one up under Integrations.")
    return book, connection


class PastSyncView(APIView):
    """Sync Past Events."""

    needs = "integrations.operate_sync"

    @operation(
        "order_past_sync",
        tag="Orders",
        summary="Order past events",
        description=(
            "Orders every event of the range that was never synced and not set aside; the worker sends them by "
            "itself. Read the order to see how far it is. To repeat it is harmless: an event is ordered once, and a "
            "range that holds nothing more is refused with 409 and a sentence that says why."
        ),
        body=PastSync,
        bodies={"The whole of December": {"first": "2010-12-01", "last": "2010-12-31"}},
        answer=OrderShown,
        status=202,
        example=ORDER,
        refusals=(404, 409),
    )
    def post(self, request: Request, book_id: int) -> Response:
        book, connection = connected(book_id)
        dates = valid(PastSync(data=request.data))
        if nothing := ranges.nothing_to_order(book, dates["first"], dates["last"]):
            raise Conflict(nothing)
        order = orders.order_past(book, dates["first"], dates["last"], actor=request.user)
        tasks.wake(connection.pk)
        return Response(shown([order])[0], status=202)


class RetryView(APIView):
    """Retry."""

    needs = "ledger.retry_posting"
    store_managers = True

    @operation(
        "order_retry",
        tag="Orders",
        summary="Retry failed events",
        description=(
            "Puts events in error back in the queue, after what was wrong has been mended; documents that could not "
            "be read are read again. A store manager retries events of the own stores that are mended at the till; to "
            "name others by their ids is refused. To repeat it is harmless: what is not in error is left as it is."
        ),
        body=Retry,
        bodies={
            "Two events": {"ids": [1204, 1209]},
            "All of one cause": {"cause": "unmapped:tender:7"},
            "All": {"all": True},
        },
        answer=Retried,
        status=202,
        example={"events": 214, "sentence": "Queued again: 214 events."},
        refusals=(404, 409),
    )
    def post(self, request: Request, book_id: int) -> Response:
        book, connection = connected(book_id)
        chosen = valid(Retry(data=request.data))
        count = queue_again(_failed(book, chosen, person=request.user), connection, actor=request.user)
        return Response({"events": count, "sentence": f"Queued again: {counted(count, 'event')}."}, status=202)


def _failed(book: Book, chosen: dict[str, Any], *, person: Person) -> QuerySet[Posting]:
    """The chosen events that a Retry takes, by the same rule as the deed of the screens."""
    mine = visible(Posting.objects.filter(book=book), to=person)
    retry = deed_of(BulkDeed.Kind.RETRY, person)
    if "ids" in chosen:
        wanted = set(chosen["ids"])
        missing = wanted - _ids(mine.filter(pk__in=wanted))
        if missing:
            raise NotFound(
                f"These are no events of this book, or belong to a store that is not yours: {_few(missing)}."
            )
        mine = mine.filter(pk__in=wanted)
        failed = _ids(mine.filter(state=SyncState.ERROR))
        if others := failed - _ids(retry.touches(mine, book)):
            raise Conflict(f"Your accountant has to act first on these events; leave them out: {_few(others)}.")
    if "cause" in chosen:
        mine = mine.filter(cause=chosen["cause"])
    return retry.touches(mine, book)


def _ids(rows: QuerySet[Posting]) -> set[int]:
    return set(rows.values_list("pk", flat=True))


def _few(ids: set[int]) -> str:
    return ", ".join(str(pk) for pk in sorted(ids)[:10])


class OrdersView(APIView):
    """What was ordered in a book."""

    needs = "integrations.view_connection"

    @operation(
        "list_orders",
        tag="Orders",
        summary="The orders of a book",
        description="Starts, stops, past syncs and retries of a book with their progress, the latest first, in pages.",
        filters=Paged,
        answer=OrderPage,
        example={"next": None, "next_cursor": None, "results": [ORDER]},
        refusals=(400, 404),
    )
    def get(self, request: Request, book_id: int) -> Response:
        chosen = asked(Paged, request.query_params)
        book = found(Book.objects.all(), book_id, what="book")
        return page(request, SyncOrder.objects.filter(book=book).select_related("ordered_by"), chosen, shown)


class OrderView(APIView):
    """One order."""

    needs = "integrations.view_connection"

    @operation(
        "get_order",
        tag="Orders",
        summary="How far an order is",
        description="An order with how many of its events are done, wait, and failed.",
        answer=OrderShown,
        example=ORDER,
        refusals=(404,),
    )
    def get(self, request: Request, order_id: int) -> Response:
        order = found(SyncOrder.objects.select_related("ordered_by"), order_id, what="order")
        return Response(shown([order])[0])
