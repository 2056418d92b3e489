"""A pretend QuickBooks Online: OAuth, query, accounts, journal entries, batch, limits and faults.

Written from the vendor's documentation and recorded answers, apart from the product's client.
"""

from sandbox.quickbooks.app import QuickBooks, make_app

__all__ = ["QuickBooks", "make_app"]
