"""Connections that a user granted: codes, access tokens, refresh tokens and their rotation."""

from __future__ import annotations

import secrets
import threading
import time
from dataclasses import asdict, dataclass, field

from sandbox.quickbooks.settings import Settings
from sandbox.state import Record, State

STREAM = "quickbooks.grants"
CODE_SECONDS = 600
REFRESH_SECONDS = 8_640_000
HARD_SECONDS = 157_680_000
DAY = 86_400
# Strict mode: a second use of a refresh value so soon after the first is concurrent and ends the connection.
CONCURRENT_SECONDS = 5


class Denied(Exception):
    """invalid_grant, with the vendor's description and, for one case, its further fields."""

    def __init__(self, description: str, **more: str) -> None:
        super().__init__(description)
        self.body = {"error": "invalid_grant", "error_description": description, **more}


@dataclass
class Grant:
    """One connection. `current` is the refresh value in force; `retired`: when older values went."""

    id: str
    realm: str
    created: float
    current: str = ""
    current_since: float = 0.0
    retired: dict[str, float] = field(default_factory=dict)
    access: dict[str, float] = field(default_factory=dict)
    revoked: bool = False

    def record(self) -> Record:
        return {"grant": asdict(self)}


@dataclass(frozen=True)
class Tokens:
    access: str
    refresh: str
    access_seconds: int
    refresh_seconds: int
    hard_seconds: int


@dataclass(frozen=True)
class Code:
    realm: str
    redirect_uri: str
    expires: float


class Grants:
    """Issues, rotates and revokes. What it issued outlives a restart, open authorization codes do not."""

    def __init__(self, *, state: State) -> None:
        self._lock = threading.Lock()
        self._state = state
        self._codes: dict[str, Code] = {}
        self._grants: dict[str, Grant] = {}
        for record in state.read(STREAM):
            grant = Grant(**record["grant"])
            self._grants[grant.id] = grant

    def issue_code(self, *, realm: str, redirect_uri: str) -> str:
        code = "sandbox-code-" + secrets.token_urlsafe(24)
        with self._lock:
            self._codes[code] = Code(realm, redirect_uri, time.time() + CODE_SECONDS)
        return code

    def redeem(self, code: str, *, redirect_uri: str, settings: Settings) -> Tokens:
        """Tokens for a code, once. Raises Denied."""
        with self._lock:
            known = self._codes.pop(code, None)
            if known is None or known.redirect_uri != redirect_uri or known.expires < time.time():
                raise Denied("Invalid authorization code")
            grant = Grant(secrets.token_hex(8), known.realm, time.time())
            self._grants[grant.id] = grant
            _rotate(grant)
            return self._issue(grant, settings=settings)

    def refresh(self, value: str, *, settings: Settings) -> Tokens:
        """New tokens for a refresh value. Raises Denied."""
        with self._lock:
            grant = self._grant_of(value)
            if value != grant.current:
                self._check_retired(grant, value, settings=settings)
            if settings.refresh_rotation == "always" or time.time() - grant.current_since >= DAY:
                _rotate(grant)
            return self._issue(grant, settings=settings)

    def _grant_of(self, value: str) -> Grant:
        for grant in self._grants.values():
            if value in grant.access:
                raise Denied("Incorrect Token type or clientID")
            if value and (value == grant.current or value in grant.retired) and not grant.revoked:
                return grant
        raise Denied("Incorrect or invalid refresh token")

    def _check_retired(self, grant: Grant, value: str, *, settings: Settings) -> None:
        age = time.time() - grant.retired[value]
        if settings.refresh_strict and age < CONCURRENT_SECONDS:
            grant.revoked = True
            self._state.append(STREAM, grant.record())
        if settings.refresh_strict or age >= DAY:
            raise Denied("Incorrect or invalid refresh token")

    def _issue(self, grant: Grant, *, settings: Settings) -> Tokens:
        now = time.time()
        grant.access = {token: expires for token, expires in grant.access.items() if expires > now - DAY}
        access = "sandbox-access-" + secrets.token_urlsafe(48)
        grant.access[access] = now + settings.access_token_seconds
        self._state.append(STREAM, grant.record())
        hard = round(grant.created + HARD_SECONDS - now)
        return Tokens(access, grant.current, settings.access_token_seconds, REFRESH_SECONDS, hard)

    def realm_of(self, access: str) -> str | None:
        """The company an access token opens, None when it is unknown, expired or revoked."""
        with self._lock:
            for grant in self._grants.values():
                if grant.access.get(access, 0) > time.time() and not grant.revoked:
                    return grant.realm
        return None

    def expire(self, access: str) -> None:
        """Let one access token die before its time."""
        with self._lock:
            for grant in self._grants.values():
                if access in grant.access:
                    grant.access[access] = 0.0
                    self._state.append(STREAM, grant.record())

    def revoke(self, token: str | None = None) -> bool:
        """End the connection that a token belongs to, or all of them; False when there was none."""
        with self._lock:
            ended = [
                grant
                for grant in self._grants.values()
                if not grant.revoked and (token is None or token in {grant.current, *grant.retired, *grant.access})
            ]
            for grant in ended:
                grant.revoked = True
                self._state.append(STREAM, grant.record())
            return bool(ended)


def _rotate(grant: Grant) -> None:
    now = time.time()
    if grant.current:
        grant.retired[grant.current] = now
    grant.current, grant.current_since = "sandbox-refresh-" + secrets.token_urlsafe(24), now
