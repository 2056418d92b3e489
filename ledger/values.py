"""The values that travel between the rooms: facts of an event, lines, entries as sent and as found. Pure, immutable."""

from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal

from ledger.terms import AccountType, Dimension, EventKind, Role, Side


@dataclass(frozen=True)
class EventHeader:
    """What identifies an event and where it happened.

    `external_id`: the document's id at the source, as text. `number`: what people call it.
    `business_date`: the store's own trading day. `completed_at`: aware. Store and date are None when unreadable.
    """

    kind: EventKind
    external_id: str
    number: str
    store_external_id: str | None = None
    business_date: date | None = None
    completed_at: datetime | None = None
    total: Decimal | None = None


@dataclass(frozen=True)
class ItemFact:
    """An item sold (quantity above zero) or returned (below). `value`: extended price after discounts, signed.

    `unit_cost` is None when the document names none; `tracked` is False for services and untracked items.
    """

    item_class: str
    quantity: Decimal
    value: Decimal
    tracked: bool
    name: str
    unit_cost: Decimal | None = None
    category: str = ""


@dataclass(frozen=True)
class TaxFact:
    jurisdiction: str
    value: Decimal


@dataclass(frozen=True)
class TenderFact:
    """Money taken (above zero) or handed out (below). `deposit`: taken before the document was completed."""

    tender: str
    amount: Decimal
    deposit: bool = False


@dataclass(frozen=True)
class EventFacts:
    """The financial facts of one document; a new revision arises only when these change."""

    header: EventHeader
    currency: str
    total: Decimal
    items: tuple[ItemFact, ...] = ()
    taxes: tuple[TaxFact, ...] = ()
    shipping: tuple[Decimal, ...] = ()
    gift_cards: tuple[Decimal, ...] = ()
    gift_card_tender: str = ""
    tips: tuple[Decimal, ...] = ()
    tenders: tuple[TenderFact, ...] = ()
    balance: Decimal | None = None
    voided: bool = False
    original_external_id: str = ""


@dataclass(frozen=True)
class Document:
    """A document as the source gave it: `raw` is kept; reading it gives facts or raises Unreadable."""

    kind: EventKind
    external_id: str
    updated_at: datetime
    raw: bytes


@dataclass(frozen=True)
class DraftLine:
    """One line by role; `amount` is above zero, the side says which way it goes."""

    role: Role
    side: Side
    amount: Decimal
    dimensions: tuple[tuple[Dimension, str], ...] = ()


@dataclass(frozen=True)
class OutgoingLine:
    """A line as it is sent: the account's id at the vendor and a short text."""

    account: str
    side: Side
    amount: Decimal
    text: str = ""


@dataclass(frozen=True)
class OutgoingEntry:
    """An entry as it is sent. `memo` begins with our mark, `[Daybook <reference>]`."""

    reference: str
    request_key: str
    posting_date: date
    currency: str
    memo: str
    lines: tuple[OutgoingLine, ...]


@dataclass(frozen=True)
class RemoteEntry:
    """An entry as the vendor's books show it. `final` is False for a draft or one that awaits approval."""

    remote_id: str
    reference: str
    posting_date: date
    memo: str
    lines: tuple[OutgoingLine, ...]
    final: bool = True


@dataclass(frozen=True)
class RemoteAccount:
    """An account of the vendor's chart. `full_name` includes its parents; `detail` is the vendor's own subtype."""

    external_id: str
    name: str
    full_name: str
    number: str
    type: AccountType
    detail: str
    currency: str
    active: bool
    warning: str = ""


@dataclass(frozen=True)
class NewAccount:
    """An account to be created in the vendor's chart, at its top. `role`: what it is for; it decides the detail type.

    `request_key`: kept while the outcome is unknown, so that a repeat is the same request. `number` may be empty.
    """

    name: str
    type: AccountType
    role: Role
    request_key: str
    number: str = ""


@dataclass(frozen=True)
class NeededAccount:
    """One kind of account that entries of sales go to: what for, and the vendor's words for its type and detail."""

    purpose: str
    type: str
    detail: str
    why: str


@dataclass(frozen=True)
class RemoteStore:
    external_id: str
    name: str
    time_zone: str
    active: bool


@dataclass(frozen=True)
class DimensionName:
    """A value of a dimension at the source and what people call it."""

    dimension: Dimension
    code: str
    name: str
    active: bool = True


@dataclass(frozen=True)
class Company:
    """The company behind a connection. `closed_through`: the last day of the closed period, if any."""

    external_id: str
    name: str
    currency: str
    closed_through: date | None = None


@dataclass(frozen=True)
class Delivered:
    """What became of one entry that was sent: exactly one of `remote_id` and `error` is set.

    `request_id`: the vendor's name for the call, for its support. `sent`: the body as it left, as proof.
    """

    reference: str
    remote_id: str = ""
    error: Exception | None = None
    request_id: str = ""
    sent: str = ""


@dataclass(frozen=True)
class Page:
    """Documents of one page, in the order of the walk, and the cursor that goes on after them."""

    documents: tuple[Document, ...]
    cursor: "Cursor"
    more: bool


@dataclass(frozen=True)
class Cursor:
    """Where a walk stands: the last document's time of change and id. `since` None means from the beginning."""

    since: datetime | None = None
    after_id: int = 0


@dataclass(frozen=True)
class Difference:
    """One disagreement between our entries and the vendor's books."""

    reference: str
    kind: str
    sentence: str
    ours: Decimal = Decimal(0)
    theirs: Decimal = Decimal(0)


@dataclass(frozen=True)
class Capabilities:
    """What an accounting system can do, said aloud (docs/vendors.md)."""

    label: str
    batch_size: int
    request_keys: bool
    reference_length: int
    max_lines: int
    settle_seconds: int
    closing_date_readable: bool
    notes: tuple[str, ...] = field(default=())
