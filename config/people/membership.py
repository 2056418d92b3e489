"""Who holds which role, and who may manage whom. Reads only."""

from django.contrib.auth.models import Group, Permission, User
from django.db.models import Q, QuerySet

from config.groups import TABLE
from ledger.admin.scoping import ADMINISTRATOR, STORE_MANAGER

SUPERUSER, SEVERAL, OF_ONES_OWN = "Superuser", "Custom", "Permissions of their own"


def role_of(person: User) -> str:
    """In a word or two; `groups` may be prefetched."""
    if person.is_superuser:
        return SUPERUSER
    names = [group.name for group in person.groups.all()]
    return names[0] if len(names) == 1 else SEVERAL if names else "-"


def is_ours(group: Group) -> bool:
    """Whether a group comes with Daybook."""
    return group.name in TABLE


def in_order() -> list[Group]:
    """Every group, ours first in the order of their table."""
    ours = list(TABLE)
    place = {name: at for at, name in enumerate(ours)}
    return sorted(Group.objects.all(), key=lambda group: (place.get(group.name, len(ours)), group.name))


def permissions_of(person: User) -> set[int]:
    """What a person holds by groups and personally, also while switched off; a superuser's flag is not in it."""
    held = Permission.objects.filter(Q(user=person) | Q(group__user=person))
    return set(held.values_list("pk", flat=True))


def may_manage(actor: User, person: User) -> bool:
    """Nobody manages a person who may do more: a new password for them would be a way to it."""
    if actor.is_superuser:
        return True
    return not person.is_superuser and permissions_of(person) <= permissions_of(actor)


def may_give(actor: User, group: Group, *, held: set[int] | None = None) -> bool:
    """Nobody gives what they do not have. `held`: the actor's permissions, if they are known already."""
    if actor.is_superuser:
        return True
    given = set(group.permissions.values_list("pk", flat=True))
    return given <= (permissions_of(actor) if held is None else held)


def may_be_given(actor: User) -> QuerySet[Permission]:
    """The permissions that somebody can hand on."""
    rows = Permission.objects.select_related("content_type").order_by("content_type__app_label", "codename")
    return rows if actor.is_superuser else rows.filter(pk__in=permissions_of(actor))


def in_words(permission: Permission) -> tuple[str, str]:
    """On what, and what may be done: ("role", "add"). Its content type should be fetched with it."""
    thing, verb = permission.content_type, permission.codename.split("_")[0]
    usual = permission.codename == f"{verb}_{thing.model}"
    return thing.name, verb if usual else permission.name.removeprefix("Can ")


def administrators() -> QuerySet[User]:
    """Who can manage people at this moment: an Administrator who is limited to stores cannot."""
    active = User.objects.filter(is_active=True, is_staff=True)
    unlimited = Q(groups__name=ADMINISTRATOR, stores=None) & ~Q(groups__name=STORE_MANAGER)
    return active.filter(Q(is_superuser=True) | unlimited).distinct()
