"""A person's second factor, checked by django-otp: one authenticator app, and recovery codes, kept as hashes."""

import base64
import hashlib
import secrets
from datetime import datetime

import django_otp
import qrcode
import structlog
from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone
from django_otp.models import Device
from django_otp.plugins.otp_static.models import StaticDevice, StaticToken
from django_otp.plugins.otp_totp.models import TOTPDevice
from qrcode.image.svg import SvgPathFillImage

from integrations.models import AuthenticatorApp
from integrations.sign_in import has_second_factor
from ledger.audit import Actor, note
from ledger.errors import Refused
from ledger.locks import locked

log = structlog.get_logger(__name__)

CODES, GROUPS, LETTERS = 10, 3, 4
"""Recovery codes: how many, of how many groups of how many letters."""


class TooManyTries(Refused):
    """The next code is looked at only after a pause, which doubles with each wrong one."""

    def __init__(self, until: datetime) -> None:
        seconds = max(1, round((until - timezone.now()).total_seconds()))
        super().__init__(f"Too many wrong codes. Wait {seconds} seconds, then enter a new one.")


def app_of(person: User) -> AuthenticatorApp | None:
    """The authenticator app that a person has set up."""
    return AuthenticatorApp.objects.filter(user=person, confirmed=True).first()


def codes_left(person: User) -> int:
    return StaticToken.objects.filter(device__user=person).count()


def new_secret() -> str:
    """For an app that is not set up yet, in hexadecimal."""
    return secrets.token_hex(20)


def typed_secret(secret: str) -> str:
    """The secret as a person types it into an app: base32 in groups of four."""
    letters = base64.b32encode(bytes.fromhex(secret)).decode()
    return " ".join(letters[at : at + 4] for at in range(0, len(letters), 4))


def picture(person: User, secret: str) -> str:
    """The secret as a picture to scan, in the address of an image."""
    code = qrcode.make(TOTPDevice(user=person, key=secret).config_url, image_factory=SvgPathFillImage, border=2)
    drawn = base64.b64encode(code.to_string(encoding="utf-8")).decode()
    return f"data:image/svg+xml;base64,{drawn}"


def set_up(person: User, *, secret: str, code: str) -> tuple[AuthenticatorApp, list[str]]:
    """Keep an app that has shown a right code; with it come recovery codes. An app that is there stays."""
    with transaction.atomic():
        locked(User.objects.all()).get(pk=person.pk)
        if has_second_factor(person):
            raise Refused("A second factor was set up meanwhile. Remove it before you set up another.")
        _forget(person)
        kept = {"name": "Authenticator app", "secret": {"key": secret}, "confirmed": True}
        device = AuthenticatorApp.objects.create(user=person, **kept)
        if not device.verify_token(_plain(code)):
            raise Refused(
                "That is not the code the app shows now. Enter the newest one, and see that the phone's clock is right."
            )
        codes = _fresh_codes(person)
        note(person, "set up a second factor", person)
    return device, codes


def renew_codes(person: User) -> list[str]:
    """New recovery codes; the old ones end."""
    with transaction.atomic():
        locked(User.objects.all()).get(pk=person.pk)
        if not has_second_factor(person):
            raise Refused("The second factor was removed meanwhile.")
        codes = _fresh_codes(person)
        note(person, "made new recovery codes", person)
    return codes


def check(person: User, code: str, *, app_only: bool = False) -> Device:
    """The device that takes this code: the app's six digits, or one recovery code, which is used up. Raises Refused."""
    plain = _plain(code)
    by_app = plain.isdigit()
    if app_only and not by_app:
        raise Refused("Here only the six digits count that your app shows.")
    device = (AuthenticatorApp if by_app else StaticDevice).objects.filter(user=person, confirmed=True).first()
    if device is None:
        raise Refused("That code is not right.")
    allowed, why = device.verify_is_allowed()
    if not allowed:
        raise TooManyTries(why["locked_until"])
    if django_otp.verify_token(person, device.persistent_id, plain if by_app else _hash(person, plain)) is None:
        log.warning("wrong second factor", person=person.get_username())
        raise Refused("That code is not right. The app shows a new one every 30 seconds.")
    if not by_app:
        with transaction.atomic():
            note(person, "signed in with a recovery code", person, after={"codes left": codes_left(person)})
    return device


def remove(person: User, *, actor: Actor) -> None:
    """Forget the app and the recovery codes; the sign-ins that rest on them must be made anew."""
    with transaction.atomic():
        locked(User.objects.all()).get(pk=person.pk)
        if has_second_factor(person):
            _forget(person)
            note(actor, "removed the second factor of", person)


def _forget(person: User) -> None:
    TOTPDevice.objects.filter(user=person).delete()
    StaticDevice.objects.filter(user=person).delete()


def _fresh_codes(person: User) -> list[str]:
    StaticDevice.objects.filter(user=person).delete()
    device = StaticDevice.objects.create(user=person, name="Recovery codes", confirmed=True)
    codes = [_code() for _ in range(CODES)]
    StaticToken.objects.bulk_create(StaticToken(device=device, token=_hash(person, _plain(code))) for code in codes)
    return codes


def _code() -> str:
    """60 random bits, letters first so that no code looks like the app's digits."""
    letters = "abcdefghijkmnpqrstuvwxyz23456789"
    first = secrets.choice(letters[:24])
    rest = "".join(secrets.choice(letters) for _ in range(GROUPS * LETTERS - 1))
    return "-".join((first + rest)[at : at + LETTERS] for at in range(0, GROUPS * LETTERS, LETTERS))


def _hash(person: User, code: str) -> str:
    """What is kept of a recovery code; the key makes equal codes of two people unequal."""
    return hashlib.sha256(f"{person.pk}:{code}".encode()).hexdigest()[:16]


def _plain(code: str) -> str:
    """As it is compared: without the spaces and hyphens that people read and type."""
    return "".join(code.lower().split()).replace("-", "")[:40]
