"""OAuth 2.0 as the vendor speaks it: discovery, the page that asks the user, tokens and their revocation."""

from __future__ import annotations

import json
from html import escape
from typing import Any
from urllib.parse import urlencode, urlsplit

from sandbox.faults import Faults
from sandbox.quickbooks.books import Books
from sandbox.quickbooks.company import COMPANY_NAME
from sandbox.quickbooks.grants import Denied, Grants, Tokens
from sandbox.server import Answer, DropConnection, Request, html_answer, json_answer

CLIENT = ("sandbox-quickbooks-client", "sandbox-quickbooks-secret")
SCOPES = {
    *("com.intuit.quickbooks.accounting", "com.intuit.quickbooks.payment"),
    *("openid", "profile", "email", "phone", "address"),
}
DISCOVERY = ("/.well-known/openid_sandbox_configuration", "/.well-known/openid_configuration")
FIELDS = ("client_id", "response_type", "scope", "redirect_uri", "state")


class OAuth:
    """The endpoints outside `/v3`. `answer` returns None for a path that is not its own."""

    def __init__(self, *, books: Books, grants: Grants, faults: Faults) -> None:
        self._books = books
        self._grants = grants
        self._faults = faults

    def answer(self, request: Request) -> Answer | None:
        path = request.path.rstrip("/")
        if path in DISCOVERY:
            return json_answer(200, _discovery(request.origin + request.mount))
        if path == "/connect/oauth2":
            return self._authorize(request)
        if path == "/oauth2/v1/tokens/bearer":
            return self._token(request)
        if path == "/oauth2/v1/tokens/revoke":
            return self._revoke(request)
        return json_answer(200, {"keys": []}) if path == "/op/v1/jwks" else None

    # -- the user's consent

    def _authorize(self, request: Request) -> Answer:
        posted = request.method == "POST"
        fields = request.form() if posted else {name: request.param(name) for name in FIELDS}
        problem = _problem(fields)
        if problem:
            return html_answer(400, _page("Sorry, but the app cannot be connected", f"<p>{escape(problem)}</p>"))
        if not posted:
            return html_answer(200, _consent(fields))
        return self._decided(fields)

    def _decided(self, fields: dict[str, str]) -> Answer:
        if fields.get("decision") == "accept":
            realm = self._books.settings.authorize_realm
            code = self._grants.issue_code(realm=realm, redirect_uri=fields["redirect_uri"])
            back = {"code": code, "state": fields["state"], "realmId": realm}
        else:
            back = {"error": "access_denied", "state": fields["state"]}
        joint = "&" if urlsplit(fields["redirect_uri"]).query else "?"
        return Answer(302, b"", {"Location": fields["redirect_uri"] + joint + urlencode(back)})

    # -- tokens

    def _token(self, request: Request) -> Answer:
        if request.method != "POST":
            return _error(405, "invalid_request")
        if self._faults.hit("quickbooks.token_500"):
            return _error(500, "server_error")
        fields = request.form()
        if _client(request, fields) != CLIENT:
            return _error(401, "invalid_client")
        try:
            tokens = self._granted(fields)
        except Denied as denied:
            return json_answer(400, denied.body)
        if tokens is None:
            return _error(400, "unsupported_grant_type")
        if fields["grant_type"] == "refresh_token" and self._faults.hit("quickbooks.drop_token_answer"):
            raise DropConnection
        return json_answer(200, _body(tokens, request), {"Cache-Control": "no-store"})

    def _granted(self, fields: dict[str, str]) -> Tokens | None:
        """None for a grant type that does not exist. Raises Denied."""
        settings = self._books.settings
        if fields.get("grant_type") == "authorization_code":
            code, address = fields.get("code", ""), fields.get("redirect_uri", "")
            return self._grants.redeem(code, redirect_uri=address, settings=settings)
        if fields.get("grant_type") != "refresh_token":
            return None
        if self._faults.hit("quickbooks.revoked"):
            self._grants.revoke(fields.get("refresh_token", ""))
            raise Denied("Incorrect or invalid refresh token")
        if self._faults.hit("quickbooks.user_not_in_realm"):
            raise Denied(
                "Unauthorized Request: User is not a member of the specified Realm",
                x_error_reason="user_not_in_realm",
                x_error_reason_detail="The user is not in the specified realm",
            )
        return self._grants.refresh(fields.get("refresh_token", ""), settings=settings)

    def _revoke(self, request: Request) -> Answer:
        fields = _json_or_form(request)
        if _client(request, fields) != CLIENT:
            return _error(401, "invalid_client")
        if request.method != "POST" or not self._grants.revoke(str(fields.get("token") or "-")):
            return _error(400, "invalid_request")
        return Answer(200)


