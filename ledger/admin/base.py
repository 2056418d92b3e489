"""What every admin of Daybook is made of. The only module that imports unfold.

Read-only tables, lists that stay quick over a million rows, scoping by store, states as words with a colour.
"""

from datetime import date
from typing import Any, NoReturn

from django.contrib import admin, messages
from django.contrib.admin.views.main import ERROR_FLAG
from django.core.paginator import Paginator
from django.db import connection
from django.db.models import Model, QuerySet
from django.db.models.options import Options
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.functional import cached_property
from unfold.admin import ModelAdmin as UnfoldModelAdmin
from unfold.contrib.filters.admin import ChoicesDropdownFilter, DropdownFilter
from unfold.contrib.filters.admin import RangeDateFilter as UnfoldRangeDateFilter
from unfold.decorators import display
from unfold.forms import AdminOwnPasswordChangeForm as OwnPasswordForm
from unfold.utils import parse_date_str

from ledger.admin.scoping import is_store_manager, visible

__all__ = [
    "ChoicesDropdownFilter",
    "CompanyWide",
    "DropdownFilter",
    "ModelAdmin",
    "OneOfTheList",
    "OwnPasswordForm",
    "OwnStoresOnly",
    "QuickPaginator",
    "RangeDateFilter",
    "ReadOnly",
    "display",
    "unreadable",
]

LARGEST_COUNT = 10_000


class QuickPaginator(Paginator):
    """Counts no further than it must: an estimate for a whole big table, at most 10,001 rows of a filtered one."""

    @cached_property
    def count(self) -> int:
        rows = self.object_list
        if not isinstance(rows, QuerySet):
            return len(rows)
        if not rows.query.where:
            estimate = _estimate(rows)
            if estimate > LARGEST_COUNT:
                return estimate
        return rows.order_by()[: LARGEST_COUNT + 1].count()


def _estimate(rows: QuerySet[Any]) -> int:
    """About how many rows the table holds: PostgreSQL's own statistics, or the highest key on SQLite."""
    if connection.vendor != "postgresql":
        newest = rows.model._default_manager.order_by("-pk").values_list("pk", flat=True).first()
        return int(newest or 0)
    with connection.cursor() as cursor:
        cursor.execute("SELECT reltuples::bigint FROM pg_class WHERE relname = %s", [rows.model._meta.db_table])
        found = cursor.fetchone()
    return int(found[0]) if found else 0


def unreadable(request: HttpRequest, rows: QuerySet[Any], said: str) -> QuerySet[Any]:
    """No rows, and why: a filter that cannot be read must not look like none."""
    messages.error(request, f"{said} Nothing is listed before the filter is mended.")
    return rows.none()


class OneOfTheList(DropdownFilter):
    """A choice of a closed list; reading it from the table would scan all of it."""

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        chosen = self.value()
        if not chosen:
            return queryset
        if chosen not in dict(self.lookup_choices):
            return unreadable(request, queryset, f"“{chosen[:40]}” is no {self.title} of the list.")
        return self.of(queryset, chosen)

    def of(self, rows: QuerySet[Any], chosen: str) -> QuerySet[Any]:
        """The rows of one choice."""
        raise NotImplementedError


class RangeDateFilter(UnfoldRangeDateFilter):
    """Two days, both included; what is no day lists nothing and says so."""

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any] | None:
        wrong = [text for text in self.used_parameters.values() if self.day(text) is None]
        if wrong:
            return unreadable(request, queryset, f"“{wrong[0][:40]}” is no date. Write it like 2010-12-31.")
        return self.within(queryset)

    def within(self, queryset: QuerySet[Any]) -> QuerySet[Any] | None:
        """The rows of these days."""
        return super().queryset(self.request, queryset)

    @staticmethod
    def day(text: Any) -> date | None:
        """What somebody wrote as a day; None where it is none."""
        return parse_date_str(str(text))


class ModelAdmin(UnfoldModelAdmin):
    """A table in the admin: 50 rows a page, no full count of anything, filters on fields with choices only."""

    list_per_page = 50
    list_max_show_all = 50
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    paginator = QuickPaginator
    compressed_fields = True
    warn_unsaved_form = True

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Nothing, where Django was sent here with a filter that it could not read."""
        rows: QuerySet[Any] = super().get_queryset(request)
        return rows.none() if ERROR_FLAG in request.GET else rows

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        if ERROR_FLAG in request.GET:
            messages.error(request, "The filter of this address cannot be read, so nothing is listed. Choose Show all.")
        return super().changelist_view(request, extra_context)

    def _get_obj_does_not_exist_redirect(self, request: HttpRequest, opts: "Options[Any]", object_id: str) -> NoReturn:
        """Django's own answer leads away, with a guess that something was deleted."""
        raise Http404


class ReadOnly:
    """Nobody adds, changes or deletes here: who may view it, may read it."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


class OwnStoresOnly:
    """A store manager sees the rows of the own stores only: in lists, searches, pages and autocompletes."""

    store_field = "store"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows: QuerySet[Any] = super().get_queryset(request)  # type: ignore[misc]
        return visible(rows, to=request.user, store=self.store_field)


class CompanyWide:
    """What concerns the whole company is not shown to a manager of some stores, whatever the permissions."""

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return self._allowed(request) and super().has_view_permission(request, obj)  # type: ignore[misc]

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return self._allowed(request) and super().has_change_permission(request, obj)  # type: ignore[misc]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return self._allowed(request) and super().has_add_permission(request)  # type: ignore[misc]

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return self._allowed(request) and super().has_delete_permission(request, obj)  # type: ignore[misc]

    @staticmethod
    def _allowed(request: HttpRequest) -> bool:
        return not is_store_manager(request.user)


def page_context(request: HttpRequest, *, title: str, **values: Any) -> dict[str, Any]:
    """What a page of our own needs to look like one of the admin's."""
    return {**admin.site.each_context(request), "title": title, **values}
