"""The shop goes on selling: a ticket dated now every few seconds, modelled on a real one, store by store."""

import threading
from dataclasses import replace
from datetime import datetime
from zoneinfo import ZoneInfo

from sandbox.heartland_retail.retail import TICKETS, Retail
from sandbox.shop_documents import Document, Place, ticket_of
from sandbox.shop_rules import STORES
from sandbox.shop_sales import Sale, month

MOST_LINES = 12


class Selling:
    """A thread that sells while `every_seconds` is above zero."""

    def __init__(self, retail: Retail) -> None:
        self._retail = retail
        self._models = [sale for sale in month().tickets if _is_model(sale)]
        self._change = threading.Condition()
        self._thread: threading.Thread | None = None
        self.every_seconds = 0.0

    def set(self, every_seconds: float) -> None:
        with self._change:
            self.every_seconds = every_seconds
            self._change.notify_all()
            if every_seconds > 0 and self._thread is None:
                self._thread = threading.Thread(target=self._run, name="selling", daemon=True)
                self._thread.start()

    def _run(self) -> None:
        while True:
            with self._change:
                if self.every_seconds <= 0:
                    self._thread = None
                    return
            self.sell()
            with self._change:
                self._change.wait(timeout=self.every_seconds or None)

    def sell(self) -> Document:
        """Ring up one ticket now. The id decides model and store, so a restart goes on where it was."""
        with self._retail.lock:
            id = self._retail.next_id(TICKETS)
            model, store = self._models[id % len(self._models)], STORES[id % len(STORES)]
            now = datetime.now(ZoneInfo(store.time_zone)).replace(microsecond=0)
            sale = replace(model, number=str(id + 500000), at=now.replace(tzinfo=None))
            at = Place(id, sale.number, store, now)
            ticket = ticket_of(sale, at=at, items=self._retail.items_by_code, customer=self._retail.walk_in)
            return self._retail.put_ticket(ticket)


def _is_model(sale: Sale) -> bool:
    return not sale.is_cancellation and len(sale.lines) <= MOST_LINES and sum(line.value for line in sale.lines) > 0
