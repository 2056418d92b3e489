"""More sales for a long kill run: copies of the till's own tickets of December, rung up again in the weeks after.

They are put in behind the vendor's back and read through its API, as the product and the count read them.
"""

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import count, islice
from typing import Any

import requests

from tests.sandbox_fixture import Sandbox

MOST_LINES = 12
FIRST_SHIFT = 31
"""Days from December to the first copy; each further copy of the same ticket is a day later."""

AT_ONCE = 250
TIMES = ("completed_at", "local_completed_at", "created_at", "updated_at")
Row = dict[str, Any]


def fill(sandbox: Sandbox, wanted: int) -> None:
    """Put so many more completed tickets into the till."""
    models = [ticket for ticket in tickets(sandbox) if _is_model(ticket)]
    copies = islice((_copy(model, days) for days in count(FIRST_SHIFT) for model in models), wanted)
    while block := list(islice(copies, AT_ONCE)):
        answer = requests.post(
            f"{sandbox.url}/_control/heartland/tickets",
            data=json.dumps(block, default=_number),
            headers={"Content-Type": "application/json"},
            timeout=60,
        )
        answer.raise_for_status()


def tickets(sandbox: Sandbox) -> Iterator[Row]:
    """Everything that the till shows to the auditor, with lines and payments."""
    page, pages = 1, 1
    while page <= pages:
        paging: list[tuple[str, str]] = [("sort[]", "id"), ("per_page", "1000"), ("page", str(page))]
        answer = requests.get(
            f"{sandbox.heartland_retail}/api/sales/tickets",
            params=[*paging, ("_include[]", "lines"), ("_include[]", "payments")],
            headers={"Authorization": "Bearer sandbox-auditor"},
            timeout=60,
        )
        answer.raise_for_status()
        body = json.loads(answer.content, parse_float=Decimal)
        yield from body["results"]
        page, pages = page + 1, int(body["pages"])


def _is_model(ticket: Row) -> bool:
    done = ticket["status"] == "complete" and not ticket.get("voided?") and not ticket.get("parent_transaction_id")
    return bool(done and ticket["total"] > 0 and len(ticket["lines"]) <= MOST_LINES)


def _copy(model: Row, days: int) -> Row:
    """The same sale so many days later, under numbers that the till gives it."""
    header = {name: value for name, value in model.items() if name not in ("id", "public_id", "lines", "payments")}
    return {
        **_later(header, days),
        "lines": [_later(row, days) for row in model["lines"]],
        "payments": [_later(row, days) for row in model["payments"]],
    }


def _later(row: Row, days: int) -> Row:
    times = {name: _shifted(row[name], days) for name in TIMES if row.get(name)}
    return {**{name: value for name, value in row.items() if name != "id"}, **times}


def _shifted(moment: str, days: int) -> str:
    return (datetime.fromisoformat(moment) + timedelta(days=days)).isoformat()


def _number(value: object) -> float | int:
    """JSON has no decimals of its own; two places come back exactly."""
    if not isinstance(value, Decimal):
        raise TypeError(f"no number: {value!r}")
    return int(value) if value == value.to_integral_value() else float(value)
