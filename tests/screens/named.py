"""The table of screens: what the pictures are called, and where each stands when the bad day is in the database.

One list for the pictures in docs/screenshots and for the tests that open every screen of ours. A screen that a role may
not open does not exist for that role.
"""

from collections.abc import Callable
from dataclasses import dataclass

from django.contrib.auth.models import Group, User
from django.urls import NoReverseMatch, reverse

from integrations.models import Alert, Connection
from ledger.models import AuditRecord, Book, JournalEntry, Posting, Store
from ledger.terms import DeliveryState, SyncState

INES, MARIA, SAM, LEE = EVERYBODY = ("ines", "maria", "sam", "lee")


@dataclass(frozen=True)
class Screen:
    """A screen by its name; `address` is asked when it is opened, and empty where there is no such screen.

    `pictured_for`: whose work it is, by user name, and so in whose folder its picture lies. Whoever it is,
    tests/browser/test_every_screen.py opens it as ines, who may do everything, as sam, who sees one store, and as them.
    """

    name: str
    address: Callable[[], str]
    pictured_for: tuple[str, ...] = EVERYBODY
    needs_login: bool = True


def page(name: str, *arguments: Callable[[], int], query: str = "") -> Callable[[], str]:
    """The address of a named page; empty while there is none of that name."""

    def address() -> str:
        try:
            return reverse(name, args=[argument() for argument in arguments]) + query
        except NoReverseMatch:
            return ""

    return address


def connection() -> int:
    return Connection.objects.filter(vendor="quickbooks").earliest("pk").pk


def expired() -> int:
    return Connection.objects.get(vendor="quickbooks", state=Connection.State.ACTION_REQUIRED).pk


def book() -> int:
    return Book.objects.get(connection=connection()).pk


def posting(*, code: str = "", **columns: object) -> Callable[[], int]:
    """The latest event of the first book of which this is true; in Sam's store when there is one."""

    def found() -> int:
        wanted = {"error_code": code, "state": SyncState.ERROR} if code else columns
        rows = Posting.objects.filter(book=book(), **wanted).order_by("-pk")
        own = rows.filter(store__managers__username="sam").first()
        return (own or rows[0]).pk

    return found


def alert() -> int:
    return Alert.objects.filter(closed_at=None, events__gt=1).earliest("first_seen_at").pk


def entry() -> int:
    own = JournalEntry.objects.filter(state=DeliveryState.POSTED, store__managers__username="sam")
    return own.filter(book=book()).order_by("-pk")[0].pk


EVENT = "admin:ledger_posting_change"

SCREENS = [
    Screen("login", page("admin:login"), (INES,), needs_login=False),
    Screen("overview", page("admin:index")),
    Screen("quickbooks-status", lambda: f"/admin/integrations/quickbooks/?connection={connection()}", (INES, MARIA)),
    Screen("quickbooks-expired", lambda: f"/admin/integrations/quickbooks/?connection={expired()}", (INES,)),
    Screen("events", page("integrations:events", connection), (MARIA, SAM, LEE)),
    Screen("events-in-error", page("integrations:events", connection, query="?state=error"), (MARIA, SAM)),
    Screen("events-none-found", page("integrations:events", connection, query="?number=NONE"), (MARIA,)),
    Screen(
        "event-synced",
        page(EVENT, posting(state=SyncState.SYNCED, changed_since=False, outcome="posted")),
        (MARIA, LEE),
    ),
    Screen("event-unmapped", page(EVENT, posting(code="unmapped")), (MARIA, SAM)),
    Screen("event-unreadable", page(EVENT, posting(code="unreadable")), (SAM,)),
    Screen("event-changed-since", page(EVENT, posting(changed_since=True)), (MARIA,)),
    Screen("event-adopted", page(EVENT, posting(outcome="adopted")), (LEE,)),
    Screen("entry", page("admin:ledger_journalentry_change", entry), (MARIA, LEE)),
    Screen("till", lambda: "/admin/integrations/heartland-retail/", (INES,)),
    Screen("accounts", page("mappings:accounts", book), (MARIA,)),
    Screen("mapping", page("mappings:configuration", book), (MARIA, LEE)),
    Screen("alerts", page("admin:integrations_alert_changelist"), (INES, MARIA, SAM)),
    Screen("alert", page("admin:integrations_alert_change", alert), (INES, MARIA, SAM)),
    Screen("all-events", page("admin:ledger_posting_changelist"), (SAM, LEE)),
    Screen("entries", page("admin:ledger_journalentry_changelist"), (LEE,)),
    Screen("stores", page("admin:ledger_store_changelist"), (INES,)),
    Screen(
        "store",
        page("admin:ledger_store_change", lambda: Store.objects.filter(managers__username="sam")[0].pk),
        (INES,),
    ),
    Screen("users", page("admin:auth_user_changelist"), (INES,)),
    Screen("user", page("admin:auth_user_change", lambda: User.objects.get(username="sam").pk), (INES,)),
    Screen("audit", page("admin:ledger_auditrecord_changelist"), (LEE,)),
    Screen(
        "audit-record", page("admin:ledger_auditrecord_change", lambda: AuditRecord.objects.latest("pk").pk), (LEE,)
    ),
    Screen("accounts-suggested", page("integrations:suggested_accounts", connection), (MARIA,)),
    Screen("mapping-files", page("mappings:exchange", book), (MARIA,)),
    Screen("alerts-hearing", page("integrations:hearing"), (INES, SAM)),
    Screen("alerts-hearers", page("integrations:hearers"), (INES,)),
    Screen("api-tokens", page("integrations:tokens"), (INES,)),
    Screen("api", lambda: "/api/v1/docs/", (INES,)),
    Screen("roles", page("admin:auth_group_changelist"), (INES,)),
    Screen("role", page("admin:auth_group_change", lambda: Group.objects.get(name="Store manager").pk), (INES,)),
    Screen("second-factor", page("second_factor:page"), (INES,)),
    Screen("password", page("admin:password_change"), (SAM,)),
]
