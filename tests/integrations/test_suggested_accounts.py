"""Suggested accounts are created in QuickBooks once each, whatever is lost on the way; then the mapping is filled."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User

from integrations import accounts_creating, limiter, tasks, vendors
from integrations.accounts_creating import CREATED, FOUND, REFUSED, UNKNOWN, WAITING, Wanted
from integrations.models import AccountCreation, AccountImport, CallLog, Connection, Lease
from ledger.clock import database_now
from ledger.errors import AuthExpired, RateLimited, Refused, Unreachable
from ledger.journal.booking import new_key
from ledger.models import Account, AuditRecord, Book, Feed
from ledger.terms import AccountType, Role
from ledger.values import NewAccount, RemoteAccount
from mappings import coverage
from mappings.models import Mapping
from mappings.suggesting import suggestions
from tests.sandbox_fixture import Sandbox
from tests.trade import new_id


@pytest.fixture
def fed(quickbooks: Connection, feed: Feed) -> Connection:
    """QuickBooks connected; the till's values are known, nothing is imported or mapped."""
    return quickbooks


def wanted(
    name: str = "", *, places: Any = (), kind: AccountType = AccountType.INCOME, role: Role = Role.SALES
) -> Wanted:
    return Wanted(name or f"Sales - {new_id()}", kind, role, places=places)


def ordered(
    connection: Connection, *accounts: Wanted, fill: bool = False, actor: User | None = None
) -> AccountCreation:
    return accounts_creating.order(connection, accounts, fill=fill, actor=actor)


def run(order: AccountCreation) -> str:
    said = tasks.create_accounts(order.pk)
    order.refresh_from_db()
    return said


def states(order: AccountCreation) -> list[str]:
    order.refresh_from_db()
    return [row["state"] for row in order.rows]


def there(connection: Connection, name: str) -> int:
    return sum(account.full_name == name for account in vendors.accounting(connection).accounts())


def settled(order: AccountCreation) -> None:
    """The time to settle has passed."""
    for row in order.rows:
        row["sent_at"] = row["sent_at"] and (database_now() - timedelta(minutes=5)).isoformat()
    order.save()


def every_suggestion(book: Book) -> Iterator[Wanted]:
    for one in suggestions(book):
        places = [(slot.role.value, slot.value) for slot in one.open]
        yield Wanted(f"{one.name} {new_id()}"[:100], one.type, one.role, places=places)


def test_every_account_that_a_book_needs_is_created_and_the_mapping_filled(fed: Connection, admin_user: User) -> None:
    book = Book.objects.get()
    all_of_them = list(every_suggestion(book))
    order = ordered(fed, *all_of_them, fill=True, actor=admin_user)
    assert run(order) == "Done." and not order.problem
    assert set(states(order)) == {CREATED} and len(order.rows) == len(all_of_them) > 15
    assert coverage.missing(book) == [] and order.filled > 25
    assert Account.objects.filter(book=book, full_name=all_of_them[0].name).exists()
    assert AccountImport.objects.filter(connection=fed, problem="", ended_at__isnull=False).exists()
    deeds = set(AuditRecord.objects.filter(actor=admin_user).values_list("deed", flat=True))
    assert {"ordered new accounts", "created accounts", "changed the mapping"} <= deeds


def test_without_the_tick_the_mapping_stays_open(fed: Connection) -> None:
    run(ordered(fed, wanted(places=[("sales", "1")])))
    assert not Mapping.objects.exists()


def test_what_was_mapped_meanwhile_stays(fed: Connection) -> None:
    order = ordered(fed, wanted(places=[("sales", "1")]), fill=True)
    tasks.import_accounts(AccountImport.objects.create(connection=fed).pk)
    mine = Account.objects.filter(type="income", active=True).first()
    assert mine is not None
    Mapping.objects.create(book=Book.objects.get(), role="sales", item_class="1", account=mine)
    run(order)
    assert Mapping.objects.get(role="sales", item_class="1").account == mine and order.filled == 0


def test_an_account_of_that_name_is_taken_and_not_doubled(fed: Connection) -> None:
    one = wanted()
    run(ordered(fed, one))
    again = ordered(fed, one)
    run(again)
    assert states(again) == [FOUND] and there(fed, one.name) == 1


def test_one_of_another_type_is_told(fed: Connection) -> None:
    order = ordered(fed, wanted("Checking"))
    run(order)
    assert states(order) == [REFUSED] and "of type bank. Choose another name" in order.rows[0]["sentence"]


@pytest.mark.parametrize("fault", ["quickbooks.drop_answer"])
def test_a_lost_answer_is_looked_up_and_never_doubled(sandbox: Sandbox, fed: Connection, fault: str) -> None:
    one = wanted()
    order = ordered(fed, one)
    with sandbox.fault(fault, times=1, only="write"):
        assert run(order) == "Some accounts are looked up later."
    assert states(order) == [UNKNOWN] and order.ended_at is None
    run(order)
    assert states(order) == [CREATED] and order.ended_at and there(fed, one.name) == 1


