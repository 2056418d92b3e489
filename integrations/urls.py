"""The addresses of the integration pages, under /admin/ and behind its log-in."""

from collections.abc import Callable

from django.contrib import admin
from django.http.response import HttpResponseBase
from django.urls import path, register_converter

from integrations.admin_views import (
    adopting,
    alerts,
    books,
    bulk,
    events,
    exports,
    hearing,
    limits,
    oauth,
    postings,
    suggestions,
    tills,
    tokens,
)
from integrations.admin_views.access import VendorInAddress
from integrations.admin_views.vendor import new, page_of
from ledger.admin.exports import in_both_forms

app_name = "integrations"
register_converter(VendorInAddress, "vendor")


def inside(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """Behind the admin's log-in."""
    return admin.site.admin_view(view)


urlpatterns = [
    path("integrations/oauth/callback/", inside(oauth.callback), name="callback"),
    path("integrations/connections/<int:connection_id>/connect/", inside(oauth.connect), name="connect"),
    path("integrations/connections/<int:connection_id>/disconnect/", inside(books.disconnect), name="disconnect"),
    path("integrations/connections/<int:connection_id>/keys/", inside(books.save_keys), name="keys"),
    path("integrations/connections/<int:connection_id>/limits/", inside(limits.save_limits), name="limits"),
    path("integrations/connections/<int:connection_id>/test/", inside(books.test), name="test"),
    path("integrations/connections/<int:connection_id>/status.json", inside(books.status_json), name="status_json"),
    path("integrations/connections/<int:connection_id>/range.json", inside(books.range_json), name="range_json"),
    path("integrations/connections/<int:connection_id>/start/", inside(books.start), name="start"),
    path("integrations/connections/<int:connection_id>/stop/", inside(books.stop), name="stop"),
    path("integrations/connections/<int:connection_id>/past/", inside(books.past), name="past"),
    path("integrations/connections/<int:connection_id>/preview/", inside(books.preview), name="preview"),
    path("integrations/connections/<int:connection_id>/import/", inside(books.import_accounts), name="import"),
    path("integrations/connections/<int:connection_id>/events/", inside(events.events), name="events"),
    path(
        "integrations/connections/<int:connection_id>/retry-failed/", inside(events.retry_failed), name="retry_failed"
    ),
    path("integrations/connections/<int:connection_id>/many/", inside(bulk.many), name="many"),
    path("integrations/deeds/<int:deed_id>/", inside(bulk.deed), name="deed"),
    path("integrations/deeds/<int:deed_id>/stop/", inside(bulk.stop_deed), name="stop_deed"),
    path("integrations/orders/<int:order_id>/stop/", inside(books.stop_past), name="stop_past"),
    path("integrations/connections/<int:connection_id>/days/", inside(tills.save_days), name="days"),
    path("integrations/connections/<int:connection_id>/feed/", inside(tills.save_feed), name="feed"),
    path("integrations/events/<int:posting_id>/retry/", inside(postings.retry), name="retry"),
    path("integrations/events/<int:posting_id>/set-aside/", inside(postings.set_aside), name="set_aside"),
    path("integrations/events/<int:posting_id>/take-back/", inside(postings.take_back), name="take_back"),
    path("integrations/events/<int:posting_id>/adopt/", inside(adopting.adopt), name="adopt"),
    path("integrations/api-tokens/", inside(tokens.tokens), name="tokens"),
    path("integrations/api-tokens/revoke/", inside(tokens.revoke), name="revoke_token"),
    path("integrations/alerts/<int:alert_id>/acknowledge/", inside(alerts.acknowledge), name="acknowledge"),
    path("integrations/alerts/<int:alert_id>/assign/", inside(alerts.assign), name="assign"),
    path("integrations/alerts/hearing/", inside(hearing.mine), name="hearing"),
    path("integrations/alerts/hearing/test/", inside(hearing.trial), name="hearing_test"),
    path("integrations/alerts/hearing/everybody/", inside(hearing.everybody), name="hearers"),
    path(
        "integrations/connections/<int:connection_id>/accounts/",
        inside(suggestions.suggested_accounts),
        name="suggested_accounts",
    ),
    path(
        "integrations/connections/<int:connection_id>/accounts/creation.json",
        inside(suggestions.creation_json),
        name="creation_json",
    ),
    *in_both_forms(
        "integrations/connections/<int:connection_id>/accounts/suggested",
        inside(suggestions.export_suggestions),
        name="export_suggestions",
    ),
    *in_both_forms(
        "integrations/connections/<int:connection_id>/events", inside(exports.export_events), name="export_events"
    ),
    *in_both_forms("integrations/alerts", inside(exports.export_alerts), name="export_alerts"),
    path("integrations/new/<vendor:vendor>/", inside(new), name="new"),
    path("integrations/<vendor:vendor>/", inside(page_of), name="vendor"),
]
