"""A ticket as it is kept: the same text for the same content, self-contained, and without card numbers."""

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from integrations.heartland_retail.document import canonical, masked, missing_parts, parse
from ledger.masking import mask_cards
from tests.integrations.heartland_retail.samples import CARD, Json, item_line, kept, payment, tax_line, ticket

LEAVES = st.none() | st.booleans() | st.integers() | st.text() | st.decimals(allow_nan=False, allow_infinity=False)
TREES = st.recursive(LEAVES, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=15)


@settings(max_examples=40, deadline=None)
@given(st.dictionaries(st.text(), TREES))
def test_what_is_written_is_read_back_exactly(content: Json) -> None:
    assert canonical(parse(canonical(content).encode())) == canonical(content)


@settings(max_examples=40, deadline=None)
@given(st.dictionaries(st.text(), TREES))
def test_the_order_of_keys_does_not_matter(content: Json) -> None:
    assert canonical(dict(reversed(content.items()))) == canonical(content)


def test_decimals_keep_every_digit() -> None:
    assert canonical({"b": Decimal("21.250"), "a": 1}) == '{"a":1,"b":21.250}'


def test_a_kept_ticket_says_all_that_its_reading_needs() -> None:
    whole = json.loads(kept(ticket()))
    assert whole["_items"] == {
        "100123": {
            "category": "Town",
            "description": "Wicker star",
            "financial_class_id": 3,
            "track_inventory?": True,
        }
    }
    assert whole["_store"] == {"time_zone": "America/Chicago"}
    assert whole["_gift_card_tender"] == "5"


@pytest.mark.parametrize(
    "text",
    [
        "4111111111111111",
        "4111-1111-1111-1111",
        "378282246310005",
        "3782 822463 10005",
        f"order 12 {CARD} approved",
        f"12-{CARD}",
        "6304000000000000000",
    ],
)
def test_card_numbers_are_masked(text: str) -> None:
    assert "[masked]" in mask_cards(text)
    assert sum(character.isdigit() for character in mask_cards(text)) < 5


@pytest.mark.parametrize(
    "text",
    ["4111111111111112", "2010-12-01T14:26:00.000000+00:00", "8.7900000000000009", "12345678901234567890"],
)
def test_other_numbers_are_left_alone(text: str) -> None:
    assert mask_cards(text) == text


def test_card_numbers_are_masked_at_any_depth_but_ids_stay() -> None:
    document: Json = {"id": 4111111111111111, "custom": {"notes": [CARD, 4111111111111111]}, "total": 10}
    assert masked(document) == {
        "id": 4111111111111111,
        "custom": {"notes": ["[masked]", "[masked]"]},
        "total": 10,
    }


@pytest.mark.parametrize(
    ("row", "safe"),
    [
        ({"type": "GiftCardLine", "number": "GC0012345678"}, {"number": "****5678"}),
        ({"type": "GiftCardLine", "number": 60012345678}, {"number": "****5678"}),
        ({"type": "GiftCardLine", "number": "4111111111111111"}, {"number": "****1111"}),
        (
            {"type": "GiftCardLine", "gift_card": {"number": "ABCDEFGH"}},
            {"gift_card": {"number": "****EFGH"}},
        ),
        ({"type": "GiftCardLine", "description": "Card 6001234567"}, {"description": "Card ****4567"}),
        ({"payment_type_id": 5, "description": "Gift 6001234567"}, {"description": "Gift ****4567"}),
        ({"payment_type_id": 1, "description": "Order 6001234567"}, {"description": "Order 6001234567"}),
    ],
)
def test_gift_card_numbers_keep_their_last_four(row: Json, safe: Json) -> None:
    assert masked(row, gift_card_tender="5") == row | safe


def test_amounts_of_gift_cards_are_not_masked() -> None:
    row: dict[str, Any] = {"type": "GiftCardLine", "qty": 1, "value": "12345678.90"}
    assert masked(row) == row


@pytest.mark.parametrize(
    ("changes", "missing"),
    [
        ({}, ()),
        ({"lines": None}, ("lines",)),
        ({"lines": []}, ("lines",)),
        ({"lines": [item_line()]}, ("lines",)),
        ({"lines": [item_line(value=20.05), tax_line()]}, ()),
        ({"lines": [item_line(value="?"), tax_line()]}, ("lines",)),
        ({"payments": None}, ("payments",)),
        ({"payments": [payment()]}, ("payments",)),
        ({"payments": [payment(amount=21.25), payment(id=12, status="voided")]}, ()),
        ({"total_paid": None}, ()),
        ({"total_paid": None, "balance": None}, ()),
        ({"total_paid": None, "balance": 10}, ("payments",)),
    ],
)
def test_what_is_missing_or_cut_short_is_noticed(changes: Json, missing: tuple[str, ...]) -> None:
    assert missing_parts(parse(json.dumps(ticket(**changes)).encode())) == missing
