"""The company's books: settings, chart, journal and remembered request ids, kept in the state's log.

Every change is one transaction of the log together with the request id that caused it.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from sandbox.faults import Faults
from sandbox.quickbooks import refusals, validation
from sandbox.quickbooks.chart import CURRENCY, Account, Chart
from sandbox.quickbooks.clock import stamp
from sandbox.quickbooks.journal import Entry, Journal
from sandbox.quickbooks.refusals import Refusal, Refused
from sandbox.quickbooks.settings import Settings
from sandbox.state import Record, State

STREAM = "quickbooks.books"
Value = dict[str, Any]


@dataclass(frozen=True)
class Remembered:
    """The outcome of the first request with a request id."""

    status: int
    value: Value


class Books:
    """Everything that is written at the pretend vendor. Hold `lock` while several steps belong together."""

    def __init__(self, *, state: State, faults: Faults) -> None:
        self.lock = threading.RLock()
        self.faults = faults
        self.settings = Settings()
        self.chart = Chart()
        self.journal = Journal()
        self._outcomes: dict[str, Remembered] = {}
        self._state = state
        self._waiting: list[Record] = []
        for record in state.read(STREAM):
            self._apply(record)

    # -- the log

    def _apply(self, record: Record) -> None:
        if "settings" in record:
            self.settings = Settings().changed(record["settings"])
            self.chart.silence(self.settings.inactive_accounts)
        elif "entry" in record:
            self.journal.put(Entry(record["entry"], record["saved"], record["request_id"]))
        elif "deleted" in record:
            self.journal.remove(record["deleted"])
        elif "account" in record:
            self.chart.add(Account(**record["account"]))
        elif "outcome" in record:
            self._outcomes[record["outcome"]] = Remembered(record["status"], record["value"])

    def _record(self, record: Record) -> None:
        self._apply(record)
        self._waiting.append(record)

    def _commit(self) -> None:
        waiting, self._waiting = self._waiting, []
        if waiting:
            self._state.append_many(STREAM, waiting)

    def change_settings(self, values: Mapping[str, Any]) -> Settings:
        with self.lock:
            self._record({"settings": self.settings.changed(values).record()})
            self._commit()
            return self.settings

    # -- once per request id

    def once(self, request_id: str, work: Callable[[], Value], *, batch: bool = False) -> tuple[int, Value]:
        """Do a piece of work, or repeat what the first request with this id was answered."""
        with self.lock:
            known = self._repeat(request_id, batch=batch)
            if known is not None:
                return known.status, known.value
            try:
                status, value = 200, work()
            except Refused as refused:
                status, value = refused.status, refused.value()
                self._remember_refusal(request_id, refused, value)
            else:
                self._remember(request_id, 200, value)
            self._commit()
            return status, value

    def _repeat(self, request_id: str, *, batch: bool) -> Remembered | None:
        known = self._outcomes.get(request_id) if request_id else None
        if known is None or self.faults.hit("quickbooks.forget_request_id"):
            return None
        if known.status != 200 and not self.faults.hit("quickbooks.replay_error"):
            return None
        if batch and self.faults.hit("quickbooks.forget_batch_request_id"):
            return Remembered(200, _all_unexpected(known.value))
        return known

    def _remember(self, request_id: str, status: int, value: Value) -> None:
        if request_id:
            self._record({"outcome": request_id, "status": status, "value": value})

    def _remember_refusal(self, request_id: str, refused: Refused, value: Value) -> None:
        # A hiccup is no outcome: kept for ever, it would shut out the very repeat that it asks for.
        if not any(refusals.UNEXPECTED in each.detail for each in refused.refusals):
            self._remember(request_id, refused.status, value)

    # -- journal entries

    def create_entry(self, body: Any, *, request_id: str = "", allow_duplicate: bool = False) -> Value:
        """Check and save an entry, and answer it in full. Raises Refused."""
        taken = None if allow_duplicate else self._number_taken(body)
        self._check(body, taken=taken)
        if self.faults.hit("quickbooks.transient_6000_unsaved"):
            raise Refused(refusals.business(refusals.UNEXPECTED))
        entry = self._save(body, identifier=self.journal.next_id(), request_id=request_id)
        if self.faults.hit("quickbooks.transient_6000_saved"):
            raise Refused(refusals.business(refusals.UNEXPECTED))
        return {"JournalEntry": self.shown(entry)}

    def update_entry(self, body: Any, *, allow_duplicate: bool = False) -> Value:
        """Replace an entry, or with `sparse` only what is given. Raises Refused."""
        old = self._current(body)
        if body.get("sparse") is True:
            body = {**old.body, **body}
        taken = None if allow_duplicate else self._number_taken(body)
        self._check(body, taken=taken)
        self._refuse_closed(old.body["TxnDate"])
        entry = self._save(body, identifier=old.id, request_id=old.request_id or "", old=old)
        return {"JournalEntry": self.shown(entry)}

    def delete_entry(self, body: Any) -> Value:
        """Take an entry out of the books. Raises Refused."""
        old = self._current(body)
        self._refuse_closed(old.body["TxnDate"])
        self._record({"deleted": old.id})
        return {"JournalEntry": {"status": "Deleted", "domain": "QBO", "Id": old.id}}

    def type_by_hand(self, body: Mapping[str, Any]) -> Value:
        """Somebody at the vendor types an entry: the same checks, but no faults of the wire."""
        with self.lock:
            self._check(body, taken=None)
            entry = self._save(body, identifier=self.journal.next_id(), request_id="")
            self._commit()
            return {"JournalEntry": self.shown(entry)}

    def _check(self, body: Any, *, taken: Refusal | None) -> None:
        validation.check(body, chart=self.chart, faults=self.faults, taken=taken)
        self._refuse_closed(validation.posting_date(body))

    def _number_taken(self, body: Any) -> Refusal | None:
        number = body.get("DocNumber") if isinstance(body, dict) else None
        if not self.settings.warn_duplicate_number or not number:
            return None
        others = [each for each in self.journal.numbered([str(number)]) if each.id != body.get("Id")]
        return refusals.duplicate_number(str(number), others[0].id) if others else None

    def _refuse_closed(self, day: str) -> None:
        if not self.settings.is_closed(day):
            return
        if self.faults.hit("quickbooks.closed_as_6000"):
            raise Refused(refusals.business("The transaction date is prior to the closing date"))
        raise Refused(refusals.period_closed())

    def _current(self, body: Any) -> Entry:
        """The entry that an update or a delete names, its SyncToken being the current one."""
        fields = body if isinstance(body, dict) else {}
        missing = [refusals.required(name) for name in ("Id", "SyncToken") if not fields.get(name)]
        if missing:
            raise Refused(*missing)
        entry = self.entry(str(fields["Id"]))
        if str(fields["SyncToken"]) != entry.body["SyncToken"]:
            raise Refused(refusals.stale())
        return entry

    def entry(self, identifier: str) -> Entry:
        """Raises Refused (610) when it does not exist or no longer."""
        entry = self.journal.get(identifier)
        if entry is None:
            gone = self.journal.was_deleted(identifier)
            raise Refused(refusals.deleted() if gone else refusals.inactive())
        return entry

    def _save(self, body: Mapping[str, Any], *, identifier: str, request_id: str, old: Entry | None = None) -> Entry:
        saved = time.time() if old is None else old.saved
        kept = _kept(body, identifier=identifier, old=old)
        self._record({"entry": kept, "saved": saved, "request_id": request_id or None})
        return Entry(kept, saved, request_id or None)

    def shown(self, entry: Entry) -> Value:
        """The entry as answers show it: references with names."""
        return {**entry.body, "Line": [self._shown_line(line) for line in entry.body["Line"]]}

    def _shown_line(self, line: Value) -> Value:
        detail = line.get("JournalEntryLineDetail")
        if not detail:
            return line
        named = {**detail, "AccountRef": self.chart.ref(detail["AccountRef"]["value"])}
        return {**line, "JournalEntryLineDetail": named}

    # -- accounts

    def create_account(self, body: Any) -> Value:
        """Raises Refused."""
        if not isinstance(body, dict):
            raise Refused(refusals.unsupported("Account"))
        account = self.chart.draft(body)
        self._record({"account": asdict(account)})
        return {"Account": self.shown_account(account)}

    def shown_account(self, account: Account) -> Value:
        return self.chart.body(account, moved=self.journal.moved)

    def shown_accounts(self) -> Iterator[Value]:
        return (self.shown_account(account) for account in self.chart)


def _kept(body: Mapping[str, Any], *, identifier: str, old: Entry | None) -> Value:
    """An entry's body as it is kept, in the order the vendor answers it."""
    now = stamp()
    created = old.body["MetaData"]["CreateTime"] if old else now
    optional = {key: str(body[key]) for key in ("DocNumber", "PrivateNote") if body.get(key)}
    return {
        "Adjustment": bool(body.get("Adjustment")),
        "domain": "QBO",
        "sparse": False,
        "Id": identifier,
        "SyncToken": str(int(old.body["SyncToken"]) + 1) if old else "0",
        "MetaData": {"CreateTime": created, "LastUpdatedTime": now},
        **optional,
        "TxnDate": validation.posting_date(body),
        "CurrencyRef": CURRENCY,
        "Line": _kept_lines(body["Line"]),
        "TxnTaxDetail": {},
    }


