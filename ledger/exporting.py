"""Tables that leave the house as CSV or XLSX: the same cells, names and guard for every one of them.

A spreadsheet runs a text that begins with =, +, - or @ as a formula, and such a text can come from a receipt. It gets
an apostrophe in front, which `unguarded` takes away when a file comes back.
"""

import csv
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from itertools import islice
from tempfile import TemporaryFile
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Model
from django.http import FileResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils.http import content_disposition_header
from django.utils.text import slugify
from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE
from openpyxl.styles import Font
from openpyxl.utils import get_column_letter
from openpyxl.worksheet._write_only import WriteOnlyWorksheet

from ledger.audit import Actor, note
from ledger.clock import database_now
from ledger.models import Book
from ledger.moments import zone_of_house

CSV, XLSX = "csv", "xlsx"
FORMATS = {
    CSV: "text/csv; charset=utf-8",
    XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
DEED = "exported a table"
DANGEROUS = re.compile(r"'*[=+\-@\t\r\n]")
GUARDED = re.compile(r"'+[=+\-@\t\r\n]")
BYTE_ORDER_MARK = "\ufeff"
"""Without it a spreadsheet reads a CSV in the old code page of its country. Read files back as utf-8-sig."""

AMOUNT, DAY, MOMENT = "#,##0.00", "yyyy-mm-dd", "yyyy-mm-dd hh:mm:ss"
WIDEST = 60
LINES_AT_ONCE = 200

BEGUN = "daybook_export_begun"
"""The cookie by which a page knows that the file it asked for is on its way; see `static/daybook/exporting.js`."""


@dataclass(frozen=True)
class Table:
    """What is exported. `what`: in the name of the file and on the sheet, such as "accounts".

    A cell may be text, a Decimal (an amount), a whole number, a date, an aware moment (written in UTC: say so in its
    heading), a truth, None, or a list or dictionary, which becomes JSON.
    """

    what: str
    headings: Sequence[str]
    rows: Iterable[Sequence[Any]]


def guarded(text: str) -> str:
    """A text that no spreadsheet takes for a formula."""
    return f"'{text}" if DANGEROUS.match(text) else text


def unguarded(text: str) -> str:
    """The text as it was before `guarded`."""
    return text[1:] if GUARDED.match(text) else text


def exported(
    actor: Actor,
    table: Table,
    *,
    form: str,
    about: Model | type[Model],
    book: str = "",
    state: str = "",
    **asked: Any,
) -> HttpResponseBase:
    """The table as a file to download, with the deed in the audit.

    The caller has checked the permission and scoped the rows. `about`: what the audit names, such as the book, or the
    model where a table of the whole company leaves. `state`: the one to which the rows were narrowed, for the name of
    the file. `asked`: the filters, for the audit.
    """
    if form not in FORMATS:
        raise ValueError(f"There is no export as {form!r}.")
    with transaction.atomic():
        note(actor, DEED, about, after={"table": table.what, "format": form, **asked})
    response: StreamingHttpResponse | FileResponse
    if form == CSV:
        response = StreamingHttpResponse(as_csv(table), content_type=FORMATS[CSV])
    else:
        response = FileResponse(as_xlsx(table), content_type=FORMATS[XLSX])
    name = file_name(f"{state} {table.what}", form=form, book=book)
    response["Content-Disposition"] = content_disposition_header(True, name)
    response["Cache-Control"] = "no-store"
    response.set_cookie(BEGUN, "1", max_age=60, secure=settings.SESSION_COOKIE_SECURE, samesite="Strict")
    return response


def file_name(what: str, *, form: str, book: str = "") -> str:
    """What it holds, of which book, and the day where the stores are: `daybook-entries-main-street-2010-12-31.csv`.

    Without a name it is of every book; where there is only one, of that one.
    """
    books = [book] if book else list(Book.objects.values_list("name", flat=True)[:2])
    of = books[0] if len(books) == 1 else "all books"
    parts = [slugify(part.replace("_", " ")) for part in ("daybook", what, of)]
    return "-".join([*filter(None, parts), f"{database_now().astimezone(zone_of_house()):%Y-%m-%d}"]) + f".{form}"


# --- CSV ------------------------------------------------------------------------------------------


class _Line:
    """A file that hands back what the csv module writes into it."""

    def write(self, text: str) -> str:
        return text


def as_csv(table: Table) -> Iterator[str]:
    """The lines of the file, the headings first and then block by block: it is as long as it likes."""
    writer = csv.writer(_Line())
    yield BYTE_ORDER_MARK + str(writer.writerow([guarded(heading) for heading in table.headings]))
    rows = iter(table.rows)
    while block := list(islice(rows, LINES_AT_ONCE)):
        yield "".join(str(writer.writerow([_text(cell) for cell in row])) for row in block)


def _text(cell: Any) -> str:
    match _plain(cell):
        case str() as text:
            return text
        case datetime() as moment:
            return moment.isoformat(" ", timespec="seconds")
        case Decimal() as amount:
            return f"{amount:f}"
        case other:
            return str(other)


# --- XLSX -----------------------------------------------------------------------------------------


def as_xlsx(table: Table) -> Any:
    """The workbook as an open file at its beginning; written row by row, so that a long table needs no memory."""
    workbook = Workbook(write_only=True)
    sheet = workbook.create_sheet(re.sub(r"[\\/*?:\[\]]", " ", table.what)[:31])
    sheet.freeze_panes = "A2"
    for place, heading in enumerate(table.headings, start=1):
        sheet.column_dimensions[get_column_letter(place)].width = min(WIDEST, max(12, len(heading) + 6))
    sheet.append([_heading(sheet, heading) for heading in table.headings])
    styled = {number_format: _styled(sheet, number_format) for number_format in (AMOUNT, DAY, MOMENT)}
    for row in table.rows:
        sheet.append(_cell(value, styled) for value in row)
    file = TemporaryFile()  # noqa: SIM115  the response closes it when it is sent
    workbook.save(file)
    file.seek(0)
    return file


def _heading(sheet: WriteOnlyWorksheet, heading: str) -> WriteOnlyCell:
    cell = WriteOnlyCell(sheet, guarded(heading))
    cell.font = Font(bold=True)
    return cell


def _styled(sheet: WriteOnlyWorksheet, number_format: str) -> WriteOnlyCell:
    cell = WriteOnlyCell(sheet)
    cell.number_format = number_format
    return cell


def _cell(value: Any, styled: Mapping[str, WriteOnlyCell]) -> Any:
    """What the sheet writes at once and then forgets, so that one cell of each format serves the whole table."""
    plain = _plain(value)
    if isinstance(plain, str):
        return ILLEGAL_CHARACTERS_RE.sub("", plain) or None
    if isinstance(plain, int):
        return plain
    cell = styled[AMOUNT if isinstance(plain, Decimal) else MOMENT if isinstance(plain, datetime) else DAY]
    cell.value = plain
    return cell


def _plain(cell: Any) -> str | int | Decimal | date | datetime:
    """What a cell holds: numbers and dates stay what they are, everything else is a guarded text."""
    if isinstance(cell, str):
        return guarded(cell)
    if isinstance(cell, bool):
        return "yes" if cell else "no"
    if isinstance(cell, datetime):
        return cell.astimezone(UTC).replace(tzinfo=None)
    if isinstance(cell, int | Decimal | date):
        return cell
    if isinstance(cell, dict | list | tuple):
        return guarded(json.dumps(cell, ensure_ascii=False, default=str))
    return "" if cell is None else guarded(str(cell))
