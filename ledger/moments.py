"""Moments as their reader lives them: in the store's own time, with the other time on hover."""

from datetime import UTC, datetime, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.utils.html import format_html
from django.utils.safestring import SafeString

from ledger.models import Store


def zone_of(store: Store | None) -> tzinfo:
    """The time of a store; UTC where there is no store, or where the till named a zone that nobody knows."""
    if store is None:
        return UTC
    try:
        return ZoneInfo(store.time_zone)
    except (ZoneInfoNotFoundError, ValueError):
        return UTC


def shown(moment: datetime | None, zone: tzinfo, *, seconds: bool = False) -> SafeString | str:
    """Such as "Dec 3, 2010, 18:42 PST", and in UTC on hover."""
    if moment is None:
        return "-"
    clock = "%H:%M:%S" if seconds else "%H:%M"
    local, universal = moment.astimezone(zone), moment.astimezone(UTC)
    return format_html(
        '<time datetime="{}" title="{}">{}</time>',
        universal.isoformat(timespec="seconds"),
        f"{universal:%b %-d, %Y, %H:%M:%S} UTC ({zone})",
        f"{local:%b %-d, %Y}, {local:{clock}} {local:%Z}",
    )
