"""What the log says of entries on their way: states, ids and traces, never an amount, a payload or a word of theirs."""

from collections.abc import Mapping, Sequence

import structlog

from ledger.errors import DaybookError, OutcomeUnknown
from ledger.journal.delivery import Claim
from ledger.models import JournalEntry
from ledger.values import Delivered

log = structlog.get_logger(__name__)

WAITS = frozenset({"unreachable", "rate_limited", "auth_expired"})
"""Codes of errors that nobody needs to act on: the entry goes out later."""


def needs_a_person(error: Exception) -> bool:
    """Whether an error is anybody's to mend; a lost answer is looked up, and what waits goes by itself."""
    return not isinstance(error, DaybookError) or error.code not in WAITS


def tell(claim: Claim, entries: Sequence[JournalEntry], results: Mapping[str, Delivered]) -> None:
    """One line for the entries of a call that fared alike."""
    alike: dict[tuple[str, str, str], list[Delivered]] = {}
    for entry in entries:
        result = results[entry.reference]
        alike.setdefault((fate(result), _code(result), result.request_id), []).append(result)
    for (fared, code, request_id), group in alike.items():
        traces = [result.reference for result in group]
        remote_ids = [result.remote_id for result in group if result.remote_id]
        write = log.warning if code else log.info
        facts = {"code": code, "request_id": request_id, "remote_ids": remote_ids}
        write(fared, owner=claim.owner, traces=traces, **{name: fact for name, fact in facts.items() if fact})


def fate(result: Delivered) -> str:
    """What became of an entry, in a word or two."""
    error = result.error
    if error is None:
        return "posted"
    if isinstance(error, OutcomeUnknown):
        return "outcome unknown"
    return "rejected" if needs_a_person(error) else "put back"


def _code(result: Delivered) -> str:
    if result.error is None:
        return ""
    return str(getattr(result.error, "vendor_code", "") or getattr(result.error, "code", type(result.error).__name__))
