"""One address for each vendor: an accounting system's Status, or a till's page."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from integrations import vendors
from integrations.admin_views import books, tills
from integrations.admin_views.access import page

_books_page = page("integrations.view_connection", store_managers=True)(books.status)
_till_page = page("integrations.view_connection")(tills.till)


def page_of(request: HttpRequest, vendor: str) -> HttpResponse:
    """The page of a vendor, by what it is."""
    show = _books_page if vendors.VENDORS[vendor].kind == vendors.BOOKS else _till_page
    return show(request, vendor)


def new(request: HttpRequest, vendor: str) -> HttpResponse:
    """Set up a connection of a vendor. Its form stands on the vendor's page, where a followed link leads."""
    if request.method in {"GET", "HEAD"}:
        return redirect("integrations:vendor", vendor)
    make = books.new_book if vendors.VENDORS[vendor].kind == vendors.BOOKS else tills.new_source
    return make(request, vendor)
