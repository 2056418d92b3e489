"""Connecting a QuickBooks Online company: OAuth 2.0 through Intuit's own library, guarded like every call.

The library reads the discovery document in its constructor, knows no timeout and follows redirects; the
subclass here mends that. A lost answer of exchange or refresh is told apart: it may have held all that works.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import requests
from intuitlib.client import AuthClient
from intuitlib.enums import Scopes
from intuitlib.exceptions import AuthClientError

from integrations.http import Http, retry_after
from integrations.quickbooks.client import PRODUCTION, SANDBOX
from integrations.quickbooks.payloads import text
from ledger.errors import AuthExpired, DaybookError, OutcomeUnknown, RateLimited, Rejected, Unreachable

_WELL_KNOWN = "https://developer.api.intuit.com/.well-known"
DISCOVERY = {
    PRODUCTION: f"{_WELL_KNOWN}/openid_configuration",
    SANDBOX: f"{_WELL_KNOWN}/openid_sandbox_configuration",
}
ACCESS_SECONDS = 3600
"""What Intuit documents, for an answer that does not say."""

_NO_MEMBER = "The person who connected QuickBooks has left that company. Let a member of it connect it again."
_CODE_GONE = "The permission that QuickBooks gave has expired or was used before. Press Connect again."
_OTHER_KEYS = "The connection belongs to another client ID. Check client ID and secret, then connect again."
_ENDED = "The connection to QuickBooks has ended. Connect QuickBooks again."
_BAD_KEYS = "QuickBooks does not accept this client ID and secret. Check both, then connect again."
_OTHER = "QuickBooks refused to connect. Check client ID, secret and redirect address, then try again."

REFUSALS = (
    # error, words that must occur, sentence; blank means any; the first row that fits decides
    ("invalid_grant", "user_not_in_realm", _NO_MEMBER),
    ("invalid_grant", "authorization code", _CODE_GONE),
    ("invalid_grant", "clientid", _OTHER_KEYS),
    ("invalid_grant", "", _ENDED),
    ("invalid_client", "", _BAD_KEYS),
    ("", "", _OTHER),
)

_LOST = {
    "exchange": "QuickBooks did not answer while the connection was made. Press Connect again.",
    "refresh": "QuickBooks did not answer while the connection was renewed. Daybook tries once more itself.",
    "revoke": "QuickBooks did not answer while the connection was ended. Press Disconnect again.",
}

_documents: dict[str, requests.Response | None] = {}
"""Discovery documents that this process has read and checked, by address."""


@dataclass(frozen=True)
class Credentials:
    """What a connection to QuickBooks Online needs; `help` is what the person reads beside the field."""

    client_id: str = field(
        metadata={
            "label": "Client ID",
            "secret": False,
            "help": "From Keys & credentials of your app on developer.intuit.com. "
            "Development keys reach sandbox companies only, production keys real ones only.",
        }
    )
    client_secret: str = field(
        repr=False,
        metadata={"label": "Client secret", "secret": True, "help": "Shown beside the client ID."},
    )
    access_token: str = field(
        default="",
        repr=False,
        metadata={
            "label": "Access token",
            "secret": True,
            "help": "Set by Connect; renewed hourly by itself.",
        },
    )
    refresh_token: str = field(
        default="",
        repr=False,
        metadata={
            "label": "Refresh token",
            "secret": True,
            "help": "Set by Connect; changes about daily and ends after 100 days without use.",
        },
    )


@dataclass(frozen=True)
class Tokens:
    """What the token endpoint gives; lifetimes in seconds, the refresh token's None where the answer names none."""

    access_token: str = field(repr=False)
    refresh_token: str = field(repr=False)
    access_expires_in: int
    refresh_expires_in: int | None = None


class _Intuit(AuthClient):  # type: ignore[misc, unused-ignore]
    """Intuit's client with a time limit, without redirects and proxies, and with a known discovery."""

    def __init__(self, *, timeout: float, known: requests.Response | None, **settings: str) -> None:
        self.document = known
        self._timeout = (min(10.0, timeout), timeout)
        super().__init__(**settings)

    def get(self, url: str, **options: object) -> requests.Response:
        """The library reads the discovery document alone with GET."""
        if self.document is None:
            self.document = self.request("GET", url, **options)
        return self.document

    def request(self, method: str, url: str, **options: object) -> requests.Response:
        self.trust_env = False
        answer: requests.Response = super().request(
            method, url, **(options | {"timeout": self._timeout, "allow_redirects": False})
        )
        return answer


