"""Connecting in a pop-up window: out to the vendor's consent page, and back with its answer."""

from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from integrations import connecting, vendors
from integrations.admin_views.access import address_of, page
from integrations.models import Connection
from ledger.errors import DaybookError


@require_POST
@page("integrations.change_connection")
def connect(request: HttpRequest, connection_id: int) -> HttpResponse:
    """A page that leads on to the vendor: the content policy lets no form end at another site."""
    connection = get_object_or_404(Connection, pk=connection_id)
    back = request.build_absolute_uri(reverse("integrations:callback"))
    label = vendors.VENDORS[connection.vendor].label
    try:
        address = connecting.begin(connection, _person(request), back)
    except DaybookError as refused:
        return _window(request, label=label, problem=refused.sentence, home=address_of(connection))
    return _window(request, label=label, address=address, home=address_of(connection))


@require_GET
@page("integrations.change_connection")
def callback(request: HttpRequest) -> HttpResponse:
    """The vendor's answer. The one address that changes something on a GET: its state, used once, stands for a POST."""
    try:
        connection = connecting.complete(request.GET.dict(), _person(request))
    except DaybookError as refused:
        return _window(request, problem=refused.sentence, home=reverse("admin:index"), status=400)
    done = f"Connected to {connection.company_name or vendors.VENDORS[connection.vendor].label}."
    return _window(request, done=done, home=address_of(connection))


def _person(request: HttpRequest) -> User:
    if not isinstance(request.user, User):
        raise TypeError("The admin lets only people in who have logged in")
    return request.user


def _window(request: HttpRequest, *, status: int = 200, **said: str) -> HttpResponse:
    answer = render(request, "admin/integrations/window.html", said, status=status)
    answer["Referrer-Policy"] = "no-referrer"
    answer["Cache-Control"] = "no-store"
    return answer
