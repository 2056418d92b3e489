"""The table of what is tried again says of each class of error what the engine does with it."""

from collections.abc import Iterator

import pytest

from integrations import patience, sending
from integrations.models import Connection
from ledger.errors import DaybookError, Refused
from ledger.journal.telling import needs_a_person
from ledger.models import Book

NOT_AN_EVENTS = {DaybookError, Refused}
"""The root of the tree, and what a person asked for and cannot be done."""


@pytest.fixture
def connection(book: Book) -> Connection:
    return Connection.objects.create(vendor="quickbooks", book=book)


def kinds(parent: type[DaybookError]) -> Iterator[type[DaybookError]]:
    yield parent
    for child in parent.__subclasses__():
        if child.__module__.startswith("ledger."):
            yield from kinds(child)


def test_every_class_of_error_stands_in_one_row(connection: Connection) -> None:
    told = [kind for row in patience.table(connection) for kind in row.kinds]
    assert len(told) == len(set(told))
    assert set(told) == set(kinds(DaybookError)) - NOT_AN_EVENTS


def test_what_is_tried_without_end_never_needs_a_person(connection: Connection) -> None:
    endless = [kind for row in patience.table(connection) if row.most == "Without end" for kind in row.kinds]
    assert endless and not any(needs_a_person(kind("It waits.")) for kind in endless)


def test_the_numbers_are_those_in_use(connection: Connection) -> None:
    connection.settle_seconds = 700
    told = " ".join(f"{row.again} {row.most}" for row in patience.table(connection))
    assert "after 700 seconds" in told and f"{sending.MOST_SENDS} times" in told
