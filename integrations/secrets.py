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


class Sealed(dict[str, Any]):
    """A value whose key is not here: empty to read, and written back as it was found."""

    def __init__(self, stored: str) -> None:
        super().__init__()
        self.stored = stored


class SealableJSONField(EncryptedJSONField):
    """The same for what many rows hold and no call depends on: one that cannot be decrypted stops nobody else."""

    def from_db_value(self, value: str | None, *_: object) -> dict[str, Any]:
        try:
            return super().from_db_value(value)
        except ImproperlyConfigured:
            return Sealed(value or "")

    def get_prep_value(self, value: dict[str, Any] | None) -> str:
        return value.stored if isinstance(value, Sealed) else super().get_prep_value(value)


def _keys() -> MultiFernet:
    return _multi(tuple(settings.CREDENTIAL_KEYS))


@lru_cache(maxsize=4)
def _multi(keys: tuple[str, ...]) -> MultiFernet:
    return MultiFernet([Fernet(key) for key in keys])
