"""Accounts that a person ordered to be created in the accounting system: each once, whatever is lost on the way.

Before anything is sent the whole chart is read and each name looked up in it; a row is written before its call; a row
without an answer is looked up until the time to settle has passed, and only then sent again under the same key. Who
lost the lease writes nothing more: the answer that another worker has won stays.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

from django.db import IntegrityError, transaction

from integrations import vendors
from integrations.leases import LeaseLost
from integrations.models import AccountCreation, AccountImport, Connection
from ledger.audit import Actor, note, person
from ledger.clock import database_now
from ledger.errors import (
    STUMBLES,
    AuthExpired,
    DaybookError,
    OutcomeUnknown,
    RateLimited,
    Refused,
    Rejected,
    Unreachable,
)
from ledger.journal import charts
from ledger.journal.booking import new_key
from ledger.models import Account, Book
from ledger.ports import AccountingSystem
from ledger.ports import Place as CallPlace
from ledger.terms import AccountType, Role
from ledger.values import NewAccount, RemoteAccount
from mappings import coverage, editing
from mappings.editing import Change, Place

WAITING, UNKNOWN, CREATED, FOUND, REFUSED = "waiting", "unknown", "created", "found", "refused"
FINAL = (CREATED, FOUND, REFUSED)
WORDS = {
    WAITING: "Waiting its turn",
    UNKNOWN: "Sent, being looked up",
    CREATED: "Created",
    FOUND: "Was there already",
    REFUSED: "Not created",
}
GIVE_UP = timedelta(days=1)
KEPT_EVERY = 100
"""While a chart comes, the lease is kept after so many accounts."""

TOO_LATE = "It did not come to an end within a day. Look in the accounting system, and order the rest anew."
NO_BOOK = "The connection serves no book any more."


@dataclass(frozen=True)
class Wanted:
    """An account as the person confirmed it. `places`: role and value of the mapping's places it is for.

    `there`: the id of an account that is in the chart already, where only the mapping is to be filled.
    """

    name: str
    type: AccountType
    role: Role
    number: str = ""
    places: Sequence[tuple[str, str]] = ()
    there: str = ""


def as_new(wanted: Wanted, *, request_key: str = "") -> NewAccount:
    return NewAccount(wanted.name, wanted.type, wanted.role, request_key, wanted.number)


def order(connection: Connection, wanted: Iterable[Wanted], *, fill: bool, actor: Actor) -> AccountCreation:
    """Write down what is to be created; a worker does it. Raises Refused."""
    rows = [_row(one) for one in wanted]
    names = [row["name"] for row in rows if row["state"] == WAITING]
    if connection.state != Connection.State.CONNECTED:
        raise Refused("The accounting system is not connected. Connect it first.")
    if not rows:
        raise Refused("No account is chosen. Nothing was ordered.")
    try:
        with transaction.atomic():
            ordered = AccountCreation.objects.create(
                connection=connection, ordered_by=person(actor), rows=rows, fill_mapping=fill
            )
            note(actor, "ordered new accounts", connection, after={"accounts": names, "fill the mapping": fill})
    except IntegrityError:
        raise Refused("Accounts are being created already. Wait until that is done.") from None
    return ordered


def _row(wanted: Wanted) -> dict[str, Any]:
    return {
        "name": wanted.name,
        "type": wanted.type.value,
        "role": wanted.role.value,
        "number": wanted.number,
        "places": [list(place) for place in wanted.places],
        "request_key": new_key(),
        "state": FOUND if wanted.there else WAITING,
        "sent_at": "",
        "account": wanted.there,
        "sentence": "",
    }


def run(order: AccountCreation, *, keep: Callable[[], None]) -> bool:
    """Create what is still waiting, then import the chart and fill the mapping. Whether it is over.

    `keep` keeps the lease, or raises LeaseLost, which is passed on: another worker is at it. Also raises Unreachable
    or RateLimited: nothing is lost, and the sweep wakes it again.
    """
    if order.started_at is None:
        order.started_at = database_now()
        order.save(update_fields=["started_at"])
    late = order.ordered_at < database_now() - GIVE_UP
    try:
        books = vendors.accounting(order.connection)
        _create(order, books, keep=keep)
        done = all(row["state"] in FINAL for row in order.rows)
        if done:
            _finish(order, _Kept(books, keep))
        if done or not late:
            return done
        problem = TOO_LATE
    except (Unreachable, RateLimited):
        if not late:
            raise
        problem = TOO_LATE
    except DaybookError as error:  # a person must connect again; what is there is found by its name next time
        problem = error.sentence
    _stop(order, problem, keep=keep)
    return True


class _Chart(Protocol):
    def accounts(self) -> Iterable[RemoteAccount]:
        """The whole chart."""


@dataclass(frozen=True)
class _Kept:
    """The chart of the books; the lease is kept while it comes."""

    books: AccountingSystem
    keep: Callable[[], None]

    def accounts(self) -> Iterator[RemoteAccount]:
        self.keep()
        for number, account in enumerate(self.books.accounts(), start=1):
            if number % KEPT_EVERY == 0:
                self.keep()
            yield account


def _create(order: AccountCreation, books: AccountingSystem, *, keep: Callable[[], None]) -> None:
    waiting = [row for row in order.rows if row["state"] not in FINAL]
    found = _Kept(books, keep).accounts() if waiting else ()
    chart = {account.full_name.casefold(): account for account in found}
    settle = vendors.settle(order.connection)
    for row in waiting:
        there = chart.get(row["name"].casefold())
        if there:
            _mark_found(row, there)
        elif not row["sent_at"] or datetime.fromisoformat(row["sent_at"]) + settle < database_now():
            _send(order, row, books, keep=keep)
        _write(order, keep=keep)


def _write(order: AccountCreation, *, keep: Callable[[], None]) -> None:
    """What became of the rows so far. Raises LeaseLost, and leaves what another worker has learned meanwhile."""
    with transaction.atomic():
        keep()  # in this transaction: nobody takes the lease before the rows are written
        _change(order, rows=order.rows)


def _change(order: AccountCreation, **columns: object) -> None:
    if not AccountCreation.objects.filter(pk=order.pk, ended_at=None).update(**columns):
        raise LeaseLost(f"{order} has ended already.")


def _mark_found(row: dict[str, Any], there: RemoteAccount) -> None:
    """An account of that name is there: ours from a call without an answer, or somebody's."""
    if there.type != row["type"] or not there.active:
        what = f"of type {there.type.replace('_', ' ')}" if there.active else "which is inactive"
        row |= {"state": REFUSED, "sentence": f"There is an account of this name, {what}. Choose another name."}
        return
    row |= {"state": CREATED if row["state"] == UNKNOWN else FOUND, "account": there.external_id, "sentence": ""}


