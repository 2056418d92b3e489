"""What is kept of people: log-ins at a vendor, one-time passwords, second factors, what a role demands at sign-in."""

from secrets import token_bytes

from django.conf import settings
from django.contrib.auth.models import Group
from django.db import models
from django.utils import timezone
from django_otp.plugins.otp_totp.models import TOTPDevice
from knox.models import AbstractAuthToken

from integrations.models.connections import Connection
from integrations.secrets import SealableJSONField


class OAuthRequest(models.Model):
    """A log-in that a person began at a vendor: bound to the person and the connection, used once, short-lived."""

    state_hash = models.CharField(max_length=64, unique=True)
    connection = models.ForeignKey(Connection, on_delete=models.CASCADE)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE)
    redirect_uri = models.CharField(max_length=300)
    begun_at = models.DateTimeField(auto_now_add=True)
    used_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"Log-in to {self.connection}"


class OneTimePassword(models.Model):
    """A generated password that must be changed before anything else can be done with it."""

    user = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="one_time_password")
    password_hash = models.CharField(max_length=200)
    issued_at = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return f"One-time password of {self.user}"


class AuthenticatorApp(TOTPDevice):
    """The second factor of a person, its secret encrypted as the vendors' credentials are.

    django-otp's own column of the key holds random bytes that nobody was ever shown. A secret that cannot be decrypted
    takes no code at all; an administrator resets the second factor then.
    """

    secret = SealableJSONField(editable=False)

    class Meta:
        default_permissions = ()

    @property
    def bin_key(self) -> bytes:
        return bytes.fromhex(self.secret["key"]) if "key" in self.secret else token_bytes()


class SignInPolicy(models.Model):
    """What the members of a role must do to sign in, and for how long they stay signed in."""

    group = models.OneToOneField(Group, on_delete=models.CASCADE, related_name="sign_in_policy")
    second_factor = models.BooleanField(
        "Second factor required", default=False, help_text="A code from an authenticator app at each sign-in."
    )
    idle_minutes = models.PositiveIntegerField(
        "Sign out after minutes without a click", null=True, blank=True, help_text="Empty: the setting of Daybook."
    )

    class Meta:
        verbose_name_plural = "sign-in policies"

    def __str__(self) -> str:
        return f"Sign-in of {self.group}"


class ApiToken(AbstractAuthToken):
    """A token of the REST API: knox keeps its hash and its end, we what its owner calls it and when it was used."""

    name = models.CharField(max_length=100)
    last_used_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = "API token"

    def __str__(self) -> str:
        return self.name


class ApiUse(models.Model):
    """How many calls of the REST API a person has made in the current minute, over all processes."""

    user = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="api_use")
    minute = models.DateTimeField()
    calls = models.PositiveIntegerField(default=0)

    def __str__(self) -> str:
        return f"{self.calls} calls of {self.user}"
