"""What the queue runs to count which places of each book's mapping matter. Nothing waits for it."""

import time

from integrations import vendors
from mappings import use

BUDGET = 20.0
"""Seconds that one task counts; what it does not reach is counted by the next one."""


def count() -> str:
    """Count what the events of each book bear, where that is due."""
    until, days = time.monotonic() + BUDGET, 0
    for connection in vendors.books_connections():
        if connection.book:
            days += use.refresh(connection.book, until=until)
    return f"{days} days counted."
