"""Lists of the admin that leave as CSV or XLSX: what the list shows, with the filter that is set and nothing else."""

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import SEARCH_VAR, ChangeList
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import URLPattern, path, reverse

from ledger.errors import Refused
from ledger.exporting import FORMATS
from ledger.resources import TableResource, download

LONGEST = 200
"""So much of a filter's value stands in the audit."""


def in_both_forms(route: str, view: Callable[..., HttpResponseBase], *, name: str) -> list[URLPattern]:
    """The addresses of an export, `<route>.csv` and `<route>.xlsx`, named `<name>_csv` and `<name>_xlsx`."""
    return [path(f"{route}.{form}", view, {"form": form}, name=f"{name}_{form}") for form in FORMATS]


class Exported:
    """Who may see the list may take it along; a store manager that of the own stores."""

    list_before_template = "admin/daybook/export.html"
    resource: type[TableResource]

    def get_urls(self) -> list[URLPattern]:
        name = f"{self.opts.app_label}_{self.opts.model_name}_export"  # type: ignore[attr-defined]
        view = self.admin_site.admin_view(self.export)  # type: ignore[attr-defined]
        return [*in_both_forms("export", view, name=name), *super().get_urls()]  # type: ignore[misc]

    def rows_to_export(self, request: HttpRequest, listed: QuerySet[Any]) -> QuerySet[Any]:
        """The rows of the file for the rows of the list."""
        return listed

    def export(self, request: HttpRequest, form: str) -> HttpResponseBase:
        if not self.has_view_permission(request):  # type: ignore[attr-defined]
            raise PermissionDenied
        back = reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_changelist")  # type: ignore[attr-defined]
        try:
            changelist = self.get_changelist_instance(request)  # type: ignore[attr-defined]
        except IncorrectLookupParameters:
            return redirect(f"{back}?e=1")
        rows = self.rows_to_export(request, changelist.queryset)
        about = self.model  # type: ignore[attr-defined]
        try:
            return download(
                request.user, self.resource(), rows, form=form, about=about, filter=_asked(request, changelist)
            )
        except Refused as refused:
            messages.error(request, refused.sentence)
            return redirect(f"{back}?{request.GET.urlencode()}")


def _asked(request: HttpRequest, changelist: ChangeList) -> dict[str, str]:
    """The filters that the list recognised, for the audit."""
    known = {*changelist.get_filters_params(), *([SEARCH_VAR] if changelist.query else [])}
    return {name: str(value)[:LONGEST] for name, value in request.GET.items() if value and name in known}
