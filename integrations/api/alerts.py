"""Alerts: one for each problem, however many events it holds up."""

from collections.abc import Sequence
from functools import partial
from typing import Any

from drf_spectacular.utils import extend_schema_serializer
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from integrations import wording
from integrations.api.described import operation
from integrations.api.fields import Amount, Id, asked
from integrations.api.paging import Page, Paged, page
from integrations.api.problems import found
from integrations.models import Alert
from integrations.remedies import cause_for
from integrations.seeing import alerts_seen_by


class AlertFilters(Paged):
    """Which alerts; filters narrow each other."""

    state = serializers.ChoiceField(["open", "closed", "all"], required=False, help_text="Open ones unless said.")
    severity = serializers.ChoiceField(Alert.Severity.values, required=False, help_text="How grave it is.")
    book = Id(required=False, help_text="Id of a book.")


@extend_schema_serializer(component_name="Alert")
class AlertShown(serializers.Serializer):
    """One problem."""

    id = serializers.IntegerField()
    book = serializers.IntegerField(source="book_id", allow_null=True, help_text="Null for a connection's own.")
    where = serializers.SerializerMethodField(help_text="The book or the connection it concerns.")
    cause = serializers.SerializerMethodField(
        help_text="Events of this cause are found and retried by it; a store manager reads only what the till mends."
    )
    severity = serializers.ChoiceField(Alert.Severity.values)
    sentence = serializers.SerializerMethodField(help_text="What is wrong, in words for this reader.")
    events = serializers.IntegerField(source="own_events", help_text="How many events it holds up.")
    amount = Amount(source="own_amount", allow_null=True, help_text="The money in them.")
    first_seen_at = serializers.DateTimeField()
    last_seen_at = serializers.DateTimeField()
    closed_at = serializers.DateTimeField(allow_null=True)
    acknowledged_at = serializers.DateTimeField(allow_null=True)
    acknowledged_by = serializers.CharField(source="acknowledged_by.username", allow_null=True)
    assigned_to = serializers.CharField(source="assigned_to.username", allow_null=True)

    def get_cause(self, alert: Alert) -> str:
        return cause_for(self.context["request"].user, alert.cause)

    def get_where(self, alert: Alert) -> str:
        return str(alert.book or alert.connection)

    def get_sentence(self, alert: Alert) -> str:
        return wording.title(alert, person=self.context["request"].user)


class AlertPage(Page):
    """A page of alerts, newest first."""

    results = AlertShown(many=True)


ALERT: dict[str, Any] = {
    "id": 31,
    "book": 1,
    "where": "Main Street Trading",
    "cause": "unmapped:tender:7",
    "severity": "error",
    "sentence": 'Tender "Zelle" has no payment account. Choose one under Settings > Financial > Configuration.',
    "events": 214,
    "amount": "14120.00",
    "first_seen_at": "2010-12-07T10:02:00Z",
    "last_seen_at": "2010-12-09T08:15:00Z",
    "closed_at": None,
    "acknowledged_at": None,
    "acknowledged_by": None,
    "assigned_to": "maria",
}


def _shown(request: Request, alerts: Sequence[Alert]) -> Any:
    return AlertShown(alerts, many=True, context={"request": request}).data


class AlertsView(APIView):
    """The alerts a person may see."""

    needs = "integrations.view_alert"
    store_managers = True

    @operation(
        "list_alerts",
        tag="Alerts",
        summary="Alerts",
        description=(
            "One row for each problem, open ones unless said otherwise, the latest first, in pages. An alert closes by "
            "itself when its cause is gone. A store manager reads the open ones that hold up events of the own "
            "stores, with their own count and money, in words without accounting."
        ),
        filters=AlertFilters,
        answer=AlertPage,
        example={"next": None, "next_cursor": None, "results": [ALERT]},
        refusals=(400,),
    )
    def get(self, request: Request) -> Response:
        chosen = asked(AlertFilters, request.query_params)
        rows = alerts_seen_by(request.user)
        state = chosen.get("state", "open")
        if state != "all":
            rows = rows.filter(closed_at__isnull=state == "open")
        narrowed = {name: chosen[name] for name in ("severity", "book") if name in chosen}
        return page(request, rows.filter(**narrowed), chosen, partial(_shown, request))


class AlertView(APIView):
    """One alert."""

    needs = "integrations.view_alert"
    store_managers = True

    @operation(
        "get_alert",
        tag="Alerts",
        summary="One alert",
        description="One problem, open or closed.",
        answer=AlertShown,
        example=ALERT,
        refusals=(404,),
    )
    def get(self, request: Request, alert_id: int) -> Response:
        alert = found(alerts_seen_by(request.user), alert_id, what="alert")
        return Response(_shown(request, [alert])[0])
