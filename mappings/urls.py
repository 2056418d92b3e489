"""The addresses of Settings > Financial, under /admin/ and behind its log-in."""

from django.contrib import admin
from django.urls import URLPattern, path

from mappings import admin_views
from mappings.admin_views import Changed


def addresses(*, changed: Changed) -> list[URLPattern]:
    """Who includes them says what happens after a change: this room wakes no worker."""
    inside, then = admin.site.admin_view, {"changed": changed}
    book = "settings/financial/<int:book_id>"
    return [
        path("settings/financial/", inside(admin_views.financial), name="financial"),
        path(f"{book}/", inside(admin_views.accounts), name="accounts"),
        path(f"{book}/accounts/<int:account_id>/delete/", inside(admin_views.delete_account), name="delete_account"),
        path(f"{book}/configuration/", inside(admin_views.configuration), then, name="configuration"),
        path(f"{book}/switches/", inside(admin_views.switch), then, name="switches"),
    ]
