"""What the core asks of the outside, as protocols. The vendor folders implement them; the pipeline calls them."""

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Protocol

from ledger.values import (
    Capabilities,
    Company,
    Cursor,
    Delivered,
    DimensionName,
    Document,
    EventFacts,
    NewAccount,
    OutgoingEntry,
    Page,
    RemoteAccount,
    RemoteEntry,
    RemoteStore,
)


class Place(Protocol):
    """A place for one call within a vendor's limits."""

    def sends(self) -> None:
        """The call leaves now."""

    def leave(self) -> None:
        """The answer has come, or nothing was sent: the call is not under way any more. A second time says nothing."""


class AccountingSystem(Protocol):
    """The books of record of one company. Reads raise Unreachable, RateLimited or AuthExpired.

    A call takes its place within the vendor's limits by itself. Of a write the caller may take it, before it writes
    down that it sends, for the wait must not use up the time in which the call may leave. Such a `place` is left when
    the answer has come; any further call, the same again with a new token too, takes its own.
    """

    capabilities: Capabilities

    def company(self) -> Company:
        """The company behind the connection, with its closing date where the vendor tells it."""

    def accounts(self) -> Iterable[RemoteAccount]:
        """The whole chart, inactive accounts included."""

    def create_account(
        self, wanted: NewAccount, *, send_before: float | None = None, place: Place | None = None
    ) -> RemoteAccount:
        """Create an account, or give the one that bears its name already and is of its type.

        `send_before`: on the monotonic clock; later than that nothing may leave, and Unreachable is raised.
        Raises Unsupported for a name that the vendor cannot take (nothing was sent), Rejected when it was refused or
        the name belongs to an account of another type, OutcomeUnknown when it may or may not be there now.
        """

    def find(self, references: Sequence[str]) -> dict[str, list[RemoteEntry]]:
        """Every entry that bears one of these references, by reference; a reference without one is absent."""

    def between(self, first: date, last: date) -> Iterable[RemoteEntry]:
        """Every journal entry whose posting date lies in the range, both ends included."""

    def body(self, entry: OutgoingEntry) -> str:
        """The text that leaves for one entry, as proof; makes no call. Raises Unsupported."""

    def post_one(self, entry: OutgoingEntry, *, send_before: float, place: Place | None = None) -> Delivered:
        """Create one entry under its request key. What concerns the entry is in the result: see Delivered.

        `send_before`: on the monotonic clock; later than that nothing may leave (the claim may have lapsed).
        Raises Unreachable, RateLimited or AuthExpired when surely nothing was booked.
        """

    def post_batch(
        self, entries: Sequence[OutgoingEntry], *, request_key: str, send_before: float, place: Place | None = None
    ) -> list[Delivered]:
        """Create several entries in one call, at most `capabilities.batch_size`; one result each, in order.

        Raises Unreachable, RateLimited, AuthExpired when surely nothing was booked, OutcomeUnknown when the
        call as a whole has no definite answer, and any other DaybookError when it was refused as a whole.
        """

    def link(self, remote_id: str) -> str:
        """The address at which a person opens that entry."""


class PointOfSale(Protocol):
    """The source of documents. Reads raise Unreachable, RateLimited or AuthExpired."""

    def stores(self) -> Iterable[RemoteStore]:
        """The stores with their time zones."""

    def dimension_names(self) -> Iterable[DimensionName]:
        """Tenders, item classes and tax jurisdictions with their names."""

    def walk(self, cursor: Cursor) -> Page:
        """The next page of documents that were ever completed and changed after the cursor, oldest change first."""

    def document(self, external_id: str) -> Document:
        """One document as it stands now."""

    def read(self, document: Document) -> EventFacts | None:
        """The facts of a document; None when it is not financial (not complete). Raises Unreadable."""
