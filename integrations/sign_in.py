"""What a person must have done before anything acts for them, whichever the door: the screens or the API."""

from dataclasses import dataclass

from django.conf import settings
from django.contrib.auth.models import User
from django.db.models import F, Q

from integrations.models import AuthenticatorApp, OneTimePassword, SignInPolicy
from ledger.admin.scoping import ADMINISTRATOR


@dataclass(frozen=True)
class Policy:
    """`idle_minutes`: 0 means that only the length of the session counts."""

    second_factor: bool
    idle_minutes: int


def policy_of(person: User) -> Policy:
    """The strictest of what the person's roles demand. A superuser is held to what an Administrator must do."""
    whose = Q(group__user=person)
    if person.is_superuser:
        whose |= Q(group__name=ADMINISTRATOR)
    rows = set(SignInPolicy.objects.filter(whose).values_list("second_factor", "idle_minutes"))
    asked = [minutes for _, minutes in rows if minutes]
    return Policy(
        second_factor=any(second_factor for second_factor, _ in rows),
        idle_minutes=min(asked) if asked else settings.IDLE_MINUTES,
    )


def has_second_factor(person: User) -> bool:
    return AuthenticatorApp.objects.filter(user=person, confirmed=True).exists()


def waiting_password(person: User) -> OneTimePassword | None:
    """The one-time password that this person has not changed yet."""
    return OneTimePassword.objects.filter(user=person, password_hash=F("user__password")).first()


def lacks(person: User) -> str:
    """Why no token acts for this person now, in a sentence; empty when nothing is lacking."""
    if waiting_password(person):
        return "This token does nothing until its owner has changed the one-time password."
    if policy_of(person).second_factor and not has_second_factor(person):
        return "This token does nothing until its owner has set up the second factor that the role demands."
    return ""
