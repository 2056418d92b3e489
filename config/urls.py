"""Every address of Daybook; the rooms' own lists are included here."""

from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path
from django.views.generic import RedirectView

from config import own_password
from config.overview.page import overview_json
from integrations.admin_views.books import wake_book
from integrations.api import probes
from integrations.api.metrics import metrics
from ledger.admin import finding
from mappings.urls import addresses as settings_addresses

urlpatterns: list[URLPattern | URLResolver] = [
    path("", RedirectView.as_view(pattern_name="admin:index"), name="home"),
    # Before the admin's own addresses, which take everything that is left.
    path("admin/", include("config.second_factor_pages")),
    path("admin/", include("integrations.urls")),
    path("admin/", include((settings_addresses(changed=wake_book), "mappings"))),
    path("admin/password_change/", admin.site.admin_view(own_password.change)),
    path("admin/password_change/done/", admin.site.admin_view(RedirectView.as_view(pattern_name="admin:index"))),
    path("admin/overview.json", admin.site.admin_view(overview_json), name="overview_json"),
    path("admin/search/", admin.site.admin_view(finding.search), name="search"),
    path("admin/", admin.site.urls),
    path("api/v1/", include("integrations.api.urls")),
    path("health/live", probes.live, name="live"),
    path("health/ready", probes.ready, name="ready"),
    path("metrics", metrics, name="metrics"),
]
handler403 = "config.refusals.forbidden"
handler404 = "config.refusals.not_found"
handler500 = "config.refusals.broken"
