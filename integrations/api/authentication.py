"""Who calls: the owner of a token, or whoever is logged in to the screens."""

import re
from datetime import timedelta
from typing import Any

from django.contrib.auth.models import User
from django.utils import timezone
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from knox.auth import TokenAuthentication as KnoxAuthentication
from rest_framework.authentication import SessionAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from integrations.models import ApiToken
from integrations.sign_in import lacks

PLAIN = re.compile(rb"[A-Za-z0-9_]{16,100}")
"""What a token is made of; anything else is not even looked up."""

NOTED_EVERY = timedelta(minutes=10)
"""A use sooner after the last one is not written down: a write for each call would say no more."""

REFUSED = "This token is not valid: it was mistyped, revoked or has expired, or its owner was deactivated."


class TokenAuthentication(KnoxAuthentication):
    """`Authorization: Bearer <token>`. An expired token stays on its owner's page until it is taken away.

    A token is no way round the sign-in: what its owner must do before a screen opens must be done for it as well.
    """

    def authenticate_credentials(self, token: bytes) -> tuple[User, ApiToken]:
        if not PLAIN.fullmatch(token):
            raise AuthenticationFailed(REFUSED)
        try:
            owner, known = super().authenticate_credentials(token)
        except AuthenticationFailed:
            raise AuthenticationFailed(REFUSED) from None
        if problem := lacks(owner):
            raise AuthenticationFailed(problem)
        _note_use(known)
        return owner, known

    def authenticate_header(self, request: Request) -> str:
        return "Bearer"

    def _cleanup_token(self, auth_token: ApiToken) -> bool:
        return auth_token.expiry is None or auth_token.expiry < timezone.now()


def _note_use(token: ApiToken) -> None:
    now = timezone.now()
    if token.last_used_at is None or token.last_used_at < now - NOTED_EVERY:
        ApiToken.objects.filter(pk=token.pk).update(last_used_at=now)


class ScreenAuthentication(SessionAuthentication):
    """The session of the screens; whatever writes needs the CSRF token too."""


class TokenScheme(OpenApiAuthenticationExtension):
    """How the description of the API names the token."""

    target_class = "integrations.api.authentication.TokenAuthentication"
    name = "token"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return {"type": "http", "scheme": "bearer", "description": "A token from Settings > API tokens."}


class ScreenScheme(OpenApiAuthenticationExtension):
    """How the description of the API names the session."""

    target_class = "integrations.api.authentication.ScreenAuthentication"
    name = "session"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return {"type": "apiKey", "in": "cookie", "name": "sessionid", "description": "Logged in to the screens."}
