"""Connecting to Heartland Retail: the OAuth code flow, the host look-up, and which hosts are Heartland's.

Source: contract 1.1 and 1.2. There is no refresh: a token works until its user revokes it.
"""

import re
from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import urlencode, urlsplit

from integrations.heartland_retail.document import Json
from integrations.http import Http, HttpAnswer
from ledger.errors import AuthExpired, DaybookError, Rejected, Unreachable
from ledger.masking import mask_cards

API = "https://retail.heartland.us/api"
"""Where an account is found whose own address is not known yet."""

HOST_SUFFIXES = ("retail.heartland.us", "myspringboard.us")
TOKEN_LIFE = "It works until its user revokes it in Heartland Retail; it has no end of its own."
_HOST = re.compile(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?")

Method = Literal["GET", "POST"]


@dataclass(frozen=True)
class Credentials:
    """What a connection needs: an API token, or the keys of a registered app with the token it was given."""

    api_token: str = field(
        default="",
        metadata={
            "label": "API token",
            "help": "In Heartland Retail: My Account > API > Generate new token. It is shown once, and "
            "may do what its user may do: choose a user who sees sales, items and settings of every store.",
            "secret": True,
        },
    )
    client_id: str = field(
        default="",
        metadata={
            "label": "Client ID",
            "help": "Only for OAuth: the id of the app that is registered with Heartland.",
            "secret": False,
        },
    )
    client_secret: str = field(
        default="",
        metadata={
            "label": "Client secret",
            "help": "Only for OAuth: the secret of that app.",
            "secret": True,
        },
    )
    scope: str = field(
        default="",
        metadata={
            "label": "Scope",
            "help": "Only for OAuth: the permissions to ask for, separated by spaces.",
            "secret": False,
        },
    )
    access_token: str = field(
        default="",
        metadata={
            "label": "Access token",
            "help": "Filled in by Connect. It works until it is revoked in Heartland Retail.",
            "secret": True,
        },
    )

    @property
    def token(self) -> str:
        """The token to use: the one that Connect brought goes before a pasted one."""
        return self.access_token or self.api_token


def api_base(base_url: str) -> str:
    """The base of the API calls: the connection's own address, else the one that every account shares."""
    return base_url.rstrip("/") or API


def authorize_url(*, base_url: str, client_id: str, redirect_uri: str, state: str, scope: str = "") -> str:
    """Where the user is sent to consent. `state` is the caller's, who compares it on the way back."""
    query = {"client_id": client_id, "scope": scope, "redirect_uri": redirect_uri, "state": state}
    return f"{api_base(base_url).removesuffix('/api')}/oauth/authorize?{urlencode(query)}"


def exchange(
    http: Http, *, client_id: str, client_secret: str, code: str, redirect_uri: str, method: Method = "GET"
) -> str:
    """The access token for a code. `http` goes to `api_base(...)`.

    GET with a query is what the one public client does (unverified), so POST can be chosen.
    Raises AuthExpired when Heartland refuses, Unreachable without an answer: the code is then spent and the
    user connects anew.
    """
    grant = {
        "client_id": client_id,
        "client_secret": client_secret,
        "code": code,
        "grant_type": "authorization_code",
        "redirect_uri": redirect_uri,
    }
    answer = _ask(http, grant, method=method)
    body = _body(answer)
    token = body.get("access_token")
    if answer.status != 200 or not isinstance(token, str) or not token:
        raise _refused(answer, body)
    return token


def account_api(http: Http, *, token: str, base_url: str = "") -> str:
    """The base URL of the account that the token belongs to; the connection's own one where that is set.

    Raises Rejected when Heartland names a host that is not one of its own.
    """
    if base_url:
        return api_base(base_url)
    answer = http.call("GET", "/system/host", write=False, headers={"Authorization": f"Bearer {token}"})
    body = _body(answer)
    if answer.status != 200:
        raise _refused(answer, body)
    host = str(body.get("host") or "").strip().lower()
    address = f"https://{host}/api"
    if not _HOST.fullmatch(host) or not host_allowed(address):
        raise Rejected("Heartland Retail named an address that is not its own. Enter the address by hand.")
    return address


def host_allowed(base_url: str) -> bool:
    """Whether an address is https at one of Heartland's hosts, without user, foreign port or tricks."""
    try:
        parts = urlsplit(base_url)
        port = parts.port
    except ValueError:
        return False
    host = parts.hostname or ""
    ours = any(host == suffix or host.endswith(f".{suffix}") for suffix in HOST_SUFFIXES)
    plain = _HOST.fullmatch(host) is not None and parts.username is None and "\\" not in base_url
    return parts.scheme == "https" and ours and plain and port in {None, 443}


def _ask(http: Http, grant: dict[str, str], *, method: Method) -> HttpAnswer:
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    try:
        if method == "GET":
            return http.call("GET", "/oauth/token", write=True, params=tuple(grant.items()))
        return http.call("POST", "/oauth/token", write=True, headers=form, body=urlencode(grant).encode())
    except DaybookError as lost:
        raise Unreachable(
            "Heartland Retail did not answer while connecting. Press Connect once more.", detail=lost.detail
        ) from None


def _body(answer: HttpAnswer) -> Json:
    try:
        body = answer.json()
    except DaybookError:
        return {}
    return body if isinstance(body, dict) else {}


def _refused(answer: HttpAnswer, body: Json) -> AuthExpired:
    words = " ".join(str(body[key]) for key in ("error", "error_description", "message") if body.get(key))
    return AuthExpired(
        "Heartland Retail refused to connect. Press Connect again; if that does not help, "
        "check client ID and client secret.",
        detail=mask_cards(words)[:300] or f"HTTP {answer.status}",
    )
