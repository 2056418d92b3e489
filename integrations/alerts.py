"""One alert per problem, not one per event: written from what is in error now, closed when its cause is gone.

A problem that comes back is a new alert. Who has acknowledged one, and who has it, survives every update. It is told
again, once for each such step, when its severity rises, or when it was acknowledged and now holds up more than twice as
many events as people knew of: `known_events`, counted when it opened, was acknowledged, or was told again.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Count, Max, Min, QuerySet, Sum

from integrations import machines, notices, vendors
from integrations.breaker import LONGEST_REST
from integrations.models import Alert, Capture, Circuit, Connection
from integrations.seeing import CHANGED_SINCE, EXAMPLE, LASTS_MINUTES, OUTCOME_UNKNOWN, UNREACHABLE, long_unknown
from ledger.audit import note
from ledger.clock import database_now
from ledger.errors import AuthExpired, Refused
from ledger.locks import locked
from ledger.models import DayFigure, Posting
from ledger.money import ZERO
from ledger.terms import SyncState

SILENT_MINUTES = 10

LONG_OUTAGE_MINUTES = 30
"""So long nobody needs to do anything about a vendor that does not answer."""


@dataclass(frozen=True)
class Problem:
    sentence: str
    events: int
    severity: str = Alert.Severity.ERROR
    amount: Decimal = ZERO


def open_alerts(connection: Connection) -> QuerySet[Alert]:
    """What stands against a connection and its book now."""
    own = Alert.objects.filter(closed_at=None, connection=connection)
    book = Alert.objects.filter(closed_at=None, connection=None, book=connection.book) if connection.book else None
    return own if book is None else own | book


def refresh(connection: Connection) -> None:
    """Bring the alerts of a connection in line with its rows: open, update, close."""
    with transaction.atomic():
        # One look at a time: who counts beside somebody else writes what is over already.
        connection.refresh_from_db(from_queryset=locked(Connection.objects.all()))
        if connection.book:
            _write(_book_problems(connection), {"book": connection.book, "connection": None})
        _write(_connection_problems(connection), {"book": None, "connection": connection})


def _connection_problems(connection: Connection) -> dict[str, Problem]:
    if connection.state == Connection.State.ACTION_REQUIRED:
        return {AuthExpired.code: Problem(connection.problem, 0)}
    return _no_answer(connection) or _silent_till(connection)


def _no_answer(connection: Connection) -> dict[str, Problem]:
    """An open circuit: the outage is one problem, however many events wait for its end."""
    circuit = Circuit.objects.filter(connection=connection).exclude(opened_at=None).first()
    if circuit is None or circuit.opened_at is None:
        return {}
    is_long = circuit.opened_at < database_now() - timedelta(minutes=LONG_OUTAGE_MINUTES)
    sentence = (
        f"{vendors.VENDORS[connection.vendor].label} does not answer. Nothing is lost: what is due waits, Daybook asks "
        f"again by itself at least every {int(LONGEST_REST * 1.2 / 60)} minutes, and goes on in order."
    )
    severity = Alert.Severity.ERROR if is_long else Alert.Severity.WARNING
    return {UNREACHABLE: _with_what_waits(connection, Problem(sentence, 0, severity))}


def _with_what_waits(connection: Connection, problem: Problem) -> Problem:
    """How many events and how much money wait for its end, by the sums of the last minute: no count of a backlog."""
    figures = DayFigure.objects.filter(book=connection.book_id, state__in=[SyncState.NOT_SYNCED, SyncState.PROCESSING])
    found = figures.aggregate(events=Sum("events"), amount=Sum("amount"))
    return replace(problem, events=found["events"] or 0, amount=found["amount"] or ZERO)


def _silent_till(connection: Connection) -> dict[str, Problem]:
    """A till that feeds a book and was not read for a while: no sale arrives, and nothing else would say so."""
    capture = Capture.objects.filter(connection=connection).first()
    if capture is None:
        return {}
    if connection.state == Connection.State.UNCONNECTED:
        return {"till_unconnected": Problem("The till is disconnected: no sale arrives. Connect it again.", 0)}
    last = capture.last_run_at or connection.connected_at  # just connected, it is read in a moment
    if last and last > database_now() - timedelta(minutes=SILENT_MINUTES):
        return {"capture": Problem(capture.problem, 0, Alert.Severity.WARNING)} if capture.problem else {}
    sentence = (
        f"The till was not read for more than {SILENT_MINUTES} minutes: no sale arrives. "
        "See whether the worker runs, and press Test on the till's page."
    )
    return {"till_silent": Problem(sentence, 0)}


def _book_problems(connection: Connection) -> dict[str, Problem]:
    errors = Posting.objects.filter(book=connection.book, state=SyncState.ERROR)
    causes = errors.values("cause").annotate(
        events=Count("pk"), amount=Sum("amount"), first=Min("error"), last=Max("error")
    )
    problems = {
        row["cause"]: Problem(
            about(row["first"], row["last"], row["events"]), row["events"], amount=row["amount"] or ZERO
        )
        for row in causes.order_by("cause")
    }
    return problems | _changed_since(connection) | _long_unknown(connection)


def _changed_since(connection: Connection) -> dict[str, Problem]:
    changed = Posting.objects.filter(book=connection.book, changed_since=True)
    found = changed.aggregate(events=Count("pk"), amount=Sum("amount"))
    events = found["events"]
    if not events:
        return {}
    sentence = (
        f"{events} synced {'event was' if events == 1 else 'events were'} changed at the till after posting. "
        "Compare the document with its entry; the entry stays as it was."
    )
    return {CHANGED_SINCE: Problem(sentence, events, Alert.Severity.WARNING, found["amount"] or ZERO)}


def about(first: str, last: str, events: int) -> str:
    """What events of one cause say, by the first and last of their sentences: an example when they differ."""
    return first if first == last else f"{events} {EXAMPLE} {first}"


def _long_unknown(connection: Connection) -> dict[str, Problem]:
    lost = long_unknown(Posting.objects.filter(book=connection.book))
    found = lost.aggregate(events=Count("pk"), amount=Sum("amount"))
    count = found["events"]
    if not count:
        return {}
    sentence = (
        f"{count} {'event was' if count == 1 else 'events were'} sent and no answer came for more than "
        f"{LASTS_MINUTES} minutes. Daybook goes on looking; check whether the accounting system can be reached."
    )
    return {OUTCOME_UNKNOWN: Problem(sentence, count, Alert.Severity.WARNING, found["amount"] or ZERO)}


def refresh_daybook() -> None:
    """What concerns no single book: a machine that hangs while another works, channels that deliver nothing."""
    with transaction.atomic():
        _write(_messages() | _silent_machines(), {"book": None, "connection": None})


def _messages() -> dict[str, Problem]:
    """One for each channel that delivers nothing to somebody, told by the other one."""
    failing = {f"{notices.MESSAGES}:{channel}": names for channel, names in notices.undelivered().items()}
    return {cause: _undelivered(names) for cause, names in failing.items()}


def _silent_machines() -> dict[str, Problem]:
    """Its own watchdog restarts workers that hang; a machine that has no power has no watchdog either."""
    known = machines.machines()
    silent = [machine.name for machine in known if machine.is_silent]
    if not silent or len(silent) == len(known):  # whoever writes this works itself
        return {}
    sentence = (
        f"{len(silent)} of {len(known)} worker machines give no sign of life: {', '.join(silent)}. The others go on "
        "with their work; nothing is lost."
    )
    return {"worker_silent": Problem(sentence, 0, Alert.Severity.WARNING)}


def _undelivered(names: list[str]) -> Problem:
    shown = ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
    return Problem(f"Alerts could not be delivered to {shown}. The list of who hears what says why.", 0)


def _write(problems: Mapping[str, Problem], whose: Mapping[str, object]) -> None:
    """Open, update and close in one transaction with what is told of it."""
    now = database_now()
    held = list(locked(Alert.objects.filter(closed_at=None, **whose).order_by("pk")))
    gone = [alert for alert in held if alert.cause not in problems]
    kept = [alert for alert in held if alert.cause in problems]
    for alert in gone:
        alert.closed_at = now
    again = [alert for alert in kept if _update(alert, problems[alert.cause])]
    for alert in kept:
        alert.last_seen_at = now
    Alert.objects.bulk_update(gone, ["closed_at"])
    columns = ["sentence", "severity", "events", "amount", "known_events", "last_seen_at"]
    Alert.objects.bulk_update(kept, columns)
    known = {alert.cause for alert in kept}
    opened = _open({cause: problem for cause, problem in problems.items() if cause not in known}, whose)
    notices.tell(notices.Changes(standing=[*kept, *opened], opened=opened, again=again, closed=gone))


def _update(alert: Alert, problem: Problem) -> bool:
    """Bring a standing alert in line with its problem. Whether people must be told again."""
    worse = problem.severity == Alert.Severity.ERROR and alert.severity != problem.severity
    grown = alert.acknowledged_at is not None and problem.events > 2 * alert.known_events
    alert.sentence, alert.severity = problem.sentence, problem.severity
    alert.events, alert.amount = problem.events, problem.amount
    if worse or grown:
        alert.known_events = problem.events
    return worse or grown


def _open(problems: Mapping[str, Problem], whose: Mapping[str, object]) -> list[Alert]:
    if not problems:
        return []
    now = database_now()
    rows = [
        Alert(
            cause=cause,
            severity=problem.severity,
            sentence=problem.sentence,
            events=problem.events,
            amount=problem.amount,
            known_events=problem.events,
            first_seen_at=now,
            last_seen_at=now,
            **whose,
        )
        for cause, problem in problems.items()
    ]
    # Another worker may have opened the same one just now; then that one is told, and by its key only once.
    Alert.objects.bulk_create(rows, ignore_conflicts=True)
    return list(Alert.objects.filter(closed_at=None, cause__in=list(problems), **whose))


# --- What people do -------------------------------------------------------------------------------


def acknowledge(alert: Alert, *, actor: User) -> None:
    """Somebody has seen it: it is told again only when it becomes worse. Raises Refused when it is closed."""
    with transaction.atomic():
        held = _open_one(alert)
        if held.acknowledged_at:
            raise Refused(f"{held.acknowledged_by} has acknowledged it already.")
        held.acknowledged_at, held.acknowledged_by, held.known_events = database_now(), actor, held.events
        held.save(update_fields=["acknowledged_at", "acknowledged_by", "known_events"])
        note(actor, "acknowledged an alert", held, after={"events": held.events})


def assign(alert: Alert, *, to: User | None, actor: User) -> None:
    """Say who has it; nobody, if `to` is None. Raises Refused when it is closed."""
    with transaction.atomic():
        held = _open_one(alert)
        before = {"assigned_to": str(held.assigned_to or "")}
        held.assigned_to = to
        held.save(update_fields=["assigned_to"])
        note(actor, "assigned an alert", held, before=before, after={"assigned_to": str(to or "")})


def _open_one(alert: Alert) -> Alert:
    held = locked(Alert.objects.filter(pk=alert.pk)).get()
    if held.closed_at:
        raise Refused("It is solved already; nothing is left to do.")
    return held
