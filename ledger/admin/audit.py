"""The audit in the admin: read, searched, never changed."""

import json

from django.contrib import admin
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString

from ledger.admin.base import CompanyWide, ModelAdmin, RangeDateFilter, ReadOnly
from ledger.models import AuditRecord


@admin.register(AuditRecord)
class AuditAdmin(CompanyWide, ReadOnly, ModelAdmin):
    """Who did what, when, on what, with the values before and after."""

    list_display = ["at", "actor_name", "deed", "subject"]
    list_filter = [("at", RangeDateFilter)]
    list_filter_submit = True
    search_fields = ["actor_name__exact", "subject__startswith", "deed__startswith"]
    search_help_text = "A user name, or how the deed or its object begins."
    fields = ["at", "actor_name", "deed", "subject", "values_before", "values_after"]
    ordering = ["-id"]

    @admin.display(description="before")
    def values_before(self, record: AuditRecord) -> SafeString:
        return _readable(record.before)

    @admin.display(description="after")
    def values_after(self, record: AuditRecord) -> SafeString:
        return _readable(record.after)

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)


def _readable(values: object) -> SafeString:
    return format_html("<pre>{}</pre>", json.dumps(values, indent=2, ensure_ascii=False))
