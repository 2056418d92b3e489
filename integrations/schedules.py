"""What runs by itself: two wake-ups a minute. Business calendars are computed from our own tables, never here."""

from django_q.models import Schedule

EVERY_MINUTE = {"sweep": "integrations.tasks.sweep", "capture": "integrations.tasks.capture_all"}


def install(**_: object) -> None:
    """Create the schedules once; called after each migration."""
    for name, function in EVERY_MINUTE.items():
        Schedule.objects.get_or_create(
            name=f"daybook {name}",
            defaults={"func": function, "schedule_type": Schedule.MINUTES, "minutes": 1, "repeats": -1},
        )
