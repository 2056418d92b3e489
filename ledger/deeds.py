"""The closed list of the deeds that the audit knows, by subject: what its filters offer, and how a deed is read aloud.

A new deed gets its line here; a test compares the list with what the rooms note.
"""

from collections.abc import Iterable

MAPPING = "Account mapping"

DEEDS: dict[str, tuple[str, ...]] = {
    "Sync and events": (
        "started the sync",
        "stopped the sync",
        "ordered past events",
        "stopped an order of past events",
        "retried failed events",
        "set aside an event",
        "set aside events",
        "took back an event that was set aside",
        "took back events that were set aside",
        "adopted an entry",
        "ordered the adoption of entries",
        "called back a deed on many events",
    ),
    MAPPING: (
        "changed the mapping",
        "deleted a row of the mapping of",
        "imported the mapping of",
        "applied a mapping template to",
        "saved a mapping template of",
        "deleted a mapping template",
        "changed the settings of",
        "deleted an account from the list",
    ),
    "Connections and tills": (
        "set up",
        "connected",
        "disconnected",
        "changed the keys",
        "changed the address of",
        "changed the limits of",
        "ordered an import of accounts",
        "ordered new accounts",
        "created accounts",
        "changed a feed",
        "ended a feed",
        "changed a store",
    ),
    "Alerts": (
        "acknowledged an alert",
        "assigned an alert",
        "changed how alerts are told",
    ),
    "People and access": (
        "added a user",
        "changed a user",
        "gave a one-time password to",
        "changed the own password",
        "unlocked the sign-in of",
        "signed out everywhere",
        "set up a second factor",
        "removed the second factor of",
        "made new recovery codes",
        "signed in with a recovery code",
        "added a role",
        "changed a role",
        "deleted a role",
        "made an API token of",
        "revoked an API token of",
    ),
    "Import and export": ("exported a table",),
}

OTHER = "Other"
"""What is on no list; a test keeps it empty."""

FORMER = {"changed the switches of": "changed the settings of"}
"""How records of earlier versions call a deed: the audit never changes, its reader gets today's words."""

LEAD_ON = ("of", "to", "up")
"""Words after which the subject follows as part of the sentence."""


def known() -> list[str]:
    """Every deed."""
    return [deed for deeds in DEEDS.values() for deed in deeds]


def subject_of(deed: str) -> str:
    """Under which heading a deed is filed."""
    return next((heading for heading, deeds in DEEDS.items() if today(deed) in deeds), OTHER)


def today(deed: str) -> str:
    """A deed in the words of this version."""
    return FORMER.get(deed, deed)


def stored(deeds: Iterable[str]) -> list[str]:
    """These deeds and what records of earlier versions call them: what a filter asks the table for."""
    wanted = set(deeds)
    return sorted(wanted | {former for former, deed in FORMER.items() if deed in wanted})


def sentence(*, who: str, deed: str, subject: str) -> str:
    """A deed read aloud: "maria set aside an event: T100123 in Main Street"."""
    deed = today(deed)
    link = " " if deed.rsplit(" ", 1)[-1] in LEAD_ON else ": "
    return f"{who} {deed}{link}{subject}" if subject else f"{who} {deed}"
