"""What a test sells at the running till, and what came of it."""

import time
from datetime import UTC, datetime
from typing import Any

from integrations import pipeline
from integrations.models import Connection
from ledger.models import Posting
from tests.sandbox_fixture import Sandbox
from tests.trade import new_id

LAMP = 990001
"""The item that the tests sell: class 3, cost 8.00."""


def sold(sandbox: Sandbox, **changes: Any) -> str:
    """A ticket at the till: one lamp for 20.00 in cash, completed now at Main Street; gives its id."""
    external_id, now = new_id(), datetime.now(UTC)
    ticket = {
        "id": int(external_id),
        "public_id": f"S{external_id}",
        "type": "Ticket",
        "status": "complete",
        "total": 20.0,
        "total_paid": 20.0,
        "balance": 0,
        "source_location_id": 100001,
        "completed?": True,
        "voided?": False,
        "updated_at": now.isoformat(),
        "completed_at": now.isoformat(),
        "local_completed_at": "2010-12-20T12:00:00-05:00",
        "lines": [
            {"type": "ItemLine", "item_id": LAMP, "item_description": "Lamp", "qty": 1, "unit_cost": 8, "value": 20.0}
        ],
        "payments": [{"status": "complete", "amount": 20.0, "deposit": False, "payment_type_id": 1}],
    }
    sandbox.control("heartland/tickets", ticket | changes)
    return external_id


def capture(till: Connection, *, seconds: float = 30) -> pipeline.Captured:
    return pipeline.capture(till, until=time.monotonic() + seconds, keep=lambda: None)


def posting(external_id: str) -> Posting:
    return Posting.objects.select_related("entry", "event").get(event__external_id=external_id)
