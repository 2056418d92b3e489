"""QuickBooks Online on the wire: authorisation, paging, request ids. Source: Intuit's Accounting API v3.

What a fault means stands in `faults`; entries and accounts are read in `payloads`.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from urllib.parse import quote

from integrations.http import REQUEST, Http, HttpAnswer, TokenSource, lost, repeat_with_new_token
from integrations.quickbooks.faults import PAUSE, Fault, fault_error, faults_in
from integrations.quickbooks.payloads import Json, batch_json, part, parts, text
from ledger.errors import DaybookError, RateLimited
from ledger.ports import Place

PRODUCTION = "https://quickbooks.api.intuit.com"
SANDBOX = "https://sandbox-quickbooks.api.intuit.com"

MINOR_VERSION = "75"
PAGE = 1000
"""The most rows that one query answers."""
REQUEST_ID = "intuit_tid"
"""The header by which Intuit's support finds a call."""

_TELLING_STATUSES = frozenset({401, 413})
"""These mean the same with any body: nothing was done."""


@dataclass(frozen=True)
class Reply:
    """A good answer and Intuit's name for the call."""

    data: Json
    request_id: str


class Client:
    """Calls to one company. Raises the errors of `ledger.errors`, each with Intuit's name for the call."""

    def __init__(self, http: Http, *, realm: str, tokens: TokenSource) -> None:
        self.base_url = http.base_url.rstrip("/")
        self.realm = realm
        self._http = http
        self._tokens = tokens

    def company(self) -> Json:
        """The CompanyInfo object."""
        return part(self._read(f"/companyinfo/{quote(self.realm, safe='')}"), "CompanyInfo")

    def preferences(self) -> Json:
        """The Preferences object."""
        return part(self._read("/preferences"), "Preferences")

    def query(self, entity: str, *, where: str) -> Iterator[Json]:
        """Every object that the condition fits, read page by page and each one once."""
        seen: set[str] = set()
        start = 1
        while True:
            page = self._page(entity, where=where, start=start)
            for row in page:
                if text(row, "Id") not in seen:  # a row that slipped to the next page while we read
                    seen.add(text(row, "Id"))
                    yield row
            if len(page) < PAGE:
                return
            start += PAGE

    def accounts(self) -> Iterator[Json]:
        """The whole chart; without the condition only active accounts come."""
        return self.query("Account", where="Active IN (true, false)")

    def accounts_named(self, name: str) -> Iterator[Json]:
        """Every account, active or not, of this name; the same name may stand under several parents."""
        return self.query("Account", where=f"Name = {quoted(name)} AND Active IN (true, false)")

    def create_account(
        self, body: str, *, request_key: str, send_before: float | None = None, place: Place | None = None
    ) -> Reply:
        """Create an account; a repeat under the same key is answered with the first answer."""
        return self._write("/account", body, request_key=request_key, send_before=send_before, place=place)

    def create_entry(self, body: str, *, request_key: str, send_before: float, place: Place | None = None) -> Reply:
        """Create a journal entry; a repeat under the same key is answered with the first answer."""
        return self._write("/journalentry", body, request_key=request_key, send_before=send_before, place=place)

    def create_batch(
        self,
        creations: Iterable[tuple[str, str]],
        *,
        request_key: str,
        send_before: float,
        place: Place | None = None,
    ) -> Reply:
        """Create up to 30 entries: of each its name in the batch, at most 10 characters, and its JSON."""
        body, kinds = batch_json(creations), ("request", "batch")
        return self._write("/batch", body, request_key=request_key, send_before=send_before, place=place, kinds=kinds)

    def _page(self, entity: str, *, where: str, start: int) -> list[Json]:
        statement = f"SELECT * FROM {entity} WHERE {where} ORDERBY Id STARTPOSITION {start} MAXRESULTS {PAGE}"
        data = self._read("/query", params=[("query", statement)])
        if not isinstance(data.get("QueryResponse"), dict):
            raise lost("a query without its answer", write=False)
        return parts(part(data, "QueryResponse"), entity)

    def _read(self, path: str, *, params: Sequence[tuple[str, str]] = ()) -> Json:
        return self._send("GET", path, params=params).data

    def _write(
        self,
        path: str,
        body: str,
        *,
        request_key: str,
        send_before: float | None,
        place: Place | None,
        kinds: Sequence[str] = REQUEST,
    ) -> Reply:
        return self._send(
            "POST",
            path,
            params=[("requestid", request_key)],
            body=body.encode(),
            send_before=send_before,
            place=place,
            kinds=kinds,
        )

    def _send(
        self,
        method: str,
        path: str,
        *,
        params: Sequence[tuple[str, str]],
        body: bytes | None = None,
        send_before: float | None = None,
        place: Place | None = None,
        kinds: Sequence[str] = REQUEST,
    ) -> Reply:
        held = iter([place])  # the same call again, with a new token, takes a place of its own

        def send(token: str) -> HttpAnswer:
            return self._http.call(
                method,
                f"/v3/company/{quote(self.realm, safe='')}{path}",
                write=body is not None,
                params=[*params, ("minorversion", MINOR_VERSION)],
                headers=_headers(token),
                body=body,
                send_before=send_before,
                request_id_header=REQUEST_ID,
                place=next(held, None),
                kinds=kinds,
            )

        return self._judged(repeat_with_new_token(self._tokens, send))

    def _judged(self, answer: HttpAnswer) -> Reply:
        request_id = answer.headers.get(REQUEST_ID, "")
        try:
            return Reply(_definite(answer), request_id)
        except DaybookError as error:
            error.request_id = request_id
            if isinstance(error, RateLimited):
                self._http.limiter.pause(error.retry_after or PAUSE)
            raise


def quoted(value: str) -> str:
    r"""A string of the query language; ' and \ inside are escaped."""
    escaped = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def _definite(answer: HttpAnswer) -> Json:
    """The data of an answer that says definitely what became of the call; raises the error it means.

    A Fault may come with HTTP 200; a 404 may be a page without cause, which tells nothing.
    """
    try:
        body = answer.json()
    except DaybookError:
        if answer.status not in _TELLING_STATUSES:
            raise
        body = None
    data: Json = body if isinstance(body, dict) else {}
    faults = faults_in(data)
    if answer.status in _TELLING_STATUSES:
        faults.append(Fault(f"HTTP {answer.status}"))
    if faults and parts(data, "BatchItemResponse"):
        raise lost("a refusal of the whole beside results", write=answer.write)
    if faults:
        raise fault_error(faults, write=answer.write)
    if answer.status != 200:
        raise lost(f"HTTP {answer.status} without a reason", write=answer.write)
    return data


def _headers(token: str) -> dict[str, str]:
    return {
        "Authorization": f"Bearer {token}",
        "Accept": "application/json",
        "Content-Type": "application/json",
    }
