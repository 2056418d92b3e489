"""Alerts as a table, in the words of whoever exports it: a store manager reads of the own stores only."""

from ledger.resources import TableResource, column


class AlertResource(TableResource):
    """One row a problem: the lines of the list of alerts. `causes` is false for who runs stores and not the books."""

    what = "alerts"

    sentence = column("What", "what")
    severity = column("Severity", "alert__get_severity_display")
    place = column("Where", "place")
    events = column("Events", "events")
    amount = column("Amount", "amount")
    currency = column("Currency", "currency")
    first_seen_at = column("First seen (UTC)", "alert__first_seen_at")
    last_seen_at = column("Last seen (UTC)", "alert__last_seen_at")
    acknowledged_at = column("Acknowledged (UTC)", "alert__acknowledged_at")
    acknowledged_by = column("Acknowledged by", "alert__acknowledged_by__username")
    assigned_to = column("Assigned to", "alert__assigned_to__username")
    closed_at = column("Closed (UTC)", "alert__closed_at")
    cause = column("Cause", "alert__cause")

    def __init__(self, *, causes: bool = True) -> None:
        super().__init__()
        if not causes:
            del self.fields["cause"]
