"""The filters of the audit: who, what it is about, which deed, which days. What cannot be read lists nothing."""

from datetime import datetime, time, timedelta, tzinfo
from typing import Any

from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.http import HttpRequest

from ledger import deeds
from ledger.admin.base import OneOfTheList, RangeDateFilter
from ledger.admin.upstairs import zone_of_reader
from ledger.models import AuditRecord

ITSELF = "-"
"""In the filter by person: what Daybook did by itself."""

Rows = QuerySet[AuditRecord]


class PersonFilter(OneOfTheList):
    """Everybody who could have done something, from the short table of users."""

    title = "person"
    parameter_name = "person"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        people = User.objects.order_by("username").values_list("pk", "username")
        return [(ITSELF, "Daybook itself"), *((str(pk), name) for pk, name in people)]

    def of(self, rows: Rows, chosen: str) -> Rows:
        return rows.filter(actor=None) if chosen == ITSELF else rows.filter(actor=int(chosen))


class KindFilter(OneOfTheList):
    """What deeds are about: money, mapping, connections, people."""

    title = "kind of deed"
    parameter_name = "kind"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(heading, heading) for heading in (*deeds.DEEDS, deeds.OTHER)]

    def of(self, rows: Rows, chosen: str) -> Rows:
        if chosen == deeds.OTHER:
            return rows.exclude(deed__in=deeds.stored(deeds.known()))
        return rows.filter(deed__in=deeds.stored(deeds.DEEDS[chosen]))


class DeedFilter(OneOfTheList):
    """One deed."""

    title = "deed"
    parameter_name = "deed"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(deed, deed) for deed in sorted(deeds.known())]

    def of(self, rows: Rows, chosen: str) -> Rows:
        return rows.filter(deed__in=deeds.stored([chosen]))


class WholeDays(RangeDateFilter):
    """From the beginning of the first day to the end of the last one, in the time in which the list is shown."""

    def __init__(self, field: Any, request: HttpRequest, *args: Any, **named: Any) -> None:
        super().__init__(field, request, *args, **named)
        self.zone: tzinfo = zone_of_reader(request.user)
        self.title = f"day ({self.zone})"

    def within(self, queryset: Rows) -> Rows:
        first, last = (self.day(self.used_parameters.get(f"at_{end}")) for end in ("from", "to"))
        if first:
            queryset = queryset.filter(at__gte=datetime.combine(first, time(), self.zone))
        if last:
            queryset = queryset.filter(at__lt=datetime.combine(last + timedelta(days=1), time(), self.zone))
        return queryset
