"""What the database itself refuses, on both engines, whoever asks and however."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from threading import Thread

import pytest
from django.db import DatabaseError, connection, transaction
from django.db.models import QuerySet

from ledger import guards
from ledger.audit import note
from ledger.journal import booking, recording
from ledger.models import Account, AuditRecord, Book, JournalEntry, JournalLine, Posting, Source
from ledger.terms import DeliveryState
from mappings.table import MappingTable
from tests.trade import reading, sale

ENTRY, LINE = guards.ENTRY, guards.LINE


@contextmanager
def refused(words: str) -> Iterator[None]:
    """The database refuses, and the transaction goes on."""
    with pytest.raises(DatabaseError, match=words), transaction.atomic():
        yield


@pytest.fixture
def entry(source: Source, started: Book, mapping: MappingTable) -> JournalEntry:
    """A sealed entry of one sale: cash and sales 20.00, cost and stock 8.00."""
    recording.record(source, [reading(sale(at=started.sync_started_at))])
    booking.book_next(started, mapping)
    return JournalEntry.objects.get()


@pytest.fixture
def unsealed(entry: JournalEntry) -> JournalEntry:
    """An entry that is still being written; its total says 5.00."""
    fields = {"book_id": entry.book_id, "posting_date": entry.posting_date, "currency": "USD"}
    return JournalEntry.objects.create(
        reference="HR-T1", total=Decimal("5.00"), created_at=entry.created_at, request_key="k", **fields
    )


def add_line(entry: JournalEntry, *, debit: str = "0", credit: str = "0") -> JournalLine:
    amounts = {"debit": Decimal(debit), "credit": Decimal(credit)}
    like = JournalLine.objects.earliest("pk")
    shared = {"posting_id": like.posting_id, "account_id": like.account_id, "role": "sales", "why": "by hand"}
    return JournalLine.objects.create(entry=entry, **shared, **amounts)


def seal(entry: JournalEntry) -> int:
    return JournalEntry.objects.filter(pk=entry.pk).update(sealed=True)


def sql(statement: str, *values: int) -> int:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return cursor.rowcount


def test_an_entry_that_balances_is_sealed(unsealed: JournalEntry) -> None:
    add_line(unsealed, debit="5.00")
    add_line(unsealed, credit="5.00")
    assert seal(unsealed) == 1


def test_an_entry_whose_sides_differ_is_not_sealed(unsealed: JournalEntry) -> None:
    add_line(unsealed, debit="5.00")
    add_line(unsealed, credit="4.99")
    with refused("does not balance"):
        seal(unsealed)


def test_an_entry_of_one_line_is_not_sealed(unsealed: JournalEntry) -> None:
    add_line(unsealed, debit="5.00")
    with refused("does not balance"):
        seal(unsealed)


def test_an_entry_without_lines_is_not_sealed(unsealed: JournalEntry) -> None:
    JournalEntry.objects.filter(pk=unsealed.pk).update(total=0)
    with refused("does not balance"):
        seal(unsealed)


def test_an_entry_whose_total_is_not_its_debits_is_not_sealed(unsealed: JournalEntry) -> None:
    add_line(unsealed, debit="4.00")
    add_line(unsealed, credit="4.00")
    with refused("does not balance"):
        seal(unsealed)


def test_one_unbalanced_entry_among_many_stops_the_update_that_seals_them_all(unsealed: JournalEntry) -> None:
    good = JournalEntry.objects.get(pk=unsealed.pk)
    good.pk, good.reference = None, "HR-T2"
    good.save()
    add_line(good, debit="5.00")
    add_line(good, credit="5.00")
    with refused("does not balance"):
        JournalEntry.objects.filter(pk__in=[good.pk, unsealed.pk]).update(sealed=True)
    assert not JournalEntry.objects.filter(pk=good.pk, sealed=True).exists()


def test_an_entry_is_not_born_sealed(entry: JournalEntry) -> None:
    with refused("born unsealed"):
        JournalEntry.objects.create(
            book_id=entry.book_id,
            reference="HR-T1",
            posting_date=entry.posting_date,
            currency="USD",
            total=0,
            created_at=entry.created_at,
            sealed=True,
        )


def test_a_sealed_entry_stays_sealed(entry: JournalEntry) -> None:
    JournalEntry.objects.filter(pk=entry.pk).update(state=DeliveryState.DISCARDED)
    with refused("stays sealed"):
        JournalEntry.objects.filter(pk=entry.pk).update(sealed=False)


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("reference", "HR-T9"),
        ("kind", "supplementary"),
        ("posting_date", "2011-01-01"),
        ("currency", "EUR"),
        ("total", Decimal("1.00")),
    ],
)
def test_what_a_sealed_entry_says_does_not_change(entry: JournalEntry, column: str, value: object) -> None:
    with refused("does not change"):
        JournalEntry.objects.filter(pk=entry.pk).update(**{column: value})


def test_a_sealed_entry_does_not_move_to_another_book(entry: JournalEntry) -> None:
    other = Book.objects.create(name="Another company")
    with refused("does not change"):
        JournalEntry.objects.filter(pk=entry.pk).update(book=other)


def test_the_delivery_of_a_sealed_entry_goes_on(entry: JournalEntry) -> None:
    sending = JournalEntry.objects.filter(pk=entry.pk).update(state=DeliveryState.SENDING, owner="w", remote_id="7")
    assert sending == 1


def test_a_sealed_entry_is_not_deleted(entry: JournalEntry) -> None:
    Posting.objects.update(entry=None)
    with refused("not deleted"):
        sql(f"DELETE FROM {ENTRY} WHERE id = %s", entry.pk)
    assert JournalEntry.objects.filter(pk=entry.pk).exists()


def test_an_unsealed_entry_may_be_deleted(unsealed: JournalEntry) -> None:
    assert unsealed.delete()[0] == 1


UNDER: dict[str, Callable[[QuerySet[JournalLine]], object]] = {
    "an amount": lambda lines: lines.update(debit=1, credit=0),
    "an account": lambda lines: lines.update(account=Account.objects.exclude(lines__in=lines).earliest("pk")),
    "a reason": lambda lines: lines.update(why="because"),
    "a deletion": lambda lines: sql(f"DELETE FROM {LINE} WHERE id = %s", lines.get().pk),
}


@pytest.mark.parametrize("change", UNDER.values(), ids=UNDER)
def test_nothing_changes_under_a_sealed_entry(
    entry: JournalEntry, change: Callable[[QuerySet[JournalLine]], object]
) -> None:
    first = JournalLine.objects.filter(pk=entry.lines.earliest("pk").pk)
    with refused("under a sealed entry"):
        change(first)


def test_no_line_arrives_under_a_sealed_entry(entry: JournalEntry) -> None:
    with refused("under a sealed entry"):
        add_line(entry, debit="1.00")


def test_a_balanced_pair_of_lines_does_not_arrive_either(entry: JournalEntry) -> None:
    like = entry.lines.earliest("pk")
    shared = {"entry": entry, "posting_id": like.posting_id, "account_id": like.account_id, "role": "sales", "why": "x"}
    with refused("under a sealed entry"):
        JournalLine.objects.bulk_create([JournalLine(**shared, debit=1), JournalLine(**shared, credit=1)])


def test_a_line_moves_neither_out_of_a_sealed_entry_nor_into_one(entry: JournalEntry, unsealed: JournalEntry) -> None:
    loose = add_line(unsealed, debit="5.00")
    with refused("under a sealed entry"):
        JournalLine.objects.filter(pk=loose.pk).update(entry=entry)
    with refused("under a sealed entry"):
        entry.lines.update(entry=unsealed)


@pytest.mark.skipif("connection.vendor != 'sqlite'", reason="REPLACE is SQLite's")
def test_sqlites_replace_does_not_slip_a_line_under_a_sealed_entry(entry: JournalEntry, unsealed: JournalEntry) -> None:
    line = entry.lines.earliest("pk")
    moved = "(SELECT id, role, dimensions, 1, 0, text, why, account_id, %s, posting_id"
    columns = "(id, role, dimensions, debit, credit, text, why, account_id, entry_id, posting_id)"
    statement = f"REPLACE INTO {LINE} {columns} SELECT * FROM {moved} FROM {LINE} WHERE id = %s)"
    with refused("under a sealed entry"):
        sql(statement, unsealed.pk, line.pk)
    assert entry.lines.filter(pk=line.pk).exists()


@pytest.mark.skipif("connection.vendor != 'sqlite'", reason="REPLACE is SQLite's")
def test_sqlites_replace_does_not_overwrite_a_sealed_entry(entry: JournalEntry) -> None:
    columns = [str(field.column) for field in JournalEntry._meta.concrete_fields]
    instead = {"sealed": "0", "state": "'discarded'"}
    values = [instead.get(column, column) for column in columns]
    statement = f"REPLACE INTO {ENTRY} ({', '.join(columns)}) SELECT {', '.join(values)} FROM {ENTRY} WHERE id = %s"
    with refused("not deleted"):
        sql(statement, entry.pk)


@pytest.mark.parametrize("amounts", [{"debit": "0"}, {"debit": "-1"}, {"debit": "1", "credit": "1"}, {"credit": "-1"}])
def test_a_line_has_exactly_one_side_above_zero(unsealed: JournalEntry, amounts: dict[str, str]) -> None:
    with refused("line_has_one_side"):
        add_line(unsealed, **amounts)


def test_the_audit_is_append_only(book: Book) -> None:
    note(None, "tested", book)
    with refused("append-only"):
        AuditRecord.objects.update(deed="nothing")
    with refused("append-only"):
        AuditRecord.objects.all().delete()
    assert AuditRecord.objects.get().deed == "tested"


@pytest.mark.skipif("connection.vendor != 'postgresql'", reason="SQLite has no TRUNCATE")
@pytest.mark.parametrize("name", [LINE, ENTRY, guards.AUDIT])
def test_no_table_of_the_books_is_truncated(entry: JournalEntry, name: str) -> None:
    connection.check_constraints()
    with refused("append-only"):
        sql(f"TRUNCATE {name} CASCADE")


def test_every_guard_stands_after_the_migrations(db: None) -> None:
    assert guards.missing(connection) == set()


def test_a_missing_guard_is_named(db: None) -> None:
    on = f" ON {ENTRY}" if connection.vendor == "postgresql" else ""
    name = "guard_entry" if connection.vendor == "postgresql" else "guard_entry_seal"
    sql(f"DROP TRIGGER {name}{on}")
    assert guards.missing(connection) == {name}
    guards.install(connection)
    assert guards.missing(connection) == set()


@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif("connection.vendor != 'postgresql'", reason="SQLite has one writer at a time")
def test_a_line_that_comes_beside_a_seal_does_not_get_in(unsealed: JournalEntry) -> None:
    """Two real connections: the line waits for the seal, and is refused after it."""
    add_line(unsealed, debit="5.00")
    add_line(unsealed, credit="5.00")
    refusals: list[str] = []
    beside = Thread(target=_insert_beside, args=(unsealed, refusals))
    with transaction.atomic():
        seal(unsealed)
        beside.start()
        beside.join(timeout=0.7)
        assert beside.is_alive(), "the line did not wait for the entry it stands under"
    beside.join(timeout=10)
    assert refusals and "under a sealed entry" in refusals[0]
    assert unsealed.lines.count() == 2


def _insert_beside(entry: JournalEntry, refusals: list[str]) -> None:
    try:
        add_line(entry, debit="1.00")
    except DatabaseError as refusal:
        refusals.append(str(refusal))
    finally:
        connection.close()


@pytest.mark.django_db(transaction=True)
def test_the_flush_after_a_test_leaves_the_guards_standing(entry: JournalEntry) -> None:
    """The next test finds them again: see test_every_guard_stands_after_the_migrations."""
    assert entry.sealed and guards.missing(connection) == set()
