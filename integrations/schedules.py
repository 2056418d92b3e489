"""What runs by itself: four wake-ups a minute, and once a day what has had its time is taken away.

Business calendars are computed from our own tables, never here.
"""

from django_q.models import Schedule

EVERY_MINUTE = {
    "sweep": "integrations.tasks.sweep",
    "capture": "integrations.tasks.capture_all",
    "listen": "integrations.listening.listen",
    "count": "integrations.counting.count",
}

EACH_DAY = {"housekeeping": "integrations.housekeeping.tidy"}

FORMER = ("sessions",)
"""Schedules of earlier versions."""


def install(**_: object) -> None:
    """Create the schedules once; called after each migration."""
    Schedule.objects.filter(name__in=[f"daybook {name}" for name in FORMER]).delete()
    for name, function in EVERY_MINUTE.items():
        _install(name, function, schedule_type=Schedule.MINUTES, minutes=1)
    for name, function in EACH_DAY.items():
        _install(name, function, schedule_type=Schedule.DAILY)


def _install(name: str, function: str, **when: object) -> None:
    defaults = {"func": function, "repeats": -1, **when}
    Schedule.objects.get_or_create(name=f"daybook {name}", defaults=defaults)
