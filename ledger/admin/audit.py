"""The audit in the admin: searched, read deed by deed, taken away as a table, never changed."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from django.contrib import admin
from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.safestring import SafeString

from ledger import deeds, moments
from ledger.admin.audit_page import on_the_page
from ledger.admin.base import (
    ChoicesDropdownFilter,
    CompanyWide,
    DropdownFilter,
    ModelAdmin,
    RangeDateFilter,
    ReadOnly,
    page_context,
)
from ledger.admin.exports import Exported
from ledger.models import AuditRecord
from ledger.resources import TableResource, column

ITSELF = "-"
"""In the filter by person: what Daybook did by itself."""


class AuditResource(TableResource):
    """Deeds, one row each."""

    what = "audit"

    number = column("Record", "pk")
    at = column("At (UTC)", "at")
    person = column("Person", "actor_name")
    deed = column("Deed", "deed")
    kind = column("Kind of deed")
    subject_kind = column("Kind of object", "subject_kind")
    subject_id = column("Id of object", "subject_id")
    subject = column("Object", "subject")
    before = column("Before", "before")
    after = column("After", "after")
    way = column("By way of", "get_way_display")
    address = column("From address", "address")

    def dehydrate_kind(self, record: AuditRecord) -> str:
        return deeds.subject_of(record.deed)


class PersonFilter(DropdownFilter):
    """Everybody who could have done something, from the short table of users."""

    title = "person"
    parameter_name = "person"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        people = User.objects.order_by("username").values_list("pk", "username")
        return [(ITSELF, "Daybook itself"), *((str(pk), name) for pk, name in people)]

    def queryset(self, request: HttpRequest, queryset: QuerySet[AuditRecord]) -> QuerySet[AuditRecord]:
        chosen = self.value()
        if chosen == ITSELF:
            return queryset.filter(actor=None)
        return queryset.filter(actor=chosen) if chosen and chosen.isdecimal() else queryset


class KindFilter(DropdownFilter):
    """What deeds are about: money, mapping, connections, people."""

    title = "kind of deed"
    parameter_name = "kind"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(heading, heading) for heading in (*deeds.DEEDS, deeds.OTHER)]

    def queryset(self, request: HttpRequest, queryset: QuerySet[AuditRecord]) -> QuerySet[AuditRecord]:
        chosen = self.value()
        if chosen == deeds.OTHER:
            return queryset.exclude(deed__in=deeds.known())
        return queryset.filter(deed__in=deeds.DEEDS[chosen]) if chosen in deeds.DEEDS else queryset


class DeedFilter(DropdownFilter):
    """One deed of the closed list; reading them from the table would scan all of it."""

    title = "deed"
    parameter_name = "deed"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(deed, deed) for deed in sorted(deeds.known())]

    def queryset(self, request: HttpRequest, queryset: QuerySet[AuditRecord]) -> QuerySet[AuditRecord]:
        return queryset.filter(deed=self.value()) if self.value() else queryset


class WholeDays(RangeDateFilter):
    """From the beginning of the first day to the end of the last one, in UTC."""

    def queryset(self, request: HttpRequest, queryset: QuerySet[AuditRecord]) -> QuerySet[AuditRecord]:
        first, last = (_day(self.used_parameters.get(f"at_{end}")) for end in ("from", "to"))
        if first:
            queryset = queryset.filter(at__gte=datetime.combine(first, time(), UTC))
        if last:
            queryset = queryset.filter(at__lt=datetime.combine(last + timedelta(days=1), time(), UTC))
        return queryset


def _day(text: object) -> date | None:
    try:
        return date.fromisoformat(str(text))
    except ValueError:
        return None


@admin.register(AuditRecord)
class AuditAdmin(Exported, CompanyWide, ReadOnly, ModelAdmin):
    """Who did what, when, on what, by which way, with the values before and after."""

    list_display = ["when", "person", "did", "on_what", "by_way_of", "from_address"]
    list_display_links = ["when", "did"]
    list_filter = [("at", WholeDays), PersonFilter, KindFilter, DeedFilter, ("way", ChoicesDropdownFilter)]
    list_filter_submit = True
    resource = AuditResource
    search_fields = ["subject__icontains", "actor_name__exact"]
    search_help_text = "What it was done to: any part of its name or number. Or a whole user name."
    ordering = ["-id"]

    @admin.display(description="when", ordering="id")
    def when(self, record: AuditRecord) -> SafeString | str:
        return moments.shown(record.at, UTC)

    @admin.display(description="person", ordering="actor_name")
    def person(self, record: AuditRecord) -> str:
        return record.actor_name

    @admin.display(description="deed", ordering="deed")
    def did(self, record: AuditRecord) -> str:
        return record.deed

    @admin.display(description="on what")
    def on_what(self, record: AuditRecord) -> str:
        return record.subject or "-"

    @admin.display(description="by way of")
    def by_way_of(self, record: AuditRecord) -> str:
        return str(record.get_way_display())

    @admin.display(description="from address")
    def from_address(self, record: AuditRecord) -> str:
        return record.address or "-"

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """One deed, readable: its sentence, before and after, what it was done to, the other deeds on that."""
        record = self.get_object(request, object_id)
        if record is None or not self.has_view_permission(request, record):
            return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)
        context = page_context(request, title=f"Audit record {record.pk}", opts=self.opts, original=record)
        context |= on_the_page(record, reader=request.user)
        return TemplateResponse(request, "admin/ledger/auditrecord/page.html", context)
