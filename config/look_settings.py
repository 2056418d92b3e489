"""How the admin looks: what django-unfold is told. It is the same everywhere."""

from typing import Any

from django.templatetags.static import static

UNFOLD: dict[str, Any] = {
    "SITE_TITLE": "Daybook",
    "SITE_HEADER": "Daybook",
    "SHOW_HISTORY": True,
    # No colours here: they would be an inline style in each page, theme.css has them.
    "COLORS": lambda request: {},
    "STYLES": [lambda request: static("daybook/theme.css"), lambda request: static("daybook/pages.css")],
    "SCRIPTS": [lambda request: static("daybook/admin.js"), lambda request: static("daybook/exporting.js")],
    "SIDEBAR": {"navigation": "config.admin_site.navigation", "show_search": True, "command_search": True},
    "ACCOUNT": {"navigation": "config.admin_site.account"},
    "DASHBOARD_CALLBACK": "config.overview.page.first_page",
    "SITE_FAVICONS": [{"rel": "icon", "type": "image/svg+xml", "href": lambda request: static("daybook/icon.svg")}],
}
