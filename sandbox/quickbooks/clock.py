"""Times as the vendor writes them: with the offset of the company's clock."""

from __future__ import annotations

from datetime import date, datetime, timedelta, timezone

COMPANY_ZONE = timezone(timedelta(hours=-8))


def now() -> datetime:
    return datetime.now(COMPANY_ZONE)


def stamp(moment: datetime | None = None) -> str:
    """As in MetaData: whole seconds."""
    return (moment or now()).astimezone(COMPANY_ZONE).isoformat(timespec="seconds")


def answer_time() -> str:
    """As in the `time` of an answer: milliseconds."""
    return now().isoformat(timespec="milliseconds")


def today() -> date:
    return now().date()


def parsed(text: str) -> datetime:
    """A date or a time of a query, in the company's zone where it names none; ValueError otherwise."""
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=COMPANY_ZONE)
