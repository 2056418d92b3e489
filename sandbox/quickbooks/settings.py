"""What can be set for the pretend company, and stays set over a restart."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from datetime import date
from typing import Any

REALM = "9130000000000001"
STATUSES = ("TRIAL", "SUBSCRIBED", "TRIALOPTIN", "RESTRICTED", "SUSPENDED", "EXPIRED", "CANCELLED", "UNKNOWN")
LOCKED_OUT = ("SUSPENDED", "EXPIRED", "CANCELLED")


class BadSetting(ValueError):
    """A setting that does not exist, or a value that it cannot have."""


@dataclass(frozen=True)
class Settings:
    """The company's settings; README.md says what each does."""

    book_close_date: str | None = "2010-11-30"
    warn_duplicate_number: bool = False
    subscription_status: str = "SUBSCRIBED"
    access_token_seconds: int = 3600
    refresh_rotation: str = "always"
    refresh_strict: bool = False
    limits: bool = True
    inactive_accounts: tuple[str, ...] = ()
    authorize_realm: str = REALM

    def changed(self, values: Mapping[str, Any]) -> Settings:
        """The same with some settings replaced. Raises BadSetting."""
        known = {each.name for each in fields(self)}
        if values.keys() - known:
            raise BadSetting(f"unknown: {', '.join(sorted(values.keys() - known))}; known: {', '.join(sorted(known))}")
        plain: dict[str, Any] = {
            key: tuple(value) if isinstance(value, list) else value for key, value in values.items()
        }
        settings = replace(self, **plain)
        _check(settings)
        return settings

    def record(self) -> dict[str, Any]:
        return asdict(self)

    def is_closed(self, day: str) -> bool:
        return self.book_close_date is not None and day <= self.book_close_date


def _check(settings: Settings) -> None:
    if settings.book_close_date is not None:
        try:
            date.fromisoformat(settings.book_close_date)
        except (TypeError, ValueError) as error:
            raise BadSetting("book_close_date must be YYYY-MM-DD or null") from error
    if settings.subscription_status not in STATUSES:
        raise BadSetting(f"subscription_status must be one of {', '.join(STATUSES)}")
    if settings.refresh_rotation not in ("always", "daily"):
        raise BadSetting("refresh_rotation must be always or daily")
    for name in ("warn_duplicate_number", "refresh_strict", "limits"):
        if not isinstance(getattr(settings, name), bool):
            raise BadSetting(f"{name} must be true or false")
    if not isinstance(settings.access_token_seconds, int) or settings.access_token_seconds < 0:
        raise BadSetting("access_token_seconds must be a whole number of seconds")
    if not isinstance(settings.inactive_accounts, tuple):
        raise BadSetting("inactive_accounts must be a list of ids or fully qualified names")
