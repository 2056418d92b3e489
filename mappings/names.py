"""What people write and the codes, stores and accounts it stands for, in one book: both ways, without ambiguity."""

from collections import defaultdict
from collections.abc import Iterable

from django.db.models import Q

from ledger.models import Account, Book, Store
from ledger.terms import Dimension
from mappings.models import Mapping
from mappings.table import dimension_names


class Unknown(ValueError):
    """A text that stands for nothing here, or for several things; says which and what to do."""


class Known:
    """The values, stores and accounts of one book, read once."""

    def __init__(self, book: Book, *, rows: Iterable[Mapping], accounts: bool = True) -> None:
        self._names: dict[Dimension, dict[str, str]] = defaultdict(dict)
        for (dimension, code), name in dimension_names(book).items():
            self._names[dimension][code] = name
        mapped = list(rows)
        for row in mapped:
            for dimension, code in row.selectors().items():
                name = row.store.name if dimension is Dimension.STORE and row.store else ""
                self._names[dimension].setdefault(code, name)
        self._codes = {dimension: _by_name(names) for dimension, names in self._names.items()}
        self.stores = {str(store.pk): store for store in _stores(book, mapped)}
        known = Account.objects.filter(book=book) if accounts else Account.objects.none()
        self._numbered: dict[str, list[Account]] = defaultdict(list)
        self._named: dict[str, list[Account]] = defaultdict(list)
        for account in known:
            self._named[_plain(account.full_name)].append(account)
            if account.number:
                self._numbered[account.number.strip()].append(account)

    # --- Values and stores ------------------------------------------------------------------------

    def said(self, dimension: Dimension, code: str) -> str:
        """What a person reads for a code; `code` reads it back."""
        name = self._names[dimension].get(code, "")
        for text in (name.strip(), f"{name.strip()} [{code}]"):
            if text and self._stands_for(dimension, text) == code:
                return text
        return f"[{code}]"

    def called(self, dimension: Dimension, code: str) -> str:
        """The name of a value in a sentence; its code where it has none."""
        return self._names[dimension].get(code, "") or code

    def code(self, dimension: Dimension, text: str) -> str:
        """The code that a text stands for. Raises Unknown."""
        found = self._stands_for(dimension, text.strip())
        if found is not None:
            return found
        several = self._codes.get(dimension, {}).get(_plain(text), [])
        what = dimension.replace("_", " ")
        if len(several) > 1:
            written = " or ".join(repr(self.said(dimension, code)) for code in several)
            raise Unknown(f"there are {len(several)} {what} values named {text!r}; write {written}")
        raise Unknown(f"there is no {what} {text!r}")

    def coded(self, dimension: Dimension, text: str) -> str:
        """The same for a column that holds codes; what is not known by name in any till is taken as it stands."""
        if text in self._names[dimension] or dimension in (Dimension.CATEGORY, Dimension.REASON):
            return text
        return self.code(dimension, text)

    def _stands_for(self, dimension: Dimension, text: str) -> str | None:
        names = self._names[dimension]
        if text.startswith("[") and text.endswith("]") and text[1:-1] in names:
            return text[1:-1]
        if text.endswith("]"):
            ends = (text[place + 1 : -1] for place, letter in enumerate(text) if letter == "[")
            if code := next((end for end in ends if end in names), None):
                return code
        same = self._codes.get(dimension, {}).get(_plain(text), [])
        if len(same) == 1:
            return same[0]
        # Nobody knows a store by our own key.
        return text if not same and text in names and dimension is not Dimension.STORE else None

    # --- Accounts ---------------------------------------------------------------------------------

    def account(self, number: str, name: str, *, standing: Account | None) -> Account:
        """The account by its number, its full name, or both; the one that stands there already is preferred.

        Raises Unknown for none, for several, and where number and name do not belong to one account.
        """
        said = f"{number} {name}".strip()
        if not said:
            raise Unknown("no account is named; a row is emptied on the screen, not by a file")
        found = self._found(number, name)
        if not found:
            raise Unknown(f"there is no account {said!r}")
        if standing in found:
            return standing
        usable = [account for account in found if account.active and not account.deleted_at] or found
        if len(usable) > 1:
            raise Unknown(f"there are {len(usable)} accounts {said!r}; {_what_tells_them_apart(number, usable)}")
        return usable[0]

    def _found(self, number: str, name: str) -> list[Account]:
        """The accounts of this number, of this name, or of both. Raises Unknown where the two disagree."""
        numbered = self._numbered.get(number) or self._numbered.get(number.removesuffix(".0"), []) if number else []
        named = self._named.get(_plain(name), []) if name else []
        both = [account for account in numbered if account in named]
        if both or not (number and name and (numbered or named)):
            return both or numbered or named
        if not named:
            raise Unknown(
                f"the number {number} belongs to {numbered[0]}, not to {name!r}; correct one or leave it empty"
            )
        if not numbered:
            own = f"the number {named[0].number}" if named[0].number else "no number"
            raise Unknown(f"no account has the number {number}; {name!r} has {own}; correct it or leave it empty")
        raise Unknown(f"the number {number} belongs to {numbered[0]}, the name to another account; leave one empty")


def _what_tells_them_apart(number: str, accounts: Iterable[Account]) -> str:
    """What the row should say as well; where nothing would help, the screen lists them one by one."""
    alike = {(account.number, _plain(account.full_name)) for account in accounts}
    if len(alike) == 1:
        return "choose one on the screen"
    return "give the name as well" if number else "give the number as well"


def _by_name(names: dict[str, str]) -> dict[str, list[str]]:
    codes: dict[str, list[str]] = defaultdict(list)
    for code, name in names.items():
        if name.strip():
            codes[_plain(name)].append(code)
    return codes


def _plain(text: str) -> str:
    """A name without what people do not see: case and repeated spaces."""
    return " ".join(text.split()).casefold()


def _stores(book: Book, rows: Iterable[Mapping]) -> Iterable[Store]:
    mapped = {row.store_id for row in rows if row.store_id}
    return Store.objects.filter(Q(source__feeds__book=book) | Q(pk__in=mapped)).distinct()
