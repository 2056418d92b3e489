"""The settings of the REST API's libraries, apart from the rest for their length. `integrations.api` is the API."""

from typing import Any

from ledger.terms import DeliveryState, EntryKind, EventKind, SyncState

REST_FRAMEWORK: dict[str, Any] = {
    # The token first: its challenge is what a stranger is answered with.
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "integrations.api.authentication.TokenAuthentication",
        "integrations.api.authentication.ScreenAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["integrations.api.permissions.MayDoThis"],
    "DEFAULT_THROTTLE_CLASSES": ["integrations.api.throttles.PerPerson"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["integrations.api.parsers.SmallJSONParser"],
    "DEFAULT_METADATA_CLASS": None,
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "integrations.api.problems.answer",
    "URL_FORMAT_OVERRIDE": None,
}
# A prefix lets scanners for leaked secrets know a token when they see one.
REST_KNOX: dict[str, Any] = {"AUTH_HEADER_PREFIX": "Bearer", "TOKEN_PREFIX": "daybook_", "TOKEN_TTL": None}

ABOUT = """
Read what the screens show, and order what their buttons order: with the same permissions, the same stores and the
same words.

**Sign in** with a token from Daybook, *API tokens*: `Authorization: Bearer <token>`. A token can do what its owner can
do, and nothing once its owner is deactivated. Logged in to the screens, this page works without one.

**Amounts** are text with two decimals. **Dates** are business or posting dates as `2010-12-24`; times are UTC.

**Lists** come in pages, newest first. Follow `next` until it is null.

**Refusals** all have one shape: `problem` is a sentence for a person, `code` is for a program, `fields` says what is
wrong with which field. An unknown filter or field is refused, never ignored.

**To repeat an order is harmless**: an event is sent once, however often it is ordered.

**The rate** is limited for each person, over all tokens. 429 comes with `Retry-After`.
"""

SPECTACULAR_SETTINGS: dict[str, Any] = {
    "TITLE": "Daybook API",
    "DESCRIPTION": ABOUT,
    "VERSION": "1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PERMISSIONS": ["integrations.api.permissions.MayDoThis"],
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "SWAGGER_UI_SETTINGS": {
        "deepLinking": True,
        "docExpansion": "list",
        "defaultModelsExpandDepth": 0,
        "displayRequestDuration": True,
    },
    "ENUM_GENERATE_CHOICE_DESCRIPTION": False,
    "TAGS": [
        {"name": "Books", "description": "Books with their health, and stores."},
        {"name": "Events", "description": "Where each financial event stands in a book."},
        {"name": "Journal entries", "description": "What was or will be sent, line by line."},
        {"name": "Alerts", "description": "Problems, one row each."},
        {"name": "Orders", "description": "Past syncs and retries, and how far they are."},
        {"name": "Health", "description": "The installation itself."},
    ],
    "ENUM_NAME_OVERRIDES": {
        word.__name__: [one.value for one in word] for word in (DeliveryState, EntryKind, EventKind, SyncState)
    },
}