def _send(order: AccountCreation, row: dict[str, Any], books: AccountingSystem, *, keep: Callable[[], None]) -> None:
    """One call, written down before it is made. What was surely not sent is as it was: it may have been sent before."""
    with vendors.limiter(order.connection).wait("request") as place:
        _send_now(order, row, books, place=place, keep=keep)


def _send_now(
    order: AccountCreation, row: dict[str, Any], books: AccountingSystem, *, place: CallPlace, keep: Callable[[], None]
) -> None:
    before = {"state": row["state"], "sent_at": row["sent_at"]}
    row |= {"state": UNKNOWN, "sent_at": database_now().isoformat()}
    _write(order, keep=keep)
    send_before = time.monotonic() + vendors.time_to_leave(order.connection)
    wanted = NewAccount(row["name"], AccountType(row["type"]), Role(row["role"]), row["request_key"], row["number"])
    try:
        created = books.create_account(wanted, send_before=send_before, place=place)
    except (Unreachable, RateLimited, AuthExpired):
        row |= before
        _write(order, keep=keep)
        raise
    except OutcomeUnknown as error:
        row["sentence"] = error.sentence
    except Rejected as error:
        row |= {"state": REFUSED, "sentence": " ".join(filter(None, (error.sentence, error.vendor_message)))}
    except DaybookError as error:
        row |= {"state": REFUSED, "sentence": error.sentence}
    except STUMBLES:
        row["sentence"] = "The answer could not be read. Daybook looks the account up before it sends anything again."
    else:
        row |= {"state": CREATED, "account": created.external_id, "sentence": ""}


def _finish(order: AccountCreation, books: _Chart) -> None:
    """The chart as it is now, then the places that the accounts were made for."""
    _mirror(order, books)
    _end(order)


def _stop(order: AccountCreation, problem: str, *, keep: Callable[[], None]) -> None:
    """End with a problem. What was made is imported and mapped nevertheless, when the books still answer."""
    if any(row["account"] for row in order.rows):
        with suppress(DaybookError):
            _mirror(order, _Kept(vendors.accounting(order.connection), keep))
    with transaction.atomic():
        keep()  # the rows need not be at their end: only who holds the lease knows them
        _end(order, problem=problem)


def _mirror(order: AccountCreation, books: _Chart) -> None:
    book = order.connection.book
    if book is None:
        return
    begun = database_now()
    count = charts.import_accounts(book, books.accounts())
    now = database_now()
    AccountImport.objects.create(
        connection=order.connection, ordered_by=order.ordered_by, started_at=begun, ended_at=now, accounts=count
    )


def _fill(book: Book, order: AccountCreation) -> int:
    """Places that still have no account get the one that was made for them; what was chosen meanwhile stays."""
    made = {(role, value): row["account"] for row in order.rows if row["account"] for role, value in row["places"]}
    accounts = {account.external_id: account for account in Account.objects.filter(book=book)}
    gaps = {(gap.slot.role.value, gap.slot.value) for gap in coverage.missing(book)}
    changes = [
        Change(place, accounts[made[place.key[:2]]])
        for place in editing.places(book)
        if _is_open(place, gaps) and made.get(place.key[:2]) in accounts
    ]
    fitting = [change for change in changes if not editing.refused(change.place, change.account)]
    return editing.save(book, fitting, actor=order.ordered_by)


def _is_open(place: Place, gaps: set[tuple[str, str]]) -> bool:
    if place.store is not None or place.mapping is not None:
        return False
    return place.key[:2] in gaps or place.role is Role.TIPS_PAYABLE


def _end(order: AccountCreation, *, problem: str = "") -> None:
    """The mapping filled, the end and its note, or nothing of it. Raises LeaseLost when it has ended already."""
    book = order.connection.book
    with transaction.atomic():
        order.ended_at, order.problem = database_now(), problem or ("" if book else NO_BOOK)
        order.filled = _fill(book, order) if book and order.fill_mapping else 0
        ended = {"ended_at": order.ended_at, "problem": order.problem, "filled": order.filled, "rows": order.rows}
        _change(order, **ended)
        done = {row["name"]: WORDS[row["state"]] for row in order.rows}
        note(order.ordered_by, "created accounts", order.connection, after=done)
