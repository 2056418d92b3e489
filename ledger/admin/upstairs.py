"""What the rooms above add to the pages of the core, which does not import them. They fill this in when they start.

A page asks; where nobody has filled anything in, it says a little less.
"""

from collections.abc import Callable, Iterable

from ledger.admin.happenings import Happening
from ledger.admin.scoping import Person, is_store_manager
from ledger.models import Book, Posting

Teller = Callable[[Posting, Person], Iterable[Happening]]

tellers: list[Teller] = []
"""Each adds what it knows to the story of a posting."""

links: dict[str, Callable[[str, Person], str]] = {}
"""By kind of subject, such as "integrations.connection": the address of its page, empty for who may not open it."""

_system: list[Callable[[Book], str]] = []
_words_of_a_store: list[Callable[[Posting], str]] = []


def name_systems_by(name: Callable[[Book], str]) -> None:
    """Who knows what the accounting system of a book is called."""
    _system[:] = [name]


def system_of(book: Book) -> str:
    """Such as "QuickBooks Online"."""
    known = _system[0](book) if _system else ""
    return known or "the accounting system"


def say_to_stores_by(words: Callable[[Posting], str]) -> None:
    """Who says an error without accounting."""
    _words_of_a_store[:] = [words]


def problem_of(posting: Posting, reader: Person) -> str:
    """Why an event is in Error; to a manager of some stores in words without accounting."""
    if is_store_manager(reader) and _words_of_a_store and posting.error:
        return _words_of_a_store[0](posting)
    return posting.error


def tell(teller: Teller) -> None:
    """Add a teller, once."""
    if teller not in tellers:
        tellers.append(teller)
