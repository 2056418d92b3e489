"""How often a person may call: counted in one row for each person, so that every process counts the same."""

from datetime import datetime

from django.conf import settings
from django.contrib.auth.models import User
from django.db.models import F
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from integrations.models import ApiUse
from ledger.clock import database_now


class PerPerson(BaseThrottle):
    """So many calls in each minute of the clock, over all tokens and sessions of a person."""

    def allow_request(self, request: Request, view: object) -> bool:
        if not isinstance(request.user, User):
            return True
        self.now = database_now()
        return counted_in(request.user, minute=self.now.replace(second=0, microsecond=0))

    def wait(self) -> int:
        return 60 - self.now.second


def counted_in(person: User, *, minute: datetime) -> bool:
    """Count one call, if there is room for it: a conditional update, so that no two calls take the same place."""
    mine = ApiUse.objects.filter(user=person)
    if _taken(person, minute):
        return True
    is_new_minute = mine.filter(minute__lt=minute).update(minute=minute, calls=1)
    if is_new_minute:
        return True
    if not mine.exists():
        ApiUse.objects.bulk_create([ApiUse(user=person, minute=minute, calls=0)], ignore_conflicts=True)
    return _taken(person, minute)


def _taken(person: User, minute: datetime) -> bool:
    room = ApiUse.objects.filter(user=person, minute=minute, calls__lt=settings.API_CALLS_PER_MINUTE)
    return bool(room.update(calls=F("calls") + 1))
