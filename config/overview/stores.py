"""The first page of a store manager: are all sales of the own stores done, and which ones wait for whom?"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import tzinfo

from django.db.models import Count

from config.overview.causes import Cause
from config.overview.money import Address, MoneyRow, money_rows
from config.overview.sums import Status, Sums, Tally
from integrations import remedies
from integrations.admin_views.standing import read_up_to
from integrations.admin_views.words import counted
from ledger.admin.scoping import Person, own_stores, visible
from ledger.models import Book, Posting, Store
from ledger.terms import SyncState

WORDS = {
    Status.NOT_SYNCED: "waiting for their turn",
    Status.PROCESSING: "being sent now",
    Status.NEVER_SYNCED: "that your accountant has not asked for",
    Status.SET_ASIDE: "set aside by your accountant",
}
"""What is not done and needs nobody at the store."""
UNFED = "of stores that no longer belong to these accounts"
NAMED = 6
"""So many stores are called by their names."""


@dataclass(frozen=True)
class Note:
    """Sales of the own stores that wait, and the list of them."""

    number: str
    words: str
    link: str


@dataclass(frozen=True)
class StoreLine:
    """The own stores in one book."""

    book: Book
    notes: tuple[Note, ...]
    read_up_to: str
    money: list[MoneyRow]
    failed_link: str


@dataclass(frozen=True)
class OwnStores:
    """`yours`: how many sales the person mends at the till; `link`: what to do about them."""

    names: str
    headline: str
    yours: int
    link: str


@dataclass(frozen=True)
class Failed:
    """Sales in Error: those the person mends, each once and by book, and those of somebody else by book."""

    yours: int
    mine: Mapping[int, int]
    theirs: Mapping[int, int]


def failed(books: Sequence[Book], *, person: Person) -> Failed:
    """Asked of the sales themselves: one that waits in two books is one, and no alert may tell of it yet."""
    rows = visible(Posting.objects.filter(book__in=books, state=SyncState.ERROR), to=person).order_by()
    counts = list(rows.values_list("book_id", "cause").annotate(n=Count("pk")))
    own = {cause for _, cause, _ in counts if remedies.is_a_stores(cause)}
    yours = rows.filter(cause__in=own).aggregate(n=Count("event", distinct=True))["n"] if own else 0
    mine, theirs = Counter[int](), Counter[int]()
    for book, cause, number in counts:
        (mine if cause in own else theirs)[book] += number
    return Failed(yours, mine, theirs)


def line(
    book: Book, sums: Sums, found: Sequence[Cause], failed: Failed, *, address: Address, zone: tzinfo
) -> StoreLine:
    """What waits there, but for what the person mends: that is listed by cause."""
    known = sums.in_all.get(book.pk, {})
    theirs = max(failed.theirs.get(book.pk, 0), known.get(Status.ERROR, 0) - failed.mine.get(book.pk, 0))
    link = address(state=Status.ERROR.value)
    told = any(cause.book_id == book.pk and not cause.is_a_stores for cause in found)
    where = "#causes" if told else link
    notes = [Note(counted(theirs, "sale"), "for your accountant to deal with", where)] if theirs else []
    notes += _waiting(known, sums.aside.unfed.get(book.pk, Tally()).events, address)
    money = money_rows(book, sums, address=address)
    return StoreLine(book, tuple(notes), read_up_to(book, zone=zone), money, link)


def _waiting(known: Mapping[Status, int], unfed: int, address: Address) -> list[Note]:
    """`unfed`: how many Daybook itself set aside."""
    numbers = {status: known.get(status, 0) - (unfed if status is Status.SET_ASIDE else 0) for status in WORDS}
    notes = [
        Note(counted(numbers[status], "sale"), words, address(state=status.value))
        for status, words in WORDS.items()
        if numbers[status] > 0
    ]
    if unfed and Status.SET_ASIDE in known:
        notes.append(Note(counted(unfed, "sale"), UNFED, address(state=Status.SET_ASIDE.value)))
    return notes


def own(
    found: Sequence[Cause], failed: Failed, lines: Sequence[StoreLine], *, is_behind: bool, person: Person
) -> OwnStores:
    """The one sentence above everything. While figures are behind, nobody knows that all is done."""
    waits = is_behind or any(one.notes for one in lines)
    links = ["#causes"] if any(cause.is_a_stores for cause in found) else []
    links += [one.failed_link for one in lines if failed.mine.get(one.book.pk)]
    return OwnStores(_names(person), _headline(failed.yours, waits=waits), failed.yours, next(iter(links), ""))


def _headline(yours: int, *, waits: bool) -> str:
    if yours:
        return f"{counted(yours, 'sale')} {'needs' if yours == 1 else 'need'} you"
    return "Nothing for you to do" if waits else "All sales of your stores are done"


def _names(person: Person) -> str:
    names = list(Store.objects.filter(pk__in=own_stores(person) or ()).order_by("name").values_list("name", flat=True))
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return ", ".join(names[:NAMED]) + more
