"""The audit in the admin: searched, read deed by deed, taken away as a table, never changed."""

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils.safestring import SafeString

from ledger import deeds, moments
from ledger.admin import audit_search
from ledger.admin.audit_filters import DeedFilter, KindFilter, PersonFilter, WholeDays
from ledger.admin.audit_page import on_the_page
from ledger.admin.base import ChoicesDropdownFilter, CompanyWide, ModelAdmin, ReadOnly, page_context
from ledger.admin.exports import Exported
from ledger.admin.upstairs import zone_of_reader
from ledger.audit import fingerprint, newest_record
from ledger.errors import Refused
from ledger.exporting import FORMATS
from ledger.models import AuditRecord
from ledger.resources import TableResource, column


def _fingerprint_in_words(through: int) -> str:
    count, found = fingerprint(through=through)
    return (
        f"Fingerprint of all {count:,} records through #{through}: {found}. Write the number and the fingerprint down "
        "elsewhere. If the same number gives another fingerprint later, a record was changed, taken away or put in."
    )


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


@admin.register(AuditRecord)
class AuditAdmin(Exported, CompanyWide, ReadOnly, ModelAdmin):
    """Who did what, when, on what, by which way, with the values before and after."""

    list_filter = [("at", WholeDays), PersonFilter, KindFilter, DeedFilter, ("way", ChoicesDropdownFilter)]
    list_filter_submit = True
    list_before_template = "admin/ledger/auditrecord/list.html"
    resource = AuditResource
    search_fields = [*audit_search.TEXTS, *audit_search.VALUES]
    search_help_text = "A person, a deed, a reason, a value before or after, the number of an event or an entry."
    ordering = ["-id"]

    def get_list_display(self, request: HttpRequest) -> list[Any]:
        """The moment stands first, in the time of its reader."""
        zone = zone_of_reader(request.user)

        @admin.display(description="when", ordering="id")
        def when(record: AuditRecord) -> SafeString | str:
            return moments.shown(record.at, zone)

        return [when, "person", "did", "on_what", "by_way_of", "from_address"]

    def get_list_display_links(self, request: HttpRequest, list_display: Any) -> list[Any]:
        return [list_display[0], "did"]

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """Every word in any part of a record; says so where the search does not reach all of them.

        Raises Refused for a file, which would not say so.
        """
        if not search_term.strip():
            return queryset, False
        rows, more = audit_search.within_reach(queryset)
        if more:
            said = f"The search reads the newest {audit_search.MOST_READ:,} records."
            if request.path.endswith(tuple(FORMATS)):
                raise Refused(f"{said} Nothing was exported. Choose days, so that the file holds all that match.")
            messages.warning(request, f"{said} Choose days to find older ones.")
        return rows.filter(audit_search.matching(search_term)), False

    def rows_to_export(self, request: HttpRequest, listed: QuerySet[Any]) -> QuerySet[Any]:
        """As they stand before the export itself is recorded."""
        return listed.filter(pk__lte=newest_record())

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.fingerprint)
        return [path("fingerprint/", view, name="ledger_auditrecord_fingerprint"), *super().get_urls()]

    def fingerprint(self, request: HttpRequest) -> HttpResponse:
        """Says what `verify_audit` prints, so that it can be written down or compared without a way to the machine."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        wanted = request.GET.get("through", "").strip()
        if wanted and not (wanted.isdecimal() and len(wanted) < 18):
            messages.error(request, f"“{wanted[:40]}” is no number of a record.")
        else:
            messages.info(request, _fingerprint_in_words(int(wanted) if wanted else newest_record()))
        return redirect("admin:ledger_auditrecord_changelist")

    @admin.display(description="person", ordering="actor_name")
    def person(self, record: AuditRecord) -> str:
        return record.actor_name

    @admin.display(description="deed", ordering="deed")
    def did(self, record: AuditRecord) -> str:
        return deeds.today(record.deed)

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
