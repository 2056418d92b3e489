"""An entry that stands in the accounting system beside ours: where the two say something else. Asks nobody."""

from dataclasses import dataclass
from decimal import Decimal

from ledger import entries, money
from ledger.terms import Side
from ledger.values import OutgoingEntry, OutgoingLine, RemoteEntry


@dataclass(frozen=True)
class Row:
    """One account on one side: what our entry says and what the other one says."""

    account: str
    side: str
    ours: str
    theirs: str
    differs: bool


def differences_of(ours: OutgoingEntry, remote: RemoteEntry) -> list[str]:
    """What an entry found there says otherwise than ours, in words and amounts; empty when they say the same."""
    said = []
    if remote.posting_date != ours.posting_date:
        said.append(
            f"It bears the date {remote.posting_date:%b %-d, %Y}; this event's is {ours.posting_date:%b %-d, %Y}."
        )
    there, here = debits_of(remote.lines), debits_of(ours.lines)
    if there != here:
        amounts = [money.shown(amount, currency=ours.currency) for amount in (there, here, abs(there - here))]
        which = "more" if there > here else "less"
        said.append(f"It comes to {amounts[0]}; this event's entry to {amounts[1]}, so it is {amounts[2]} {which}.")
    different = len({row.account for row in rows_of(ours, remote, names={}) if row.differs})
    if different:
        which = "1 account has another amount" if different == 1 else f"{different:,} accounts have other amounts"
        said.append(f"{which} in it.")
    return said


def rows_of(ours: OutgoingEntry, remote: RemoteEntry, *, names: dict[str, str]) -> list[Row]:
    """Every account that one of the two touches, ours first."""
    here, there = entries.sums_by_account(ours.lines), entries.sums_by_account(remote.lines)

    def shown(amount: Decimal | None) -> str:
        return "-" if amount is None else money.shown(amount, currency=ours.currency)

    def row(account: str, side: Side) -> Row:
        mine, theirs = here.get((account, side)), there.get((account, side))
        return Row(names.get(account, account), side.value.capitalize(), shown(mine), shown(theirs), mine != theirs)

    return [row(account, side) for account, side in {**here, **there}]


def debits_of(lines: tuple[OutgoingLine, ...]) -> Decimal:
    """What an entry comes to."""
    return sum((line.amount for line in lines if line.side is Side.DEBIT), Decimal(0))


def the_same(ours: OutgoingEntry, found: list[RemoteEntry]) -> tuple[RemoteEntry | None, str]:
    """The one entry found there that says what ours says; else why there is none to take without a person."""
    if not found:
        return None, "No entry of this number stands there any more: press Retry."
    if len(found) > 1:
        return None, f"{len(found)} entries of this number stand there: open the event and choose one."
    remote, said = found[0], differences_of(ours, found[0])
    if not remote.final:
        said.append("It is a draft, or waits for approval there.")
    return (None, " ".join(said)) if said else (remote, "")
