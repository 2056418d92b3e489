"""The closed vocabulary of the core: kinds, roles, dimensions, sides and states.

Pure: no Django, no HTTP. Every enumeration is text, so that what the database holds can be read by a person.
"""

from dataclasses import dataclass
from enum import StrEnum


class EventKind(StrEnum):
    """A kind of financial event; `letter` stands in the reference of its entry."""

    TICKET = "ticket"

    @property
    def letter(self) -> str:
        return {"ticket": "T"}[self.value]


class Role(StrEnum):
    """What a line of an entry is, before it has an account."""

    SALES = "sales"
    SALES_RETURNS = "sales_returns"
    SHIPPING_INCOME = "shipping_income"
    TIPS_PAYABLE = "tips_payable"
    ROUNDING = "rounding"
    CUSTOMER_BALANCE_CLEARING = "customer_balance_clearing"
    TAX_PAYABLE = "tax_payable"
    TENDER = "tender"
    TENDER_DEPOSIT = "tender_deposit"
    GIFT_CARD_LIABILITY = "gift_card_liability"
    COGS = "cogs"
    INVENTORY_ON_HAND = "inventory_on_hand"
    DISCOUNTS = "discounts"


class Dimension(StrEnum):
    """What a line is told apart by. The order is the order of precedence on a tie between two mappings."""

    TENDER = "tender"
    REASON = "reason"
    TAX_JURISDICTION = "tax_jurisdiction"
    ITEM_CLASS = "item_class"
    CATEGORY = "category"
    STORE = "store"


DEFAULT_CLASS = "default"
"""The code of the item class of an item that names none."""


class AccountType(StrEnum):
    """Types of account, neutral over vendors; each vendor's payloads translate theirs."""

    BANK = "bank"
    RECEIVABLE = "receivable"
    CURRENT_ASSET = "current_asset"
    FIXED_ASSET = "fixed_asset"
    OTHER_ASSET = "other_asset"
    PAYABLE = "payable"
    CREDIT_CARD = "credit_card"
    CURRENT_LIABILITY = "current_liability"
    LONG_TERM_LIABILITY = "long_term_liability"
    EQUITY = "equity"
    INCOME = "income"
    COST_OF_GOODS_SOLD = "cost_of_goods_sold"
    EXPENSE = "expense"
    OTHER_INCOME = "other_income"
    OTHER_EXPENSE = "other_expense"
    NON_POSTING = "non_posting"


_INCOMES = frozenset({AccountType.INCOME, AccountType.OTHER_INCOME})
_LIABILITIES = frozenset({AccountType.CURRENT_LIABILITY, AccountType.LONG_TERM_LIABILITY})
_COSTS = frozenset({AccountType.COST_OF_GOODS_SOLD, AccountType.EXPENSE, AccountType.OTHER_EXPENSE})
_MONEY = frozenset({AccountType.BANK, AccountType.CURRENT_ASSET, AccountType.OTHER_ASSET})


@dataclass(frozen=True)
class RoleNeeds:
    """What a mapping of this role must name, what stands in when it is missing, and which accounts fit.

    `required`: the dimension that a mapping row of this role must name, if any.
    `one_default`: a row without that dimension serves every value that has no row of its own.
    `default_class`: the row of the default item class serves every class without a row of its own.
    `falls_back_to`: the role that is asked when this one has no row.
    `fits`: the types of account that the role may be mapped to.
    """

    label: str
    fits: frozenset[AccountType]
    required: Dimension | None = None
    one_default: bool = False
    default_class: bool = False
    falls_back_to: Role | None = None

    @property
    def told_by(self) -> Dimension:
        """What people tell its lines apart by; a role that requires nothing is told by its tender, if it has one."""
        return self.required or Dimension.TENDER


ROLES: dict[Role, RoleNeeds] = {
    Role.SALES: RoleNeeds("Sales", _INCOMES, Dimension.ITEM_CLASS),
    Role.SALES_RETURNS: RoleNeeds("Sales returns", _INCOMES, Dimension.ITEM_CLASS, falls_back_to=Role.SALES),
    Role.SHIPPING_INCOME: RoleNeeds("Shipping income", _INCOMES),
    Role.TIPS_PAYABLE: RoleNeeds("Tips payable", _LIABILITIES),
    Role.ROUNDING: RoleNeeds("Rounding differences", _COSTS | _INCOMES),
    Role.CUSTOMER_BALANCE_CLEARING: RoleNeeds(
        "Unpaid customer balance", _MONEY | _LIABILITIES | {AccountType.CREDIT_CARD}
    ),
    Role.TAX_PAYABLE: RoleNeeds("Sales tax", _LIABILITIES, Dimension.TAX_JURISDICTION, one_default=True),
    Role.TENDER: RoleNeeds("Payment account", _MONEY | _LIABILITIES, Dimension.TENDER),
    Role.TENDER_DEPOSIT: RoleNeeds("Deposit account", _LIABILITIES, Dimension.TENDER),
    Role.GIFT_CARD_LIABILITY: RoleNeeds("Gift card liability", _LIABILITIES, falls_back_to=Role.TENDER),
    Role.COGS: RoleNeeds("Cost of goods sold", _COSTS, Dimension.ITEM_CLASS, default_class=True),
    Role.INVENTORY_ON_HAND: RoleNeeds(
        "Inventory on hand",
        frozenset({AccountType.CURRENT_ASSET, AccountType.OTHER_ASSET}),
        Dimension.ITEM_CLASS,
        default_class=True,
    ),
    Role.DISCOUNTS: RoleNeeds("Discounts", _INCOMES | _COSTS, Dimension.ITEM_CLASS),
}
"""The one closed table of roles (docs/house.md); a rule can name no other."""


class Side(StrEnum):
    DEBIT = "debit"
    CREDIT = "credit"

    @property
    def other(self) -> "Side":
        return Side.CREDIT if self is Side.DEBIT else Side.DEBIT


class SyncState(StrEnum):
    """Where a financial event stands in one book, in the words that users know."""

    NEVER_SYNCED = "never_synced"
    NOT_SYNCED = "not_synced"
    PROCESSING = "processing"
    SYNCED = "synced"
    ERROR = "error"

    @property
    def label(self) -> str:
        return self.value.replace("_", " ").title()


class Outcome(StrEnum):
    """How a posting came to be Synced."""

    POSTED = "posted"
    ADOPTED = "adopted"
    NOTHING_TO_POST = "nothing_to_post"
    VOIDED_BEFORE_SYNC = "voided_before_sync"

    @property
    def label(self) -> str:
        return self.value.replace("_", " ").capitalize()


class DeliveryState(StrEnum):
    """Where something that we send stands. Only `ready` can be claimed; `posted` and `discarded` are final."""

    DRAFTING = "drafting"
    READY = "ready"
    SENDING = "sending"
    UNKNOWN = "unknown"
    POSTED = "posted"
    REJECTED = "rejected"
    DISCARDED = "discarded"


class EntryKind(StrEnum):
    ORIGINAL = "original"
    SUPPLEMENTARY = "supplementary"
    REVERSAL = "reversal"
    REPOST = "repost"


class Priority:
    """Live events go before the backlog; a lower number goes first."""

    LIVE = 0
    BACKLOG = 10
