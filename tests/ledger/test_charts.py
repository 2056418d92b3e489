"""The mirror of a chart of accounts: every account once, deleted ones come back, vanished ones are inactive."""

from dataclasses import replace

import pytest

from ledger.journal import charts
from ledger.journal.orders import Refused
from ledger.models import Account, AuditRecord, Book
from ledger.values import RemoteAccount


def test_an_import_brings_every_account_once(
    book: Book, chart: dict[str, Account], remote_chart: list[RemoteAccount]
) -> None:
    assert charts.import_accounts(book, remote_chart) == len(remote_chart)
    assert Account.objects.filter(book=book).count() == len(remote_chart) == len(chart)


def test_a_deleted_account_comes_back_with_the_next_import(
    book: Book, chart: dict[str, Account], remote_chart: list[RemoteAccount]
) -> None:
    account = chart["Checking"]
    charts.delete_account(account, actor=None, used_by="")
    assert Account.objects.get(pk=account.pk).deleted_at is not None
    charts.import_accounts(book, remote_chart)
    assert Account.objects.get(pk=account.pk).deleted_at is None
    assert AuditRecord.objects.get().subject == "Checking"


def test_a_mapped_account_is_not_deleted(chart: dict[str, Account]) -> None:
    with pytest.raises(Refused, match="used by the mapping Sales"):
        charts.delete_account(chart["Checking"], actor=None, used_by="Sales")


def test_an_account_that_vanished_there_is_inactive_here(
    book: Book, chart: dict[str, Account], remote_chart: list[RemoteAccount]
) -> None:
    charts.import_accounts(book, [a for a in remote_chart if a.full_name != "Checking"])
    assert Account.objects.get(pk=chart["Checking"].pk).active is False
    assert Account.objects.get(pk=chart["Shipping Income"].pk).active is True


def test_a_renamed_account_is_the_same_account(
    book: Book, chart: dict[str, Account], remote_chart: list[RemoteAccount]
) -> None:
    renamed = [replace(a, full_name="Current account") if a.full_name == "Checking" else a for a in remote_chart]
    charts.import_accounts(book, renamed)
    assert Account.objects.get(pk=chart["Checking"].pk).full_name == "Current account"


def test_two_books_keep_the_same_ids_apart(
    book: Book, chart: dict[str, Account], remote_chart: list[RemoteAccount]
) -> None:
    other = Book.objects.create(name="Second company")
    charts.import_accounts(other, remote_chart[:1])
    assert Account.objects.filter(external_id=remote_chart[0].external_id).count() == 2
    assert Account.objects.filter(book=book, active=False).count() == sum(not a.active for a in remote_chart)
