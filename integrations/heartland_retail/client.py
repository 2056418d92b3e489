"""The wire to Heartland Retail: token, filters, paging, embedding, and what a refusal means. Reads only.

One call at a time, since parallel calls are throttled (contract 1.7). Answers are read in `payloads`.
"""

import json
import random
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC

from integrations.heartland_retail.document import Json
from integrations.http import AccessToken, Http, HttpAnswer, TokenSource, repeat_with_new_token
from ledger.errors import AuthExpired, DaybookError, RateLimited, Rejected, Unreachable
from ledger.masking import mask_cards
from ledger.values import Cursor

PER_PAGE = 200
"""Used successfully by others; the server's own maximum is not documented (contract 1.3)."""

PAUSES = (0.2, 1.0)
"""Seconds before a failed read is repeated. Few: a 500 may also mean a missing right (contract 1.7)."""

PATIENCE = 3.0
"""A longer wait than this is left to the caller, who can do something else meanwhile."""

TICKETS = "/sales/tickets"
_EMBEDDED = (("_include[]", "lines"), ("_include[]", "payments"))

TOKEN_REFUSED = (
    "Heartland Retail does not accept the connection's token, or its user may not read this. "
    "Connect again, or paste a new API token of a user with the right to read sales, items and settings."
)

_RIGHTS = {
    TICKETS: "see sales transactions",
    "/items": "see items",
    "/locations": "see locations",
    "/payment_types": "see payment types",
    "/tax_jurisdictions": "see tax settings",
    "/financial_classes": "see item classes",
}
"""What the token's user must be allowed to do, by the beginning of the path."""

Params = Sequence[tuple[str, str]]


class _Absent(Rejected):
    """There is nothing under this path (404), or it cannot be read (405)."""


@dataclass(frozen=True)
class FixedToken:
    """A token that is never refreshed: Heartland's API tokens, and its OAuth tokens too (contract 1.2)."""

    value: str
    version: int = 1

    def current(self) -> AccessToken:
        return AccessToken(self.value, self.version)

    def renew(self, *, used: int) -> AccessToken:
        raise AuthExpired(TOKEN_REFUSED)


@dataclass(frozen=True)
class Rows:
    """The rows of one page and how many there are in all; `total` is None where the answer does not say."""

    rows: list[Json]
    total: int | None


class Client:
    """Reads of one account. `http.base_url` ends in `/api`."""

    def __init__(self, http: Http, *, tokens: TokenSource, sleep: Callable[[float], None] = time.sleep) -> None:
        self._http = http
        self._tokens = tokens
        self._sleep = sleep

    def tickets(self, cursor: Cursor) -> Rows:
        """The next tickets by (updated_at, id), with lines and payments embedded where the server embeds."""
        where = after(cursor)
        filters = (("_filter", json.dumps(where, separators=(",", ":"))),) if where else ()
        order = (("sort[]", "updated_at"), ("sort[]", "id"), ("per_page", str(PER_PAGE)))
        return _rows(self._get(TICKETS, (*filters, *order, *_EMBEDDED)))

    def ticket(self, external_id: str) -> Json:
        """One ticket; raises Rejected when there is none."""
        return _object(self._get(f"{TICKETS}/{int(external_id)}", _EMBEDDED))

    def part(self, ticket_id: int, *, name: str) -> list[Json] | None:
        """All `lines` or `payments` of a ticket by their own resource; None where there is none."""
        return self._optional(f"{TICKETS}/{ticket_id}/{name}")

    def items(self, ids: Iterable[str]) -> list[Json]:
        """The items with these ids; what Heartland does not show is absent."""
        wanted = sorted(int(item_id) for item_id in ids)
        # Pages of ids keep the address short enough for any server between us.
        portions = [wanted[start : start + PER_PAGE] for start in range(0, len(wanted), PER_PAGE)]
        return [row for portion in portions for row in self._all("/items", where={"id": {"$in": portion}})]

    def locations(self) -> list[Json]:
        return self._all("/locations")

    def payment_types(self) -> list[Json]:
        return self._all("/payment_types")

    def tax_jurisdictions(self) -> list[Json]:
        """Empty when the server has no such resource: its path rests on one source (contract 2.10)."""
        return self._optional("/tax_jurisdictions") or []

    def financial_classes(self) -> list[Json]:
        """Empty when the server has no such resource: no source names its path."""
        return self._optional("/financial_classes") or []

    def whoami(self) -> str:
        """The login of the token's user; empty where the server does not tell (contract 1.1, unverified)."""
        try:
            user = _object(self._get("/system/whoami", ()))
        except _Absent:
            return ""
        return str(user.get("login") or user.get("name") or user.get("id") or "")

    def _optional(self, path: str) -> list[Json] | None:
        try:
            return self._all(path)
        except _Absent:
            return None

    def _all(self, path: str, *, where: Json | None = None) -> list[Json]:
        """Every row of a collection, page by page; raises Unreachable when some do not come."""
        found: list[Json] = []
        for page in range(1, sys.maxsize):
            answer = _rows(self._get(path, _page_params(page, where=where)))
            before, found = len(found), _distinct([*found, *answer.rows])
            if len(found) == before or _complete(found, answer):
                break
        if len(found) < (answer.total or 0):
            raise Unreachable(
                f"Heartland Retail gave {len(found)} of {answer.total} rows of {path}. Daybook tries again."
            )
        return found

    def _get(self, path: str, params: Params) -> object:
        return _accepted(self._read(path, params), path=path)

    def _read(self, path: str, params: Params) -> HttpAnswer:
        """One read, repeated a few times when it fails or when we are asked for a short wait."""
        for pause in PAUSES:
            try:
                return self._once(path, params)
            except Unreachable:
                self._sleep(pause * random.uniform(0.5, 1.5))
            except RateLimited as busy:
                if busy.retry_after is None or busy.retry_after > PATIENCE:
                    raise
                self._sleep(busy.retry_after)
        return self._once(path, params)

    def _once(self, path: str, params: Params) -> HttpAnswer:
        def send(token: str) -> HttpAnswer:
            headers = {"Authorization": f"Bearer {token}", "Accept": "application/json"}
            return self._http.call("GET", path, write=False, params=params, headers=headers)

        return repeat_with_new_token(self._tokens, send)


