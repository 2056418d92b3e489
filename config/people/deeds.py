"""What is done to people: saved, given a password, unlocked, signed out. Each deed is audited in its transaction."""

from collections.abc import Callable
from typing import Any

from axes.models import AccessAttempt
from axes.utils import reset
from django.conf import settings
from django.contrib.auth import SESSION_KEY
from django.contrib.auth.models import Group, User
from django.contrib.sessions.models import Session
from django.db import transaction
from django.db.models import Sum
from django.utils import timezone

from config import devices, first_password
from config.people import membership
from integrations.models import ApiToken, SignInPolicy
from ledger.admin.scoping import ADMINISTRATOR
from ledger.audit import Actor, note
from ledger.errors import Refused
from ledger.locks import locked


def save(person: User, write: Callable[[], None], *, actor: User) -> None:
    """Change a person, as `write` does it; refused when nobody who can manage people would be left."""
    with transaction.atomic():
        # Two administrators who take each other's role at once must see each other.
        list(locked(Group.objects.filter(name=ADMINISTRATOR)))
        before = told(User.objects.get(pk=person.pk))
        write()
        if not membership.administrators().exists():
            raise Refused("Nobody would be left who can manage users. Make somebody else an Administrator first.")
        after = told(User.objects.get(pk=person.pk))
        changed = sorted(name for name in after if after[name] != before[name])
        if changed:
            was, now = ({name: values[name] for name in changed} for values in (before, after))
            note(actor, "changed a user", person, before=was, after=now)
        if before["active"] and not after["active"]:
            sign_out(person, actor=actor)  # or all of it would act again once the person is switched on


def create(person: User, write: Callable[[], None], *, actor: User) -> str:
    """Create a person with a one-time password, and return it."""
    with transaction.atomic():
        person.is_staff = True
        person.set_unusable_password()
        person.save()
        write()
        note(actor, "added a user", person, after=told(person))
        return give_password(person, actor=actor)


def told(person: User) -> dict[str, Any]:
    """A person as the audit tells of them."""
    own = person.user_permissions.order_by("codename").values_list("content_type__app_label", "codename")
    return {
        "user name": person.username,
        "name": person.get_full_name(),
        "e-mail": person.email,
        "role": ", ".join(person.groups.order_by("name").values_list("name", flat=True)),
        "stores": list(person.stores.order_by("name").values_list("name", flat=True)),
        "active": person.is_active,
        "superuser": person.is_superuser,
        "permissions of their own": [f"{app}.{codename}" for app, codename in own],
    }


def give_password(person: User, *, actor: Actor) -> str:
    """A one-time password in place of the present one, which ends every session and API token of that person."""
    with transaction.atomic():
        held = locked(User.objects.all()).get(pk=person.pk)
        password = first_password.issue(held)
        note(actor, "gave a one-time password to", held)
        revoke_tokens(held, actor=actor)
    return password


def reset_second_factor(person: User, *, actor: Actor) -> None:
    """Forget app and recovery codes. Whoever has the lost phone may have made a token with it, so these end too."""
    with transaction.atomic():
        locked(User.objects.all()).get(pk=person.pk)
        devices.remove(person, actor=actor)
        revoke_tokens(person, actor=actor)


def revoke_tokens(person: User, *, actor: Actor) -> int:
    """How many there were. The caller holds the transaction and the person's row, so that none is made meanwhile."""
    tokens = ApiToken.objects.filter(user=person)
    names = list(tokens.order_by("created").values_list("name", flat=True))
    if names:
        tokens.delete()
        note(actor, "revoked an API token of", person, before={"name": ", ".join(names)})
    return len(names)


def sign_out(person: User, *, actor: User) -> int:
    """End all sessions and API tokens of a person; how many there were."""
    with transaction.atomic():
        locked(User.objects.all()).get(pk=person.pk)
        tokens, _ = ApiToken.objects.filter(user=person).delete()
        mine = [session.pk for session in _alive() if session.get_decoded().get(SESSION_KEY) == str(person.pk)]
        Session.objects.filter(pk__in=mine).delete()
        note(actor, "signed out everywhere", person, after={"sessions": len(mine), "API tokens": tokens})
    return len(mine) + tokens


def _alive() -> Any:
    """Sessions do not tell whose they are, but there are never more than the sign-ins of the last hours."""
    return Session.objects.filter(expire_date__gt=timezone.now()).iterator(chunk_size=500)


def is_locked(person: User) -> bool:
    """Whether somebody tried too many passwords for this name, from any one address."""
    tried = AccessAttempt.objects.filter(
        username=person.username, attempt_time__gt=timezone.now() - settings.AXES_COOLOFF_TIME
    )
    by_address = tried.order_by().values("ip_address").annotate(failures=Sum("failures_since_start"))
    return by_address.filter(failures__gte=settings.AXES_FAILURE_LIMIT).exists()


def unlock(person: User, *, actor: User) -> None:
    """Let a person try again at once."""
    with transaction.atomic():
        reset(username=person.username)
        note(actor, "unlocked the sign-in of", person)


def save_group(group: Group, write: Callable[[], None], *, actor: User) -> None:
    """Create or change a role and what it demands at sign-in."""
    with transaction.atomic():
        before = told_of_group(group) if group.pk else {}
        write()
        after = told_of_group(Group.objects.get(pk=group.pk))
        changed = sorted(name for name in after if after[name] != before.get(name))
        if changed:
            was = {name: before[name] for name in changed if name in before}
            deed = "changed a role" if before else "added a role"
            note(actor, deed, group, before=was, after={name: after[name] for name in changed})


def delete_group(group: Group, *, actor: User) -> None:
    """Only a role that nobody holds, and that does not come with Daybook."""
    with transaction.atomic():
        held = locked(Group.objects.all()).get(pk=group.pk)
        if membership.is_ours(held) or held.user_set.exists():
            raise Refused("This role comes with Daybook, or somebody still has it. Nothing was deleted.")
        note(actor, "deleted a role", held, before=told_of_group(held))
        held.delete()


def told_of_group(group: Group) -> dict[str, Any]:
    """A role as the audit tells of it."""
    policy = SignInPolicy.objects.filter(group=group).first() or SignInPolicy()
    given = group.permissions.order_by("content_type__app_label", "codename")
    return {
        "name": group.name,
        "permissions": [f"{app}.{name}" for app, name in given.values_list("content_type__app_label", "codename")],
        "second factor": policy.second_factor,
        "idle minutes": policy.idle_minutes,
    }
