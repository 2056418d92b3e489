"""Heartland Retail as a point of sale: walks over its tickets and hands them out whole."""

import re
from collections.abc import Mapping
from datetime import datetime, time
from functools import cached_property

from integrations.heartland_retail import payloads
from integrations.heartland_retail.client import PER_PAGE, Client, Rows
from integrations.heartland_retail.document import Json, assemble, aware, missing_parts, rows
from ledger.errors import Unreachable
from ledger.terms import DEFAULT_CLASS, Dimension, EventKind
from ledger.values import Cursor, DimensionName, Document, EventFacts, Page, RemoteStore

_LOOKS_LIKE_ID = re.compile(r"[1-9][0-9]{0,17}")
LARGEST_ID = 2**63 - 1
"""The cursor keeps an id in 64 bits."""


class HeartlandRetailAdapter:
    """Implements ledger.ports.PointOfSale. Made anew for each run: what it looks up is kept while it lives.

    `day_starts`: by store (its id at Heartland), the local time at which the trading day begins.
    """

    def __init__(
        self, client: Client, *, day_starts: Mapping[str, time] = payloads.MIDNIGHT, currency: str = "USD"
    ) -> None:
        self._client = client
        self._day_starts = day_starts
        self._currency = currency
        self._items: dict[str, Json] = {}

    def who(self) -> str:
        """The user behind the token, for the Test button; empty where Heartland does not tell."""
        return self._client.whoami()

    def stores(self) -> list[RemoteStore]:
        return [payloads.read_store(row) for row in self._locations]

    def dimension_names(self) -> list[DimensionName]:
        """Payment types, item classes (with the default class) and tax jurisdictions."""
        found = (
            (Dimension.TENDER, self._payment_types),
            (Dimension.ITEM_CLASS, self._client.financial_classes()),
            (Dimension.TAX_JURISDICTION, self._client.tax_jurisdictions()),
        )
        names = [payloads.read_name(row, dimension=dimension) for dimension, table in found for row in table]
        return [*names, DimensionName(Dimension.ITEM_CLASS, DEFAULT_CLASS, "No item class")]

    def walk(self, cursor: Cursor) -> Page:
        """The next page by (updated_at, id). Tickets never completed only move the cursor; reopened ones come along."""
        found, more = self._changed_after(cursor)
        if not found:
            return Page((), cursor, more=False)
        reached = Cursor(*_key(found[-1]))
        if more and reached == cursor:
            # Their clock may be finer than what they show; better a loud stop than an endless walk.
            raise Unreachable("Heartland Retail repeats the same tickets, so Daybook cannot read on.")
        return Page(self._documents(found), reached, more)

    def document(self, external_id: str) -> Document:
        return self._documents([self._client.ticket(external_id)], all_of_them=True)[0]

    def read(self, document: Document) -> EventFacts | None:
        """The facts of a document; makes no call."""
        return payloads.read_ticket(document.raw, day_starts=self._day_starts, currency=self._currency)

    def _changed_after(self, cursor: Cursor) -> tuple[list[Json], bool]:
        """The rows of a page in the order of the walk, each once, and whether there are more."""
        answer = self._client.tickets(cursor)
        keyed = _newest(answer.rows)
        if _displaced(answer, distinct=len(keyed)):
            # A repeated row took the place of another one, which the cursor would pass by.
            answer = self._client.tickets(cursor)
            keyed = _newest([*keyed.values(), *answer.rows])
        found = sorted(keyed.values(), key=_key)
        return found, len(found) >= PER_PAGE if answer.total is None else answer.total > len(found)

    def _documents(self, tickets: list[Json], *, all_of_them: bool = False) -> tuple[Document, ...]:
        kept = [self._whole(ticket) for ticket in tickets if all_of_them or payloads.was_completed(ticket)]
        self._look_up_items(kept)
        return tuple(self._document(ticket) for ticket in kept)

    def _document(self, ticket: Json) -> Document:
        raw = assemble(
            ticket,
            items=self._items,
            time_zone=self._time_zones.get(str(ticket.get("source_location_id")), ""),
            gift_card_tender=self._gift_card_tender,
        )
        updated_at, external_id = _key(ticket)
        return Document(EventKind.TICKET, str(external_id), updated_at, raw)

    def _whole(self, ticket: Json) -> Json:
        """The ticket with what was not embedded, or visibly cut short, read on its own."""
        read = {part: self._client.part(ticket["id"], name=part) for part in missing_parts(ticket)}
        return {**ticket, **{part: found for part, found in read.items() if found is not None}}

    def _look_up_items(self, tickets: list[Json]) -> None:
        named = {str(line.get("item_id")) for ticket in tickets for line in rows(ticket.get("lines"))}
        unknown = {item_id for item_id in named if _LOOKS_LIKE_ID.fullmatch(item_id)} - self._items.keys()
        if unknown:
            self._items.update({str(item.get("id")): item for item in self._client.items(unknown)})

    @cached_property
    def _locations(self) -> list[Json]:
        return self._client.locations()

    @cached_property
    def _payment_types(self) -> list[Json]:
        return self._client.payment_types()

    @cached_property
    def _time_zones(self) -> dict[str, str]:
        return {store.external_id: store.time_zone for store in self.stores()}

    @cached_property
    def _gift_card_tender(self) -> str:
        return payloads.gift_card_tender(self._payment_types)


def _key(ticket: Json) -> tuple[datetime, int]:
    """The place of a ticket in the walk; raises Unreachable for a row without one, lest it be passed by."""
    updated_at, external_id = aware(ticket.get("updated_at")), ticket.get("id")
    if updated_at is None or not isinstance(external_id, int) or not 0 < external_id <= LARGEST_ID:
        raise Unreachable("Heartland Retail gave a ticket without id or time of change. Daybook tries again.")
    return updated_at, external_id


def _newest(tickets: list[Json]) -> dict[int, Json]:
    """Each ticket once, in its latest state."""
    return {ticket["id"]: ticket for ticket in sorted(tickets, key=_key)}


def _displaced(answer: Rows, *, distinct: int) -> bool:
    expected = PER_PAGE if answer.total is None else min(PER_PAGE, answer.total)
    return distinct < len(answer.rows) and distinct < expected
