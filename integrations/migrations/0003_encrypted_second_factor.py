"""The secrets of authenticator apps, until now in clear in django-otp's table, are encrypted with CREDENTIAL_KEYS."""

import secrets
from typing import Any

import django.db.models.deletion
from django.db import migrations, models

import integrations.secrets


def encrypt(apps: Any, _: Any) -> None:
    """What django-otp keeps in their place was never shown to anybody."""
    device_model, app_model = _models(apps)
    for device in device_model.objects.filter(authenticatorapp=None):
        app = app_model(totpdevice_ptr=device, secret={"key": device.key})
        app.save_base(raw=True)  # the row of its own table alone
        device_model.objects.filter(pk=device.pk).update(key=secrets.token_hex(20))


def decrypt(apps: Any, _: Any) -> None:
    device_model, app_model = _models(apps)
    for app in app_model.objects.all():
        device_model.objects.filter(pk=app.pk).update(key=app.secret["key"])


def _models(apps: Any) -> tuple[Any, Any]:
    return apps.get_model("otp_totp", "TOTPDevice"), apps.get_model("integrations", "AuthenticatorApp")


class Migration(migrations.Migration):
    dependencies = [
        ("integrations", "0002_front_of_house"),
        ("otp_totp", "0003_add_timestamps"),
    ]

    operations = [
        migrations.CreateModel(
            name="AuthenticatorApp",
            fields=[
                (
                    "totpdevice_ptr",
                    models.OneToOneField(
                        auto_created=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        parent_link=True,
                        primary_key=True,
                        serialize=False,
                        to="otp_totp.totpdevice",
                    ),
                ),
                ("secret", integrations.secrets.SealableJSONField(editable=False)),
            ],
            options={"default_permissions": ()},
            bases=("otp_totp.totpdevice",),
        ),
        migrations.RunPython(encrypt, decrypt),
    ]
