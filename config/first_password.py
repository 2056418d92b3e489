"""A generated password opens one page only: the one that changes it."""

import secrets
from collections.abc import Callable

from django.contrib import messages
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse

from integrations.models import OneTimePassword


def issue(user: User) -> str:
    """Give a user a new one-time password and return it."""
    password = secrets.token_urlsafe(12)
    user.set_password(password)
    user.save(update_fields=["password"])
    OneTimePassword.objects.update_or_create(user=user, defaults={"password_hash": user.password})
    return password


class FirstPasswordMiddleware:
    """Leads whoever logged in with a one-time password to the change of it."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not _must_change(request):
            return self.get_response(request)
        messages.warning(request, "This password was made for the first log-in only. Choose your own to go on.")
        return HttpResponseRedirect(reverse("admin:password_change"))


def _must_change(request: HttpRequest) -> bool:
    """A page of the admin, other than changing the password or logging out, with a password not changed yet."""
    user = request.user
    free = {reverse("admin:password_change"), reverse("admin:logout"), reverse("admin:login")}
    if not isinstance(user, User) or request.path in free or not request.path.startswith(reverse("admin:index")):
        return False
    return OneTimePassword.objects.filter(user=user, password_hash=user.password).exists()
