"""What Heartland Retail's JSON means: tickets become facts, look-up tables become names. Pure.

Nothing is guessed: a ticket that cannot be read is refused as Unreadable, with what could be read of it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from types import MappingProxyType
from zoneinfo import ZoneInfo

from integrations.heartland_retail.document import (
    Json,
    amount,
    amount_or_none,
    aware,
    lowered,
    moment,
    parse,
    rows,
    voided,
)
from ledger import money
from ledger.errors import Flaw, Unreadable
from ledger.masking import mask_cards
from ledger.terms import DEFAULT_CLASS, Dimension, EventKind
from ledger.values import DimensionName, EventFacts, EventHeader, ItemFact, RemoteStore, TaxFact, TenderFact

MIDNIGHT: Mapping[str, time] = MappingProxyType({})
"""Day starts of stores that begin their day at midnight: none has to be named."""

LONGEST_ID = 40
"""Heartland's ids are whole numbers; what is longer than any of them is none."""

_TYPES = {"", "ticket", "return"}
_LINE_TYPES = ("ItemLine", "TaxLine", "ShippingLine", "GiftCardLine")
"""Not a set: what stands for a type may be a list or an object, which no set can be asked for."""

BY_HAND = "Book it by hand and set it aside here, or ask for a Daybook that knows it."
"""What a person can do about a document of a kind that we cannot read."""


def is_financial(ticket: Json) -> bool:
    """Whether the ticket stands completed; a voided one still does, since it may have been posted."""
    status = lowered(ticket.get("status"))
    if status and not voided(ticket):
        return status == "complete"
    completed = ticket.get("completed?")
    return completed is True or (completed is None and ticket.get("completed_at") is not None)


def was_completed(ticket: Json) -> bool:
    """Whether the ticket is or once was financial: one that was reopened keeps its time of completion."""
    return is_financial(ticket) or bool(ticket.get("completed_at"))


def read_ticket(raw: bytes, *, day_starts: Mapping[str, time] = MIDNIGHT, currency: str = "USD") -> EventFacts | None:
    """The facts of a ticket as `document.assemble` wrote it; None when it is not complete (any more).

    `day_starts`: by store, the local time at which its trading day begins. Amounts are rounded to the cent.
    Raises Unreadable, and nothing else, for what cannot be read; whether the parts make up the total is for the
    rules to judge. Wire format: contract 2.1 and 2.2.
    """
    try:
        ticket = parse(raw)
    except ValueError:
        raise Unreadable("Ticket", "what Heartland Retail sent is no JSON object", flaw=Flaw.JSON) from None
    if not is_financial(ticket):
        return None
    return _Reading(ticket, read_header(ticket, day_starts=day_starts), currency).facts()


def read_header(ticket: Json, *, day_starts: Mapping[str, time] = MIDNIGHT) -> EventHeader:
    """What can be read of number, store, times and total; None for each part that cannot."""
    store = _code(ticket.get("source_location_id")) or None
    zone = _zone(ticket.get("_store"))
    local = _local_time(ticket, zone=zone)
    total = amount_or_none(ticket.get("total"))
    return EventHeader(
        kind=EventKind.TICKET,
        external_id=_code(ticket.get("id")),
        number=_text(ticket.get("public_id")) or _code(ticket.get("id")),
        store_external_id=store,
        business_date=_business_date(local, starts=day_starts.get(store or "", time.min)),
        completed_at=_completed_at(ticket, zone=zone),
        total=None if total is None else money.cents(total) + money.ZERO,
    )


