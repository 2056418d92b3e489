"""The pretend QuickBooks Online as one app: who may come in, what goes wrong on the way, who answers."""

from __future__ import annotations

import re
import secrets
import threading
import time
from collections.abc import Callable
from typing import Any

from sandbox.faults import Faults
from sandbox.quickbooks import batch, cruelty, refusals
from sandbox.quickbooks.books import Books, Value
from sandbox.quickbooks.clock import answer_time
from sandbox.quickbooks.company import company_info, preferences
from sandbox.quickbooks.control import Control, Stats
from sandbox.quickbooks.grants import Grants
from sandbox.quickbooks.limits import Limits
from sandbox.quickbooks.oauth import OAuth
from sandbox.quickbooks.refusals import Refused
from sandbox.quickbooks.select import select
from sandbox.quickbooks.settings import LOCKED_OUT, REALM
from sandbox.quickbooks.wire import disfigured
from sandbox.server import AUDITOR_TOKEN, Answer, DropConnection, Request, json_answer
from sandbox.state import State

LONGEST_REQUEST_ID = 50
LONGEST_BATCH_REQUEST_ID = 36
MOST_LATENESS = 3.0

_API = re.compile(r"/v3/company/([^/]+)/([a-z]+)(?:/([^/]+))?/?")


def make_app(*, state: State, faults: Faults, cruel: bool) -> QuickBooks:
    """The app, its books as the state left them; `cruel` turns on the documented set of faults."""
    app = QuickBooks(state=state, faults=faults)
    if cruel:
        faults.set(cruelty.FAULTS)
        cruelty.type_foreign_entry(app.books)
    return app


