"""The admin of the core's tables, one module a subject. It shows; what changes money is ordered elsewhere."""

from ledger.admin import audit, entries, postings, stores

__all__ = ["audit", "entries", "postings", "stores"]