@dataclass(frozen=True)
class _Reading:
    """One ticket under reading, with what is known of it for the refusal."""

    ticket: Json
    header: EventHeader
    currency: str

    def facts(self) -> EventFacts:
        self._check_header()
        lines = self._rows("lines")
        total = self._money(self.ticket, "total", "its total")
        self._check_types(lines)
        return EventFacts(
            header=self.header,
            currency=self.currency,
            total=total,
            items=tuple(self._item(line) for line in lines if line["type"] == "ItemLine"),
            taxes=tuple(self._tax(line) for line in lines if line["type"] == "TaxLine"),
            shipping=self._values(lines, "ShippingLine"),
            gift_cards=self._values(lines, "GiftCardLine"),
            gift_card_tender=_code(self.ticket.get("_gift_card_tender")),
            tenders=tuple(self._tender(row) for row in self._rows("payments") if not voided(row)),
            balance=self._balance(),
            voided=voided(self.ticket),
            original_external_id=_code(self.ticket.get("parent_transaction_id")),
        )

    def _refuse(self, flaw: Flaw, what: str) -> Unreadable:
        said = f"{what} Nothing was posted."
        return Unreadable(f"Ticket {self.header.number}", said, header=self.header, flaw=flaw)

    def _check_header(self) -> None:
        kind = self.ticket.get("type")
        if kind is not None and lowered(kind) not in _TYPES:
            raise self._refuse(Flaw.TYPE, f"its type {_shown(kind)} is not known to Daybook. {BY_HAND}")
        if self.header.store_external_id is None:
            raise self._refuse(Flaw.NO_STORE, "it names no store (source_location_id).")
        if self.header.business_date is None or self.header.completed_at is None:
            raise self._refuse(Flaw.TIME, "it does not say when it was completed in its store's own time.")

    def _check_types(self, lines: list[Json]) -> None:
        unknown = next((line for line in lines if line.get("type") not in _LINE_TYPES), None)
        if unknown is not None:
            shown = _shown(unknown.get("type"))
            raise self._refuse(Flaw.LINE, f"it has a line of the type {shown}, not known to Daybook. {BY_HAND}")

    def _rows(self, part: str) -> list[Json]:
        found = self.ticket.get(part)
        readable = rows(found)
        if not isinstance(found, list) or len(readable) != len(found):
            raise self._refuse(Flaw.PARTS, f"its {part} are missing.")
        return readable

    def _item(self, line: Json) -> ItemFact:
        name = _text(line.get("item_description")) or _text(line.get("description"))
        item_id = _code(line.get("item_id"))
        items = self.ticket.get("_items")
        known = items.get(item_id) if isinstance(items, dict) else None
        if not isinstance(known, dict):
            raise self._refuse(
                Flaw.ITEM, f"its item {item_id or '?'} ({name or 'no name'}) cannot be found in Heartland."
            )
        named = name or _text(known.get("description")) or _text(line.get("item_public_id")) or f"Item {item_id}"
        return ItemFact(
            item_class=self._named(known, "financial_class_id", f"the item class of {named}") or DEFAULT_CLASS,
            quantity=self._number(line, "qty", f"the quantity of {named}"),
            value=self._value(line),
            # Where the item does not say, it counts as stock, so that a missing cost is not passed over.
            tracked=known.get("track_inventory?") is not False,
            name=named,
            unit_cost=self._unit_cost(line, named),
            category=_text(known.get("category")),
        )

    def _tax(self, line: Json) -> TaxFact:
        jurisdiction = self._named(line, "tax_jurisdiction_id", "the jurisdiction of a tax line")
        return TaxFact(jurisdiction=jurisdiction, value=self._value(line))

    def _tender(self, payment: Json) -> TenderFact:
        # A payment without a status counts: contract 2.2 knows only `complete` and `voided`.
        if lowered(payment.get("status")) not in {"", "complete"}:
            raise self._refuse(Flaw.TENDER, f"the status of a payment, {_shown(payment.get('status'))}, is not known.")
        tender = self._named(payment, "payment_type_id", "the payment type of a payment")
        if not tender:
            raise self._refuse(Flaw.TENDER, "a payment names no payment type.")
        amount = self._money(payment, "amount", "the amount of a payment")
        return TenderFact(tender=tender, amount=amount, deposit=payment.get("deposit") is True)

    def _balance(self) -> Decimal | None:
        return None if self.ticket.get("balance") is None else self._money(self.ticket, "balance", "its balance")

    def _unit_cost(self, line: Json, name: str) -> Decimal | None:
        return None if line.get("unit_cost") is None else self._number(line, "unit_cost", f"the cost of {name}")

    def _values(self, lines: list[Json], kind: str) -> tuple[Decimal, ...]:
        return tuple(self._value(line) for line in lines if line["type"] == kind)

    def _value(self, line: Json) -> Decimal:
        name = _text(line.get("item_description")) or _text(line.get("description")) or line["type"]
        return self._money(line, "value", f"the value of the line {name}")

    def _named(self, row: Json, key: str, what: str) -> str:
        """The id under a key; empty for none. What is there and no id must not pass for none."""
        value = row.get(key)
        code = _code(value)
        if not code and value not in (None, ""):
            raise self._refuse(Flaw.ID, f"{what} is {_shown(value)}, which is no id.")
        return code

    def _money(self, row: Json, key: str, what: str) -> Decimal:
        return money.cents(self._number(row, key, what)) + money.ZERO

    def _number(self, row: Json, key: str, what: str) -> Decimal:
        """The number without trailing zeros: 2, 2.0 and "2.00" are the same fact."""
        try:
            return amount(row.get(key)).normalize() + money.ZERO
        except money.NotAnAmount:
            raise self._refuse(Flaw.AMOUNT, f"{what} is {_shown(row.get(key))}, which is not an amount.") from None


