"""What a way back to an earlier version needs: looked at before `migrate` changes anything or takes the guards away."""

from typing import Any

from django.core.management.base import CommandError

from integrations.models import AuthenticatorApp
from integrations.secrets import Sealed

ENCRYPTED = ("integrations", "0003_encrypted_second_factor")


def refuse_without_keys(*, plan: list[tuple[Any, bool]], using: str, **_: object) -> None:
    """The earlier version keeps the secrets of apps in clear, and one whose key is not here cannot be opened."""
    if not any(backwards and (step.app_label, step.name) == ENCRYPTED for step, backwards in plan):
        return
    kept = AuthenticatorApp.objects.using(using).select_related("user").order_by("user__username")
    closed = [app.user.get_username() for app in kept if isinstance(app.secret, Sealed)]
    if closed:
        raise CommandError(
            "Nothing was changed: some second factors cannot be decrypted. Put the old key of CREDENTIAL_KEYS back, "
            f"or reset the second factor of: {', '.join(closed)}."
        )
