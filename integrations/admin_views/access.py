"""Who may open a page or press a button, and what is said when what was asked for is refused."""

from collections.abc import Callable
from functools import wraps

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.views.decorators.http import require_POST

from integrations import vendors
from integrations.models import Connection
from ledger.admin.guard import View, page
from ledger.errors import DaybookError

Deed = Callable[..., str]


def deed(permission: str) -> Callable[[Deed], View]:
    """A button on a connection: POST only; it returns the sentence that the person reads afterwards."""

    def guard(do: Deed) -> View:
        @require_POST
        @page(permission)
        @wraps(do)
        def pressed(request: HttpRequest, connection_id: int) -> HttpResponse:
            connection = get_object_or_404(Connection.objects.select_related("book", "source"), pk=connection_id)
            answer(request, lambda: do(request, connection))
            return redirect(address_of(connection))

        return pressed

    return guard


def answer(request: HttpRequest, do: Callable[[], str]) -> bool:
    """Do it and say so; a refusal is said in its own words. Whether it was done."""
    try:
        messages.success(request, do())
    except DaybookError as refused:
        messages.error(request, refused.sentence)
        return False
    return True


class VendorInAddress:
    """A vendor's name in an address, with hyphens; any other word belongs to another page."""

    regex = "|".join(vendor.replace("_", "-") for vendor in vendors.VENDORS)

    def to_python(self, value: str) -> str:
        return value.replace("-", "_")

    def to_url(self, value: str) -> str:
        return value.replace("_", "-")


def address_of(connection: Connection) -> str:
    """The page of a connection."""
    return f"{reverse('integrations:vendor', args=[connection.vendor])}?connection={connection.pk}"
