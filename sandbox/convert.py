"""Cuts the month that the sandbox's shop is made of out of the published set.

Run once by hand: `python -m sandbox.convert online_retail_2010-12_2011-06.csv.gz`. It copies the lines of
December 2010 unchanged; what turns them into a shop is done at start by `sandbox.shop`, where it can be read.
"""

import argparse
import csv
import gzip
import io
from collections.abc import Iterable
from pathlib import Path

MONTH = "2010-12"
COLUMNS = (
    "InvoiceNo",
    "StockCode",
    "Description",
    "Quantity",
    "InvoiceDate",
    "UnitPrice",
    "CustomerID",
)
TARGET = Path(__file__).parent / "data" / "online_retail_2010-12.csv.gz"


def lines_of_the_month(source: Path) -> Iterable[list[str]]:
    with gzip.open(source, "rt", encoding="utf-8", newline="") as text:
        for row in csv.DictReader(text):
            if row["InvoiceDate"].startswith(MONTH):
                yield [row[column] for column in COLUMNS]


def write(rows: Iterable[list[str]], *, target: Path) -> int:
    """Write the rows as a gzip that is the same, byte for byte, each time; returns their number."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    count = 0
    for row in rows:
        writer.writerow(row)
        count += 1
    target.write_bytes(gzip.compress(text.getvalue().encode(), compresslevel=9, mtime=0))
    return count


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("source", type=Path, help="the published set, gzipped CSV")
    parser.add_argument("--target", type=Path, default=TARGET)
    arguments = parser.parse_args()
    count = write(lines_of_the_month(arguments.source), target=arguments.target)
    print(f"{count} lines of {MONTH} written to {arguments.target}")


if __name__ == "__main__":
    main()