@dataclass(frozen=True)
class OAuth:
    """The steps of a connection. `http.base_url` is the API's; blank means Intuit's production.

    `redirect_uri` must equal one registered at Intuit exactly; only authorize_url and exchange need it.
    """

    http: Http
    client_id: str
    client_secret: str = field(repr=False)
    redirect_uri: str = ""

    def authorize_url(self, *, state: str) -> str:
        """Where a person allows the connection; `state` comes back and must be compared first of all."""
        address: str = self._client().get_authorization_url([Scopes.ACCOUNTING], state_token=state)
        return address

    def exchange(self, code: str) -> Tokens:
        """The first tokens, for the code of the callback. Raises AuthExpired, Unreachable, OutcomeUnknown."""
        return self._tokens("exchange", _Intuit.get_bearer_token, code)

    def refresh(self, refresh_token: str) -> Tokens:
        """New tokens; both replace the stored ones. Raises AuthExpired when a person must connect again,
        OutcomeUnknown when the answer was lost: the old value may or may not work once more."""
        return self._tokens("refresh", _Intuit.refresh, refresh_token)

    def revoke(self, token: str) -> None:
        """Disconnect at Intuit. Raises Rejected when that token is not, or no longer, known there."""
        client = self._client()
        with self._guarded("revoke"):
            client.revoke(token)

    def _tokens(self, step: str, ask: Callable[[_Intuit, str], None], secret: str) -> Tokens:
        client = self._client()
        with self._guarded(step):
            ask(client, secret)
            return _read(client)

    def _client(self) -> _Intuit:
        """A client of its own for each step: it is a session and holds tokens."""
        address = discovery_address(self.http.base_url)
        with self._guarded("discovery"):
            client = _Intuit(
                timeout=self.http.timeout,
                known=_documents.get(address),
                client_id=self.client_id,
                client_secret=self.client_secret,
                redirect_uri=self.redirect_uri,
                environment=address,
            )
            _check_hosts(client, address)
        _documents[address] = client.document
        return client

    @contextmanager
    def _guarded(self, step: str) -> Iterator[None]:
        """Our limits and our errors around one step of the library."""
        write = step != "discovery"
        try:
            with self.http.guarded("POST" if write else "GET", f"oauth {step}", write=write):
                yield
        except AuthClientError as refusal:
            self.http.breaker.note(reached=refusal.status_code < 500)
            raise _refused(refusal, step=step) from None
        except (KeyError, TypeError):
            raise _lost(step, "an answer of another shape") from None
        except OutcomeUnknown as error:
            raise _lost(step, error.sentence) from None
        self.http.breaker.note(reached=True)


def discovery_address(base_url: str) -> str:
    """Where the addresses of OAuth are published, for the base URL of the API."""
    base = base_url.rstrip("/") or PRODUCTION
    return DISCOVERY.get(base, f"{base}/.well-known/openid_sandbox_configuration")


def host_allowed(base_url: str) -> bool:
    """Whether an address is Intuit's: https, a host under intuit.com, no other port, no user in it."""
    try:
        address = urlsplit(base_url)
        port = address.port
    except ValueError:
        return False
    if address.scheme != "https" or port not in {None, 443} or "@" in address.netloc:
        return False
    return re.fullmatch(r"([a-z0-9-]+\.)+intuit\.com", address.hostname or "") is not None


def _check_hosts(client: _Intuit, address: str) -> None:
    """A discovery document must not send our secrets to strangers: Intuit's names Intuit, others theirs."""
    published = urlsplit(address)
    for endpoint in (client.auth_endpoint, client.token_endpoint, client.revoke_endpoint):
        named = urlsplit(str(endpoint))
        own = (named.scheme, named.netloc) == (published.scheme, published.netloc)
        if not own and not (host_allowed(address) and host_allowed(str(endpoint))):
            raise Unreachable("The published addresses for connecting QuickBooks are not Intuit's; nothing was sent.")


def _read(client: _Intuit) -> Tokens:
    """The tokens of an answer; one without both is no definite answer (raises TypeError)."""
    if not isinstance(client.access_token, str) or not isinstance(client.refresh_token, str):
        raise TypeError("tokens are missing")
    return Tokens(
        access_token=client.access_token,
        refresh_token=client.refresh_token,
        access_expires_in=_seconds(client.expires_in) or ACCESS_SECONDS,
        refresh_expires_in=_refresh_seconds(client),
    )


def _refresh_seconds(client: _Intuit) -> int | None:
    """Without use it ends after the one, with all use after the other."""
    ends = map(_seconds, (client.x_refresh_token_expires_in, client.x_refresh_token_hard_expires_in))
    return min((end for end in ends if end), default=None)


def _seconds(value: object) -> int | None:
    return int(str(value)) if str(value).isdigit() else None


def _refused(refusal: AuthClientError, *, step: str) -> DaybookError:
    """Our error for an answer of the OAuth endpoints other than 200."""
    error = _refusal_error(refusal, step=step)
    error.request_id = refusal.intuit_tid or ""
    return error


def _refusal_error(refusal: AuthClientError, *, step: str) -> DaybookError:
    body = _body(refusal.content)
    code = text(body, "error")
    if refusal.status_code == 429:
        wait = retry_after(refusal.headers.get("Retry-After"))
        return RateLimited("QuickBooks asks us to slow down. Daybook waits by itself.", retry_after=wait)
    if step == "discovery" or not 400 <= refusal.status_code < 500:
        return _lost(step, f"HTTP {refusal.status_code}")
    if step == "revoke" and code != "invalid_client":
        return Rejected("QuickBooks did not end the connection; perhaps it had ended before.", vendor_code=code)
    if not code:
        return _lost(step, f"HTTP {refusal.status_code} without a reason")
    words = " ".join(str(value) for value in body.values())
    row = next(row for row in REFUSALS if row[0] in {"", code} and row[1] in words.lower())
    return AuthExpired(row[2], cause=f"auth_expired:{code}", detail=text(body, "error_description"))


def _body(content: bytes) -> Mapping[str, object]:
    try:
        body = json.loads(content)
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}


def _lost(step: str, what: str) -> DaybookError:
    if step == "discovery":
        return Unreachable(f"QuickBooks' addresses for connecting could not be read ({what}). Try again.")
    return OutcomeUnknown(_LOST[step], detail=what)
