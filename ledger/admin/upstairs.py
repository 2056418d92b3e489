"""What the rooms above add to the pages of the core, which does not import them. They fill this in when they start.

A page asks; where nobody has filled anything in, it says a little less.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import tzinfo

from django.db.models import Q

from ledger.admin.happenings import Happening
from ledger.admin.scoping import Person, is_store_manager, own_stores
from ledger.models import AuditRecord, Book, JournalEntry, JournalLine, Posting, Store
from ledger.moments import zone_of, zone_of_house

Teller = Callable[[Posting, Person], Iterable[Happening]]


@dataclass(frozen=True)
class Touched:
    """The events that a deed was done to: the first of them, how many in all, and the address of the whole list."""

    first: tuple[Posting, ...]
    count: int
    address: str

    @property
    def others(self) -> int:
        """How many are not among the first."""
        return max(self.count - len(self.first), 0)


Mapper = Callable[[Sequence[JournalLine], JournalEntry], dict[int, AuditRecord]]

tellers: list[Teller] = []
"""Each adds what it knows to the story of a posting."""

links: dict[str, Callable[[str, Person], str]] = {}
"""By kind of subject, such as "integrations.connection": the address of its page, empty for who may not open it."""

deeds_on_many: list[Callable[[Sequence[Posting]], Q]] = []
"""Each names the audit records of deeds that were done to one of these events among others."""

_touched: list[Callable[[AuditRecord, Person], Touched | None]] = []
_mapper: list[Mapper] = []
_clock: list[Callable[[Person], tzinfo | None]] = []
_system: list[Callable[[Book], str]] = []
_pages_of_books: list[Callable[[Sequence[Book], Person], dict[int, str]]] = []
_words_of_a_store: list[Callable[[Posting], str]] = []
_waits: list[Callable[[Book], str]] = []


def name_systems_by(name: Callable[[Book], str]) -> None:
    """Who knows what the accounting system of a book is called."""
    _system[:] = [name]


def system_of(book: Book) -> str:
    """Such as "QuickBooks Online"."""
    known = _system[0](book) if _system else ""
    return known or "the accounting system"


def name_pages_of_books_by(pages: Callable[[Sequence[Book], Person], dict[int, str]]) -> None:
    """Who knows where the sync of a book stands."""
    _pages_of_books[:] = [pages]


def pages_of_books(books: Sequence[Book], reader: Person) -> dict[int, str]:
    """By the id of a book: the address where its sync stands; without those whom the reader may not open."""
    return _pages_of_books[0](books, reader) if _pages_of_books and books else {}


def say_to_stores_by(words: Callable[[Posting], str]) -> None:
    """Who says an error without accounting."""
    _words_of_a_store[:] = [words]


def problem_of(posting: Posting, reader: Person) -> str:
    """Why an event is in Error; to a manager of some stores in words without accounting."""
    if is_store_manager(reader) and _words_of_a_store and posting.error:
        return _words_of_a_store[0](posting)
    return posting.error


def say_waits_by(waits: Callable[[Book], str]) -> None:
    """Who knows why nothing of a book moves."""
    _waits[:] = [waits]


def wait_of(book: Book) -> str:
    """What the events of a book that are due wait for, in one sentence."""
    return _waits[0](book) if _waits else ""


def tell(teller: Teller) -> None:
    """Add a teller, once."""
    if teller not in tellers:
        tellers.append(teller)


def tell_touched_by(touched: Callable[[AuditRecord, Person], Touched | None]) -> None:
    """Who knows the events of a deed on many."""
    _touched[:] = [touched]


def touched_by(record: AuditRecord, reader: Person) -> Touched | None:
    """The events that a deed on many was done to; None for any other deed."""
    return _touched[0](record, reader) if _touched else None


def say_who_mapped_by(mapper: Mapper) -> None:
    """Who can tell which deed chose the account of a line."""
    _mapper[:] = [mapper]


def who_mapped(lines: Sequence[JournalLine], entry: JournalEntry) -> dict[int, AuditRecord]:
    """By the id of a line: the deed that had chosen its account when it was booked, where the audit tells."""
    return _mapper[0](lines, entry) if _mapper else {}


def read_clocks_by(clock: Callable[[Person], tzinfo | None]) -> None:
    """Who knows in which zone a reader lives."""
    _clock[:] = [clock]


def zone_of_reader(reader: Person) -> tzinfo:
    """In whose time somebody reads what concerns no one store or book. Read once for each request's person.

    The one that the person has chosen; else of a store manager's first own store; else of the house.
    """
    if "_zone" not in reader.__dict__:
        reader.__dict__["_zone"] = (_clock[0](reader) if _clock else None) or _zone_of_stores(reader)
    zone: tzinfo = reader.__dict__["_zone"]
    return zone


def _zone_of_stores(reader: Person) -> tzinfo:
    own = own_stores(reader)
    return zone_of_house() if own is None else zone_of(Store.objects.filter(pk__in=own).order_by("pk").first())
