"""Every address of Daybook; the rooms' own lists are included here."""

from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path
from django.views.generic import RedirectView

from integrations.admin_views.books import wake_book
from mappings.urls import addresses as settings_addresses

urlpatterns: list[URLPattern | URLResolver] = [
    path("", RedirectView.as_view(pattern_name="admin:index"), name="home"),
    # Before the admin's own addresses, which take everything that is left.
    path("admin/", include("integrations.urls")),
    path("admin/", include((settings_addresses(changed=wake_book), "mappings"))),
    path("admin/", admin.site.urls),
]
handler403 = "config.refusals.forbidden"
handler404 = "config.refusals.not_found"
