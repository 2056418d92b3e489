"""Amounts: Decimal, whole minor units and text; never a float, and half up on both sides of zero."""

from decimal import ROUND_HALF_UP, Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger import money

CENTS = st.integers(-(10**15) + 1, 10**15 - 1).map(lambda units: Decimal(units).scaleb(-2))
FINE = st.decimals(-(10**9), 10**9, allow_nan=False, allow_infinity=False, places=6)


@pytest.mark.parametrize(
    ("value", "amount"),
    [("12.50", "12.50"), (" 3 ", "3"), (7, "7"), ("-0.01", "-0.01"), (Decimal("1E+2"), "100"), ("+4", "4")],
)
def test_what_an_amount_looks_like(value: object, amount: str) -> None:
    assert money.parse(value) == Decimal(amount)


@pytest.mark.parametrize(
    "value",
    [1.5, True, None, "", "  ", "twelve", "1,000.00", "1_000", "$5", "NaN", "sNaN", "Infinity", "-inf", "0x10"]
    + [[], {}, b"1", "1 000", "١٢", "9999999999999999", Decimal("1E+40"), "--1", "1.2.3"],
    ids=repr,
)
def test_what_is_no_amount(value: object) -> None:
    with pytest.raises(money.NotAnAmount):
        money.parse(value)


@given(CENTS)
def test_minor_units_and_back_is_the_same_amount(amount: Decimal) -> None:
    assert money.from_minor(money.to_minor(amount)) == amount


@given(CENTS)
def test_text_and_back_is_the_same_amount(amount: Decimal) -> None:
    assert money.parse(money.text(amount)) == amount
    assert "E" not in money.text(amount)


@given(FINE)
def test_cents_are_the_nearest_and_half_goes_away_from_zero(amount: Decimal) -> None:
    rounded = money.cents(amount)
    assert abs(rounded - amount) <= Decimal("0.005")
    assert money.cents(-amount) == -rounded
    assert rounded == amount.quantize(Decimal("0.01"), rounding=ROUND_HALF_UP)


@pytest.mark.parametrize(("amount", "rounded"), [("0.005", "0.01"), ("-0.005", "-0.01"), ("2.675", "2.68")])
def test_half_a_cent_goes_up(amount: str, rounded: str) -> None:
    assert money.cents(Decimal(amount)) == Decimal(rounded)


@given(FINE.filter(lambda amount: amount != money.cents(amount)))
def test_a_fraction_of_a_cent_has_no_minor_units(amount: Decimal) -> None:
    with pytest.raises(ValueError, match="more decimal places"):
        money.to_minor(amount)


def test_currencies_have_their_own_places() -> None:
    assert money.to_minor(Decimal("5"), currency="JPY") == 5
    with pytest.raises(ValueError, match="more decimal places than JPY"):
        money.to_minor(Decimal("5.5"), currency="JPY")
    with pytest.raises(ValueError, match="not known"):
        money.digits("XXX")


def test_people_read_negatives_in_parentheses() -> None:
    assert money.shown(Decimal("-1234.5")) == "(1,234.50) USD"
    assert money.shown(Decimal("0")) == "0.00 USD"


@pytest.mark.parametrize(("cost", "said"), [("68.6", "68.60"), ("8", "8.00"), ("7.125", "7.125"), ("1E+2", "100.00")])
def test_a_unit_price_is_shown_with_its_cents_and_with_every_place_it_has(cost: str, said: str) -> None:
    assert money.price(Decimal(cost)) == said
