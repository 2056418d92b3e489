"""Bearer tokens of a connection: read, and refreshed by one worker at a time without a transaction over the call.

The right to refresh is taken by a conditional update on the token's version; both new tokens are written under it
before either is used; everybody else waits for the version to change.
"""

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from django.conf import settings
from django.db.models import Q

from integrations.http import AccessToken
from integrations.models import Connection
from ledger.clock import database_now
from ledger.errors import AuthExpired, DaybookError, OutcomeUnknown, Unreachable

CALL_SECONDS = 12.0
"""The time limit of one call to a token endpoint; two of them and a discovery stay below the lease."""

REFRESH_SECONDS = 90
WAIT = 0.2
EARLY = timedelta(minutes=5)
REFRESH_ENDS = "refresh_token_ends"
"""Beside the refresh token among the credentials, for it is replaced in the same write."""


class Renewed(Protocol):
    """What a refresh gives; lifetimes in seconds, that of the refresh token None where the vendor does not tell it."""

    @property
    def access_token(self) -> str: ...
    @property
    def refresh_token(self) -> str: ...
    @property
    def access_expires_in(self) -> int: ...
    @property
    def refresh_expires_in(self) -> int | None: ...


Refresh = Callable[[str], Renewed]


@dataclass(frozen=True)
class RefreshedTokens:
    """Implements integrations.http.TokenSource for a connection whose tokens expire."""

    connection_id: int
    refresh: Refresh

    def current(self) -> AccessToken:
        connection = self._connection()
        if connection.token_expires_at and connection.token_expires_at <= database_now():
            return self.renew(used=connection.token_version)
        return _token(connection)

    def renew(self, *, used: int) -> AccessToken:
        deadline = time.monotonic() + REFRESH_SECONDS
        while time.monotonic() < deadline:
            connection = self._connection()
            if connection.token_version != used:
                return _token(connection)
            if self._lease(used):
                return self._refresh(connection)
            time.sleep(WAIT)
        raise Unreachable("Another worker is renewing the connection and has not ended. Daybook tries again by itself.")

    def _lease(self, version: int) -> bool:
        now = database_now()
        free = Q(refresh_lease_until=None) | Q(refresh_lease_until__lt=now)
        mine = Connection.objects.filter(free, pk=self.connection_id, token_version=version)
        until = now + timedelta(seconds=REFRESH_SECONDS)
        return bool(mine.update(refresh_lease_until=until))

    def _refresh(self, connection: Connection) -> AccessToken:
        """Who has new tokens has the truth: they are written as long as nobody wrote newer ones."""
        held = Connection.objects.filter(pk=connection.pk, token_version=connection.token_version)
        try:
            renewed = self._call(connection.credentials["refresh_token"])
        except AuthExpired as ended:
            held.update(state=Connection.State.ACTION_REQUIRED, problem=ended.sentence, refresh_lease_until=None)
            raise
        except DaybookError:
            held.update(refresh_lease_until=None)
            raise
        credentials = connection.credentials | as_credentials(renewed)
        written = held.update(
            credentials=credentials,
            token_version=connection.token_version + 1,
            token_expires_at=expiry(renewed.access_expires_in),
            refresh_lease_until=None,
            state=Connection.State.CONNECTED,
            problem="",
        )
        if not written:
            return _token(self._connection())
        return AccessToken(renewed.access_token, connection.token_version + 1)

    def _call(self, refresh_token: str) -> Renewed:
        """A lost answer may have used the value up or not: it is tried once more at once, then later.

        If it was used up, the next answer says so, and a person must connect.
        """
        with suppress(OutcomeUnknown):
            return self.refresh(refresh_token)
        try:
            return self.refresh(refresh_token)
        except OutcomeUnknown as lost:
            raise Unreachable(lost.sentence) from None

    def _connection(self) -> Connection:
        connection = Connection.objects.get(pk=self.connection_id)
        check_usable(connection)
        return connection


def as_credentials(tokens: Renewed) -> dict[str, str]:
    """What is kept of new tokens among the credentials of a connection."""
    seconds = tokens.refresh_expires_in
    end = "" if seconds is None else (database_now() + timedelta(seconds=seconds)).isoformat()
    return {"access_token": tokens.access_token, "refresh_token": tokens.refresh_token, REFRESH_ENDS: end}


def refresh_ends(connection: Connection) -> datetime | None:
    """When the connection ends unless it is used before; None where the vendor does not tell it."""
    end = connection.credentials.get(REFRESH_ENDS)
    return datetime.fromisoformat(end) if end else None


def check_usable(connection: Connection) -> None:
    """Raises AuthExpired for a connection that a person must connect (again)."""
    if connection.state != Connection.State.CONNECTED:
        raise AuthExpired(connection.problem or "This connection is not connected. Press Connect.")
    check_installation(connection)


def check_installation(connection: Connection) -> None:
    """Raises AuthExpired for tokens that were given to the installation this database was copied from."""
    if connection.installation_id and connection.installation_id != settings.INSTALLATION_ID:
        raise AuthExpired(
            "This database was copied from another installation, whose tokens are not used here. Connect anew."
        )


def expiry(seconds: int) -> datetime:
    """When to renew: five minutes before the end, or half-way through a short life."""
    return database_now() + max(timedelta(seconds=seconds) - EARLY, timedelta(seconds=seconds / 2))


def _token(connection: Connection) -> AccessToken:
    return AccessToken(connection.credentials["access_token"], connection.token_version)