def _kept_lines(lines: list[Value]) -> list[Value]:
    taken = {str(line["Id"]) for line in lines if line.get("Id") not in (None, "")}
    free = (str(number) for number in range(len(lines) * 2 + 1) if str(number) not in taken)
    return [_kept_line(line, identifier=str(line.get("Id") or next(free))) for line in lines]


def _kept_line(line: Value, *, identifier: str) -> Value:
    kept: Value = {"Id": identifier}
    if line.get("Description"):
        kept["Description"] = str(line["Description"])
    amount = validation.number(line.get("Amount"))
    if amount is not None:
        kept["Amount"] = round(amount, 2)
    kept["DetailType"] = line["DetailType"]
    if line["DetailType"] == "JournalEntryLineDetail":
        kept["JournalEntryLineDetail"] = _kept_detail(line["JournalEntryLineDetail"])
    return kept


def _kept_detail(detail: Value) -> Value:
    kept: Value = {"PostingType": detail["PostingType"]}
    party = validation.reference(detail.get("Entity") or {}, "EntityRef")
    if party:
        kind, name = validation.NAMES[party]
        kept["Entity"] = {"Type": kind, "EntityRef": {"value": party, "name": name}}
    kept["AccountRef"] = {"value": validation.reference(detail, "AccountRef")}
    return kept


def _all_unexpected(value: Value) -> Value:
    fault = Refused(refusals.business(refusals.UNEXPECTED)).fault()
    items = [{"bId": item["bId"], **fault} for item in value["BatchItemResponse"]]
    return {**value, "BatchItemResponse": items}
