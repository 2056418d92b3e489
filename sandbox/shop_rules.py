"""The rules that add to the real sales what the published set lacks: store, tender, tax, cost, class.

Every choice is made by a hash of the ticket's number, so that the same number gives the same ticket for ever.
The same rules in words: `sandbox/data/README.md`.
"""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_HALF_UP, Decimal

CENT = Decimal("0.01")
ZERO = Decimal("0.00")
COST_SHARE = Decimal("0.55")
COST_WITHOUT_PRICE = Decimal("1.00")
SMALL_TICKET = Decimal("60.00")
SPLIT_FROM = Decimal("80.00")
GIFT_CARD_LIMIT = Decimal("250.00")

CASH, VISA, MASTERCARD, AMERICAN_EXPRESS, GIFT_CARD = 1, 2, 3, 4, 5
PAYMENT_TYPES = {
    CASH: "Cash",
    VISA: "Visa",
    MASTERCARD: "Mastercard",
    AMERICAN_EXPRESS: "American Express",
    GIFT_CARD: "Gift Card",
}
CLASSES = {
    1: "Home & Decor",
    2: "Kitchen & Dining",
    3: "Candles & Lights",
    4: "Gifts & Stationery",
    5: "Bags & Toys",
}
TRACKED_CODE = re.compile(r"\d{5}[A-Z]*")
SHIPPING_CODES = frozenset({"POST", "DOT", "C2"})
FEE_CODES = frozenset({"AMAZONFEE", "BANK CHARGES"})
GIFT_CARD_PREFIX = "GIFT_"

# The first row with a word of the description decides; what fits none is Home & Decor.
_CLASS_WORDS: tuple[tuple[int, str], ...] = (
    (
        5,
        "BAG BAGS SHOPPER TOY TOYS DOLL DOLLS GAME GAMES PUZZLE PUZZLES JIGSAW SKITTLES DOMINOES",
    ),
    (
        5,
        "PURSE RUCKSACK BACKPACK SATCHEL PLAYHOUSE TEDDY SOLDIER CHILDRENS CHILDS SPACEBOY",
    ),
    (
        3,
        "CANDLE CANDLES T-LIGHT T-LIGHTS TEALIGHT LIGHT LIGHTS LANTERN LAMP CANDLESTICK",
    ),
    (3, "INCENSE CHANDELIER CANDLEHOLDER VOTIVE NIGHTLIGHT LED"),
    (
        2,
        "MUG MUGS CUP CUPS TEA TEAPOT PLATE PLATES BOWL BOWLS CAKE CAKESTAND CAKES JUG KITCHEN",
    ),
    (
        2,
        "BAKING SPOON SPOONS CUTLERY NAPKINS COASTER COASTERS GLASS APRON RECIPE JAM TRAY COFFEE",
    ),
    (
        2,
        "LUNCH BOTTLE JAR JARS TIN TINS CASES SUGAR BREAD EGG OVEN PANTRY PLACEMATS TUMBLER",
    ),
    (
        4,
        "CARD CARDS WRAP GIFT RIBBON RIBBONS PAPER PENCIL PENCILS PEN PENS NOTEBOOK NOTEBOOKS",
    ),
    (
        4,
        "STICKERS STICKER ENVELOPES PARTY BALLOONS BUNTING CHRISTMAS TISSUES PAD DIARY STAMPS",
    ),
)
_CLASS_OF_WORD = [(number, frozenset(words.split())) for number, words in _CLASS_WORDS]


@dataclass(frozen=True)
class Store:
    """A Heartland location with the tax that its state and city take."""

    id: int
    name: str
    time_zone: str
    jurisdiction_id: int
    jurisdiction: str
    rate: Decimal


STORES: tuple[Store, ...] = (
    Store(100001, "Main Street", "America/New_York", 1, "New York", Decimal("0.08875")),
    Store(100002, "Los Angeles", "America/Los_Angeles", 2, "Los Angeles", Decimal("0.095")),
    Store(100003, "Chicago", "America/Chicago", 3, "Chicago", Decimal("0.1025")),
)
STORE_BY_ID = {store.id: store for store in STORES}


def draw(number: str, *, purpose: str, below: int) -> int:
    """A number from 0 to `below` - 1 that depends on nothing but the ticket's number and the purpose."""
    digest = hashlib.sha256(f"{purpose}:{number}".encode()).digest()
    return int.from_bytes(digest[:8], "big") % below


def to_cent(amount: Decimal) -> Decimal:
    """Half up, away from zero on both sides."""
    return amount.quantize(CENT, rounding=ROUND_HALF_UP)


def store_of(number: str) -> Store:
    return STORES[draw(number, purpose="store", below=len(STORES))]


def is_tracked(code: str) -> bool:
    """Goods have five digits and perhaps letters; every other code is not counted in stock."""
    return TRACKED_CODE.fullmatch(code) is not None


def class_of(description: str) -> int:
    words = frozenset(re.split(r"[^A-Z-]+", description.upper()))
    return next((number for number, known in _CLASS_OF_WORD if words & known), 1)


def cost_of(highest_price: Decimal) -> Decimal:
    return to_cent(highest_price * COST_SHARE) if highest_price > 0 else COST_WITHOUT_PRICE


def tax_on(taxable: Decimal, *, store: Store) -> Decimal:
    return to_cent(taxable * store.rate)


def card_of(number: str) -> int:
    share = draw(number, purpose="card", below=100)
    return VISA if share < 55 else MASTERCARD if share < 85 else AMERICAN_EXPRESS


Tender = tuple[int, Decimal]


def tenders_of(number: str, *, total: Decimal) -> list[Tender]:
    """What a sale was paid with: payment types with amounts that add up to the total."""
    share = draw(number, purpose="tender", below=100)
    if total == 0:
        return []
    if total <= SMALL_TICKET and share < 60:
        return cash_with_change(total)
    if total >= SPLIT_FROM and share < 5:
        return [(GIFT_CARD, Decimal("25.00")), (card_of(number), total - 25)]
    if total >= SPLIT_FROM and share < 10:
        return [(CASH, Decimal("40.00")), (card_of(number), total - 40)]
    if total <= GIFT_CARD_LIMIT and share >= 94:
        return [(GIFT_CARD, total)]
    return [(card_of(number), total)]


def cash_with_change(total: Decimal) -> list[Tender]:
    """Cash as handed over, in notes of five (twenty above 20.00), and the change as a payment of its own."""
    note = Decimal(5) if total <= 20 else Decimal(20)
    received = ((total / note).to_integral_value(rounding=ROUND_CEILING) * note).quantize(CENT)
    change = received - total
    return [(CASH, received)] + ([(CASH, -change)] if change else [])


def refund_of(number: str, *, total: Decimal, sale: Sequence[Tender] = ()) -> list[Tender]:
    """A refund goes back to the way the sale was paid first; without a known sale to cash or card."""
    if total == 0:
        return []
    if sale:
        return [(sale[0][0], total)]
    small = -total <= SMALL_TICKET and draw(number, purpose="tender", below=100) < 60
    return [(CASH if small else card_of(number), total)]
