"""Lists of the admin that leave as CSV or XLSX: what the list shows, with the filter that is set and nothing else."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from functools import partial
from typing import Any

from django.contrib import messages
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import SEARCH_VAR
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import URLPattern, path, reverse

from ledger.admin import upstairs
from ledger.admin.scoping import Person, is_store_manager
from ledger.errors import Refused
from ledger.exporting import FORMATS
from ledger.resources import PostingResource, TableResource, download

LONGEST = 200
"""So much of a filter's value stands in the audit."""


def in_both_forms(route: str, view: Callable[..., HttpResponseBase], *, name: str) -> list[URLPattern]:
    """The addresses of an export, `<route>.csv` and `<route>.xlsx`, named `<name>_csv` and `<name>_xlsx`."""
    return [path(f"{route}.{form}", view, {"form": form}, name=f"{name}_{form}") for form in FORMATS]


def events_table(reader: Person) -> PostingResource:
    """The columns of events for this reader: a manager of some stores reads nothing of accounting."""
    return PostingResource(
        problem=partial(upstairs.problem_of, reader=reader), of_the_books=not is_store_manager(reader)
    )


def asked(request: HttpRequest, known: Collection[str]) -> dict[str, str]:
    """The filters of an address that the list knows, as they were asked for: they stand in the audit."""
    return {name: str(value)[:LONGEST] for name, value in request.GET.items() if value and name in known}


@dataclass(frozen=True)
class Alone:
    """The rows of a list in one state, where they are often wanted without the others; how they are called."""

    state: str
    label: str


class Exported:
    """Who may see the list may take it along; a store manager that of the own stores."""

    list_before_template = "admin/daybook/export.html"
    resource: type[TableResource]
    export_alone: Alone | None = None

    def get_urls(self) -> list[URLPattern]:
        name = f"{self.opts.app_label}_{self.opts.model_name}_export"  # type: ignore[attr-defined]
        view = self.admin_site.admin_view(self.export)  # type: ignore[attr-defined]
        return [*in_both_forms("export", view, name=name), *super().get_urls()]  # type: ignore[misc]

    def rows_to_export(self, request: HttpRequest, listed: QuerySet[Any]) -> QuerySet[Any]:
        """The rows of the file for the rows of the list."""
        return listed

    def table_for(self, reader: Person) -> TableResource:
        """The columns that this reader takes along."""
        return self.resource()

    def export(self, request: HttpRequest, form: str) -> HttpResponseBase:
        if not self.has_view_permission(request):  # type: ignore[attr-defined]
            raise PermissionDenied
        back = reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_changelist")  # type: ignore[attr-defined]
        try:
            return self._file(request, self.get_changelist_instance(request), form)  # type: ignore[attr-defined]
        except IncorrectLookupParameters:
            return redirect(f"{back}?e=1")
        except Refused as refused:
            messages.error(request, refused.sentence)
            return redirect(f"{back}?{request.GET.urlencode()}")

    def _file(self, request: HttpRequest, changelist: Any, form: str) -> HttpResponseBase:
        rows = self.rows_to_export(request, changelist.queryset)
        known = {*changelist.get_filters_params(), *([SEARCH_VAR] if changelist.query else [])}
        chosen = asked(request, known)
        state = chosen.get("state__exact", "")
        table, about = self.table_for(request.user), self.model  # type: ignore[attr-defined]
        return download(request.user, table, rows, form=form, about=about, state=state, filter=chosen)
