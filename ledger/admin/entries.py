"""Journal entries in the admin: read only, for what is sealed cannot change."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from ledger import money
from ledger.admin.base import (
    ChoicesDropdownFilter,
    ModelAdmin,
    OwnStoresOnly,
    RangeDateFilter,
    ReadOnly,
    display,
    page_context,
)
from ledger.admin.scoping import visible
from ledger.admin.t_account import attempts_of, t_account
from ledger.models import Attempt, JournalEntry, Posting
from ledger.terms import DeliveryState, EntryKind

COLOURS = {
    "Ready": "info",
    "Sending": "warning",
    "Unknown": "warning",
    "Posted": "success",
    "Rejected": "danger",
}


@admin.register(JournalEntry)
class JournalEntryAdmin(OwnStoresOnly, ReadOnly, ModelAdmin):
    """What was or will be sent, newest first, with a link to it in the accounting system."""

    list_display = ["reference", "shown_state", "posting_date", "store", "book", "shown_total", "there"]
    list_select_related = ["book", "store"]
    list_filter = [("state", ChoicesDropdownFilter), ("posting_date", RangeDateFilter)]
    list_filter_submit = True
    search_fields = ["reference__exact", "remote_id__exact"]
    search_help_text = "The whole number of the entry, here or in the accounting system."
    ordering = ["-id"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[JournalEntry]:
        return super().get_queryset(request).defer("sent_body", "memo")

    @display(description="state", label=COLOURS)
    def shown_state(self, entry: JournalEntry) -> str:
        return DeliveryState(entry.state).value.capitalize()

    @admin.display(description="amount")
    def shown_total(self, entry: JournalEntry) -> SafeString:
        return format_html('<span class="db-amount">{}</span>', money.shown(entry.total, currency=entry.currency))

    @admin.display(description="there")
    def there(self, entry: JournalEntry) -> SafeString | str:
        return remote_link(entry)

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """The entry as a T-account, with the events it carries and every attempt to send it."""
        entry = self.get_object(request, object_id)
        if entry is None or not self.has_view_permission(request, entry):
            return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)
        context = page_context(request, title=f"Journal entry {entry.reference}", opts=self.opts, original=entry)
        context |= {
            "entry": entry,
            "kind": EntryKind(entry.kind),
            "account_sides": t_account(entry),
            "attempts": attempts_of([entry]),
            "adopted": entry.attempts.filter(result=Attempt.Result.ADOPTED).exists(),
            "postings": visible(Posting.objects.filter(lines__entry=entry).distinct(), to=request.user),
        }
        return TemplateResponse(request, "admin/ledger/journalentry/page.html", context)


def remote_link(entry: JournalEntry) -> SafeString | str:
    """The entry's id in the accounting system, as a link where there is an address."""
    if not entry.remote_link:
        return entry.remote_id or "-"
    return format_html(
        '<a class="db-link" href="{}" target="_blank" rel="noopener">{}</a>', entry.remote_link, entry.remote_id
    )
