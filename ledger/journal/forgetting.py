"""What the ledger forgets after its time: the bodies that left and the vendor's words, never an entry or an attempt."""

from collections.abc import Iterator
from datetime import datetime
from itertools import takewhile

from django.db import transaction
from django.db.models import Q

from ledger.models import Attempt, JournalEntry
from ledger.terms import DeliveryState


def forget_bodies(*, after: int, before: datetime, most: int) -> tuple[int, int] | None:
    """Empty what up to `most` attempts after this id sent and were answered, where it was all over `before` that time.

    Returns the last attempt's id and how many entries were emptied, None when no more are old enough. What a person
    must still decide keeps its words. The lines of the entry stay, from which its body can be written again.
    """
    old = list(_old_attempts(after=after, before=before, most=most))
    if not old:
        return None
    over = Q(state=DeliveryState.POSTED, posted_at__lt=before) | Q(state=DeliveryState.DISCARDED)
    with transaction.atomic():
        ended = JournalEntry.objects.filter(over, pk__in={entry for _, entry in old})
        ids = list(ended.order_by("pk").values_list("pk", flat=True))
        emptied = JournalEntry.objects.filter(pk__in=ids).exclude(sent_body="").update(sent_body="")
        Attempt.objects.filter(entry__in=ids).exclude(vendor_message="").update(vendor_message="")
    return old[-1][0], emptied


def _old_attempts(*, after: int, before: datetime, most: int) -> Iterator[tuple[int, int]]:
    """Id and entry. The ids rise with the time, so that the first young one ends the walk."""
    rows = Attempt.objects.filter(pk__gt=after).order_by("pk").values_list("pk", "entry_id", "started_at")[:most]
    return ((pk, entry) for pk, entry, _ in takewhile(lambda row: row[2] < before, rows))
