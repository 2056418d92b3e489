"""People who call the API: each with a role of the table, a token, and a client that sends it."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.contrib.auth.models import Group, User
from django.test import Client

from integrations.models import ApiToken
from ledger.models import Store

API = "/api/v1"


@dataclass(frozen=True)
class Caller:
    """A person with a token."""

    person: User
    token: str

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}

    def get(self, address: str, **query: Any) -> Any:
        return Client().get(f"{API}{address}", query, headers=self.headers)

    def post(self, address: str, body: Any = None, **how: Any) -> Any:
        sent: dict[str, Any] = {"content_type": "application/json", **how}
        return Client().post(f"{API}{address}", {} if body is None else body, headers=self.headers, **sent)


def token_of(person: User, *, days: int = 30, name: str = "A program") -> tuple[ApiToken, str]:
    row, token = ApiToken.objects.create(user=person, name=name, expiry=timedelta(days=days))
    return row, str(token)


def caller(name: str, *, role: str = "", stores: tuple[Store, ...] = ()) -> Caller:
    """Somebody of a role; without one, an administrator of everything."""
    if not role:
        person = User.objects.create_superuser(name)
    else:
        person = User.objects.create_user(name, is_staff=True)
        person.groups.add(Group.objects.get(name=role))
    for store in stores:
        store.managers.add(person)
    return Caller(person, token_of(person)[1])
