"""Tables that leave the house: nothing in them runs, and numbers and dates stay what they are."""

import csv
import io
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from django.contrib.auth.models import User
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import load_workbook

from ledger import exporting
from ledger.exporting import Table, guarded, unguarded
from ledger.models import AuditRecord, Book

NOON = datetime(2010, 12, 14, 12, 0, 5, 999, tzinfo=UTC)
ROWS = [("=1+1", Decimal("-12.50"), 7, date(2010, 12, 14), NOON, True, None, {"a": ["b"]})]
TABLE = Table("test/table", ["Text", "Amount", "Count", "Day", "At", "Yes", "Nothing", "More"], ROWS)


@given(st.text())
def test_a_guarded_text_is_read_back_as_it_was(text: str) -> None:
    assert unguarded(guarded(text)) == text


@given(st.sampled_from("=+-@\t\r\n"), st.text())
def test_no_text_begins_as_a_formula_does(first: str, rest: str) -> None:
    assert guarded(first + rest).startswith("'")


def test_a_csv_has_plain_numbers_and_dates_and_a_guarded_text() -> None:
    text = "".join(exporting.as_csv(TABLE))
    assert text.startswith(exporting.BYTE_ORDER_MARK)
    _, row = csv.reader(io.StringIO(text.removeprefix(exporting.BYTE_ORDER_MARK)))
    assert row == ["'=1+1", "-12.50", "7", "2010-12-14", "2010-12-14 12:00:05", "yes", "", '{"a": ["b"]}']


def test_a_workbook_has_numbers_and_dates_that_can_be_reckoned_with() -> None:
    sheet = load_workbook(exporting.as_xlsx(TABLE)).active
    assert sheet is not None
    cells = [cell.value for cell in sheet[2]]
    assert cells[:3] == ["'=1+1", -12.5, 7] and cells[5] == "yes"
    day, moment = cells[3:5]
    assert isinstance(day, datetime) and isinstance(moment, datetime)
    assert (day.date(), f"{moment:%Y-%m-%d %H:%M:%S}") == (date(2010, 12, 14), "2010-12-14 12:00:05")
    assert [sheet["B2"].number_format, sheet["D2"].number_format] == [exporting.AMOUNT, exporting.DAY]
    assert sheet["A2"].data_type == "s" and sheet.title == "test table"


def test_a_long_csv_leaves_in_blocks_and_its_headings_at_once() -> None:
    rows = ([str(number)] for number in range(1000))
    blocks = exporting.as_csv(Table("t", ["Number"], rows))
    assert next(blocks).endswith("Number\r\n") and next(rows) == ["0"], "no row was read for the headings"
    rest = list(blocks)
    assert len(rest) < 10 and "".join(rest).split() == [str(number) for number in range(1, 1000)]


def test_a_character_that_no_workbook_takes_is_left_out() -> None:
    sheet = load_workbook(exporting.as_xlsx(Table("t", ["A"], [("a\x00b",)]))).active
    assert sheet is not None and sheet["A2"].value == "ab"


def test_an_export_is_in_the_audit_and_names_its_book_and_day(book: Book, admin_user: User) -> None:
    answer = exporting.exported(admin_user, TABLE, form="csv", about=book, book=book.name, rows=1)
    name = f"daybook-testtable-main-street-trading-{datetime.now(UTC):%Y}"
    assert name in answer["Content-Disposition"] and answer["Cache-Control"] == "no-store"
    record = AuditRecord.objects.get()
    assert (record.actor_name, record.subject_id) == ("admin", str(book.pk))
    assert record.after == {"table": "test/table", "format": "csv", "rows": 1}


def test_another_form_is_no_export(book: Book) -> None:
    with pytest.raises(ValueError, match="pdf"):
        exporting.exported(None, TABLE, form="pdf", about=book)
    assert not AuditRecord.objects.exists()
