"""The deeds that can be done to many events at once: their words, who may do them, what they touch and what not."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from django.db.models import QuerySet

from integrations.models import BulkDeed
from ledger.admin.scoping import Person, is_store_manager, may
from ledger.errors import AT_THE_TILL, BY_HAND, ForeignEntry
from ledger.journal import many
from ledger.models import Book, Posting
from ledger.terms import DeliveryState, SyncState

Rows = QuerySet[Posting]
Pass = tuple[str, Rows]
"""Why some of the chosen events are left, and which."""


@dataclass(frozen=True)
class Deed:
    """One kind of deed: its words, who may do it, which of the chosen events it touches and why not the others."""

    kind: str
    label: str
    done: str
    audited: str
    permission: str
    touches: Callable[[Rows, Book], Rows]
    passes: Callable[[Rows, Book], list[Pass]]
    promise: str
    needs_reason: bool = False
    asks_the_books: bool = False


def _failed(rows: Rows, book: Book) -> Rows:
    return rows.filter(state=SyncState.ERROR)


def _not_failed(rows: Rows, book: Book) -> list[Pass]:
    why = {
        SyncState.NEVER_SYNCED: "Never Synced: nobody has asked for them, or they are set aside",
        SyncState.NOT_SYNCED: "Not Synced: they wait their turn already",
        SyncState.PROCESSING: "Processing: they are being sent now",
        SyncState.SYNCED: "Synced: that is final",
    }
    return [(words, rows.filter(state=state)) for state, words in why.items()]


def _can_be_aside(rows: Rows, book: Book) -> Rows:
    return rows.exclude(state__in=[SyncState.SYNCED, SyncState.PROCESSING]).filter(set_aside_reason="")


def _stays_in(rows: Rows, book: Book) -> list[Pass]:
    return [
        ("Synced: that is final; a synced entry is reversed, never taken out", rows.filter(state=SyncState.SYNCED)),
        ("Processing: they are being sent now; wait for their outcome", rows.filter(state=SyncState.PROCESSING)),
        ("Set aside already", rows.exclude(set_aside_reason="")),
    ]


def _can_come_back(rows: Rows, book: Book) -> Rows:
    return rows.exclude(set_aside_reason="").filter(many.fed_by(book))


def _stays_out(rows: Rows, book: Book) -> list[Pass]:
    aside = rows.exclude(set_aside_reason="")
    return [
        ("Not set aside", rows.filter(set_aside_reason="")),
        ("Their store does not feed this book; change the feed of the till first", aside.exclude(many.fed_by(book))),
    ]


def _can_be_adopted(rows: Rows, book: Book) -> Rows:
    taken = rows.filter(state=SyncState.ERROR, error_code=ForeignEntry.code)
    return taken.filter(entry__state=DeliveryState.REJECTED)


def _not_adopted(rows: Rows, book: Book) -> list[Pass]:
    others = rows.filter(state=SyncState.ERROR).exclude(pk__in=_can_be_adopted(rows, book).values("pk"))
    return [
        ("Not in Error: there is nothing to adopt", rows.exclude(state=SyncState.ERROR)),
        ("In Error for another reason than an entry that stands there already", others),
    ]


DEEDS: dict[str, Deed] = {
    deed.kind: deed
    for deed in (
        Deed(
            BulkDeed.Kind.RETRY,
            "Retry",
            "queued again",
            "retried failed events",
            "ledger.retry_posting",
            _failed,
            _not_failed,
            "They wait their turn again and are sent by themselves; a document that could not be read is read again. "
            "Retry alone mends nothing: what is not mended first is held up again for the same reason.",
        ),
        Deed(
            BulkDeed.Kind.SET_ASIDE,
            "Set aside",
            "set aside",
            "set aside events",
            "ledger.set_aside_posting",
            _can_be_aside,
            _stays_in,
            "They are Never Synced, and Sync Past Events passes them by, until somebody takes them back.",
            needs_reason=True,
        ),
        Deed(
            BulkDeed.Kind.TAKE_BACK,
            "Take back",
            "taken back",
            "took back events that were set aside",
            "ledger.set_aside_posting",
            _can_come_back,
            _stays_out,
            "Each goes back to where it stood. An event that was to be sent is booked again, and is in Error again if "
            "its cause stands; the rest is Never Synced and waits for Sync Past Events.",
        ),
        Deed(
            BulkDeed.Kind.ADOPT,
            "Adopt",
            "adopted",
            "ordered the adoption of entries",
            "ledger.adopt_posting",
            _can_be_adopted,
            _not_adopted,
            "Each is looked up over there. An entry that says the same becomes this event's, and nothing is sent; one "
            "that differs is left in Error, with the difference named.",
            asks_the_books=True,
        ),
    )
}


def _of_the_till(rows: Rows, book: Book) -> Rows:
    return _failed(rows, book).filter(cause__in=AT_THE_TILL)


def _not_of_the_till(rows: Rows, book: Book) -> list[Pass]:
    others = _failed(rows, book).exclude(cause__in=AT_THE_TILL)
    return [
        ("Your accountant has to act first; there is nothing to do for you", others),
        ("Nothing is wrong with them; there is nothing to do", rows.exclude(state=SyncState.ERROR)),
    ]


_RETRY_OF_A_STORE = replace(
    DEEDS[BulkDeed.Kind.RETRY],
    done="read again",
    touches=_of_the_till,
    passes=_not_of_the_till,
    promise="Each document is read again at the till, and goes on by itself if it was mended there. "
    "One that was not mended stays as it is.",
)


def deed_of(kind: str, person: Person) -> Deed:
    """A deed as this person does it: a manager of some stores mends documents at the till, the accountant the rest."""
    return _RETRY_OF_A_STORE if kind == BulkDeed.Kind.RETRY and is_store_manager(person) else DEEDS[kind]


def deeds_of(person: Person) -> list[Deed]:
    """The deeds that this person may do."""
    return [deed_of(kind, person) for kind, deed in DEEDS.items() if may(person, deed.permission)]


def deeds_on(cause: str, person: Person) -> list[Deed]:
    """The deeds that this person may do to all events which one cause holds in Error, the likeliest cure first."""
    kinds = [BulkDeed.Kind.SET_ASIDE]
    if cause not in {flaw.cause for flaw in BY_HAND}:
        kinds.insert(0, BulkDeed.Kind.RETRY)
    if cause == ForeignEntry.code:
        kinds.insert(0, BulkDeed.Kind.ADOPT)
    helpful = [DEEDS[kind] for kind in kinds if cause in AT_THE_TILL or not is_store_manager(person)]
    return [deed_of(deed.kind, person) for deed in helpful if may(person, deed.permission)]