def _error(status: int, error: str) -> Answer:
    return json_answer(status, {"error": error})


def _client(request: Request, fields: dict[str, Any]) -> tuple[str, str]:
    """Id and secret, from the header or from the form: discovery promises both ways."""
    return request.basic() or (str(fields.get("client_id")), str(fields.get("client_secret")))


def _json_or_form(request: Request) -> dict[str, Any]:
    try:
        body = json.loads(request.body)
    except ValueError:
        return dict(request.form())
    return body if isinstance(body, dict) else {}


def _body(tokens: Tokens, request: Request) -> dict[str, Any]:
    body = {
        "token_type": "bearer",
        "access_token": tokens.access,
        "expires_in": tokens.access_seconds,
        "refresh_token": tokens.refresh,
        "x_refresh_token_expires_in": tokens.refresh_seconds,
    }
    if (request.headers.get("x-include-refresh-token-hard-expires-in") or "").lower() == "true":
        body["x_refresh_token_hard_expires_in"] = tokens.hard_seconds
    return body


def _problem(fields: dict[str, str]) -> str:
    """What is wrong with an authorization request, as a sentence; empty when nothing is."""
    if fields.get("client_id") != CLIENT[0]:
        return "The client_id is not that of a registered app."
    if fields.get("response_type") != "code":
        return "The response_type must be code."
    scopes = set(fields.get("scope", "").split())
    if not scopes or scopes - SCOPES:
        return "The scope is missing or not known."
    address = urlsplit(fields.get("redirect_uri", ""))
    if address.scheme not in ("http", "https") or not address.hostname or address.fragment:
        return "The redirect_uri query parameter value is invalid."
    return "" if fields.get("state") else "The state is missing."


def _page(title: str, body: str) -> str:
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title></head>'
        f"<body><h1>{title}</h1>{body}<p><small>This is the Daybook sandbox, not a real vendor.</small></p>"
        "</body></html>"
    )


def _consent(fields: dict[str, str]) -> str:
    hidden = "".join(f'<input type="hidden" name="{name}" value="{escape(fields.get(name, ""))}">' for name in FIELDS)
    forms = "".join(
        f'<form method="post" action="" id="{decision}">{hidden}'
        f'<input type="hidden" name="decision" value="{decision}">'
        f'<button type="submit">{label}</button></form>'
        for decision, label in (("accept", "Accept"), ("refuse", "Refuse"))
    )
    sentence = f"<p>Daybook wants to read and write the books of <strong>{COMPANY_NAME}</strong>.</p>"
    return _page("Connect to QuickBooks", sentence + forms)


def _discovery(base: str) -> dict[str, Any]:
    return {
        "issuer": f"{base}/op/v1",
        "authorization_endpoint": f"{base}/connect/oauth2",
        "token_endpoint": f"{base}/oauth2/v1/tokens/bearer",
        "userinfo_endpoint": f"{base}/v1/openid_connect/userinfo",
        "revocation_endpoint": f"{base}/oauth2/v1/tokens/revoke",
        "jwks_uri": f"{base}/op/v1/jwks",
        "response_types_supported": ["code"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "scopes_supported": ["openid", "email", "profile", "address", "phone"],
        "token_endpoint_auth_methods_supported": ["client_secret_post", "client_secret_basic"],
    }
