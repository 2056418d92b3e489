"""The retailer's chart of accounts: read, named, created, made inactive. Balances come from the journal."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from typing import Any

from sandbox.quickbooks import refusals
from sandbox.quickbooks.clock import stamp
from sandbox.quickbooks.refusals import Refused

DATA = Path(__file__).parent.parent / "data"
DELETED = " (deleted)"
MOST_LEVELS = 5
CREATED = "2010-01-04T09:12:30-08:00"
CURRENCY = {"value": "USD", "name": "United States Dollar"}
CREATABLE = {
    *("Name", "AccountType", "AccountSubType", "SubAccount", "ParentRef", "Active", "Description", "AcctNum"),
    *("CurrencyRef", "TaxCodeRef", "Classification", "FullyQualifiedName", "domain", "sparse"),
}

TYPES: dict[str, dict[str, Any]] = json.loads((DATA / "account_types.json").read_text())
TYPE_OF_SUBTYPE = {subtype: name for name, each in TYPES.items() for subtype in each["subtypes"]}


@dataclass(frozen=True)
class Account:
    """One account; `balance` is the opening one, None for profit-and-loss accounts."""

    id: str
    full_name: str
    type: str
    subtype: str
    parent: str | None = None
    active: bool = True
    balance: Decimal | None = None
    sync_token: int = 0
    created: str = CREATED
    updated: str = CREATED

    @property
    def name(self) -> str:
        return self.full_name.rpartition(":")[2]

    @property
    def shown_name(self) -> str:
        return self.full_name if self.active else self.full_name + DELETED


class Chart:
    """All accounts by id."""

    def __init__(self) -> None:
        self._accounts: dict[str, Account] = {}
        self._ids: dict[str, str] = {}
        for row in json.loads((DATA / "chart_of_accounts.json").read_text()):
            self.add(self._recorded(row))
        self._silenced: frozenset[str] = frozenset()

    def _recorded(self, row: Mapping[str, Any]) -> Account:
        parent = self._ids.get(row["name"].rpartition(":")[0])
        balance = Decimal(row["balance"]) if "balance" in row else None
        gone = bool(row.get("inactive"))
        return Account(row["id"], row["name"], row["type"], row["subtype"], parent, not gone, balance, 1 if gone else 0)

    def __iter__(self) -> Iterator[Account]:
        return iter([self._as_set(account) for account in self._accounts.values()])

    def add(self, account: Account) -> None:
        self._accounts[account.id] = account
        self._ids[account.full_name] = account.id

    def get(self, identifier: str) -> Account | None:
        account = self._accounts.get(identifier)
        return None if account is None else self._as_set(account)

    def named(self, full_name: str) -> Account | None:
        return self.get(self._ids.get(full_name, ""))

    def silence(self, accounts: Collection[str]) -> None:
        """Show exactly these (ids or full names) as made inactive, besides those that are so anyway."""
        self._silenced = frozenset(self._ids.get(each, each) for each in accounts)

    def _as_set(self, account: Account) -> Account:
        if account.id not in self._silenced or not account.active:
            return account
        return replace(account, active=False, sync_token=account.sync_token + 1)

    def next_id(self) -> str:
        return str(max(int(identifier) for identifier in self._accounts) + 1)

    def ref(self, identifier: str) -> dict[str, str]:
        """As references appear in answers: with the fully qualified name."""
        account = self.get(identifier)
        return {"name": account.shown_name if account else "", "value": identifier}

    def body(self, account: Account, *, moved: Mapping[str, Decimal]) -> dict[str, Any]:
        """The account as the vendor shows it. `moved` holds debits less credits per account id."""
        parent = {"ParentRef": {"value": account.parent}} if account.parent else {}
        return {
            "Name": account.name if account.active else account.name + DELETED,
            "SubAccount": account.parent is not None,
            **parent,
            "FullyQualifiedName": account.shown_name,
            "Active": account.active,
            "Classification": TYPES[account.type]["classification"],
            "AccountType": account.type,
            "AccountSubType": account.subtype,
            "CurrentBalance": _balance(account, moved),
            "CurrentBalanceWithSubAccounts": sum((_balance(each, moved) for each in self._family(account)), Decimal(0)),
            "CurrencyRef": CURRENCY,
            "domain": "QBO",
            "sparse": False,
            "Id": account.id,
            "SyncToken": str(account.sync_token),
            "MetaData": {"CreateTime": account.created, "LastUpdatedTime": account.updated},
        }

    def _family(self, account: Account) -> Iterator[Account]:
        prefix = account.full_name + ":"
        return (each for each in self._accounts.values() if each.id == account.id or each.full_name.startswith(prefix))

    def draft(self, body: Mapping[str, Any]) -> Account:
        """The account that a create request asks for, not yet added. Raises Refused."""
        _check_creation(body)
        kind = body.get("AccountType") or TYPE_OF_SUBTYPE[body["AccountSubType"]]
        parent = self._parent(body, kind)
        full_name = f"{parent.full_name}:{body['Name']}" if parent else body["Name"]
        if full_name in self._ids:
            raise Refused(refusals.duplicate_name())
        if full_name.count(":") >= MOST_LEVELS:
            raise Refused(refusals.business(f"Accounts may be nested at most {MOST_LEVELS} levels deep."))
        subtype = body.get("AccountSubType") or TYPES[kind]["default"]
        balance = None if TYPES[kind]["classification"] in ("Revenue", "Expense") else Decimal("0.00")
        made = stamp()
        identifier = parent.id if parent else None
        return Account(self.next_id(), full_name, kind, subtype, identifier, True, balance, created=made, updated=made)

    def _parent(self, body: Mapping[str, Any], kind: str) -> Account | None:
        if not body.get("ParentRef"):
            return None
        identifier = str(body["ParentRef"].get("value"))
        parent = self.get(identifier)
        if parent is None:
            raise Refused(refusals.unknown_reference("Accounts", identifier))
        if parent.type != kind:
            raise Refused(refusals.business("A sub-account must be of the same type as its parent."))
        return parent


def _balance(account: Account, moved: Mapping[str, Decimal]) -> Decimal:
    if account.balance is None:
        return Decimal(0)
    return account.balance + moved.get(account.id, Decimal(0))


def _check_creation(body: Mapping[str, Any]) -> None:
    unknown = body.keys() - CREATABLE
    if unknown:
        raise Refused(*(refusals.unsupported(name) for name in sorted(unknown)))
    name = body.get("Name")
    if not isinstance(name, str) or not name:
        raise Refused(refusals.required("Name"))
    if len(name) > 100:
        raise Refused(refusals.wrong_length("Name", least=1, most=100, supplied=len(name)))
    if ":" in name or '"' in name:
        raise Refused(refusals.business("An account name must not contain a colon or a double quote."))
    if not body.get("AccountType") and not body.get("AccountSubType"):
        raise Refused(refusals.account_type_missing())
    _check_types(body.get("AccountType"), body.get("AccountSubType"))


def _check_types(kind: object, subtype: object) -> None:
    if kind is not None and kind not in TYPES:
        raise Refused(refusals.unsupported("AccountType"))
    if subtype is not None and (subtype not in TYPE_OF_SUBTYPE or kind not in (None, TYPE_OF_SUBTYPE[subtype])):
        raise Refused(refusals.unsupported("AccountSubType"))
