"""The Financial Events tab and the list of alerts as files: what their filters show, of the reader's own stores."""

from django.contrib import messages
from django.forms import Form
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_GET

from integrations.admin_views import health
from integrations.admin_views.access import page
from integrations.admin_views.alerts import filtered, line
from integrations.admin_views.books import book_of, books_connection
from integrations.admin_views.filtering import EventFilter, in_order, narrowed
from integrations.alert_forms import AlertFilter
from integrations.models import Alert
from integrations.resources import AlertResource
from ledger.admin.exports import asked, events_table
from ledger.admin.scoping import is_store_manager
from ledger.errors import Refused
from ledger.exporting import exported
from ledger.models import Book
from ledger.resources import download


@require_GET
@page("ledger.view_posting", store_managers=True)
def export_events(request: HttpRequest, connection_id: int, form: str) -> HttpResponseBase:
    """What the tab shows with the same address, in its order."""
    connection = books_connection(connection_id)
    book = book_of(connection)
    chosen = EventFilter(request.GET, book=book, person=request.user)
    back = redirect(f"{health.events_address(connection)}?{request.GET.urlencode()}")
    if chosen.errors:
        return back
    rows = in_order(narrowed(book, chosen, person=request.user), chosen)
    named = {"book": book.name, "state": chosen.cleaned_data["state"], "filter": asked(request, _used(chosen))}
    try:
        return download(request.user, events_table(request.user), rows, form=form, about=book, **named)
    except Refused as refused:
        messages.error(request, refused.sentence)
        return back


@require_GET
@page("integrations.view_alert", store_managers=True)
def export_alerts(request: HttpRequest, form: str) -> HttpResponseBase:
    """What the list of alerts shows with the same address, in the words of this reader."""
    limited = is_store_manager(request.user)
    chosen = AlertFilter(request.GET, books=Book.objects.all(), limited=limited)
    if chosen.errors:
        return redirect(f"{reverse('admin:integrations_alert_changelist')}?{request.GET.urlencode()}")
    related = filtered(chosen, request.user).select_related("acknowledged_by", "assigned_to").order_by("-last_seen_at")
    lines = [line(alert, person=request.user) for alert in related]
    table = AlertResource(causes=not limited).table_of(lines)
    used = asked(request, _used(chosen))
    return exported(request.user, table, form=form, about=Alert, rows=len(lines), filter=used)


def _used(form: Form) -> list[str]:
    """The names of the filters that narrow something."""
    return [name for name, value in form.cleaned_data.items() if value not in (None, "", False)]
