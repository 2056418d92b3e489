"""The people of the demo, one for each role: they can sign in once somebody gives them a one-time password."""

from django.contrib.auth.models import Group, User

from config import first_password
from config.demo.places import say
from ledger.admin.scoping import ACCOUNTANT, ADMINISTRATOR, AUDITOR, STORE_MANAGER
from ledger.models import Store

PEOPLE = {
    "ines": ("Ines", ADMINISTRATOR),
    "maria": ("Maria", ACCOUNTANT),
    "sam": ("Sam", STORE_MANAGER),
    "lee": ("Lee", AUDITOR),
}


def introduce() -> None:
    """Create who is not there yet, without a password. Sam manages the first store."""
    for username, (name, role) in PEOPLE.items():
        person, is_new = User.objects.get_or_create(username=username, defaults={"first_name": name, "is_staff": True})
        if not is_new:
            continue
        person.set_unusable_password()
        person.save(update_fields=["password"])
        person.groups.add(Group.objects.get(name=role))
        if role == STORE_MANAGER:
            person.stores.set(Store.objects.order_by("name")[:1])


def say_passwords() -> None:
    """A one-time password for each who has not chosen one."""
    say("  The others, each with a password for the first log-in:")
    for person in User.objects.filter(username__in=PEOPLE).order_by("pk"):
        if first_password.is_waiting(person) or not person.has_usable_password():
            say(f"    {person.username:<6} {first_password.issue(person)}  {PEOPLE[person.username][1]}")
