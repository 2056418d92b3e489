"""What became of events that a person retried and that are in Error again. Read only."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from integrations.bulk_deeds import DEEDS
from integrations.models import BulkDeed, BulkItem
from ledger.models import AuditRecord, Posting
from ledger.terms import SyncState


@dataclass(frozen=True)
class Tried:
    """The last Retry of an event that is in Error again.

    `same`: whether the cause was this one then, too; None where nobody wrote it down.
    """

    at: datetime
    same: bool | None


def tried_again(postings: Iterable[Posting]) -> dict[int, Tried]:
    """By posting: of those that are in Error, the last Retry. Two queries, whatever their number."""
    failed = {posting.pk: posting for posting in postings if posting.state == SyncState.ERROR}
    last: dict[int, tuple[datetime, list[str] | None]] = {}
    for pk, at, causes in [*_alone(list(failed)), *_with_others(list(failed))] if failed else []:
        if pk not in last or last[pk][0] < at:
            last[pk] = (at, causes)
    return {pk: Tried(at, None if causes is None else failed[pk].cause in causes) for pk, (at, causes) in last.items()}


def _alone(ids: Sequence[int]) -> Iterator[tuple[int, datetime, list[str] | None]]:
    records = AuditRecord.objects.filter(
        subject_kind="ledger.posting", subject_id__in=map(str, ids), deed=DEEDS[BulkDeed.Kind.RETRY].audited
    )
    for pk, at, after in records.values_list("subject_id", "at", "after"):
        yield int(pk), at, after.get("causes")


def _with_others(ids: Sequence[int]) -> Iterator[tuple[int, datetime, list[str] | None]]:
    items = BulkItem.objects.filter(posting__in=ids, outcome=BulkItem.Outcome.DONE, deed__kind=BulkDeed.Kind.RETRY)
    for pk, at, cause in items.values_list("posting", "deed__ordered_at", "cause"):
        yield pk, at, None if cause is None else [cause]
