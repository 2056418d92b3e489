"""The published set is sorted into what the shop sold, what it wrote off, and what is left out."""

import csv
import gzip
from collections import Counter
from datetime import datetime
from pathlib import Path

from sandbox.convert import lines_of_the_month, write
from sandbox.shop_sales import DATA, month, parents


def test_the_month_has_its_published_lines_and_numbers() -> None:
    assert len(month().lines) == 42_481
    assert len({line.number for line in month().lines}) == 2_025


def test_ten_numbers_hold_only_fees_and_are_left_out() -> None:
    assert len(month().fees) == 10
    assert {line.code for sale in month().fees for line in sale.lines} == {"AMAZONFEE", "BANK CHARGES"}


def test_seventy_one_line_negatives_at_no_price_are_adjustments() -> None:
    assert len(month().adjustments) == 70
    assert all(sale.lines[0].quantity < 0 and sale.lines[0].price == 0 for sale in month().adjustments)


def test_the_rest_are_tickets_with_their_cancellations() -> None:
    tickets = month().tickets
    assert len(tickets) == 1_945
    assert sum(sale.is_cancellation for sale in tickets) == 318
    assert sum(sum(line.value for line in sale.lines) == 0 for sale in tickets) == 70


def test_no_number_is_lost_or_used_twice() -> None:
    sorted_out = Counter(sale.number for part in (month().tickets, month().adjustments, month().fees) for sale in part)
    assert len(sorted_out) == 2_025 and set(sorted_out.values()) == {1}


def test_a_number_with_two_times_has_the_first() -> None:
    ticket = next(sale for sale in month().tickets if sale.number == "536591")
    assert len({line.at for line in ticket.lines}) == 2
    assert ticket.at == min(line.at for line in ticket.lines) == datetime.fromisoformat("2010-12-01T16:57")


def test_codes_are_in_upper_case() -> None:
    assert all(line.code == line.code.upper() for line in month().lines)


def test_a_cancellation_finds_the_latest_earlier_sale_of_the_customer_with_its_code() -> None:
    sales = {sale.number: sale for sale in month().tickets}
    found = parents(month().tickets)
    assert len(found) == 151
    for number, parent in found.items():
        cancelled, sold = sales[number], sales[parent]
        assert cancelled.is_cancellation and not sold.is_cancellation
        assert sold.customer == cancelled.customer != ""
        assert (sold.at, sold.number) < (cancelled.at, cancelled.number)
        assert {line.code for line in sold.lines} & {line.code for line in cancelled.lines}


def test_the_committed_file_is_what_the_conversion_writes(tmp_path: Path) -> None:
    # Byte for byte, so that anybody can make it again from the published set.
    with gzip.open(DATA, "rt", encoding="utf-8", newline="") as text:
        rows = list(csv.reader(text))
    assert write(rows[1:], target=tmp_path / "again.csv.gz") == 42_481
    assert (tmp_path / "again.csv.gz").read_bytes() == DATA.read_bytes()


def test_the_conversion_takes_the_lines_of_the_month_only(tmp_path: Path) -> None:
    source = tmp_path / "set.csv.gz"
    head = "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country\n"
    december = '536365,71053,"LANTERN, WHITE",6,2010-12-01 08:26:00,3.39,17850,United Kingdom\n'
    january = "539993,22386,BAG,10,2011-01-04 10:00:00,1.95,13313,United Kingdom\n"
    source.write_bytes(gzip.compress((head + december + january).encode()))
    assert list(lines_of_the_month(source)) == [
        ["536365", "71053", "LANTERN, WHITE", "6", "2010-12-01 08:26:00", "3.39", "17850"]
    ]