def test_what_was_not_booked_is_sent_again_only_after_the_time_to_settle(
    fed: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = wanted()
    order = ordered(fed, one)
    order.rows[0] |= {"state": UNKNOWN, "sent_at": database_now().isoformat()}
    order.save()
    run(order)
    assert states(order) == [UNKNOWN] and there(fed, one.name) == 0
    settled(order)
    run(order)
    assert states(order) == [CREATED] and there(fed, one.name) == 1


def test_while_nobody_answers_nothing_is_lost(fed: Connection, settings: Any) -> None:
    order = ordered(fed, wanted())
    urls = settings.VENDOR_URLS
    settings.VENDOR_URLS = {**urls, "quickbooks": "http://127.0.0.1:9"}
    run(order)
    assert states(order) == [WAITING] and order.ended_at is None
    settings.VENDOR_URLS = urls
    CallLog.objects.all().delete()
    run(order)
    assert states(order) == [CREATED]


def test_after_a_day_it_is_given_up_and_says_so(fed: Connection, settings: Any) -> None:
    order = ordered(fed, wanted())
    AccountCreation.objects.update(ordered_at=database_now() - timedelta(days=2))
    settings.VENDOR_URLS = {**settings.VENDOR_URLS, "quickbooks": "http://127.0.0.1:9"}
    run(order)
    assert order.ended_at and "within a day" in order.problem


def test_a_second_order_waits_for_the_first(fed: Connection) -> None:
    ordered(fed, wanted())
    with pytest.raises(Refused, match="already"):
        ordered(fed, wanted())


def test_a_book_that_is_not_connected_creates_nothing(book: Book) -> None:
    connection = Connection.objects.create(vendor="quickbooks", book=book)
    with pytest.raises(Refused, match="not connected"):
        ordered(connection, wanted())


def test_the_sweep_wakes_what_a_lost_message_left_lying(
    fed: Connection, woken: list[tuple[Any, ...]], django_capture_on_commit_callbacks: Any
) -> None:
    order = ordered(fed, wanted())
    with django_capture_on_commit_callbacks(execute=True):
        tasks.sweep()
    assert ("integrations.tasks.create_accounts", order.pk) in woken


# --- Another worker at it -------------------------------------------------------------------------


class Slow:
    """The books of a worker that is held up: something happens after it has read the chart, or during its call."""

    def __init__(self, connection: Connection, *, chart: Any = None, call: Any = None) -> None:
        self.books = vendors.accounting(connection)
        self.after_chart, self.in_call = chart, call

    def accounts(self) -> Iterator[RemoteAccount]:
        yield from list(self.books.accounts())
        meanwhile, self.after_chart = self.after_chart, None
        if meanwhile:
            meanwhile()

    def create_account(self, wanted: NewAccount, **how: Any) -> RemoteAccount:
        created = self.books.create_account(wanted, **how)
        meanwhile, self.in_call = self.in_call, None
        if meanwhile:
            meanwhile()
        return created


def slowly(monkeypatch: pytest.MonkeyPatch, slow: Slow) -> None:
    """The next worker has the slow books, the one after it those of everybody."""
    real, given = vendors.accounting, iter([slow])
    monkeypatch.setattr(vendors, "accounting", lambda connection: next(given, None) or real(connection))


def overtaken(order: AccountCreation) -> Callable[[], None]:
    """The lease runs out and another worker takes it up."""

    def by_another() -> None:
        Lease.objects.filter(name__startswith="accounts:").update(until=database_now() - timedelta(seconds=1))
        tasks.create_accounts(order.pk)

    return by_another


def test_a_worker_that_was_overtaken_leaves_what_the_other_one_did(
    fed: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = wanted(), wanted()
    order = ordered(fed, first, second)
    slowly(monkeypatch, Slow(fed, chart=overtaken(order)))
    assert run(order) == "Another worker is at it."
    assert states(order) == [CREATED, CREATED] and order.ended_at
    assert [there(fed, one.name) for one in (first, second)] == [1, 1]
    assert AuditRecord.objects.filter(deed="created accounts").count() == 1


def test_an_answer_that_comes_after_the_lease_was_lost_is_not_written(
    fed: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = ordered(fed, one := wanted())
    slowly(monkeypatch, Slow(fed, call=overtaken(order)))
    assert run(order) == "Another worker is at it."
    assert states(order) == [CREATED] and there(fed, one.name) == 1
    assert AuditRecord.objects.filter(deed="created accounts").count() == 1


def test_a_name_that_was_taken_meanwhile_is_looked_up_when_only_one_call_may_be_under_way(
    fed: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limiter, "LONGEST_WAIT", 0.0)
    Connection.objects.filter(pk=fed.pk).update(in_flight=1)
    fed.refresh_from_db()
    order, made = ordered(fed, one := wanted()), NewAccount(one.name, one.type, one.role, new_key())
    slowly(monkeypatch, Slow(fed, chart=lambda: vendors.accounting(fed).create_account(made)))
    run(order)
    assert states(order) == [CREATED] and there(fed, one.name) == 1


def test_rows_that_another_worker_has_ended_are_not_written_over(
    fed: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = ordered(fed, wanted())
    order.rows[0] |= {"state": UNKNOWN, "sent_at": database_now().isoformat()}
    order.save()

    def answered() -> None:
        rows = [order.rows[0] | {"state": CREATED, "account": "1"}]
        AccountCreation.objects.filter(pk=order.pk).update(rows=rows, ended_at=database_now())

    slowly(monkeypatch, Slow(fed, chart=answered))
    run(order)
    assert states(order) == [CREATED]


def test_the_lease_is_kept_while_a_long_chart_is_read_and_before_each_call(fed: Connection) -> None:
    order = ordered(fed, wanted(), wanted())
    kept: list[str] = []
    accounts_creating.run(order, keep=lambda: kept.append(states(order)[0]))
    assert kept[:2] == [WAITING, WAITING] and len(kept) >= 1 + 2 * len(order.rows) + 1


@pytest.mark.parametrize("error", [Unreachable("No."), RateLimited("Wait."), AuthExpired("Connect again.")])
def test_what_was_sent_before_stays_so_when_sending_it_again_fails(
    fed: Connection, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    order = ordered(fed, one := wanted())
    long_ago = (database_now() - timedelta(minutes=5)).isoformat()
    order.rows[0] |= {"state": UNKNOWN, "sent_at": long_ago}
    order.save()

    class Away(Slow):
        def create_account(self, wanted: NewAccount, **how: Any) -> RemoteAccount:
            raise error

    slowly(monkeypatch, Away(fed))
    run(order)
    assert (order.rows[0]["state"], order.rows[0]["sent_at"]) == (UNKNOWN, long_ago)
    if order.ended_at is None:
        made = NewAccount(one.name, one.type, one.role, order.rows[0]["request_key"])
        vendors.accounting(fed).create_account(made)  # the first sending came through late
        run(order)
        assert states(order) == [CREATED]


# --- An end with a problem ------------------------------------------------------------------------


def told(order: AccountCreation) -> dict[str, str]:
    """What the audit says became of each account."""
    after: dict[str, str] = AuditRecord.objects.get(deed="created accounts").after
    return after


def test_an_end_with_a_problem_names_in_the_audit_what_was_created(
    fed: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = wanted(places=[("sales", "1")]), wanted()
    order = ordered(fed, first, second, fill=True)

    class Expires(Slow):
        def create_account(self, wanted: NewAccount, **how: Any) -> RemoteAccount:
            if wanted.name == second.name:
                raise AuthExpired("The log-in has expired.")
            return super().create_account(wanted, **how)

    slowly(monkeypatch, Expires(fed))
    run(order)
    assert order.problem == "The log-in has expired." and states(order) == [CREATED, WAITING]
    assert told(order) == {first.name: "Created", second.name: "Waiting its turn"}
    assert Mapping.objects.get(role="sales", item_class="1").account.full_name == first.name and order.filled == 1


def test_after_a_day_what_was_created_is_imported_and_told(fed: Connection) -> None:
    first, second = wanted(), wanted()
    order = ordered(fed, first, second)
    order.rows[1] |= {"state": UNKNOWN, "sent_at": database_now().isoformat()}
    order.save()
    AccountCreation.objects.update(ordered_at=database_now() - timedelta(days=2))
    run(order)
    assert "within a day" in order.problem and Account.objects.filter(full_name=first.name).exists()
    assert told(order) == {first.name: "Created", second.name: "Sent, being looked up"}


def test_a_chart_that_cannot_be_read_again_still_ends_the_order_with_its_note(
    fed: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = ordered(fed, one := wanted())

    def expired(*_: Any) -> None:
        raise AuthExpired("The log-in has expired.")

    monkeypatch.setattr(accounts_creating.charts, "import_accounts", expired)
    run(order)
    assert order.ended_at and order.problem and told(order) == {one.name: "Created"}


def test_without_a_book_the_order_ends(fed: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    order = ordered(fed, one := wanted())
    order.connection.book = None
    accounts_creating.run(order, keep=lambda: None)
    order.refresh_from_db()
    assert order.ended_at and "no book" in order.problem and told(order) == {one.name: "Created"}
