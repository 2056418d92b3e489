"""The admin's menu and its first page: where each room is, how each book stands, what comes next."""

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest
from django.urls import reverse

from integrations import vendors
from integrations.admin_views import health
from integrations.admin_views.access import address_of
from integrations.admin_views.standing import till_problem
from integrations.models import Connection
from ledger.admin.scoping import Person, is_store_manager, may, may_for_all

STEPS = {
    "connect": "Connect to the accounting system",
    "import": "Import Accounts",
    "map": "Map the accounts",
    "start": "Start Sync",
}


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


def first_page(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """What the first page shows: a line of health for each book, and the next step of its set-up."""
    context["title"] = "Overview"
    context["books"] = []
    if may(request.user, "integrations.view_connection"):
        connections = vendors.books_connections().order_by("pk")
        context["books"] = [_book_line(connection, request.user) for connection in connections]
        context["may_set_up"] = may_for_all(request.user, "integrations.change_connection")
        context["tills"] = [] if is_store_manager(request.user) else _till_lines()
        context["vendors"] = [(vendor, vendors.VENDORS[vendor].label) for vendor in _vendors_in_order()]
    return context


def _till_lines() -> list[dict[str, Any]]:
    tills = vendors.till_connections().select_related("source", "capture").order_by("pk")
    return [{"till": till, "address": address_of(till), "problem": till_problem(till)} for till in tills]


def _book_line(connection: Connection, person: Person) -> dict[str, Any]:
    book = connection.book
    line: dict[str, Any] = {
        "connection": connection,
        "vendor": vendors.VENDORS[connection.vendor].label,
        "address": address_of(connection),
        "health": health.health(connection, person=person),
    }
    if book is None:
        return line
    step = "" if is_store_manager(person) else health.next_button(connection, so_far=health.mapped(book))
    line |= {"book": book, "counts": health.open_counts(book, person=person), "step": STEPS.get(step, "")}
    line["step_address"] = reverse("mappings:configuration", args=[book.pk]) if step == "map" else line["address"]
    return line
