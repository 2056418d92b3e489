"""The rows by which processes agree: leases, buckets, circuits, heartbeats, how far housekeeping has come."""

from django.db import models

from integrations.models.connections import Connection


class Lease(models.Model):
    """A named right to do a periodic job, held by one process at a time."""

    name = models.CharField(max_length=100, unique=True)
    owner = models.CharField(max_length=36, blank=True)
    until = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return self.name


class Bucket(models.Model):
    """A token bucket of a connection, shared by all processes. `level` is in thousandths of a place."""

    connection = models.ForeignKey(Connection, on_delete=models.CASCADE, related_name="buckets")
    kind = models.CharField(max_length=20)
    level = models.BigIntegerField()
    filled_at = models.DateTimeField()
    paused_until = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["connection", "kind"], name="one_bucket_per_kind")]

    def __str__(self) -> str:
        return f"{self.kind} of {self.connection}"


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
    """Proof that tasks really run: written by a task, never by the cluster itself."""

    name = models.CharField(max_length=40, unique=True)
    at = models.DateTimeField()

    def __str__(self) -> str:
        return self.name


class Cleared(models.Model):
    """How far housekeeping has walked through a table that keeps its rows: `through` is the last id it looked at."""

    name = models.CharField(max_length=40, unique=True)
    through = models.BigIntegerField(default=0)

    def __str__(self) -> str:
        return f"{self.name} through {self.through}"
