"""What `--cruel` turns on: faults in seeded numbers that a correct client outlives, and a foreign entry.

Rates are per request, per item where a fault concerns single items. README.md explains the choice.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from sandbox.quickbooks.books import Books

FAULTS: dict[str, dict[str, Any]] = {
    "quickbooks.drop_request": {"probability": 0.02, "seed": 11},
    "quickbooks.drop_answer": {"probability": 0.06, "seed": 12},
    "quickbooks.late_commit": {"probability": 0.04, "seed": 13, "seconds": 2},
    "quickbooks.error_500_before": {"probability": 0.03, "seed": 14},
    "quickbooks.error_500_after": {"probability": 0.04, "seed": 15},
    "quickbooks.html_502": {"probability": 0.02, "seed": 16},
    "quickbooks.html_502_after": {"probability": 0.02, "seed": 17},
    "quickbooks.html_404": {"probability": 0.01, "seed": 18},
    # The vendor asks for a minute's silence after each 429: two are enough.
    "quickbooks.throttle": {"every": 30, "times": 2},
    "quickbooks.expire_token": {"every": 40, "times": 3},
    "quickbooks.drop_token_answer": {"every": 2, "times": 1},
    "quickbooks.transient_6000_saved": {"probability": 0.01, "seed": 19},
    "quickbooks.transient_6000_unsaved": {"probability": 0.01, "seed": 20},
    "quickbooks.lagging_query": {"probability": 0.3, "seed": 21, "seconds": 2},
    "quickbooks.replay_error": {"probability": 0.5, "seed": 22},
    "quickbooks.forget_batch_request_id": {"probability": 0.5, "seed": 23},
    "quickbooks.shuffled_batch": {"probability": 0.3, "seed": 24},
    "quickbooks.no_ref_names": {"probability": 0.2, "seed": 25},
}

FOREIGN_NUMBER = "HR-T100050"
FOREIGN_AMOUNT = Decimal("12.50")


def type_foreign_entry(books: Books) -> None:
    """An entry that somebody typed by hand under a number the product is going to want. Typed once only."""
    if books.journal.numbered([FOREIGN_NUMBER]):
        return
    lines = [_line("Checking", "Debit", books=books), _line("Sales:Other", "Credit", books=books)]
    note = "Typed by hand, December correction"
    books.type_by_hand({"DocNumber": FOREIGN_NUMBER, "TxnDate": "2010-12-01", "PrivateNote": note, "Line": lines})


def _line(account: str, side: str, *, books: Books) -> dict[str, Any]:
    known = books.chart.named(account)
    detail = {"PostingType": side, "AccountRef": {"value": known.id if known else ""}}
    return {
        "Amount": FOREIGN_AMOUNT,
        "DetailType": "JournalEntryLineDetail",
        "JournalEntryLineDetail": detail,
    }
