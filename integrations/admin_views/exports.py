"""The Financial Events tab and the list of alerts as files: what their filters show, of the reader's own stores."""

from django.contrib import messages
from django.forms import Form
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.views.decorators.http import require_GET

from integrations.admin_views import health
from integrations.admin_views.access import page
from integrations.admin_views.alerts import filtered, line
from integrations.admin_views.books import book_of, books_connection
from integrations.admin_views.filtering import EventFilter, in_order, narrowed
from integrations.alert_forms import AlertFilter
from integrations.models import Alert
from integrations.resources import AlertResource
from ledger.admin.exports import LONGEST
from ledger.admin.scoping import is_store_manager
from ledger.errors import Refused
from ledger.exporting import exported
from ledger.models import Book
from ledger.resources import PostingResource, download


@require_GET
@page("ledger.view_posting", store_managers=True)
def export_events(request: HttpRequest, connection_id: int, form: str) -> HttpResponseBase:
    """What the tab shows with the same address, in its order."""
    connection = books_connection(connection_id)
    book = book_of(connection)
    chosen = EventFilter(request.GET, book=book, person=request.user, counts=[])
    rows = in_order(narrowed(book, chosen, person=request.user), chosen)
    try:
        return download(
            request.user, PostingResource(), rows, form=form, about=book, book=book.name, filter=_asked(chosen)
        )
    except Refused as refused:
        messages.error(request, refused.sentence)
        return redirect(f"{health.events_address(connection)}?{request.GET.urlencode()}")


@require_GET
@page("integrations.view_alert", store_managers=True)
def export_alerts(request: HttpRequest, form: str) -> HttpResponseBase:
    """What the list of alerts shows with the same address, in the words of this reader."""
    chosen = AlertFilter(request.GET, books=Book.objects.all(), limited=is_store_manager(request.user))
    related = filtered(chosen, request.user).select_related("acknowledged_by", "assigned_to").order_by("-last_seen_at")
    lines = [line(alert, person=request.user) for alert in related]
    table = AlertResource().of(lines)
    return exported(request.user, table, form=form, about=Alert, rows=len(lines), filter=_asked(chosen))


def _asked(form: Form) -> dict[str, str]:
    """The filters that could be read, as they were asked for: they stand in the audit."""
    used = [name for name, value in form.cleaned_data.items() if value not in (None, "", False)]
    return {name: str(form.data.get(name, ""))[:LONGEST] for name in used}
