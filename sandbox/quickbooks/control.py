"""`/_control/quickbooks`: settings, the journal of what exists over there, counts, and the hand of a user."""

from __future__ import annotations

import threading
from collections import Counter
from decimal import Decimal
from typing import Any

from sandbox.quickbooks.books import Books
from sandbox.quickbooks.grants import Grants
from sandbox.quickbooks.journal import Entry, signed_amounts
from sandbox.quickbooks.refusals import Refused
from sandbox.server import Answer, Request, json_answer


class Stats:
    """Counts of what arrived and what it was answered; lost answers arrive without a status."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._arrived: Counter[str] = Counter()
        self._statuses: Counter[str] = Counter()

    def arrived(self, name: str) -> None:
        with self._lock:
            self._arrived[name] += 1

    def count(self, name: str, *, status: int) -> None:
        with self._lock:
            self._statuses[str(status)] += 1

    def report(self) -> dict[str, Any]:
        with self._lock:
            return {
                "requests": self._arrived.total(),
                "throttled": self._statuses["429"],
                "batches": self._arrived["batch"],
                "by_endpoint": dict(self._arrived),
                "by_status": dict(self._statuses),
            }


class Control:
    """The control paths of the pretend QuickBooks. They need no token: this is a sandbox."""

    def __init__(self, *, books: Books, grants: Grants, stats: Stats) -> None:
        self._books = books
        self._grants = grants
        self._stats = stats

    def __call__(self, request: Request) -> Answer:
        answers = {
            ("GET", "/"): self._settings,
            ("POST", "/"): self._change,
            ("GET", "/journal"): self._journal,
            ("GET", "/stats"): lambda _: json_answer(200, self._stats.report()),
            ("POST", "/entries"): self._type,
            ("POST", "/revoke"): self._revoke,
        }
        answer = answers.get((request.method, request.path.rstrip("/") or "/"))
        if answer is None:
            return json_answer(404, {"error": "no such control path", "known": [" ".join(key) for key in answers]})
        return answer(request)

    def _settings(self, _: Request) -> Answer:
        return json_answer(200, self._books.settings.record())

    def _change(self, request: Request) -> Answer:
        try:
            body = request.json()
            settings = self._books.change_settings(body if isinstance(body, dict) else {"body": body})
        except (ValueError, TypeError) as error:
            return json_answer(400, {"error": str(error)})
        return json_answer(200, settings.record())

    def _journal(self, _: Request) -> Answer:
        with self._books.lock:
            return json_answer(200, journal(self._books))

    def _type(self, request: Request) -> Answer:
        """Somebody types an entry at the vendor, past the API."""
        try:
            return json_answer(201, self._books.type_by_hand(request.json()))
        except Refused as refused:
            return json_answer(400, refused.value())

    def _revoke(self, _: Request) -> Answer:
        """A user disconnects the app inside QuickBooks."""
        return json_answer(200, {"revoked": self._grants.revoke()})


def journal(books: Books) -> dict[str, Any]:
    """Everything that exists, with the figures that show a loss or a double at a glance."""
    entries = list(books.journal)
    numbers = Counter(entry.number for entry in entries if entry.number)
    amounts = [amount for entry in entries for _, amount in signed_amounts(entry.body)]
    return {
        "entries": [_shown(entry, books=books) for entry in entries],
        "count": len(entries),
        "numbers": len(numbers),
        "doubled": {number: times for number, times in numbers.items() if times > 1},
        "debits": sum((amount for amount in amounts if amount > 0), Decimal("0.00")),
        "credits": -sum((amount for amount in amounts if amount < 0), Decimal("0.00")),
    }


def _shown(entry: Entry, *, books: Books) -> dict[str, Any]:
    body = entry.body
    plain = {key: body.get(key) for key in ("Id", "SyncToken", "DocNumber", "TxnDate", "PrivateNote")}
    return {
        **plain,
        "requestid": entry.request_id,
        "lines": [_shown_line(line, books) for line in body["Line"]],
    }


def _shown_line(line: dict[str, Any], books: Books) -> dict[str, Any]:
    detail = line.get("JournalEntryLineDetail") or {}
    account = detail.get("AccountRef", {}).get("value")
    return {
        "account": account,
        "name": books.chart.ref(account)["name"] if account else None,
        "side": detail.get("PostingType"),
        "amount": line.get("Amount"),
        "description": line.get("Description"),
    }
