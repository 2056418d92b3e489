"""Amounts of money: Decimal in Python, whole minor units in the database, text in our JSON. Never a float."""

import re
from decimal import ROUND_HALF_UP, Decimal

MINOR_DIGITS = {"USD": 2, "CAD": 2, "EUR": 2, "GBP": 2, "AUD": 2, "NZD": 2, "MXN": 2, "JPY": 0}
"""Decimal places of the currencies we know (ISO 4217)."""

ZERO = Decimal(0)
CENT = Decimal("0.01")
LARGEST = Decimal("9999999999999.99")
"""QuickBooks takes 15 digits; nothing larger can be posted, so nothing larger is read."""


ROUNDING_LIMIT = Decimal("0.05")
"""The largest difference that counts as rounding; more than that is an error of the document (contract row 1k)."""

_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
"""Narrower than Decimal, which also takes underscores and foreign digits."""


class NotAnAmount(ValueError):
    """The value cannot be read as an amount of money; its text says why."""


def parse(value: object) -> Decimal:
    """Read an amount from what a vendor's JSON holds: a number (read as int or Decimal) or text.

    Raises NotAnAmount for floats, booleans, blanks, infinities, and anything that is not a number.
    """
    if isinstance(value, bool) or not isinstance(value, int | Decimal | str):
        raise NotAnAmount(f"{value!r} is not an amount")
    if isinstance(value, str) and not _NUMBER.fullmatch(value.strip()):
        raise NotAnAmount(f"{value!r} is not an amount")
    try:
        amount = Decimal(value.strip() if isinstance(value, str) else value)
    except ArithmeticError:  # an exponent beyond what Decimal can hold
        raise NotAnAmount(f"{value!r} is not an amount that can be booked") from None
    if not amount.is_finite() or amount.copy_abs() > LARGEST:
        raise NotAnAmount(f"{value!r} is not an amount that can be booked")
    return amount


def cents(amount: Decimal) -> Decimal:
    """Round half up to the cent, away from zero on both sides."""
    return amount.quantize(CENT, rounding=ROUND_HALF_UP)


def to_minor(amount: Decimal, *, currency: str = "USD") -> int:
    """Whole minor units of an amount; raises ValueError when the amount has a fraction of them."""
    scaled = amount.scaleb(digits(currency))
    if scaled != scaled.to_integral_value():
        raise ValueError(f"{amount} has more decimal places than {currency} knows")
    return int(scaled)


def from_minor(units: int, *, currency: str = "USD") -> Decimal:
    """The amount of so many minor units, with the decimal places of its currency."""
    return Decimal(units).scaleb(-digits(currency))


def digits(currency: str) -> int:
    """Decimal places of a currency; raises ValueError for one we do not know."""
    try:
        return MINOR_DIGITS[currency]
    except KeyError:
        raise ValueError(f"The currency {currency!r} is not known to Daybook") from None


def text(amount: Decimal) -> str:
    """An amount for our JSON: plain digits, no exponent."""
    return f"{amount:f}"


def price(amount: Decimal) -> str:
    """A unit price for people: cents at least, and more decimal places where it has them."""
    plain = amount.normalize()
    return f"{plain:f}" if int(plain.as_tuple().exponent) < -2 else f"{amount:.2f}"


def shown(amount: Decimal, *, currency: str = "USD") -> str:
    """An amount for people, negative in parentheses as accountants write it: `(1,234.50) USD`."""
    figure = f"{abs(amount):,.{digits(currency)}f}"
    return f"({figure}) {currency}" if amount < 0 else f"{figure} {currency}"
