"""One person of each role, as docs and pictures name them."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.contrib.auth.models import Group, User

from ledger.models import Store


@dataclass(frozen=True)
class Role:
    """A role by the name of its group, and the person who has it."""

    group: str
    user: str
    name: str
    folder: str


ROLES = [
    Role("Administrator", "ines", "Ines Okafor", "administrator"),
    Role("Accountant", "maria", "Maria Lindqvist", "accountant"),
    Role("Store manager", "sam", "Sam Whitfield", "store-manager"),
    Role("Auditor", "lee", "Lee Nakamura", "auditor"),
]


def make(*, stores_of_sam: Iterable[Store]) -> dict[str, User]:
    """The four by their user names."""
    people = {role.user: _person(role) for role in ROLES}
    for store in stores_of_sam:
        store.managers.add(people["sam"])
    return people


def _person(role: Role) -> User:
    first, last = role.name.split()
    person = User.objects.create_user(
        role.user, f"{role.user}@mainstreet.example", is_staff=True, first_name=first, last_name=last
    )
    person.groups.add(Group.objects.get(name=role.group))
    return person
