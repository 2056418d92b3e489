"""For templates: `{% moment happening.at zone %}`, a time of a store with UTC on hover."""

from datetime import UTC, datetime, tzinfo

from django import template
from django.utils.safestring import SafeString

from ledger.moments import shown

register = template.Library()


@register.simple_tag
def moment(at: datetime | None, zone: tzinfo | str | None = None, *, seconds: bool = False) -> SafeString | str:
    """In the given zone; in UTC where a template has none."""
    return shown(at, zone if isinstance(zone, tzinfo) else UTC, seconds=seconds)
