"""Alerts in the admin: the list and the page of one, in the pages' own dress. Nobody adds or deletes one."""

from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from integrations.admin_views.alerts import list_context, page_of_one, seen
from integrations.models import Alert
from integrations.seeing import alerts_seen_by
from ledger.admin.base import ModelAdmin, ReadOnly, page_context
from ledger.admin.scoping import is_store_manager


@admin.register(Alert)
class AlertAdmin(ReadOnly, ModelAdmin):
    """One line a problem. A store manager reads of the own stores' events, with their own count and words."""

    def get_queryset(self, request: HttpRequest) -> QuerySet[Alert]:
        return alerts_seen_by(request.user)

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        context = page_context(request, title="Alerts", opts=self.opts, **list_context(request))
        return TemplateResponse(request, "admin/integrations/alerts.html", context)

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        alert = seen(request, object_id)
        context = page_context(request, title="Alert", opts=self.opts, alert=alert)
        context |= page_of_one(request, alert)
        return TemplateResponse(request, "admin/integrations/alert.html", context)

    def has_view_permission(self, request: HttpRequest, obj: Alert | None = None) -> bool:
        """The pages of Django itself (an object's history) speak of an alert in the words of the whole company."""
        allowed: bool = super().has_view_permission(request, obj)
        if obj is not None and is_store_manager(request.user):
            return False
        return allowed
