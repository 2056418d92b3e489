"""The front door of the pretend Heartland: who asks, what for, and what goes wrong on the way."""

import re
import time
from collections.abc import Callable

from sandbox.faults import Faults
from sandbox.heartland_retail.control import Control
from sandbox.heartland_retail.cruelty import HEARTLAND_CRUEL
from sandbox.heartland_retail.oauth import Grants, authorize, token_call, unauthorized
from sandbox.heartland_retail.reading import ALIASES, PAYMENTS, SUB_RESOURCES, Reader
from sandbox.heartland_retail.refusals import Refused, invalid, not_found
from sandbox.heartland_retail.retail import TICKETS, Retail
from sandbox.heartland_retail.selling import Selling
from sandbox.heartland_retail.till import Till
from sandbox.server import Answer, App, DropConnection, Request, html_answer, json_answer
from sandbox.shop import build_shop
from sandbox.shop_documents import Row
from sandbox.state import State

# The host that Heartland's own documentation shows. Nobody may build an address from it here.
HOST = "example.retail.heartland.us"
SETTINGS = {"company_name": "Main Street Trading", "pos.tickets.customer_required": False}
MOST_SLOW_SECONDS = 60.0
_WITH_ID = re.compile(r"(?P<name>.+?)/(?P<id>\d+)(?:/(?P<part>\w+))?")


class RetailApp:
    """One shop with its API at `/api` and its authorization page at `/oauth/authorize`."""

    def __init__(self, *, state: State, faults: Faults, cruel: bool) -> None:
        self.retail = Retail(shop=build_shop(), state=state, cruel=cruel)
        self.grants = Grants(state=state)
        self.selling = Selling(self.retail)
        self.control = Control(retail=self.retail, grants=self.grants, selling=self.selling)
        self._till = Till(self.retail)
        self._faults = faults
        if cruel:
            faults.set(HEARTLAND_CRUEL)

    def __call__(self, request: Request) -> Answer:
        try:
            return self._answer(request)
        except Refused as refusal:
            return refusal.answer()

    def _answer(self, request: Request) -> Answer:
        if request.path == "/oauth/authorize":
            return authorize(request, grants=self.grants)
        if not request.path.startswith("/api/") or request.path == "/api/graphql":
            raise not_found(request.path)
        if request.path == "/api/oauth/token":
            return token_call(request, grants=self.grants)
        # The auditor sees things as they are: its verdict must not depend on luck.
        faults = None if self.grants.allow(request) else self._faults
        if faults and (trouble := _trouble_before(faults)):
            return trouble
        answer = self._routed(request, path=request.path.removeprefix("/api/").rstrip("/"), faults=faults)
        if faults and faults.hit("heartland.drop_answer"):
            raise DropConnection
        return answer

    def _routed(self, request: Request, *, path: str, faults: Faults | None) -> Answer:
        if path.startswith(("system/", "settings/")):
            return _about(path, request=request)
        reader = Reader(self.retail, request, faults)
        if ALIASES.get(path, path) in self._collections():
            allowed: dict[str, Callable[[], Answer]] = {"GET": lambda: reader.collection(path)}
            if path == TICKETS:
                allowed["POST"] = lambda: self._open(request)
            return _by_method(request, allowed=allowed)
        match = _WITH_ID.fullmatch(path)
        if match is None or ALIASES.get(match["name"], match["name"]) not in self._collections():
            raise not_found(path)
        return self._with_id(request, reader=reader, name=match["name"], id=int(match["id"]), part=match["part"])

    def _collections(self) -> frozenset[str]:
        return frozenset((*self.retail.documents, *self.retail.rows, PAYMENTS))

    def _with_id(self, request: Request, *, reader: Reader, name: str, id: int, part: str | None) -> Answer:
        allowed: dict[str, Callable[[], Answer]] = {}
        if part is None:
            allowed["GET"] = lambda: reader.one(name, id)
            if name == TICKETS:
                allowed["PUT"] = lambda: self._changed(request, id=id)
        elif part in SUB_RESOURCES.get(name, ()):
            allowed["GET"] = lambda: reader.below(name, id, part)
        if name == TICKETS and part in ("lines", "item_lines", "payments"):
            allowed["POST"] = lambda: self._added(request, id=id, part=part)
        if not allowed:
            raise not_found(f"{name}/{id}/{part}")
        return _by_method(request, allowed=allowed)

    def _open(self, request: Request) -> Answer:
        return _created(request, id=self._till.open(_object(request)).id)

    def _changed(self, request: Request, *, id: int) -> Answer:
        return json_answer(200, self._till.change(id, _object(request)).header)

    def _added(self, request: Request, *, id: int, part: str) -> Answer:
        body = _object(request)
        if part == "payments":
            ticket = self._till.add_payment(id, body)
            return _created(request, id=int(ticket.payments[-1]["id"]))
        ticket = self._till.add_line(id, body, kind="ItemLine" if part == "item_lines" else None)
        return _created(request, id=max(int(line["id"]) for line in ticket.lines if line["type"] != "TaxLine"))


def make_app(*, state: State, faults: Faults, cruel: bool) -> RetailApp:
    return RetailApp(state=state, faults=faults, cruel=cruel)


def make_control(app: RetailApp) -> App:
    """The control paths of an app, mounted at `/_control/heartland`."""
    return app.control


def _trouble_before(faults: Faults) -> Answer | None:
    """What may go wrong before anything is done."""
    if slow := faults.hit("heartland.slow"):
        time.sleep(min(slow.number("seconds", 1.0), MOST_SLOW_SECONDS))
    if throttle := faults.hit("heartland.throttle"):
        return _throttled(throttle.parameters)
    if faults.hit("heartland.unauthorized"):
        return unauthorized().answer()
    if faults.hit("heartland.error_500"):
        return Refused(500, code="internal_error", message="something went wrong").answer()
    if faults.hit("heartland.html_502"):
        return html_answer(502, "<html><head><title>502 Bad Gateway</title></head><body>Bad Gateway</body></html>")
    return None


def _throttled(parameters: Row) -> Answer:
    answer = Refused(429, code="too_many_requests", message="slow down").answer()
    if "retry_after" in parameters:
        answer.headers["Retry-After"] = str(parameters["retry_after"])
    return answer


def _by_method(request: Request, *, allowed: dict[str, Callable[[], Answer]]) -> Answer:
    act = allowed.get("GET" if request.method == "HEAD" else request.method)
    if act is not None:
        return act()
    answer = Refused(405, code="method_not_allowed", message=f"{request.method} is not allowed here").answer()
    answer.headers["Allow"] = ", ".join(allowed)
    return answer


def _about(path: str, *, request: Request) -> Answer:
    known: dict[str, Row] = {
        "system/host": {"host": HOST},
        "system/whoami": {"id": 100001, "login": "sandbox", "first_name": "Sandbox", "last_name": "User"},
        **{f"settings/{key}": {"value": value} for key, value in SETTINGS.items()},
    }
    if path not in known:
        raise not_found(path)
    return _by_method(request, allowed={"GET": lambda: json_answer(200, known[path])})


def _object(request: Request) -> Row:
    try:
        body = request.json()
    except ValueError:
        raise invalid("body", message="is not JSON") from None
    if not isinstance(body, dict):
        raise invalid("body", message="must be an object")
    return body


def _created(request: Request, *, id: int) -> Answer:
    location = f"{request.origin}{request.mount}{request.path.rstrip('/')}/{id}"
    return Answer(201, b"", {"Location": location})
