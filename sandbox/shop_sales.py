"""The published set as it stands: its lines, and the numbers they make up, tickets and adjustments apart.

Nothing is added here: what the set lacks comes from `sandbox.shop_rules`, the documents from `sandbox.shop`.
"""

import csv
import gzip
import io
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import cache
from pathlib import Path

from sandbox.shop_rules import CENT, FEE_CODES, GIFT_CARD_PREFIX, SHIPPING_CODES

DATA = Path(__file__).parent / "data" / "online_retail_2010-12.csv.gz"


@dataclass(frozen=True, slots=True)
class Line:
    number: str
    code: str
    description: str
    quantity: int
    at: datetime
    price: Decimal
    customer: str

    @property
    def value(self) -> Decimal:
        return self.quantity * self.price


@dataclass(frozen=True, slots=True)
class Sale:
    """All lines of one number. `at` is the store's local time: the first, where a number has two."""

    number: str
    at: datetime
    customer: str
    lines: tuple[Line, ...]

    @property
    def is_cancellation(self) -> bool:
        return self.number.startswith("C")

    @property
    def is_fee(self) -> bool:
        return all(line.code in FEE_CODES for line in self.lines)

    @property
    def is_adjustment(self) -> bool:
        """One line that takes goods off stock for nothing: no sale, a correction of the stock."""
        first = self.lines[0]
        return len(self.lines) == 1 and first.quantity < 0 and first.price == 0


@dataclass(frozen=True, slots=True)
class Month:
    """The month sorted out: tickets and adjustments each in order of (time, number)."""

    lines: tuple[Line, ...]
    tickets: tuple[Sale, ...]
    adjustments: tuple[Sale, ...]
    fees: tuple[Sale, ...]


def read_lines(source: Path = DATA) -> list[Line]:
    with gzip.open(source, "rb") as packed:
        rows = csv.reader(io.StringIO(packed.read().decode("utf-8"), newline=""))
    next(rows)
    return [_line(row) for row in rows]


def _line(row: Sequence[str]) -> Line:
    number, code, description, quantity, at, price, customer = row
    return Line(
        number=number,
        code=code.strip().upper(),
        description=description.strip(),
        quantity=int(quantity),
        at=datetime.fromisoformat(at),
        price=Decimal(price).quantize(CENT),
        customer=customer,
    )


def sales_of(lines: Iterable[Line]) -> list[Sale]:
    """The lines put together by number, in order of (time, number)."""
    by_number: dict[str, list[Line]] = defaultdict(list)
    for line in lines:
        by_number[line.number].append(line)
    sales = [Sale(number, own[0].at, own[0].customer, tuple(own)) for number, own in by_number.items()]
    return sorted(sales, key=lambda sale: (sale.at, sale.number))


@cache
def month() -> Month:
    lines = read_lines()
    sales = sales_of(lines)
    fees = tuple(sale for sale in sales if sale.is_fee)
    adjustments = tuple(sale for sale in sales if sale.is_adjustment)
    left_out = {sale.number for sale in (*fees, *adjustments)}
    tickets = tuple(sale for sale in sales if sale.number not in left_out)
    return Month(tuple(lines), tickets, adjustments, fees)


def is_item(code: str) -> bool:
    """Whether a code is something with an item number: neither a fee nor shipping nor a gift card."""
    return not (code in SHIPPING_CODES or code in FEE_CODES or code.startswith(GIFT_CARD_PREFIX))


def highest_prices(lines: Iterable[Line]) -> dict[str, Decimal]:
    highest: dict[str, Decimal] = {}
    for line in lines:
        if is_item(line.code):
            highest[line.code] = max(highest.get(line.code, line.price), line.price)
    return highest


def descriptions(lines: Iterable[Line]) -> dict[str, str]:
    """The commonest description of each code, sold lines before free ones; else the code itself."""
    counts: dict[str, Counter[tuple[bool, str]]] = defaultdict(Counter)
    for line in lines:
        found = counts[line.code]
        if line.description:
            found[(line.price > 0, line.description.upper())] += 1
    return {code: _commonest(found) or code for code, found in counts.items()}


def _commonest(found: Counter[tuple[bool, str]]) -> str:
    ranked = sorted(found.items(), key=lambda pair: (not pair[0][0], -pair[1], pair[0][1]))
    return ranked[0][0][1] if ranked else ""


def parents(tickets: Sequence[Sale]) -> dict[str, str]:
    """Number of a cancellation -> number of the customer's latest earlier sale with one of its codes."""
    earlier: dict[tuple[str, str], tuple[int, str]] = {}
    found: dict[str, str] = {}
    for position, sale in enumerate(tickets):
        if not sale.customer:
            continue
        keys = [(sale.customer, line.code) for line in sale.lines]
        if sale.is_cancellation:
            known = [earlier[key] for key in keys if key in earlier]
            if known:
                found[sale.number] = max(known)[1]
        else:
            earlier.update(dict.fromkeys(keys, (position, sale.number)))
    return found
