"""One event in one book, on one page: the document, what it means, where it goes, what the other system said."""

import json
from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils.html import format_html
from django.utils.safestring import SafeString

from ledger import money
from ledger.admin import upstairs
from ledger.admin.base import (
    ChoicesDropdownFilter,
    ModelAdmin,
    OwnStoresOnly,
    RangeDateFilter,
    ReadOnly,
    display,
    page_context,
)
from ledger.admin.exports import Exported, events_table
from ledger.admin.posting_page import on_the_page, stamp
from ledger.admin.scoping import Person, is_store_manager, may
from ledger.models import Posting, RawDocument
from ledger.resources import PostingResource

STATE_COLOURS = {
    "Never Synced": "default",
    "Set aside": "default",
    "Not Synced": "info",
    "Processing": "warning",
    "Synced": "success",
    "Error": "danger",
}


@admin.register(Posting)
class PostingAdmin(Exported, OwnStoresOnly, ReadOnly, ModelAdmin):
    """Financial events over all books; the tab of a book has its own list with the buttons."""

    list_display = ["number", "shown_state", "business_date", "store", "book", "shown_amount"]
    list_select_related = ["book", "store"]
    list_filter = [("state", ChoicesDropdownFilter), ("business_date", RangeDateFilter)]
    list_filter_submit = True
    resource = PostingResource
    search_fields = ["number__exact"]
    search_help_text = "The whole number of the event."
    ordering = ["-id"]

    def get_list_display(self, request: HttpRequest) -> list[Any]:
        """A manager of some stores reads what is wrong without accounting."""

        @admin.display(description="what to know")
        def problem(posting: Posting) -> str:
            return upstairs.problem_of(posting, request.user)

        return [*self.list_display, problem]

    def table_for(self, reader: Person) -> PostingResource:
        return events_table(reader)

    @display(description="state", label=STATE_COLOURS)
    def shown_state(self, posting: Posting) -> str:
        return posting.standing

    @admin.display(description="amount")
    def shown_amount(self, posting: Posting) -> SafeString | str:
        if posting.amount is None:
            return "-"
        figure = money.shown(posting.amount, currency=posting.book.currency)
        return format_html('<span class="db-amount">{}</span>', figure)

    def get_urls(self) -> list[URLPattern]:
        raw = path(
            "<path:object_id>/document/",
            self.admin_site.admin_view(self.document),
            name="ledger_posting_document",
        )
        return [raw, *super().get_urls()]

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        posting = self._seen(request, object_id)
        if "watch" in request.GET:
            return JsonResponse({"stamp": stamp(posting)})
        context = page_context(
            request,
            title=f"{posting.event} in {posting.book}",
            opts=self.opts,
            original=posting,
            posting=posting,
            stamp=stamp(posting),
        )
        context |= on_the_page(posting, reader=request.user)
        context |= {deed: may(request.user, f"ledger.{deed}_posting") for deed in ("retry", "set_aside", "adopt")}
        return TemplateResponse(request, "admin/ledger/posting/page.html", context)

    def document(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """The document as it came, costs and all, so not for a manager of some stores."""
        if is_store_manager(request.user):
            raise PermissionDenied
        posting = self._seen(request, object_id)
        raw = RawDocument.objects.filter(event=posting.event_id).first()
        text = _indented(raw.text) if raw else "The document was erased."
        return HttpResponse(text, content_type="text/plain; charset=utf-8")

    def _seen(self, request: HttpRequest, object_id: str) -> Posting:
        rows: QuerySet[Posting] = self.get_queryset(request)
        related = rows.select_related("event__source", "event__store", "book", "store", "entry", "order")
        posting = related.filter(pk=object_id).first() if object_id.isdecimal() else None
        if posting is None or not self.has_view_permission(request, posting):
            raise Http404("There is no such event, or it belongs to a store that is not yours.")
        return posting


def _indented(text: str) -> str:
    try:
        return json.dumps(json.loads(text), indent=2, ensure_ascii=False)
    except ValueError:
        return text
