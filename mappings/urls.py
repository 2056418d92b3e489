"""The addresses of Settings > Financial, under /admin/ and behind its log-in."""

from django.contrib import admin
from django.urls import URLPattern, path

from ledger.admin.exports import in_both_forms
from mappings import admin_exchange, admin_rows, admin_views
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
        path(f"{book}/choices/<slug:role>.json", inside(admin_rows.choices), name="choices"),
        path(f"{book}/mapping/rows/<int:row_id>/delete/", inside(admin_rows.delete_row), then, name="delete_row"),
        *in_both_forms(f"{book}/accounts", inside(admin_views.export_accounts), name="export_accounts"),
        *_exchange(changed=changed),
    ]


def _exchange(*, changed: Changed) -> list[URLPattern]:
    inside, then = admin.site.admin_view, {"changed": changed}
    mapping, template = "settings/financial/<int:book_id>/mapping", "templates/<int:template_id>"
    downloads = inside(admin_exchange.download_template)
    return [
        path(f"{mapping}/", inside(admin_exchange.exchange), name="exchange"),
        path(f"{mapping}/import/", inside(admin_exchange.import_mapping), name="import_mapping"),
        path(f"{mapping}/copy/", inside(admin_exchange.copy), name="copy"),
        path(f"{mapping}/apply/", inside(admin_exchange.apply_template), name="apply_template"),
        path(f"{mapping}/confirm/", inside(admin_exchange.confirm), then, name="confirm"),
        path(f"{mapping}/save/", inside(admin_exchange.save_template), name="save_template"),
        path(f"{mapping}/{template}/delete/", inside(admin_exchange.delete_template), name="delete_template"),
        *in_both_forms(mapping, inside(admin_exchange.export_mapping), name="export_mapping"),
        *in_both_forms(f"settings/financial/{template}", downloads, name="download_template"),
    ]
