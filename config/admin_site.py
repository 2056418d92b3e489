"""The admin's menu: where each room is."""

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest
from django.urls import reverse

from integrations import vendors
from ledger.admin.scoping import may, may_for_all


def navigation(request: HttpRequest) -> list[dict[str, Any]]:
    """The menu: each entry only for who may open it."""
    return [
        {"title": "", "items": [_item("Overview", reverse("admin:index"), "home", lambda _: True)]},
        {"title": "Integrations", "items": [_vendor_item(vendor) for vendor in _vendors_in_order()]},
        {
            "title": "Settings",
            "items": [
                _item("Financial", reverse("mappings:financial"), "account_balance", _for_all("ledger.view_account")),
                _list_item("Stores", "ledger", "store", "storefront"),
                _item("Users", reverse("admin:auth_user_changelist"), "group", _for_all("auth.view_user")),
                _item("Roles", reverse("admin:auth_group_changelist"), "badge", _for_all("auth.view_group")),
                _item("API tokens", reverse("integrations:tokens"), "key", lambda _: True),
            ],
        },
        {
            "title": "Books",
            "items": [
                _list_item("Events of all books", "ledger", "posting", "receipt_long"),
                _list_item("Journal entries", "ledger", "journalentry", "menu_book"),
                _list_item("Alerts", "integrations", "alert", "warning"),
                _item(
                    "Audit",
                    reverse("admin:ledger_auditrecord_changelist"),
                    "history_edu",
                    _for_all("ledger.view_auditrecord"),
                ),
            ],
        },
    ]


def account(request: HttpRequest) -> list[dict[str, Any]]:
    """The menu of one's own name."""
    hears = {"title": "How I hear of alerts", "link": reverse("integrations:hearing")}
    return [
        *([hears] if may(request.user, "integrations.view_alert") else []),
        {"title": "Change password", "link": reverse("admin:password_change")},
        {"title": "Second factor", "link": reverse("second_factor:page")},
    ]


def _vendors_in_order() -> list[str]:
    """Tills first, as the money flows."""
    return sorted(vendors.VENDORS, key=lambda vendor: vendors.VENDORS[vendor].kind == vendors.BOOKS)


def _vendor_item(vendor: str) -> dict[str, Any]:
    books = vendors.VENDORS[vendor].kind == vendors.BOOKS
    allowed = _own("integrations.view_connection") if books else _for_all("integrations.view_connection")
    icon = "import_contacts" if books else "point_of_sale"
    return _item(vendors.VENDORS[vendor].label, reverse("integrations:vendor", args=[vendor]), icon, allowed)


def _list_item(title: str, app: str, model: str, icon: str) -> dict[str, Any]:
    return _item(title, reverse(f"admin:{app}_{model}_changelist"), icon, _own(f"{app}.view_{model}"))


def _item(title: str, link: str, icon: str, permission: Callable[[HttpRequest], bool]) -> dict[str, Any]:
    return {"title": title, "link": link, "icon": icon, "permission": permission}


def _own(permission: str) -> Callable[[HttpRequest], bool]:
    return lambda request: may(request.user, permission)


def _for_all(permission: str) -> Callable[[HttpRequest], bool]:
    return lambda request: may_for_all(request.user, permission)
