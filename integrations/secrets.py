"""Credentials at rest: encrypted with their own keys, apart from SECRET_KEY, so that each can rotate alone."""

import json
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import models

if TYPE_CHECKING:
    _Text = models.TextField[dict[str, Any], dict[str, Any]]
else:
    _Text = models.TextField


class EncryptedJSONField(_Text):
    """A small JSON object, encrypted in the database. The first key of CREDENTIAL_KEYS encrypts, all decrypt."""

    def from_db_value(self, value: str | None, *_: object) -> dict[str, Any]:
        if not value:
            return {}
        try:
            opened: dict[str, Any] = json.loads(_keys().decrypt(value.encode()))
        except InvalidToken:
            raise ImproperlyConfigured(
                "Stored credentials cannot be decrypted: CREDENTIAL_KEYS does not hold the key they were written with. "
                "Put the old key back (after the new one, separated by a comma)."
            ) from None
        return opened

    def get_prep_value(self, value: dict[str, Any] | None) -> str:
        return _keys().encrypt(json.dumps(value).encode()).decode() if value else ""

    def to_python(self, value: Any) -> Any:
        return value


def _keys() -> MultiFernet:
    return _multi(tuple(settings.CREDENTIAL_KEYS))


@lru_cache(maxsize=4)
def _multi(keys: tuple[str, ...]) -> MultiFernet:
    return MultiFernet([Fernet(key) for key in keys])
