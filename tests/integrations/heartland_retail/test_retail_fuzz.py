"""Whatever a till sends, reading it gives facts, nothing, or Unreadable: no other error may stop later tickets."""

import json
from copy import deepcopy
from datetime import time
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from integrations.heartland_retail.document import assemble, missing_parts, parse
from integrations.heartland_retail.payloads import read_ticket, was_completed
from ledger import facts as facts_json
from ledger.errors import Unreadable
from tests.integrations.heartland_retail.samples import CHICAGO, Json, item, item_line, payment, tax_line, ticket

Path = tuple[str | int, ...]

GONE = "a field that is not there"
DATES = (
    "0001-01-01T00:00:00Z",
    "0001-01-01T00:00:00",
    "0001-01-01T00:00:00+14:00",
    "9999-12-31T23:59:59.999999Z",
    "9999-12-31T23:59:59-14:00",
    "1900-01-01T00:00:00+23:59",
    "2200-12-31T23:59:59-23:59",
    "2010-12-01",
    "2010-W48-3",
    "20101201T082600Z",
    "2010-02-30T08:26:00Z",
    "2010-03-14T02:30:00",
)
NUMBERS = (0, -1, 10**30, 12345678901234567890, "1e400", "1e-400", "1e9999999", "1e99999999999999999999", "NaN", "-0")
PLACES = ("../../etc/passwd", "America", "America/New_York\x00", "\ud800", "Mars/Olympus", "/")
JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | st.sampled_from([*DATES, *NUMBERS, *PLACES]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text() | st.just("id"), inner, max_size=3),
    max_leaves=6,
)
VALUES = JUNK | st.just(GONE)


def whole() -> Json:
    """A ticket with every kind of line, and beside it all that reading adds."""
    lines = [
        item_line(),
        tax_line(),
        {"id": 3, "type": "ShippingLine", "value": 4.5},
        {"id": 4, "type": "GiftCardLine", "value": 25, "number": "GC0012345678"},
    ]
    paid = [payment(amount=50.75), payment(id=12, payment_type_id=5, amount=0, deposit=True)]
    sale = ticket(lines=lines, payments=paid, total=50.75, total_paid=50.75)
    return {"sale": sale, "items": {"100123": item()}}


def places(found: Any) -> list[Any]:
    """The keys or indexes of what holds something."""
    return list(found) if isinstance(found, dict) else list(range(len(found))) if isinstance(found, list) else []


def within(found: Any, key: str | int) -> Any:
    return found[key] if key in places(found) else None


def paths(found: Any, *, here: Path = ()) -> list[Path]:
    """Every place in a document at which something stands."""
    return [path for key in places(found) for path in ((*here, key), *paths(found[key], here=(*here, key)))]


PATHS = [path for path in paths(whole()) if len(path) > 1 and path != ("items", "100123")]


def changed(changes: list[tuple[Path, Any]]) -> Json:
    """The ticket with something else in these places; a place that has gone is passed over."""
    document = whole()
    for path, value in changes:
        place: Any = document
        for key in path[:-1]:
            place = within(place, key)
        if path[-1] not in places(place):
            continue
        if value == GONE:
            del place[path[-1]]
        else:
            place[path[-1]] = deepcopy(value)
    return document


def read(raw: bytes) -> None:
    """Read it and bring its facts into the form in which they are kept."""
    for starts in ({}, {"100003": time(4)}):
        try:
            facts = read_ticket(raw, day_starts=starts)
        except Unreadable as refused:
            str(refused).encode()
            continue
        if facts:
            plain = facts_json.to_json(facts)
            assert "\\u0000" not in json.dumps(plain)
            assert facts_json.from_json(plain) == facts


@settings(max_examples=300)
@given(st.lists(st.tuples(st.sampled_from(PATHS), VALUES), min_size=1, max_size=4), st.sampled_from([CHICAGO, *PLACES]))
@example([(("sale", "completed_at"), DATES[0]), (("sale", "local_completed_at"), None)], CHICAGO)
@example([(("sale", "local_completed_at"), DATES[1])], CHICAGO)
@example([(("sale", "lines", 0, "type"), ["ItemLine"])], CHICAGO)
@example([(("sale", "lines", 0, "type"), {"id": None})], CHICAGO)
@example([(("sale", "total"), "1e9999999")], CHICAGO)
def test_an_odd_ticket_is_read_or_refused(changes: list[tuple[Path, Any]], time_zone: str) -> None:
    document = changed(changes)
    sale, items = (parse(json.dumps(document[part]).encode()) for part in ("sale", "items"))
    was_completed(sale), missing_parts(sale)
    read(assemble(sale, items=items, time_zone=time_zone, gift_card_tender="5"))


@given(st.sampled_from(["_items", "_store", "_gift_card_tender", "lines", "payments", "id"]), VALUES)
def test_what_was_kept_may_be_odd_itself(key: str, value: Any) -> None:
    kept = json.loads(assemble(ticket(), items={"100123": item()}, time_zone=CHICAGO, gift_card_tender="5"))
    read(json.dumps(kept | {key: value}).encode())


@given(st.binary() | JUNK.map(lambda value: json.dumps(value).encode()))
@example(b"[" * 100_000)
@example(b'{"total": 1e99999999999999999999}')
@example(b'{"id": ' + b"9" * 5000 + b"}")
def test_what_is_no_ticket_at_all_is_refused(raw: bytes) -> None:
    read(raw)
