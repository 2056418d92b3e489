"""One alert per problem, not one per event: written from what is in error now, closed when its cause is gone."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from django.db import transaction
from django.db.models import Count, Exists, Max, Min, OuterRef, QuerySet

from integrations.models import Alert, Capture, Connection
from ledger.clock import database_now
from ledger.errors import AuthExpired
from ledger.locks import locked
from ledger.models import Attempt, JournalEntry, Posting
from ledger.terms import DeliveryState, SyncState

LASTS_MINUTES = 15
SILENT_MINUTES = 10


@dataclass(frozen=True)
class Problem:
    sentence: str
    events: int
    severity: str = Alert.Severity.ERROR


def open_alerts(connection: Connection) -> QuerySet[Alert]:
    """What stands against a connection and its book now."""
    own = Alert.objects.filter(closed_at=None, connection=connection)
    book = Alert.objects.filter(closed_at=None, connection=None, book=connection.book) if connection.book else None
    return own if book is None else own | book


def refresh(connection: Connection) -> None:
    """Bring the alerts of a connection in line with its rows: open, update, close."""
    connection.refresh_from_db()
    with transaction.atomic():
        if connection.book:
            _write(_book_problems(connection), {"book": connection.book, "connection": None})
        _write(_connection_problems(connection), {"book": None, "connection": connection})


def _connection_problems(connection: Connection) -> dict[str, Problem]:
    if connection.state == Connection.State.ACTION_REQUIRED:
        return {AuthExpired.code: Problem(connection.problem, 0)}
    return _silent_till(connection)


def _silent_till(connection: Connection) -> dict[str, Problem]:
    """A till that feeds a book and was not read for a while: no sale arrives, and nothing else would say so."""
    capture = Capture.objects.filter(connection=connection).first()
    if capture is None:
        return {}
    if connection.state == Connection.State.UNCONNECTED:
        return {"till_unconnected": Problem("The till is disconnected: no sale arrives. Connect it again.", 0)}
    last = capture.last_run_at
    if last and last > database_now() - timedelta(minutes=SILENT_MINUTES):
        return {"capture": Problem(capture.problem, 0, Alert.Severity.WARNING)} if capture.problem else {}
    sentence = (
        f"The till was not read for more than {SILENT_MINUTES} minutes: no sale arrives. "
        "See whether the worker runs, and press Test on the till's page."
    )
    return {"till_silent": Problem(sentence, 0)}


def _book_problems(connection: Connection) -> dict[str, Problem]:
    errors = Posting.objects.filter(book=connection.book, state=SyncState.ERROR)
    causes = (
        errors.values("cause").annotate(events=Count("pk"), first=Min("error"), last=Max("error")).order_by("cause")
    )
    problems = {row["cause"]: Problem(about(row["first"], row["last"], row["events"]), row["events"]) for row in causes}
    changed = Posting.objects.filter(book=connection.book, changed_since=True).count()
    if changed:
        sentence = (
            f"{changed} synced events were changed at the till after they were posted. "
            "Compare the document with its entry; the entry stays as it was."
        )
        problems["changed_since"] = Problem(sentence, changed, Alert.Severity.WARNING)
    return problems | _long_unknown(connection)


def about(first: str, last: str, events: int) -> str:
    """What events of one cause say, by the first and last of their sentences: an example when they differ."""
    return first if first == last else f"{events} events, for example: {first}"


def _long_unknown(connection: Connection) -> dict[str, Problem]:
    """Entries whose outcome nobody could find out for a quarter of an hour."""
    since = database_now() - timedelta(minutes=LASTS_MINUTES)
    on_their_way = [DeliveryState.UNKNOWN, DeliveryState.SENDING]
    waiting = JournalEntry.objects.filter(book=connection.book, state__in=on_their_way)
    lost = Attempt.objects.filter(entry=OuterRef("pk"), result=Attempt.Result.UNKNOWN, started_at__lt=since)
    count = waiting.filter(Exists(lost)).count()
    if not count:
        return {}
    sentence = (
        f"{count} entries were sent and no answer came for more than {LASTS_MINUTES} minutes. Daybook goes on "
        "looking them up; check whether the accounting system can be reached."
    )
    return {"outcome_unknown": Problem(sentence, count, Alert.Severity.WARNING)}


def _write(problems: Mapping[str, Problem], whose: Mapping[str, object]) -> None:
    now = database_now()
    standing = {alert.cause: alert for alert in locked(Alert.objects.filter(closed_at=None, **whose))}
    gone = [alert.pk for cause, alert in standing.items() if cause not in problems]
    Alert.objects.filter(pk__in=gone).update(closed_at=now)
    for cause, alert in standing.items():
        if cause in problems:
            problem = problems[cause]
            alert.sentence, alert.events, alert.last_seen_at = problem.sentence, problem.events, now
    kept = [alert for cause, alert in standing.items() if cause in problems]
    Alert.objects.bulk_update(kept, ["sentence", "events", "last_seen_at"])
    Alert.objects.bulk_create(
        [
            Alert(
                cause=cause,
                severity=problem.severity,
                sentence=problem.sentence,
                events=problem.events,
                first_seen_at=now,
                last_seen_at=now,
                **whose,
            )
            for cause, problem in problems.items()
            if cause not in standing
        ],
        ignore_conflicts=True,  # another worker may have opened the same one just now
    )
