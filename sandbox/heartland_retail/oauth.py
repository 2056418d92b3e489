"""Heartland's OAuth code flow and its API token: who may call, and what a person gave away or took back."""

import html
import secrets
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlencode, urlsplit

from sandbox.heartland_retail.refusals import Refused
from sandbox.server import AUDITOR_TOKEN, Answer, Request, html_answer, json_answer
from sandbox.state import Record, State

API_TOKEN = "sandbox-heartland-token"
CLIENT_ID, CLIENT_SECRET = "sandbox-heartland-client", "sandbox-heartland-secret"
COMPANY = "Main Street Trading"
CODE_SECONDS = 600
STREAM = "heartland-grants"


@dataclass(frozen=True)
class _Code:
    redirect_uri: str
    scope: str
    made: float


class Grants:
    """Codes and tokens. Tokens and their revocation survive a restart, codes do not."""

    def __init__(self, *, state: State) -> None:
        self._state = state
        self._lock = threading.Lock()
        self._codes: dict[str, _Code] = {}
        self._tokens: dict[str, bool] = {API_TOKEN: True}
        for record in state.read(STREAM):
            self._apply(record)

    def allow(self, request: Request) -> bool:
        """True for the auditor, who may only read. Raises Refused for anybody unknown."""
        token = request.bearer()
        if token == AUDITOR_TOKEN:
            if request.method not in ("GET", "HEAD"):
                raise Refused(403, code="forbidden", message="this token may only read")
            return True
        with self._lock:
            known = token is not None and self._tokens.get(token, False)
        if not known:
            raise unauthorized()
        return False

    def revoke(self, token: str | None = None, *, restore: bool = False) -> list[str]:
        """Take back one token or all of them, or give the same back again."""
        with self._lock:
            known = [each for each in self._tokens if token in (None, each)]
            self._write([{"token": each, "good": restore} for each in known])
        return known

    def new_code(self, *, redirect_uri: str, scope: str) -> str:
        code = f"sandbox-code-{secrets.token_hex(12)}"
        with self._lock:
            self._codes[code] = _Code(redirect_uri, scope, time.monotonic())
        return code

    def exchange(self, form: Mapping[str, str]) -> Answer:
        """The token call. A code works once, for ten minutes, with the address it was sent to."""
        if (form.get("client_id"), form.get("client_secret")) != (CLIENT_ID, CLIENT_SECRET):
            raise Refused(401, code="invalid_client", message="client_id or client_secret is wrong")
        if form.get("grant_type") != "authorization_code":
            raise Refused(400, code="unsupported_grant_type", message="grant_type must be authorization_code")
        with self._lock:
            code = self._codes.pop(form.get("code", ""), None)
            if code is None or time.monotonic() - code.made > CODE_SECONDS:
                raise Refused(400, code="invalid_grant", message="the code is unknown, used or too old")
            if form.get("redirect_uri") != code.redirect_uri:
                raise Refused(400, code="invalid_grant", message="redirect_uri is not that of the authorization")
            token = f"sandbox-heartland-{secrets.token_hex(16)}"
            self._write([{"token": token, "good": True}])
        return json_answer(200, {"access_token": token, "token_type": "bearer", "scope": code.scope})

    def _write(self, records: list[Record]) -> None:
        self._state.append_many(STREAM, records)
        for record in records:
            self._apply(record)

    def _apply(self, record: Record) -> None:
        self._tokens[record["token"]] = record["good"]


def unauthorized() -> Refused:
    return Refused(401, code="unauthorized", message="the access token is missing, wrong or revoked")


def token_call(request: Request, *, grants: Grants) -> Answer:
    """GET with a query or POST with a form or JSON: which one Heartland wants is not certain."""
    if request.method == "GET":
        return grants.exchange({name: values[-1] for name, values in request.query.items()})
    if request.method != "POST":
        raise Refused(405, code="method_not_allowed", message="GET or POST")
    if "json" not in (request.headers.get("Content-Type") or ""):
        return grants.exchange(request.form())
    try:
        body = request.json()
    except ValueError:
        body = None
    if not isinstance(body, dict):
        raise Refused(400, code="invalid_request", message="the body is not a JSON object")
    return grants.exchange({str(name): str(value) for name, value in body.items()})


def authorize(request: Request, *, grants: Grants) -> Answer:
    """GET shows the page with Accept and Refuse, POST is a press on one of them."""
    asked = request.form() if request.method == "POST" else {k: v[-1] for k, v in request.query.items()}
    if request.method not in ("GET", "POST"):
        return html_answer(405, _page("<p>GET or POST.</p>"))
    if problem := _problem(asked):
        return html_answer(400, _page(f"<p>{html.escape(problem)}</p>"))
    if request.method == "GET":
        return html_answer(200, _page(_form(asked, "accept", "Accept") + _form(asked, "refuse", "Refuse")))
    return _decided(asked, grants=grants)


def _problem(asked: Mapping[str, str]) -> str:
    if asked.get("client_id") != CLIENT_ID:
        return "client_id is missing or unknown."
    if not asked.get("scope"):
        return "scope is missing."
    if asked.get("response_type", "code") != "code":
        return "response_type must be code."
    target = urlsplit(asked.get("redirect_uri", ""))
    if target.scheme not in ("http", "https") or not target.netloc:
        return "redirect_uri must be an http or https address."
    return ""


def _decided(asked: Mapping[str, str], *, grants: Grants) -> Answer:
    target = asked["redirect_uri"]
    if asked.get("decision") == "accept":
        found = {"code": grants.new_code(redirect_uri=target, scope=asked["scope"])}
    else:
        found = {"error": "access_denied"}
    if "state" in asked:
        found["state"] = asked["state"]
    joint = "&" if urlsplit(target).query else "?"
    return Answer(302, b"", {"Location": f"{target}{joint}{urlencode(found)}"})


def _page(inner: str) -> str:
    return (
        "<!doctype html><title>Heartland Retail sandbox</title>"
        f"<h1>Heartland Retail (sandbox)</h1><p>An app asks for access to <b>{COMPANY}</b>.</p>{inner}"
    )


def _form(asked: Mapping[str, str], decision: str, label: str) -> str:
    kept = {name: asked[name] for name in ("client_id", "scope", "redirect_uri", "state") if name in asked}
    inputs = "".join(
        f'<input type="hidden" name="{name}" value="{html.escape(value)}">'
        for name, value in {**kept, "decision": decision}.items()
    )
    return f'<form method="post" action="authorize">{inputs}<button type="submit">{label}</button></form>'
