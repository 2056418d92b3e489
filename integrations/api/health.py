"""How the installation stands: does the worker live, are the tills read, how are the books?"""

from typing import Any

from django.conf import settings
from drf_spectacular.utils import extend_schema_serializer
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from integrations import machines, vendors
from integrations.admin_views import health
from integrations.admin_views.standing import till_problem
from integrations.api.described import operation
from integrations.models import Capture, Connection
from ledger.clock import database_now


class Worker(serializers.Serializer):
    """Whether tasks really run: the time of the last one that said so."""

    alive = serializers.BooleanField()
    heartbeat_at = serializers.DateTimeField(allow_null=True)
    seconds_ago = serializers.IntegerField(allow_null=True)


@extend_schema_serializer(component_name="Capture")
class CaptureShown(serializers.Serializer):
    """How a till is read."""

    till = serializers.CharField()
    last_run_at = serializers.DateTimeField(allow_null=True)
    history_done = serializers.BooleanField(help_text="Whether its whole past has been read.")
    problem = serializers.CharField(help_text="Why no sale arrives; empty when all is well.")


class BookStands(serializers.Serializer):
    """How a book stands, in words."""

    id = serializers.IntegerField()
    name = serializers.CharField()
    colour = serializers.ChoiceField(["green", "grey", "red"])
    headline = serializers.CharField()
    detail = serializers.CharField()


class Installation(serializers.Serializer):
    """The health of this installation."""

    time = serializers.DateTimeField()
    worker = Worker()
    captures = CaptureShown(many=True)
    books = BookStands(many=True)


HEALTH: dict[str, Any] = {
    "time": "2010-12-09T08:15:00Z",
    "worker": {"alive": True, "heartbeat_at": "2010-12-09T08:14:52Z", "seconds_ago": 8},
    "captures": [
        {"till": "Heartland Retail", "last_run_at": "2010-12-09T08:14:31Z", "history_done": True, "problem": ""}
    ],
    "books": [
        {
            "id": 1,
            "name": "Main Street Trading",
            "colour": "green",
            "headline": "Things are good",
            "detail": "Nothing is waiting. Sales were read at 08:14 UTC.",
        }
    ],
}


class HealthView(APIView):
    """The health of the installation."""

    needs = "integrations.view_connection"

    @operation(
        "get_health",
        tag="Health",
        summary="How this installation stands",
        description=(
            "The worker's last sign of life, how each till is read, and how each book stands, in words. For a monitor "
            "that has no token there are /health/live and /health/ready."
        ),
        answer=Installation,
        example=HEALTH,
    )
    def get(self, request: Request) -> Response:
        tills = vendors.till_connections().select_related("source", "capture").order_by("pk")
        books = vendors.books_connections().select_related("book").order_by("pk")
        told = {
            "time": database_now(),
            "worker": worker(),
            "captures": [_capture(till) for till in tills],
            "books": [_book(connection, request) for connection in books],
        }
        return Response(Installation(told).data)


def worker() -> dict[str, Any]:
    """The worker's last sign of life, by the database's clock."""
    at = machines.last_sign()
    if at is None:
        return {"alive": False, "heartbeat_at": None, "seconds_ago": None}
    seconds = max(0, int((database_now() - at).total_seconds()))
    return {"alive": seconds <= settings.HEARTBEAT_SECONDS, "heartbeat_at": at, "seconds_ago": seconds}


def _capture(till: Connection) -> dict[str, Any]:
    capture: Capture | None = getattr(till, "capture", None)
    return {
        "till": str(till.source),
        "last_run_at": capture.last_run_at if capture else None,
        "history_done": capture is not None and capture.history_done,
        "problem": till_problem(till),
    }


def _book(connection: Connection, request: Request) -> dict[str, Any]:
    stands = health.health(connection, person=request.user)
    words = {name: getattr(stands, name) for name in ("colour", "headline", "detail")}
    return {"id": connection.book_id, "name": str(connection.book), **words}
