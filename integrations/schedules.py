"""What runs by itself: three wake-ups a minute, and once a day what is left of ended sessions is taken away.

Business calendars are computed from our own tables, never here.
"""

from django_q.models import Schedule

EVERY_MINUTE = {
    "sweep": "integrations.tasks.sweep",
    "capture": "integrations.tasks.capture_all",
    "count": "integrations.counting.count",
}

EACH_DAY = {"sessions": ("django.core.management.call_command", "'clearsessions'")}
"""A function and what it is told. Django ends sessions and leaves their rows, which hold what somebody had open."""


def install(**_: object) -> None:
    """Create the schedules once; called after each migration."""
    for name, function in EVERY_MINUTE.items():
        Schedule.objects.get_or_create(
            name=f"daybook {name}",
            defaults={"func": function, "schedule_type": Schedule.MINUTES, "minutes": 1, "repeats": -1},
        )
    for name, (function, told) in EACH_DAY.items():
        Schedule.objects.get_or_create(
            name=f"daybook {name}",
            defaults={"func": function, "args": told, "schedule_type": Schedule.DAILY, "repeats": -1},
        )
