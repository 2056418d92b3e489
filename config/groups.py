"""The four groups that come with Daybook, and what each may do: one table, put into the database after each migration.

The groups of this table are ours: a migration puts them back to it. Whoever needs another mix makes a group of their
own, which nothing here touches.
"""

import structlog
from django.contrib.auth.models import Group, Permission
from django.db import connections

from ledger.admin.scoping import ACCOUNTANT, ADMINISTRATOR, AUDITOR, STORE_MANAGER

log = structlog.get_logger(__name__)

OWN_STORE = {
    "integrations": ["change_alert", "view_alert"],
    "ledger": ["view_posting", "retry_posting"],
}
"""A store manager: alerts and events of the own stores, acknowledging them, and Retry after the till was mended."""

READING = {
    "integrations": ["view_accountimport", "view_alert", "view_capture", "view_connection"],
    "ledger": [
        *("view_account", "view_attempt", "view_auditrecord", "view_batch", "view_book", "view_dayfigure"),
        *("view_dimensionvalue", "view_discrepancy", "view_eventrevision", "view_feed", "view_financialevent"),
        *("view_journalentry", "view_journalline", "view_posting", "view_rawdocument", "view_reconciliationrun"),
        *("view_source", "view_store", "view_syncorder"),
    ],
    "mappings": ["view_mapping"],
}
"""Everything that stands in the books and how it got there; no person's own matters."""

BOOKKEEPING = {
    "integrations": ["change_alert", "operate_sync"],
    "ledger": [
        *("add_account", "delete_account", "change_book"),
        *("adopt_posting", "retry_posting", "set_aside_posting"),
    ],
    "mappings": ["add_mapping", "change_mapping", "delete_mapping"],
}
"""What an accountant decides: the mapping, the sync, and what happens to each event."""

PEOPLE_SEEN = {"auth": ["view_group", "view_user"]}
RUNNING = {
    "auth": ["add_group", "add_user", "change_group", "change_user", "delete_group"],
    "integrations": ["add_connection", "change_connection"],
    "ledger": ["change_feed", "change_store"],
}
"""What an administrator answers for: connections with their keys, stores and feeds, people and how they sign in."""

Permissions = dict[str, list[str]]
TABLE: dict[str, tuple[Permissions, ...]] = {
    ADMINISTRATOR: (READING, BOOKKEEPING, PEOPLE_SEEN, RUNNING),
    ACCOUNTANT: (READING, BOOKKEEPING),
    STORE_MANAGER: (OWN_STORE,),
    AUDITOR: (READING, PEOPLE_SEEN),
}
IN_WORDS = {
    ADMINISTRATOR: "Connections and keys, stores, users and how they sign in, and everything an accountant may do.",
    ACCOUNTANT: "Mapping, sync, retry, set aside, adopt, alerts and reports. No keys and no users.",
    STORE_MANAGER: "Alerts and events of the own stores, and Retry. Without a store: nothing.",
    AUDITOR: "Reads and exports everything, the audit included. Changes nothing.",
}


def permissions_of(group: str) -> set[str]:
    """What the table gives to a group, as app.codename."""
    return {f"{app}.{name}" for part in TABLE[group] for app, names in part.items() for name in names}


def install(*, using: str, **_: object) -> None:
    """Bring the four groups in line with the table; permissions whose table is not there yet follow with it."""
    if Group.permissions.through._meta.db_table not in connections[using].introspection.table_names():
        return
    rows = Permission.objects.using(using).values_list("pk", "content_type__app_label", "codename")
    known = {f"{app}.{codename}": pk for pk, app, codename in rows}
    for name in TABLE:
        group, is_new = Group.objects.using(using).get_or_create(name=name)
        wanted = {known[permission] for permission in permissions_of(name) if permission in known}
        if wanted != set(group.permissions.values_list("pk", flat=True)):
            group.permissions.set(wanted)
            if not is_new:
                log.info("a role was put back to the table of this version", role=name)