def after(cursor: Cursor) -> Json | None:
    """The filter of a walk by key: page numbers shift while documents change, keys do not."""
    if cursor.since is None:
        return None
    since = cursor.since.astimezone(UTC).isoformat()
    if not cursor.after_id:
        return {"updated_at": {"$gte": since}}
    same_moment = {"$and": [{"updated_at": since}, {"id": {"$gt": cursor.after_id}}]}
    return {"$or": [{"updated_at": {"$gt": since}}, same_moment]}


def _page_params(page: int, *, where: Json | None = None) -> Params:
    filters = (("_filter", json.dumps(where, separators=(",", ":"))),) if where else ()
    return (*filters, ("sort[]", "id"), ("page", str(page)), ("per_page", str(PER_PAGE)))


def _accepted(answer: HttpAnswer, *, path: str) -> object:
    """The body of a 200; anything else becomes our error."""
    if answer.status != 200:
        raise _refusal(answer, path=path)
    return answer.json()


def _refusal(answer: HttpAnswer, *, path: str) -> DaybookError:
    code, message = _words(answer)
    if answer.status == 401:
        return AuthExpired(TOKEN_REFUSED, detail=message)
    if answer.status == 403:
        right = next((right for start, right in _RIGHTS.items() if path.startswith(start)), f"read {path}")
        return AuthExpired(
            f"Heartland Retail refuses: the token's user lacks the right to {right}. "
            "Give the user that permission in Heartland Retail, then press Test.",
            cause=f"{AuthExpired.code}:{right}",
            detail=message,
        )
    if 300 <= answer.status < 400:
        return Rejected("Heartland Retail points to another address. Check the address of the connection.")
    kind = _Absent if answer.status in {404, 405} else Rejected
    return kind(
        f"Heartland Retail refused to answer {path} (HTTP {answer.status}). {message}".strip(),
        vendor_code=code or str(answer.status),
        vendor_message=message,
    )


def _words(answer: HttpAnswer) -> tuple[str, str]:
    """Code and message of an error body (contract 1.7); a body in another form has none."""
    try:
        body = answer.json()
    except DaybookError:
        return "", ""
    if not isinstance(body, dict):
        return "", ""
    return str(body.get("error") or "")[:60], mask_cards(str(body.get("message") or ""))[:300]


def _rows(body: object) -> Rows:
    """The rows of an envelope; an empty collection may have one page or none, and null for its rows."""
    envelope = _object(body)
    rows = envelope.get("results")
    if rows is None and envelope.get("total") == 0:
        rows = []
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise _unknown_form()
    total = envelope.get("total")
    return Rows(rows, total if isinstance(total, int) else None)


def _object(body: object) -> Json:
    if not isinstance(body, dict):
        raise _unknown_form()
    return body


def _unknown_form() -> Unreachable:
    return Unreachable("Heartland Retail answered in an unknown form. Daybook tries again by itself.")


def _complete(found: list[Json], last: Rows) -> bool:
    """Whether all rows are there: by the total, or by a last page that is not full where no total is told."""
    return len(last.rows) < PER_PAGE if last.total is None else len(found) >= last.total


def _distinct(rows: list[Json]) -> list[Json]:
    """Rows without repetition by id; those without an id all stay."""
    return list({row.get("id") or f"row {place}": row for place, row in enumerate(rows)}.values())
