"""The batch endpoint: up to 30 items, each with its own result, one item's fault leaving the others alone."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

from sandbox.faults import Faults
from sandbox.quickbooks import refusals
from sandbox.quickbooks.books import Books, Value
from sandbox.quickbooks.clock import answer_time
from sandbox.quickbooks.refusals import Refused
from sandbox.quickbooks.select import select

MOST_ITEMS = 30
LONGEST_ITEM_ID = 10
ITEM = {"bId", "operation", "optionsData", "JournalEntry", "Account", "Query"}


def run(body: Any, *, books: Books, faults: Faults, request_id: str) -> Value:
    """Do all items and answer their results. Raises Refused when the batch as such cannot be read."""
    items = _items(body, named=bool(request_id))
    results = [{"bId": item["bId"], **_result(item, books=books, request_id=request_id)} for item in items]
    if results and faults.hit("quickbooks.missing_batch_item"):
        results.pop()
    if faults.hit("quickbooks.shuffled_batch"):
        random.Random(len(results)).shuffle(results)
    return {"BatchItemResponse": results, "time": answer_time()}


def _items(body: Any, *, named: bool) -> list[dict[str, Any]]:
    items = body.get("BatchItemRequest") if isinstance(body, dict) else None
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        raise Refused(refusals.required("BatchItemRequest"))
    if len(items) > MOST_ITEMS:
        raise refusals.too_many_items(MOST_ITEMS)
    names = [str(item.get("bId") or "") for item in items]
    if "" in names:
        raise Refused(refusals.required("bId"))
    if len(set(names)) < len(names):
        raise Refused(refusals.unsupported("bId"))
    longest = max(map(len, names), default=0)
    if named and longest > LONGEST_ITEM_ID:
        raise Refused(refusals.wrong_length("bId", most=LONGEST_ITEM_ID, supplied=longest))
    return items


def _result(item: dict[str, Any], *, books: Books, request_id: str) -> Value:
    try:
        unknown = sorted(item.keys() - ITEM)
        if unknown:
            raise Refused(*(refusals.unsupported(name) for name in unknown))
        if "Query" in item:
            return select(str(item["Query"]), books=books, lag=books.faults.hit("quickbooks.lagging_query"))
        return _work(item, books=books, request_id=request_id)()
    except Refused as refused:
        return refused.fault()


def _work(item: dict[str, Any], *, books: Books, request_id: str) -> Callable[[], Value]:
    allow = "allowduplicatedocnum" in str(item.get("optionsData") or "")
    entry, account = item.get("JournalEntry"), item.get("Account")
    known: dict[tuple[str, bool], Callable[[], Value]] = {
        ("create", True): lambda: books.create_entry(entry, request_id=request_id, allow_duplicate=allow),
        ("update", True): lambda: books.update_entry(entry, allow_duplicate=allow),
        ("delete", True): lambda: books.delete_entry(entry),
        ("create", False): lambda: books.create_account(account),
    }
    work = known.get((str(item.get("operation")), "JournalEntry" in item))
    if work is None or (entry is None and account is None):
        raise Refused(refusals.unsupported("operation"))
    return work
