"""The till's side of the audit: every ticket Heartland Retail shows, and what the books should say of it."""

import datetime
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from sandbox.auditor_http import AuditFailed, Reader
from sandbox.auditor_rules import Amounts, Document, Item, Plan, Unbookable, counts, expected_amounts, money

API = "/heartland-retail/api"
PAGE = 1000
Query = Sequence[tuple[str, str]]
READINGS = 6
INCLUDE = [("_include[]", "lines"), ("_include[]", "payments")]


@dataclass(frozen=True)
class Store:
    name: str
    time_zone: str | None


@dataclass(frozen=True)
class Ticket:
    """One ticket: whether it is financial, and the amounts expected or the reason why there are none."""

    id: int
    number: str
    store: str
    day: datetime.date | None
    financial: bool
    completed_at: datetime.datetime | None
    amounts: Amounts = field(default_factory=dict)
    problem: str = ""


@dataclass(frozen=True)
class Till:
    stores: Mapping[str, Store]
    tickets: Mapping[int, Ticket]


def read_till(reader: Reader, *, plan: Plan) -> Till:
    stores = {str(one["id"]): _store(one) for one in _collection(reader, "/locations")}
    items = {str(one["id"]): _item(one) for one in _collection(reader, "/items")}
    documents = _collection(reader, "/sales/tickets", INCLUDE)
    tickets = [_ticket(one, reader=reader, stores=stores, items=items, plan=plan) for one in documents]
    return Till(stores=stores, tickets={ticket.id: ticket for ticket in tickets})


def _collection(reader: Reader, path: str, query: Query = ()) -> list[dict[str, Any]]:
    """All records, each once. Pages may repeat rows or be out of order, so it is read until all are there."""
    found: dict[int, dict[str, Any]] = {}
    for _ in range(READINGS):
        total = 0
        for page in _pages(reader, path, query):
            total = int(page["total"])
            found.update((int(row["id"]), row) for row in page["results"])
        if len(found) >= total:
            return [found[key] for key in sorted(found)]
    raise AuditFailed(f"{path} says it has {total} records but showed only {len(found)} of them")


def _pages(reader: Reader, path: str, query: Query) -> Iterator[dict[str, Any]]:
    page, pages = 1, 1
    while page <= pages:
        paging = [("sort[]", "id"), ("per_page", str(PAGE)), ("page", str(page))]
        answer = reader.get(API + path, [*paging, *query])
        yield answer
        page, pages = page + 1, int(answer["pages"])


def _store(location: Document) -> Store:
    return Store(name=str(location.get("name")), time_zone=location.get("time_zone"))


def _item(item: Document) -> Item:
    item_class = item.get("financial_class_id")
    tracked = bool(item.get("track_inventory?"))
    return Item(item_class=None if item_class is None else str(item_class), tracked=tracked)


def _ticket(
    document: dict[str, Any],
    *,
    reader: Reader,
    stores: Mapping[str, Store],
    items: Mapping[str, Item],
    plan: Plan,
) -> Ticket:
    store = str(document.get("source_location_id"))
    financial = _is_financial(document)
    amounts: Amounts = {}
    problem = ""
    day: datetime.date | None = None
    try:
        day = _business_date(document, stores.get(store))
        if financial:
            amounts = expected_amounts(_completed(reader, document), items=items, plan=plan)
    except Unbookable as reason:
        problem = str(reason) if financial else ""
    number = str(document.get("public_id") or document["id"])
    moment = _moment(document.get("completed_at"))
    return Ticket(int(document["id"]), number, store, day, financial, moment, amounts, problem)


def _is_financial(document: Document) -> bool:
    """Completed and not voided; the status may come in capitals."""
    status = str(document.get("status") or "").casefold()
    done = status == "complete" or (not status and bool(document.get("completed?")))
    return done and status != "void" and not document.get("voided?")


def _business_date(document: Document, store: Store | None) -> datetime.date:
    """The calendar date on the store's own clock."""
    local = document.get("local_completed_at")
    try:
        if local:
            return datetime.date.fromisoformat(str(local)[:10])
        moment = _moment(document.get("completed_at"))
        if moment and store and store.time_zone:
            return moment.astimezone(ZoneInfo(store.time_zone)).date()
    except ValueError:
        raise Unbookable(f"its time of completion {local!r} is not a date") from None
    raise Unbookable("it does not say when it was completed")


def _moment(value: object) -> datetime.datetime | None:
    try:
        found = datetime.datetime.fromisoformat(str(value).replace("Z", "+00:00"))
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=datetime.UTC)


def _completed(reader: Reader, document: dict[str, Any]) -> dict[str, Any]:
    """The ticket with all lines and payments; what was embedded is read again where it looks cut short."""
    whole = dict(document)
    if not _all_lines_there(whole):
        whole["lines"] = _collection(reader, f"/sales/tickets/{whole['id']}/lines")
    if not _all_payments_there(whole):
        whole["payments"] = _collection(reader, f"/sales/tickets/{whole['id']}/payments")
    return whole


def _all_lines_there(ticket: Document) -> bool:
    lines = ticket.get("lines")
    return isinstance(lines, list) and bool(lines) and _sums_to(lines, "value", ticket.get("total"))


def _all_payments_there(ticket: Document) -> bool:
    payments = ticket.get("payments")
    if not isinstance(payments, list):
        return False
    return _sums_to([one for one in payments if counts(one)], "amount", ticket.get("total_paid"))


def _sums_to(rows: list[Document], name: str, total: object) -> bool:
    try:
        return sum((money(row.get(name), name) for row in rows), Decimal(0)) == money(total, "total")
    except Unbookable:
        return False