class QuickBooks:
    """Call it with a request; `control` answers what is under `/_control/quickbooks`."""

    def __init__(self, *, state: State, faults: Faults) -> None:
        self.books = Books(state=state, faults=faults)
        self._faults = faults
        self._grants = Grants(state=state)
        self._oauth = OAuth(books=self.books, grants=self._grants, faults=faults)
        self._limits = Limits()
        self._stats = Stats()
        self.control = Control(books=self.books, grants=self._grants, stats=self._stats)

    def __call__(self, request: Request) -> Answer:
        answer = self._oauth.answer(request) or self._api(request)
        answer.headers.setdefault("intuit_tid", f"1-{secrets.token_hex(4)}-{secrets.token_hex(12)}")
        return answer

    def _api(self, request: Request) -> Answer:
        match = _API.fullmatch(request.path)
        if match is None:
            return refusals.html_failure(404)
        realm, name, identifier = match[1], match[2], match[3] or ""
        if request.bearer() == AUDITOR_TOKEN:
            return self._audited(request, realm=realm, name=name, identifier=identifier)
        answer = self._admitted(request, realm=realm, name=name, identifier=identifier)
        self._stats.count(name, status=answer.status)
        return answer

    def _audited(self, request: Request, *, realm: str, name: str, identifier: str) -> Answer:
        """Whoever only wants to look is spared faults and limits."""
        if realm != REALM or (request.method != "GET" and name != "query"):
            return refusals.forbidden()
        return _answered(*self._read(request, name=name, identifier=identifier, lagging=False))

    def _admitted(self, request: Request, *, realm: str, name: str, identifier: str) -> Answer:
        writing = request.method == "POST" and name != "query"
        about = {name, "write" if writing else "read"}
        self._stats.arrived(name)
        refusal = self._before(request, realm=realm, name=name, about=about)
        if refusal is not None:
            return refusal
        if not writing:
            return self._shown(*self._read(request, name=name, identifier=identifier))
        work = self._written(request, name=name)
        if self._faults.hit("quickbooks.duplicate_request", about=about):
            work()
        late = self._faults.hit("quickbooks.late_commit", about=about)
        if late:
            threading.Timer(min(late.number("seconds", 2), MOST_LATENESS), work).start()
            raise DropConnection
        return self._after(self._shown(*work()), about=about)

    # -- what may go wrong

    def _before(self, request: Request, *, realm: str, name: str, about: set[str]) -> Answer | None:
        """What is answered before anything is done, None when the request may go on."""
        hit = self._faults.hit
        if hit("quickbooks.drop_request", about=about):
            raise DropConnection
        for status in (404, 502):
            if hit(f"quickbooks.html_{status}", about=about):
                return refusals.html_failure(status)
        slow = hit("quickbooks.slow", about=about)
        if slow:
            time.sleep(slow.number("seconds", 1))
        return self._stranger(request, realm=realm, about=about) or self._crowded(name, about=about)

    def _stranger(self, request: Request, *, realm: str, about: set[str]) -> Answer | None:
        token = request.bearer() or ""
        if len(token) < 30 or len(token) > 4096:
            return refusals.unauthenticated("Malformed bearer token: too short or too long")
        if self._faults.hit("quickbooks.expire_token", about=about):
            self._grants.expire(token)
        known = self._grants.realm_of(token)
        if known is None:
            return refusals.unauthenticated(f"Token expired: {token[:4]}...")
        if known != realm or realm != REALM or self._faults.hit("quickbooks.not_authorized", about=about):
            return refusals.forbidden()
        return None

    def _crowded(self, name: str, *, about: set[str]) -> Answer | None:
        throttle = self._faults.hit("quickbooks.throttle", about=about)
        if throttle:
            return refusals.throttled(throttle.parameters.get("retry_after"))
        if self.books.settings.limits and not self._limits.admit(batch=name == "batch"):
            return refusals.throttled()
        if self._faults.hit("quickbooks.error_500_before", about=about):
            return refusals.system_failure()
        return None

    def _after(self, answer: Answer, *, about: set[str]) -> Answer:
        """What may still happen to an answer when the work is done."""
        if self._faults.hit("quickbooks.drop_answer", about=about):
            raise DropConnection
        if self._faults.hit("quickbooks.error_500_after", about=about):
            return refusals.system_failure()
        if self._faults.hit("quickbooks.html_502_after", about=about):
            return refusals.html_failure(502)
        return answer

    def _shown(self, status: int, value: Value) -> Answer:
        if "Fault" in value and self._faults.hit("quickbooks.fault_in_200"):
            status = 200
        return _answered(status, disfigured(value, faults=self._faults))

    # -- reading

    def _read(self, request: Request, *, name: str, identifier: str, lagging: bool = True) -> tuple[int, Value]:
        try:
            self._refuse_locked_out(name)
            value = self._found(request, name=name, identifier=identifier, lagging=lagging)
        except Refused as refused:
            return refused.status, refused.value()
        return 200, {**value, "time": answer_time()}

    def _found(self, request: Request, *, name: str, identifier: str, lagging: bool) -> Value:
        books = self.books
        if name == "query":
            lag = self._faults.hit("quickbooks.lagging_query") if lagging else None
            return select(_statement(request), books=books, lag=lag)
        if name == "companyinfo":
            return {"CompanyInfo": company_info(books.settings)}
        if name == "preferences":
            return {"Preferences": preferences(books.settings)}
        with books.lock:
            if name == "journalentry":
                return {"JournalEntry": books.shown(books.entry(identifier))}
            account = books.chart.get(identifier) if name == "account" else None
            if account is None:
                raise Refused(refusals.inactive())
            return {"Account": books.shown_account(account)}

    def _refuse_locked_out(self, name: str) -> None:
        if self.books.settings.subscription_status in LOCKED_OUT and name != "companyinfo":
            raise Refused(refusals.subscription_ended())

    # -- writing

    def _written(self, request: Request, *, name: str) -> Callable[[], tuple[int, Value]]:
        """The work that a request asks for, to be done now or later, once per request id."""
        request_id = request.param("requestid")

        def work() -> tuple[int, Value]:
            try:
                self._refuse_locked_out(name)
                _check_request_id(request_id, batch=name == "batch")
                body = _body(request)
            except Refused as refused:
                return refused.status, refused.value()
            do = self._work(request, name=name, body=body, request_id=request_id)
            return self.books.once(request_id, do, batch=name == "batch")

        return work

    def _work(self, request: Request, *, name: str, body: Any, request_id: str) -> Callable[[], Value]:
        books = self.books
        if name == "batch":
            return lambda: batch.run(body, books=books, faults=self._faults, request_id=request_id)
        if name == "account":
            return lambda: _timed(books.create_account(body))
        if name != "journalentry":
            return _unknown_endpoint
        if request.param("operation") == "delete":
            return lambda: _timed(books.delete_entry(body))
        allow = "allowduplicatedocnum" in request.param("include")
        if isinstance(body, dict) and body.get("Id"):
            return lambda: _timed(books.update_entry(body, allow_duplicate=allow))
        return lambda: _timed(books.create_entry(body, request_id=request_id, allow_duplicate=allow))


def _answered(status: int, value: Value) -> Answer:
    return json_answer(status, value)


def _timed(value: Value) -> Value:
    return {**value, "time": answer_time()}


def _unknown_endpoint() -> Value:
    raise Refused(refusals.unsupported("operation"))


def _statement(request: Request) -> str:
    """The query, from the address or from the body."""
    if request.method == "GET":
        return request.param("query")
    kind = (request.headers.get("Content-Type") or "").split(";")[0].strip().lower()
    if kind != "application/text":
        raise Refused(refusals.unsupported(f"Content-Type {kind}"), status=415)
    return request.body.decode("utf-8", "replace")


def _body(request: Request) -> Any:
    kind = (request.headers.get("Content-Type") or "").split(";")[0].strip().lower()
    if kind != "application/json":
        raise Refused(refusals.unsupported(f"Content-Type {kind}"), status=415)
    try:
        return request.json()
    except ValueError as error:
        raise Refused(refusals.unsupported(f"unreadable JSON ({error})")) from error


def _check_request_id(request_id: str, *, batch: bool) -> None:
    most = LONGEST_BATCH_REQUEST_ID if batch else LONGEST_REQUEST_ID
    if len(request_id) > most:
        raise refusals.bad_request_id(f"requestid holds at most {most} characters, supplied {len(request_id)}")
