"""Posting over HTTP to the books of paper, and the calls of it with nothing around them. Needs Django set up."""

import time
from dataclasses import dataclass

from django.conf import settings

from integrations import pipeline, vendors
from integrations.heartland_retail.client import FixedToken
from integrations.http import Http, NoLimits
from integrations.models import Connection
from integrations.quickbooks.adapter import CAPABILITIES, QuickBooksAdapter
from integrations.quickbooks.client import Client as BooksClient
from ledger.journal import delivery
from ledger.models import JournalEntry
from ledger.terms import DeliveryState
from tests.office import Office


class Free(NoLimits):
    """No limit, and a circuit that never opens: what posting costs us is to be seen, not what a vendor allows."""

    def wait(self, *kinds: str) -> "Free":
        return self

    def __enter__(self) -> "Free":
        return self

    def __exit__(self, *ended: object) -> None: ...
    def paused_until(self) -> None: ...
    def next_batch(self) -> None: ...


def connected(office: Office, url: str) -> Connection:
    """The books of paper at that address, without a limit in this process and those that it begins."""
    vars(vendors)["limiter"] = lambda connection: Free()
    return Connection.objects.create(
        vendor="quickbooks",
        book=office.book,
        base_url=url,
        account_id="1",
        state=Connection.State.CONNECTED,
        credentials={"access_token": "paper"},
        installation_id=settings.INSTALLATION_ID,
    )


def post_all(books: Connection, events: int) -> None:
    done = 0
    while done < events:
        handled = pipeline.post(books)
        if not handled:
            raise RuntimeError("The books of paper did not take the entries.")
        done += handled


@dataclass(frozen=True)
class Calls:
    """The calls of posting and nothing else: each block looked up, then sent, over the product's own client."""

    url: str
    book: int

    def rate(self, events: int, *, among: str = "") -> float:
        posted = JournalEntry.objects.filter(book=self.book, state=DeliveryState.POSTED).order_by("pk")
        leaving = list(delivery.outgoing(list(posted)).values())
        free = Free()
        http = Http(self.url, timeout=10, limiter=free, breaker=free)
        adapter = QuickBooksAdapter(BooksClient(http, realm="1", tokens=FixedToken("paper")))
        size, begun = CAPABILITIES.batch_size, time.perf_counter()
        for start in range(0, len(leaving), size):
            block = leaving[start : start + size]
            adapter.find([entry.reference for entry in block])
            adapter.post_batch(block, request_key=f"{start}", send_before=time.monotonic() + 10)
        return len(leaving) / (time.perf_counter() - begun)
