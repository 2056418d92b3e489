"""The person in the demo: opens the admin's pages, types, presses the buttons, and watches the progress."""

import csv
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from datetime import date
from importlib import import_module
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.auth.models import User
from django.db.models import Count, Max, Min, Q
from django_otp import DEVICE_ID_SESSION_KEY

from config import devices, first_password
from config.demo.pages import Browser, Page
from config.demo.places import Places, say
from integrations.models import AccountImport, Capture, Connection, OneTimePassword
from ledger.clock import database_now
from ledger.models import Book, Feed, Posting
from ledger.terms import SyncState
from mappings import loading

TILL_KEYS = {"api_token": "sandbox-heartland-token"}
BOOKS_KEYS = {"client_id": "sandbox-quickbooks-client", "client_secret": "sandbox-quickbooks-secret"}
COMPANY = "Main Street Trading"
MAPPING = Path(__file__).with_name("mapping.csv")
TRIES, PAUSE, LOOK = 30, 1.0, 0.3
BAR = 40


class DidNotWork(Exception):
    """A step of the set-up was tried often enough; its text says which."""


class Visitor:
    """One administrator. `stopped` raises when the person at the terminal has had enough."""

    def __init__(self, where: Places, *, stopped: Callable[[], None]) -> None:
        self.where = where
        self.stopped = stopped
        self.browser = Browser()
        self._tenths = 0
        self.user, self._is_new = User.objects.get_or_create(
            username="admin", defaults={"is_superuser": True, "is_staff": True}
        )
        forgotten, _ = OneTimePassword.objects.filter(user=self.user).delete()
        self._needs_password = self._is_new or bool(forgotten)
        self._log_in()

    def set_up(self) -> None:
        """From an empty installation to ordered past events; what is done already is left as it is."""
        self._connect_till()
        self._connect_books()
        self._feed()
        self._import_accounts()
        self._wait_for_history()
        self._map()
        self._start()
        self._order_past()

    def watch(self, *, until: float) -> None:
        """A progress bar until nothing waits any more, or the time is up."""
        started = time.monotonic()
        for done, total in self._progress():
            self._show(done, total, seconds=time.monotonic() - started)
            if done >= total or time.monotonic() > until:
                break
        say("")

    def password(self) -> str | None:
        """A one-time password for the person, unless an earlier one was changed already."""
        if not self._needs_password:
            return None
        self.user.refresh_from_db()
        return first_password.issue(self.user)

    def _log_in(self) -> None:
        """A session made on the spot: the person's own password is nobody else's business."""
        session = import_module(settings.SESSION_ENGINE).SessionStore()
        session[SESSION_KEY] = str(self.user.pk)
        session[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[-1]  # before it stands the guard of the log-in
        session[HASH_SESSION_KEY] = self.user.get_session_auth_hash()
        if app := devices.app_of(self.user):
            session[DEVICE_ID_SESSION_KEY] = app.persistent_id
        session.create()
        self.browser.session.cookies.set(settings.SESSION_COOKIE_NAME, session.session_key)

    def _open(self, path: str) -> Page:
        return self.browser.open(f"{self.where.url}/admin/{path}")

    def _connect_till(self) -> None:
        page = self._open("integrations/heartland-retail/")
        if page.has("Set up"):
            page = self.browser.press(page, "Set up", {"code": "HR", "name": "Heartland Retail"})
        if self._connected("heartland_retail"):
            self._read_again(page)
            return
        page = self.browser.press(page, "Save", TILL_KEYS, to="/keys/")
        self._until(
            lambda: self._connected("heartland_retail"),
            lambda: self.browser.press(page, "Test", to="/test/"),
            what="Heartland Retail did not answer the Test",
        )
        say("Heartland Retail is connected; its whole history is being read.")

    def _read_again(self, page: Page) -> None:
        """The last sales of an earlier run may be unread: Test wakes the capture, whose end is waited for."""
        pressed = database_now()
        self._until(
            lambda: Capture.objects.filter(last_run_at__gt=pressed, problem="").exists(),
            lambda: self.browser.press(page, "Test", to="/test/"),
            what="The till was not read again",
            tries=2 * TRIES,
        )
        say("Heartland Retail is connected already; what was sold meanwhile has been read.")

    def _connect_books(self) -> None:
        page = self._open("integrations/quickbooks/")
        if page.has("Set up"):
            page = self.browser.press(page, "Set up", {"name": COMPANY})
        if self._connected("quickbooks"):
            return
        page = self.browser.press(page, "Save", BOOKS_KEYS, to="/keys/")
        self._until(
            lambda: self._connected("quickbooks"), lambda: self._allow(page), what="QuickBooks Online was not connected"
        )
        say("QuickBooks Online is connected through its consent page.")

    def _allow(self, page: Page) -> None:
        window = self.browser.press(page, "Connect to QuickBooks", to="/connect/")
        consent = self.browser.open(window.link("Go there now"))
        self.browser.press(consent, "Accept")

    def _feed(self) -> None:
        if Feed.objects.exists():
            return
        page = self._open("integrations/heartland-retail/")
        which = f"book-{Book.objects.get().pk}-which"
        self.browser.press(page, "Save", {which: "all"}, to="/feed/")

    def _import_accounts(self) -> None:
        if AccountImport.objects.filter(problem="", ended_at__isnull=False).exists():
            return
        page = self._open("integrations/quickbooks/")
        self._until(
            lambda: AccountImport.objects.filter(problem="", ended_at__isnull=False).exists(),
            lambda: self.browser.press(page, "Import Accounts"),
            what="The accounts were not imported",
        )
        say(f"{Book.objects.get().accounts.count()} accounts were imported.")

    def _wait_for_history(self) -> None:
        self._until(
            lambda: Capture.objects.get().history_done, lambda: None, what="The history was not read", tries=600
        )
        say(f"{Posting.objects.count()} financial events were found.")

    def _map(self) -> None:
        """The mapping comes as a template; the switch is pressed on the screen."""
        book = Book.objects.get()
        with MAPPING.open(newline="") as file:
            read: Iterable[dict[str, Any]] = csv.DictReader(file)
            rows = [loading.MappingRow(**row) for row in read]
        say(f"{loading.apply(book, rows, actor=self.user)} lines of the account mapping were applied.")
        if not book.uses_financials:
            page = self._open(f"settings/financial/{book.pk}/configuration/")
            self.browser.press(page, "Save switches", {"uses_financials": "on"})

    def _start(self) -> None:
        page = self._open("integrations/quickbooks/")
        if page.has("Start Sync"):
            self.browser.press(page, "Start Sync")
            say("Pressed Start Sync.")

    def _order_past(self) -> None:
        first, last = self._range()
        if first is None or last is None:
            return
        page = self._open("integrations/quickbooks/")
        self.browser.press(page, "Sync", {"first": first.isoformat(), "last": last.isoformat()}, to="/past/")
        order = Book.objects.get().orders.latest("id")
        say(f"Pressed Sync Past Events, {first} to {last}: {order.events} events, {order.amount} USD.")

    def _range(self) -> tuple[date | None, date | None]:
        never = Posting.objects.filter(state=SyncState.NEVER_SYNCED, set_aside_reason="")
        found = never.aggregate(first=Min("business_date"), last=Max("business_date"))
        return found["first"], found["last"]

    def _connected(self, vendor: str) -> bool:
        return Connection.objects.filter(vendor=vendor, state=Connection.State.CONNECTED).exists()

    def _until(self, done: Callable[[], bool], press: Callable[[], object], *, what: str, tries: int = TRIES) -> None:
        """Press, look for a while, press again: what a person does in front of a system that stumbles."""
        for _ in range(tries):
            press()
            until = time.monotonic() + PAUSE
            while not done():
                self.stopped()
                if time.monotonic() > until:
                    break
                time.sleep(0.1)
            else:
                return
        raise DidNotWork(f"{what}, tried {tries} times.")

    def _progress(self) -> Iterator[tuple[int, int]]:
        """How many events are finished, of how many that were ordered or sold by now."""
        final = Q(state__in=[SyncState.SYNCED, SyncState.ERROR])
        ordered = Posting.objects.exclude(state=SyncState.NEVER_SYNCED)
        while True:
            self.stopped()
            counted = ordered.aggregate(done=Count("pk", filter=final), all=Count("pk"))
            yield counted["done"], counted["all"]
            time.sleep(LOOK)

    def _show(self, done: int, total: int, *, seconds: float) -> None:
        """A bar that fills on a terminal; a line for each tenth where the messages go to a file."""
        share = done / total if total else 1.0
        told = f"{done} of {total} events, {share:.0%}, {seconds:.0f} s"
        if sys.stderr.isatty():
            bar = "#" * round(BAR * share)
            say(f"\r  [{bar:<{BAR}}] {told} ", end="")
        elif int(share * 10) > self._tenths:
            say(f"  {told}")
        self._tenths = int(share * 10)
