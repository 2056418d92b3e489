"""The tables of the core, by subject. Only `ledger.journal` writes events, postings, entries, lines and attempts."""

from ledger.models.accounts import Account
from ledger.models.audit import AuditRecord
from ledger.models.books import Book, DimensionValue, Feed, Source, Store, SyncOrder
from ledger.models.entries import Attempt, Batch, JournalEntry, JournalLine
from ledger.models.events import EventRevision, FinancialEvent, RawDocument
from ledger.models.figures import DayFigure, FiguresTaken, StaleDay
from ledger.models.postings import Posting
from ledger.models.reconciliation import Discrepancy, ReconciliationRun

__all__ = [
    "Account",
    "Attempt",
    "AuditRecord",
    "Batch",
    "Book",
    "DayFigure",
    "DimensionValue",
    "Discrepancy",
    "EventRevision",
    "Feed",
    "FiguresTaken",
    "FinancialEvent",
    "JournalEntry",
    "JournalLine",
    "Posting",
    "RawDocument",
    "ReconciliationRun",
    "Source",
    "StaleDay",
    "Store",
    "SyncOrder",
]
