"""The addresses of the API, under /api/v1/."""

from django.contrib import admin
from django.urls import path, re_path

from integrations.api.alerts import AlertsView, AlertView
from integrations.api.books import BooksView, BookView, StoresView
from integrations.api.entries import EntriesView, EntryView
from integrations.api.events import EventsView, EventView
from integrations.api.health import HealthView
from integrations.api.orders import OrdersView, OrderView, PastSyncView, RetryView
from integrations.api.pages import DocsView, NoSuchAddress, SchemaView

app_name = "api"

urlpatterns = [
    path("health/", HealthView.as_view(), name="health"),
    path("books/", BooksView.as_view(), name="books"),
    path("books/<int:book_id>/", BookView.as_view(), name="book"),
    path("books/<int:book_id>/events/", EventsView.as_view(), name="events"),
    path("books/<int:book_id>/entries/", EntriesView.as_view(), name="entries"),
    path("books/<int:book_id>/orders/", OrdersView.as_view(), name="orders"),
    path("books/<int:book_id>/past-sync/", PastSyncView.as_view(), name="past_sync"),
    path("books/<int:book_id>/retry/", RetryView.as_view(), name="retry"),
    path("events/<int:event_id>/", EventView.as_view(), name="event"),
    path("entries/<int:entry_id>/", EntryView.as_view(), name="entry"),
    path("orders/<int:order_id>/", OrderView.as_view(), name="order"),
    path("alerts/", AlertsView.as_view(), name="alerts"),
    path("alerts/<int:alert_id>/", AlertView.as_view(), name="alert"),
    path("stores/", StoresView.as_view(), name="stores"),
    path("schema/", SchemaView.as_view(), name="schema"),
    path("docs/", admin.site.admin_view(DocsView.as_view()), name="docs"),
    re_path(r"^(?P<rest>.*)$", NoSuchAddress.as_view(), name="nowhere"),
]
