"""Reading a mapping from a file that a person uploads: CSV as any spreadsheet writes it, or XLSX. Nothing is written.

What is wrong with the file as a whole is `BadFile`; what is wrong with one row stands in that row.
"""

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, time
from xml.etree.ElementTree import ParseError

from django.core.files.uploadedfile import UploadedFile
from openpyxl import load_workbook
from openpyxl.utils.exceptions import InvalidFileException

from ledger.errors import STUMBLES
from ledger.exporting import unguarded
from mappings import packed
from mappings.loading import MappingRow

LARGEST = 5 * 1024 * 1024
MOST_ROWS = 5_000
MOST_COLUMNS = 40
LONGEST_CELL = 600

COLUMNS = {
    "role": "role",
    "value": "value",
    "store": "store",
    "account number": "number",
    "number": "number",
    "account name": "account",
    "account": "account",
    "tender": "tender",
    "reason": "reason",
    "tax jurisdiction": "tax_jurisdiction",
    "item class": "item_class",
    "category": "category",
}
"""Headings and the parts of a row they name; case, underscores and spaces around them do not matter."""

NEEDED = "The first line must name the columns: Role, Value, Store, Account number, Account name."
FORMULA = "a cell holds a formula; copy the cells and paste their values only"


class BadFile(ValueError):
    """The file cannot be read as a mapping; the sentence says why and what to do."""


def read(upload: UploadedFile) -> list[MappingRow]:
    """The rows of an uploaded file. Raises BadFile."""
    if upload.size and upload.size > LARGEST:
        size, most = upload.size // 1024 // 1024, LARGEST // 1024 // 1024
        raise BadFile(f"The file has {size} MB; the file of a mapping may have {most}.")
    content = upload.read()
    if not content.strip():
        raise BadFile("The file is empty.")
    return rows(_from_xlsx(content) if content.startswith(b"PK\x03\x04") else _from_csv(content))


def rows(lines: Iterable[tuple[int, Sequence[str]]]) -> list[MappingRow]:
    """The rows below the heading, each with its line in the file. Raises BadFile."""
    found = iter(lines)
    columns = _columns(next(found, (0, ()))[1])
    read_rows = [_row(columns, line, cells) for line, cells in found if any(cells)]
    if not read_rows:
        raise BadFile("There is no row below the headings.")
    return read_rows


def from_dicts(lines: Iterable[Mapping[str, str]]) -> list[MappingRow]:
    """The rows of a template, which keeps a file's lines by the headings of their columns."""
    kept = list(lines)
    headings = list(dict.fromkeys(heading for line in kept for heading in line))
    return rows([(1, headings), *((n, [line.get(h, "") for h in headings]) for n, line in enumerate(kept, start=2))])


def _columns(headings: Sequence[str]) -> list[str]:
    """The part of a row that each column holds; empty for a column that we do not know."""
    named = [COLUMNS.get(" ".join(heading.replace("_", " ").split()).casefold(), "") for heading in headings]
    lacking = [] if "role" in named else ["Role"]
    lacking += [] if {"account", "number"} & set(named) else ["Account name"]
    if lacking:
        raise BadFile(f"There is no column {' and no column '.join(lacking)}. {NEEDED}")
    double = {part for part in named if part and named.count(part) > 1}
    if double:
        raise BadFile(f"Two columns have the same meaning: {', '.join(sorted(double))}. {NEEDED}")
    return named


def _row(columns: Sequence[str], line: int, cells: Sequence[str]) -> MappingRow:
    parts = {part: cell for part, cell in zip(columns, cells, strict=False) if part}
    problem = ""
    if any(cell.startswith("=") for cell in parts.values()):
        problem = FORMULA
    elif any(len(cell) > LONGEST_CELL for cell in parts.values()):
        problem = f"a cell is longer than {LONGEST_CELL} characters"
    elif any(cells[len(columns) :]):
        problem = "it has more cells than there are headings; is a text with a separator in it not in quotation marks?"
    plain = {part: unguarded(cell)[:LONGEST_CELL].strip() for part, cell in parts.items()}
    return MappingRow(**{"role": "", **plain}, line=line, problem=problem)


# --- CSV ------------------------------------------------------------------------------------------


def _from_csv(content: bytes) -> Iterator[tuple[int, list[str]]]:
    text = _decoded(content)
    if "\0" in text:
        raise BadFile("This is no table. Upload a CSV or an XLSX file.")
    heading = text.lstrip("\r\n").split("\n", 1)[0]
    separator = max(";,\t", key=heading.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    return _limited((reader.line_num, cells) for cells in _whole(reader) if any(cell.strip() for cell in cells))


def _decoded(content: bytes) -> str:
    wide = content.startswith((b"\xff\xfe", b"\xfe\xff"))
    try:
        return content.decode("utf-16" if wide else "utf-8-sig")
    except UnicodeDecodeError:
        raise BadFile(
            "The letters of this file cannot be read. Save it as “CSV UTF-8” in your spreadsheet, or as XLSX."
        ) from None


def _whole(reader: Iterator[list[str]]) -> Iterator[list[str]]:
    try:
        yield from reader
    except csv.Error as reason:
        raise BadFile(f"The table breaks off: {reason}. Save it as CSV anew, or as XLSX.") from None


def _limited(lines: Iterable[tuple[int, list[str]]]) -> Iterator[tuple[int, list[str]]]:
    for count, (line, cells) in enumerate(lines):
        if count > MOST_ROWS:
            raise BadFile(f"The file has more than {MOST_ROWS:,} rows. Split it.")
        yield line, cells[:MOST_COLUMNS]


# --- XLSX -----------------------------------------------------------------------------------------


def _from_xlsx(content: bytes) -> Iterator[tuple[int, list[str]]]:
    """The first sheet, read row by row; a file that unpacks to something huge is not opened."""
    broken = BadFile("This XLSX file cannot be opened. Save it anew, or as CSV UTF-8.")
    try:
        packed.check(content)
        workbook = load_workbook(io.BytesIO(content), read_only=True, data_only=False, keep_links=False)
        sheet = workbook.worksheets[0]
        found = sheet.iter_rows(max_col=MOST_COLUMNS, max_row=MOST_ROWS + 2)
        lines = [(n, [_cell(cell.value) for cell in row]) for n, row in enumerate(found, start=1)]
    except packed.TooMuch:
        raise BadFile(
            "This XLSX file unpacks to far more than a mapping holds. Copy the rows into a new workbook, or save them "
            "as CSV UTF-8."
        ) from None
    except (*STUMBLES, *packed.UNREADABLE, InvalidFileException, ParseError):
        raise broken from None
    return _limited((line, cells) for line, cells in lines if any(cells))


def _cell(value: object) -> str:
    """A cell as text. A number that a spreadsheet made of an account's number, such as 4000.0, loses its fraction."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int):
        return str(value)
    if isinstance(value, date | time):
        return value.isoformat()
    text = str(value)
    return text.removesuffix(".0") if not isinstance(value, str) else text
