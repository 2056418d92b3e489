"""The rows by which processes agree: leases, calls that count, circuits, heartbeats, how far housekeeping is."""

from django.db import models

from integrations.models.connections import Connection


class Lease(models.Model):
    """A named right to do a periodic job, held by one process at a time."""

    name = models.CharField(max_length=100, unique=True)
    owner = models.CharField(max_length=36, blank=True)
    until = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return self.name


class CallLog(models.Model):
    """The calls of a connection that count against its limits at this moment. Times in milliseconds since 1970.

    `times`: from when an answered call counts, by kind, ascending. `flying`: of each call under way when it took its
    place, until when it counts so without an answer, and its kinds.
    """

    connection = models.OneToOneField(Connection, on_delete=models.CASCADE, related_name="call_log")
    times = models.JSONField(default=dict)
    flying = models.JSONField(default=dict)
    paused_until = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"calls of {self.connection}"


class Circuit(models.Model):
    """Whether a connection's other side answers: failures in a row, and until when nobody calls.

    Open while it rests; `rests` counts how often it was opened or stayed open, one after another.
    """

    connection = models.OneToOneField(Connection, on_delete=models.CASCADE, related_name="circuit")
    failures = models.PositiveIntegerField(default=0)
    rests = models.PositiveIntegerField(default=0)
    opened_at = models.DateTimeField(null=True)
    rests_until = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(opened_at=None, rests_until=None)
                | models.Q(opened_at__isnull=False, rests_until__isnull=False),
                name="open_circuit_rests",
            )
        ]

    def __str__(self) -> str:
        return f"circuit of {self.connection}"


class Heartbeat(models.Model):
    """One tree of worker processes. That it works is proof that tasks really run: written by a task alone.

    `at`: since when it starts, its last sign of life, and also the last one of a tree that has ended.
    """

    class State(models.TextChoices):
        STARTS = "starts", "starts, no sign of life yet"
        WORKS = "works", "works"
        ENDED = "ended", "ended as it should"

    name = models.CharField(max_length=120, unique=True)
    at = models.DateTimeField()
    # The version before, which may still run, does not know it.
    state = models.CharField(max_length=6, choices=State.choices, default=State.WORKS, db_default=State.WORKS)

    def __str__(self) -> str:
        return self.name


class Cleared(models.Model):
    """How far housekeeping has walked through a table that keeps its rows: `through` is the last id it looked at."""

    name = models.CharField(max_length=40, unique=True)
    through = models.BigIntegerField(default=0)

    def __str__(self) -> str:
        return f"{self.name} through {self.through}"
