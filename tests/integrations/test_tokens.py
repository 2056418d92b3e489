"""Bearer tokens: refreshed by one worker at a time, both new ones written before either is used."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from threading import Barrier, Lock, Thread
from typing import Any

import pytest
from django.db import connection as database

from integrations import pipeline, tokens, vendors
from integrations.models import Connection
from integrations.tokens import RefreshedTokens
from ledger.clock import database_now
from ledger.errors import AuthExpired, DaybookError, OutcomeUnknown, Unreachable
from ledger.models import Book
from tests.sandbox_fixture import Sandbox


@dataclass(frozen=True)
class Renewed:
    access_token: str
    refresh_token: str
    access_expires_in: int = 3600
    refresh_expires_in: int | None = 8_640_000


@dataclass
class Vendor:
    """Counts its refreshes and answers with new tokens, or with the errors that it was given."""

    errors: list[DaybookError] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    seconds: float = 0.0
    during: Callable[[], None] = lambda: None
    lock: Any = field(default_factory=Lock)

    def refresh(self, refresh_token: str) -> Renewed:
        with self.lock:
            self.asked.append(refresh_token)
            n = len(self.asked)
        time.sleep(self.seconds)
        self.during()
        if self.errors:
            raise self.errors.pop(0)
        return Renewed(f"access-{n}", f"refresh-{n}")


@pytest.fixture
def connected(book: Book, settings: Any) -> Connection:
    """A connection whose access token is about to be renewed."""
    return Connection.objects.create(
        vendor="quickbooks",
        book=book,
        state=Connection.State.CONNECTED,
        installation_id=settings.INSTALLATION_ID,
        credentials={"access_token": "access-0", "refresh_token": "refresh-0", "client_id": "kept"},
        token_version=7,
        token_expires_at=database_now() + timedelta(hours=1),
    )


def stored(connection: Connection) -> Connection:
    connection.refresh_from_db()
    return connection


def test_the_end_of_the_new_refresh_token_is_kept_with_it(connected: Connection) -> None:
    assert tokens.refresh_ends(connected) is None
    RefreshedTokens(connected.pk, Vendor().refresh).renew(used=7)
    end = tokens.refresh_ends(stored(connected))
    assert end is not None and timedelta(days=99) < end - database_now() < timedelta(days=101)


def test_a_token_that_still_works_is_not_renewed(connected: Connection) -> None:
    vendor = Vendor()
    token = RefreshedTokens(connected.pk, vendor.refresh).current()
    assert (token.value, token.version, vendor.asked) == ("access-0", 7, [])


def test_a_token_about_to_expire_is_renewed_before_it_is_used(connected: Connection) -> None:
    Connection.objects.update(token_expires_at=database_now() - timedelta(seconds=1))
    vendor = Vendor()
    token = RefreshedTokens(connected.pk, vendor.refresh).current()
    assert (token.value, token.version, vendor.asked) == ("access-1", 8, ["refresh-0"])


def test_both_new_tokens_are_kept_beside_the_keys(connected: Connection) -> None:
    RefreshedTokens(connected.pk, Vendor().refresh).renew(used=7)
    kept = stored(connected)
    known = {name: value for name, value in kept.credentials.items() if name != tokens.REFRESH_ENDS}
    assert known == {"access_token": "access-1", "refresh_token": "refresh-1", "client_id": "kept"}
    assert (kept.token_version, kept.refresh_lease_until) == (8, None)
    assert kept.token_expires_at is not None and kept.token_expires_at > database_now()


def test_a_401_of_an_older_version_takes_the_newer_token_without_a_refresh(connected: Connection) -> None:
    vendor = Vendor()
    token = RefreshedTokens(connected.pk, vendor.refresh).renew(used=6)
    assert (token.value, token.version, vendor.asked) == ("access-0", 7, [])


def test_a_refused_refresh_needs_a_person_and_pauses_the_connection(connected: Connection) -> None:
    vendor = Vendor(errors=[AuthExpired("Connect again.")])
    source = RefreshedTokens(connected.pk, vendor.refresh)
    with pytest.raises(AuthExpired):
        source.renew(used=7)
    assert stored(connected).state == Connection.State.ACTION_REQUIRED
    assert connected.problem == "Connect again."
    with pytest.raises(AuthExpired):
        source.current()
    assert len(vendor.asked) == 1


def test_a_lost_answer_is_tried_once_more_with_the_old_value(connected: Connection) -> None:
    vendor = Vendor(errors=[OutcomeUnknown("Lost.")])
    token = RefreshedTokens(connected.pk, vendor.refresh).renew(used=7)
    assert (token.value, vendor.asked) == ("access-2", ["refresh-0", "refresh-0"])


def test_a_vendor_that_is_away_leaves_everything_as_it_was(connected: Connection) -> None:
    vendor = Vendor(errors=[Unreachable("Away.")])
    source = RefreshedTokens(connected.pk, vendor.refresh)
    with pytest.raises(Unreachable):
        source.renew(used=7)
    assert stored(connected).state == Connection.State.CONNECTED
    assert source.renew(used=7).value == "access-2"


def test_a_crash_leaves_a_lease_that_lapses(connected: Connection) -> None:
    Connection.objects.update(refresh_lease_until=database_now() - timedelta(seconds=1))
    vendor = Vendor()
    assert RefreshedTokens(connected.pk, vendor.refresh).renew(used=7).value == "access-1"


def test_while_another_renews_one_waits_for_it(connected: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    held = {"refresh_lease_until": database_now() + timedelta(seconds=60)}
    Connection.objects.update(**held)
    new = {**connected.credentials, "access_token": "theirs"}

    def other_ends(seconds: float) -> None:
        Connection.objects.update(credentials=new, token_version=8)

    monkeypatch.setattr(tokens.time, "sleep", other_ends)
    vendor = Vendor()
    token = RefreshedTokens(connected.pk, vendor.refresh).renew(used=7)
    assert (token.value, token.version, vendor.asked) == ("theirs", 8, [])


def test_one_does_not_wait_for_ever(connected: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    Connection.objects.update(refresh_lease_until=database_now() + timedelta(hours=1))
    monkeypatch.setattr(tokens, "REFRESH_SECONDS", 0.05)
    monkeypatch.setattr(tokens, "WAIT", 0.01)
    with pytest.raises(Unreachable, match="Another worker"):
        RefreshedTokens(connected.pk, Vendor().refresh).renew(used=7)


def test_a_new_connection_made_meanwhile_is_not_overwritten(connected: Connection) -> None:
    """Somebody pressed Connect while a worker was refreshing: the late answer is dropped."""
    new = {"access_token": "new", "refresh_token": "new"}

    def connect() -> None:
        Connection.objects.update(credentials=new, token_version=9)

    token = RefreshedTokens(connected.pk, Vendor(during=connect).refresh).renew(used=7)
    assert (token.value, token.version) == ("new", 9)
    assert stored(connected).credentials == new


def test_a_refused_refresh_does_not_pause_a_connection_made_meanwhile(connected: Connection) -> None:
    def connect() -> None:
        Connection.objects.update(credentials={"access_token": "new", "refresh_token": "new"}, token_version=9)

    vendor = Vendor(errors=[AuthExpired("Connect again.")], during=connect)
    with pytest.raises(AuthExpired):
        RefreshedTokens(connected.pk, vendor.refresh).renew(used=7)
    assert stored(connected).state == Connection.State.CONNECTED


def test_a_copied_database_does_not_use_the_tokens_of_the_first(connected: Connection, settings: Any) -> None:
    settings.INSTALLATION_ID = "the copy"
    vendor = Vendor()
    with pytest.raises(AuthExpired, match="copied from another installation"):
        RefreshedTokens(connected.pk, vendor.refresh).current()
    assert vendor.asked == []
    with pytest.raises(AuthExpired):
        vendors.accounting(connected)


def test_a_copied_database_pauses_its_connection_with_a_sentence(
    connected: Connection, started: Book, settings: Any
) -> None:
    settings.INSTALLATION_ID = "the copy"
    assert pipeline.post(connected) == 0
    assert stored(connected).state == Connection.State.ACTION_REQUIRED
    assert "copied" in connected.problem


@pytest.mark.parametrize(("lifetime", "after"), [(3600, 3300), (60, 30), (400, 200)])
def test_a_token_is_renewed_well_before_its_end(db: None, lifetime: int, after: int) -> None:
    seconds = (tokens.expiry(lifetime) - database_now()).total_seconds()
    assert seconds == pytest.approx(after, abs=1)


@pytest.mark.django_db(transaction=True)
def test_of_many_who_need_a_new_token_one_refreshes(connected: Connection) -> None:
    vendor, found = Vendor(seconds=0.3), list[tuple[str, int]]()
    together = Barrier(4)

    def worker() -> None:
        try:
            together.wait(timeout=10)
            token = RefreshedTokens(connected.pk, vendor.refresh).renew(used=7)
            found.append((token.value, token.version))
        finally:
            database.close()

    workers = [Thread(target=worker) for _ in range(4)]
    for each in workers:
        each.start()
    for each in workers:
        each.join(timeout=20)
    assert vendor.asked == ["refresh-0"]
    assert found == [("access-1", 8)] * 4


def test_a_refused_token_is_renewed_at_quickbooks(sandbox: Sandbox, quickbooks: Connection) -> None:
    before = quickbooks.token_version
    with sandbox.fault("quickbooks.expire_token", times=1):
        company = vendors.accounting(quickbooks).company()
    assert company.currency == "USD"
    assert stored(quickbooks).token_version == before + 1


def test_credentials_are_not_readable_in_the_database(connected: Connection) -> None:
    with database.cursor() as cursor:
        cursor.execute("SELECT credentials FROM integrations_connection")
        (raw,) = cursor.fetchone()
    assert "refresh-0" not in raw and "access" not in raw
