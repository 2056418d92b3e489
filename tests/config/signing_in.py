"""People with passwords and phones, for the tests of signing in: everything goes through the pages."""

import base64
import re
import time
from typing import Any

from django.contrib.auth.models import Group, User
from django.test import Client
from django_otp.oath import totp
from django_otp.plugins.otp_totp.models import TOTPDevice

from integrations.models import SignInPolicy

PASSWORD = "a long enough password"
HOME = "203.0.113.7"


def somebody(name: str, *, role: str = "", password: str = PASSWORD) -> User:
    """A person who signs in with a password, in one of the roles."""
    person = User.objects.create_user(name, password=password, is_staff=True)
    if role:
        person.groups.add(Group.objects.get(name=role))
    return person


def demands(role: str, *, second_factor: bool = False, idle_minutes: int | None = None) -> None:
    """What a role asks of its members at sign-in."""
    values = {"second_factor": second_factor, "idle_minutes": idle_minutes}
    SignInPolicy.objects.update_or_create(group=Group.objects.get(name=role), defaults=values)


def sign_in(client: Client, name: str, password: str = PASSWORD, *, address: str = HOME, **extra: Any) -> Any:
    """Name and password typed into the page."""
    return client.post("/admin/login/", {"username": name, "password": password}, REMOTE_ADDR=address, **extra)


def shown_key(page: str) -> str:
    """The key as the page shows it to who cannot scan the picture, in hexadecimal."""
    found = re.search(r'id="key">([A-Z2-7 ]+)<', page)
    assert found
    return base64.b32decode(found[1].replace(" ", "")).hex()


def phone(key: str, *, steps: int = 0) -> str:
    """What an authenticator app shows now, or some half minutes from now."""
    return f"{totp(bytes.fromhex(key), t0=int(-steps * 30)):06d}"


def with_phone(client: Client) -> tuple[str, list[str]]:
    """Set up a second factor through the pages: its key, and the recovery codes."""
    key = shown_key(client.get("/admin/second-factor/").content.decode())
    answer = client.post("/admin/second-factor/set-up/", {"code": phone(key)})
    assert answer.status_code == 200
    return key, re.findall(r"<li><code[^>]*>([a-z0-9-]+)</code>", answer.content.decode())


def forget_used_codes(person: User) -> None:
    """As if the half minute of the last code were over, and every pause for wrong ones."""
    for device in TOTPDevice.objects.filter(user=person):
        device.last_t, device.throttling_failure_count, device.throttling_failure_timestamp = -1, 0, None
        device.save()


def a_while_ago(client: Client, *, minutes: float) -> None:
    """The last click of this session was earlier."""
    session = client.session
    session["clicked_at"] = int(time.time() - minutes * 60)
    session.save()
