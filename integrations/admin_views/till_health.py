"""Whether sales arrive: what is wrong with a till now, in one sentence."""

from datetime import timedelta

from integrations.alerts import SILENT_MINUTES
from integrations.models import Capture, Connection
from ledger.clock import database_now


def till_problem(till: Connection) -> str:
    """Why no sale arrives from a till; empty when it is connected and was read a moment ago."""
    if till.state == Connection.State.ACTION_REQUIRED:
        return till.problem or "The connection must be renewed; no sale arrives until then."
    if till.state != Connection.State.CONNECTED:
        return "It is not connected: no sale arrives. Connect it under Integrations."
    capture = Capture.objects.filter(connection=till).first()
    if capture and capture.problem:
        return f"It could not be read: {capture.problem}"
    return _silence(till, capture)


def _silence(till: Connection, capture: Capture | None) -> str:
    last = (capture.last_run_at if capture else None) or till.connected_at
    if last and last > database_now() - timedelta(minutes=SILENT_MINUTES):
        return ""
    when = f"since {last:%b %-d, %Y, %H:%M} UTC" if last else "yet"
    return f"It was not read {when}: no sale arrives. See whether the worker runs, and press Test on the till's page."
