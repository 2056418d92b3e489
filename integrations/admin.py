"""Alerts in the admin: what stands against whom, since when, with the way to the events. Read only."""

from typing import Any

from django.contrib import admin
from django.db.models import Count, Exists, IntegerField, Min, OuterRef, QuerySet, Subquery
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString

from integrations.admin_views.access import address_of
from integrations.admin_views.health import events_address
from integrations.models import Alert, Connection
from integrations.vendors import VENDORS
from ledger.admin.base import ModelAdmin, ReadOnly, display
from ledger.admin.scoping import is_store_manager, own_stores
from ledger.models import Posting
from ledger.terms import SyncState


class StillOpen(admin.SimpleListFilter):
    """Open alerts unless the reader asks for the others."""

    title = "state"
    parameter_name = "open"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("closed", "Closed"), ("all", "All")]

    def choices(self, changelist: Any) -> Any:
        """Open comes first: it is what the list shows by itself."""
        for value, title in [(None, "Open"), *self.lookup_choices]:
            link = changelist.get_query_string({self.parameter_name: value})
            yield {"selected": self.value() == value, "query_string": link, "display": title}

    def queryset(self, request: HttpRequest, queryset: QuerySet[Alert]) -> QuerySet[Alert]:
        if self.value() == "all":
            return queryset
        return queryset.filter(closed_at__isnull=self.value() != "closed")


@admin.register(Alert)
class AlertAdmin(ReadOnly, ModelAdmin):
    """One line a problem. A store manager reads of the own stores' events, with their own count and sentence."""

    list_display = ["what", "how_grave", "events_held", "first_seen_at", "where"]
    list_display_links = None
    list_filter = [StillOpen]
    list_select_related = ["book", "connection__book", "connection__source"]
    ordering = ["-last_seen_at"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Alert]:
        rows: QuerySet[Alert] = super().get_queryset(request).select_related("book__connection")
        stores = own_stores(request.user)
        if stores is None:
            return rows
        mine = Posting.objects.filter(
            book=OuterRef("book"), cause=OuterRef("cause"), state=SyncState.ERROR, store__in=stores
        )
        by_cause = mine.order_by().values("cause")
        return rows.filter(Exists(mine), connection=None, closed_at=None).annotate(
            own_sentence=Subquery(by_cause.annotate(said=Min("error")).values("said")),
            own_events=Subquery(by_cause.annotate(n=Count("pk")).values("n"), output_field=IntegerField()),
        )

    @admin.display(description="what")
    def what(self, alert: Alert) -> str:
        return str(getattr(alert, "own_sentence", alert.sentence))

    @display(description="", label={"Action required": "danger", "Warning": "warning"})
    def how_grave(self, alert: Alert) -> str:
        return Alert.Severity(alert.severity).label

    @admin.display(description="events")
    def events_held(self, alert: Alert) -> SafeString | str:
        events, connection = getattr(alert, "own_events", alert.events), _connection(alert)
        if not events or connection is None:
            return "-"
        return format_html('<a class="db-link" href="{}">{}</a>', events_address(connection, cause=alert.cause), events)

    @admin.display(description="where")
    def where(self, alert: Alert) -> SafeString | str:
        connection = _connection(alert)
        if connection is None:
            return "-"
        label = VENDORS[connection.vendor].label
        whose = connection.book or connection.source
        return format_html('<a class="db-link" href="{}">{}: {}</a>', address_of(connection), label, whose)

    def has_view_permission(self, request: HttpRequest, obj: Alert | None = None) -> bool:
        allowed: bool = super().has_view_permission(request, obj)
        if obj is not None and is_store_manager(request.user):
            return False
        return allowed


def _connection(alert: Alert) -> Connection | None:
    if alert.connection:
        return alert.connection
    return getattr(alert.book, "connection", None) if alert.book else None
