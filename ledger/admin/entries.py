"""Journal entries in the admin: read only, for what is sealed cannot change."""

from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils.html import format_html
from django.utils.safestring import SafeString

from ledger import money
from ledger.admin import upstairs
from ledger.admin.audit_page import mapping_deeds
from ledger.admin.base import (
    ChoicesDropdownFilter,
    ModelAdmin,
    OwnStoresOnly,
    RangeDateFilter,
    ReadOnly,
    display,
    page_context,
)
from ledger.admin.exports import Alone, Exported
from ledger.admin.scoping import may_for_all, visible
from ledger.admin.story import story_of_entry
from ledger.admin.t_account import attempts_of, t_account
from ledger.models import JournalEntry, JournalLine, Posting
from ledger.moments import zone_of
from ledger.resources import EntryLineResource, is_adopted
from ledger.terms import DeliveryState, EntryKind

READ_BODY = "ledger.view_journalentry"

HEADS = {
    DeliveryState.POSTED: "synced",
    DeliveryState.REJECTED: "error",
    DeliveryState.SENDING: "processing",
    DeliveryState.UNKNOWN: "processing",
}
"""The colour of its head; its state stands there as a word too."""

MOST_POSTINGS = 50
"""So many events a page names of those that an entry carries."""

COLOURS = {
    "Ready": "info",
    "Sending": "warning",
    "Unknown": "warning",
    "Posted": "success",
    "Adopted": "success",
    "Rejected": "danger",
}


def state_of(entry: JournalEntry) -> str:
    """Its state in a word; `adopted` is of `is_adopted`."""
    return "Adopted" if entry.adopted else DeliveryState(entry.state).value.capitalize()  # type: ignore[attr-defined]


class StateFilter(ChoicesDropdownFilter):
    """Posted are those whose lines stand in the books: not those for which another entry was adopted."""

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any] | None:
        rows = super().queryset(request, queryset)
        return rows.filter(adopted=False) if rows is not None and self.value() == DeliveryState.POSTED else rows


@admin.register(JournalEntry)
class JournalEntryAdmin(Exported, OwnStoresOnly, ReadOnly, ModelAdmin):
    """What was or will be sent, newest first, with a link to it in the accounting system."""

    list_display = ["reference", "shown_state", "posting_date", "store", "book", "shown_total", "remote"]
    list_select_related = ["book", "store"]
    list_filter = [("state", StateFilter), ("posting_date", RangeDateFilter)]
    list_filter_submit = True
    resource = EntryLineResource
    export_alone = Alone(DeliveryState.POSTED, "Posted entries only")
    search_fields = ["reference__exact", "remote_id__exact"]
    search_help_text = "The whole number of the entry, here or in the accounting system."
    ordering = ["-id"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[JournalEntry]:
        return super().get_queryset(request).defer("sent_body", "memo").annotate(adopted=is_adopted())

    def rows_to_export(self, request: HttpRequest, listed: QuerySet[Any]) -> QuerySet[Any]:
        """One row a line, so that an accountant can pivot them."""
        return JournalLine.objects.filter(entry__in=listed.order_by().values("pk"))

    @display(description="state", label=COLOURS)
    def shown_state(self, entry: JournalEntry) -> str:
        return state_of(entry)

    @admin.display(description="total debits")
    def shown_total(self, entry: JournalEntry) -> SafeString:
        return format_html('<span class="db-amount">{}</span>', money.shown(entry.total, currency=entry.currency))

    @admin.display(description="entry in the accounting system")
    def remote(self, entry: JournalEntry) -> SafeString | str:
        return remote_link(entry)

    def get_urls(self) -> list[URLPattern]:
        sent = path("<path:object_id>/sent/", self.admin_site.admin_view(self.sent), name="ledger_journalentry_sent")
        return [sent, *super().get_urls()]

    def sent(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """The body as it left: account ids and all, so not for a manager of some stores."""
        if not may_for_all(request.user, READ_BODY):
            raise PermissionDenied
        entry = self.get_queryset(request).filter(pk=object_id).first() if object_id.isdecimal() else None
        if entry is None:
            raise Http404("There is no such entry.")
        missing = "What was sent is no longer kept; the lines are." if entry.sent_at else "Nothing was sent yet."
        return HttpResponse(entry.sent_body or missing, content_type="text/plain; charset=utf-8")

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """The entry as a T-account, with the events it carries, every attempt to send it, and its story."""
        entry = self.get_object(request, object_id)
        if entry is None or not self.has_view_permission(request, entry):
            return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)
        carried = visible(Posting.objects.filter(lines__entry=entry).distinct(), to=request.user)
        postings = list(carried[: MOST_POSTINGS + 1])
        context = page_context(request, title=f"Journal entry {entry.reference}", opts=self.opts, original=entry)
        context |= {
            "entry": entry,
            "kind": EntryKind(entry.kind),
            "account_sides": t_account(entry),
            "attempts": attempts_of([entry]),
            "state": state_of(entry),
            "postings": postings[:MOST_POSTINGS],
            "more_postings": len(postings) > MOST_POSTINGS,
            "head": HEADS.get(DeliveryState(entry.state), ""),
            "standing": standing(entry, upstairs.system_of(entry.book)),
            "system": upstairs.system_of(entry.book),
            "zone": zone_of(entry.store),
            "story": story_of_entry(entry, postings[:MOST_POSTINGS], reader=request.user),
            "mapping_deeds": mapping_deeds(entry.book, request.user),
            "may_map": may_for_all(request.user, "mappings.view_mapping"),
            "may_read_body": may_for_all(request.user, READ_BODY),
        }
        return TemplateResponse(request, "admin/ledger/journalentry/page.html", context)


def standing(entry: JournalEntry, system: str) -> str:
    """In one sentence: where it stands, and what comes next."""
    if entry.adopted:  # type: ignore[attr-defined]
        return f"Entry {entry.remote_id} of the accounting system stands for this event; these lines were not posted."
    return {
        DeliveryState.DRAFTING: "It is being written.",
        DeliveryState.READY: f"It waits its turn and is sent to {system} by itself.",
        DeliveryState.SENDING: f"It is being sent to {system} now.",
        DeliveryState.UNKNOWN: "The answer was lost. Daybook looks for it by its number before it sends it again.",
        DeliveryState.POSTED: f"It stands in {system}. Nothing to do.",
        DeliveryState.REJECTED: f"It was not taken by {system}. Open its event, which says what to do.",
        DeliveryState.DISCARDED: "It was dropped and is not in the books. It is kept as proof of what was tried.",
    }[DeliveryState(entry.state)]


def remote_link(entry: JournalEntry) -> SafeString | str:
    """The entry's id in the accounting system, as a link where there is an address."""
    if not entry.remote_link:
        return entry.remote_id or "-"
    return format_html(
        '<a class="db-link" href="{}" target="_blank" rel="noopener">{}</a>', entry.remote_link, entry.remote_id
    )
