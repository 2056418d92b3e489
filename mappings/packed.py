"""Whether an XLSX file may be opened: a few kilobytes can unpack to more than a process can hold. Pure.

Each part is read in small pieces and its elements are counted, before anything builds objects of them.
"""

import io
import lzma
import zipfile
import zlib
from collections.abc import Mapping
from xml.parsers import expat

LARGEST_UNPACKED = 8 * 1024 * 1024
TIGHTEST = 100
"""Spreadsheets pack a table to a tenth or a thirtieth of its size; nothing honest to less than a hundredth."""

MOST_CELLS, WIDEST_ROW = 200_000, 1_000
MOST_ELEMENTS, MOST_OTHERS = 500_000, 50_000
OF_A_TABLE = frozenset({"row", "c", "v", "f", "is", "t", "si"})
"""What a part with the cells or their texts consists of. All else, such as a style, costs a reader far more memory."""

PIECE = 64 * 1024
UNREADABLE = (zipfile.BadZipFile, zlib.error, lzma.LZMAError, OSError, EOFError, RuntimeError, expat.ExpatError)
"""What reading a broken or encrypted package raises."""


class TooMuch(ValueError):
    """The file would unpack to far more than it should hold."""


class _Counted:
    """Counts the elements of the parts of one file, while they are read."""

    def __init__(self) -> None:
        self.all = self.others = self.cells = self.in_row = 0

    def start(self, name: str, attributes: Mapping[str, str]) -> None:
        plain = name.rpartition(":")[2]
        self.all += 1
        self.others += plain not in OF_A_TABLE
        if plain == "row":
            self.in_row = 0
        elif plain == "c":
            self.cells += 1
            self.in_row += 1
        if self.all > MOST_ELEMENTS or self.others > MOST_OTHERS or self.cells > MOST_CELLS or self.in_row > WIDEST_ROW:
            raise TooMuch


def check(content: bytes) -> None:
    """Raises TooMuch, or one of UNREADABLE."""
    counted = _Counted()
    with zipfile.ZipFile(io.BytesIO(content)) as packed:
        parts = packed.infolist()
        # Of a part no more is ever read than its size as it is told here.
        unpacked = sum(part.file_size for part in parts)
        if unpacked > LARGEST_UNPACKED or unpacked > TIGHTEST * len(content):
            raise TooMuch
        for part in parts:
            _read(packed, part, counted)


def _read(packed: zipfile.ZipFile, part: zipfile.ZipInfo, counted: _Counted) -> None:
    parser = expat.ParserCreate()
    parser.StartElementHandler = counted.start
    parser.StartDoctypeDeclHandler = _refuse  # the format forbids it; entities are made in one
    try:
        with packed.open(part) as unpacking:
            while piece := unpacking.read(PIECE):
                parser.Parse(piece)
            parser.Parse(b"", True)
    except expat.ExpatError:
        if part.filename.endswith((".xml", ".rels")):
            raise


def _refuse(*declared: object) -> None:
    raise TooMuch
