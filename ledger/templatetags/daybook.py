"""For templates: `{{ amount|money:book.currency }}`, `{{ count|thousands }}`, `{% state posting.state %}`."""

from decimal import Decimal

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

from ledger import money as amounts
from ledger.terms import SyncState

register = template.Library()


@register.filter
def money(amount: Decimal | None, currency: str = "USD") -> str:
    """An amount with its currency, negative in parentheses; a dash where there is none."""
    return "-" if amount is None else amounts.shown(amount, currency=currency)


@register.filter
def thousands(number: int) -> str:
    """A count as people read it: 12,345."""
    return f"{number:,}"


@register.filter
def first_sentence(words: str) -> str:
    """What a row has room for; the page behind it has the rest."""
    return words.split(". ", 1)[0].removesuffix(".")


@register.simple_tag
def state(value: str) -> SafeString:
    """A sync state as a word with a colour."""
    return format_html('<span class="db-state db-state-{}">{}</span>', value, SyncState(value).label)
