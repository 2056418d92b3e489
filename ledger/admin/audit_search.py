"""The search of the audit: by person, deed, object, reason, values before and after, and number of an event or entry.

It reads the records themselves, the newest first and no further than `MOST_READ`: an index of every part of every value
would be larger than the audit, and another one for each database.
"""

import json

from django.db.models import Q, QuerySet
from django.utils.text import smart_split, unescape_string_literal

from ledger.admin import upstairs
from ledger.models import AuditRecord, FinancialEvent, JournalLine, Posting, Source
from ledger.terms import EventKind
from ledger.trace import trace_of

TEXTS, VALUES = ("actor_name", "deed", "subject"), ("before", "after")

MOST_READ = 200_000
"""So many records one search reads, in about a second; older ones are found once a range of dates is chosen."""

MOST_WORDS, MOST_EVENTS, MOST_DEEDS = 8, 50, 1_000


def within_reach(rows: QuerySet[AuditRecord]) -> tuple[QuerySet[AuditRecord], bool]:
    """The newest of these records, as many as a search reads, and whether older ones are left out."""
    reached = rows.order_by("-pk").values_list("pk", flat=True)
    oldest_left_out = reached[MOST_READ : MOST_READ + 1].first()
    return (rows, False) if oldest_left_out is None else (rows.filter(pk__gt=oldest_left_out), True)


def matching(typed: str) -> Q:
    """The records that hold every word of it; what stands in quotation marks is one word."""
    wanted = Q()
    for word in list(smart_split(typed))[:MOST_WORDS]:
        wanted &= _holds(_unquoted(word))
    return wanted


def _unquoted(word: str) -> str:
    try:
        return unescape_string_literal(word)
    except ValueError:
        return word


def _holds(word: str) -> Q:
    held = Q(pk__in=_deeds_on(_events(word)))
    for text in TEXTS:
        held |= Q(**{f"{text}__icontains": word})
    for spelling in {word, json.dumps(word)[1:-1]}:  # SQLite keeps values as JSON was written, PostgreSQL as it reads
        for value in VALUES:
            held |= Q(**{f"{value}__icontains": spelling})
    return held


def _events(word: str) -> list[Posting]:
    """The events of this number or this id in the log, or those that the entry of this number carries."""
    numbered = Posting.objects.filter(number__in=[word, word.upper()])
    lines = JournalLine.objects.filter(entry__reference=word.upper())
    carried = Posting.objects.filter(pk__in=lines.values("posting"))
    traced = Posting.objects.filter(event__in=_documents(word.upper()))
    return [*numbered[:MOST_EVENTS], *carried[:MOST_EVENTS], *traced[:MOST_EVENTS]]


def _documents(trace: str) -> QuerySet[FinancialEvent]:
    """The document that stands in the logs under this id."""
    wanted = Q(pk__in=[])
    for source in Source.objects.all():
        for kind in EventKind:
            head = trace_of(source.code, kind, "")
            if trace.startswith(head):
                wanted |= Q(source=source, kind=kind, external_id=trace.removeprefix(head))
    return FinancialEvent.objects.filter(wanted)


def _deeds_on(postings: list[Posting]) -> list[int]:
    """The records that name these events, or one of whose many they were."""
    if not postings:
        return []
    wanted = Q(subject_kind="ledger.posting", subject_id__in=[str(posting.pk) for posting in postings])
    for of_many in upstairs.deeds_on_many:
        wanted |= of_many(postings)
    return list(AuditRecord.objects.filter(wanted).order_by("-pk").values_list("pk", flat=True)[:MOST_DEEDS])