def read_store(location: Json) -> RemoteStore:
    """A location as a store; `time_zone` is empty where Heartland does not tell it (2.9, unverified)."""
    return RemoteStore(
        external_id=_code(location.get("id")),
        name=_text(location.get("name")) or _code(location.get("id")),
        time_zone=_text(location.get("time_zone")),
        active=location.get("active?") is not False,
    )


def read_name(row: Json, *, dimension: Dimension) -> DimensionName:
    """A payment type, item class or tax jurisdiction and what people call it."""
    code = _code(row.get("id"))
    return DimensionName(dimension, code, _text(row.get("name")) or code, row.get("active?") is not False)


def gift_card_tender(payment_types: list[Json]) -> str:
    """The code of the payment type named Gift Card, one of the built-in ones; empty when there is none."""
    named = [row for row in payment_types if lowered(row.get("name")) == "gift card"]
    return _code(named[0].get("id")) if named else ""


def _local_time(ticket: Json, *, zone: ZoneInfo | None) -> datetime | None:
    """The wall clock of the store at completion; the field that says so goes before our own conversion."""
    local, completed = moment(ticket.get("local_completed_at")), aware(ticket.get("completed_at"))
    if local is None and completed is not None and zone is not None:
        local = completed.astimezone(zone)
    return None if local is None else local.replace(tzinfo=None)


def _completed_at(ticket: Json, *, zone: ZoneInfo | None) -> datetime | None:
    local = moment(ticket.get("local_completed_at"))
    if local is not None and local.tzinfo is None:
        local = local.replace(tzinfo=zone) if zone else None
    return aware(ticket.get("completed_at")) or local


def _business_date(local: datetime | None, *, starts: time) -> date | None:
    return None if local is None else (local - timedelta(hours=starts.hour, minutes=starts.minute)).date()


def _zone(store: object) -> ZoneInfo | None:
    name = _text(store.get("time_zone")) if isinstance(store, dict) else ""
    try:
        return ZoneInfo(name) if name else None
    except (KeyError, ValueError, OSError):
        return None


def _code(value: object) -> str:
    """An id as text; empty for none and for what can be none."""
    if isinstance(value, bool) or not isinstance(value, int | str):
        return ""
    code = _storable(str(value))
    return code if len(code) <= LONGEST_ID else ""


def _text(value: object) -> str:
    """A name without card numbers."""
    return _storable(mask_cards(value)) if isinstance(value, str) else ""


def _storable(text: str) -> str:
    """The text as any database takes it: no NUL, no half of a surrogate pair."""
    return text.encode("utf-8", "replace").decode().replace("\x00", "").strip()


def _shown(value: object) -> str:
    """A value as a sentence may quote it."""
    return "missing" if value is None else repr(mask_cards(str(value))[:40])
