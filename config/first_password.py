"""A generated password opens one page only, the one that changes it, and that for some days."""

import secrets
from collections.abc import Callable
from datetime import timedelta

from django.contrib import messages
from django.contrib.auth import logout
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone

from config import onward
from config.policy import is_ours, wants_json
from config.refusals import in_json
from integrations.models import OneTimePassword
from integrations.sign_in import waiting_password

LIFE = timedelta(days=7)
"""So long a one-time password can be used: it may lie in a letter or in a chat."""


def issue(user: User) -> str:
    """Give a user a new one-time password and return it."""
    password = secrets.token_urlsafe(12)
    user.set_password(password)
    user.save(update_fields=["password"])
    values = {"password_hash": user.password, "issued_at": timezone.now()}
    OneTimePassword.objects.update_or_create(user=user, defaults=values)
    return password


def is_waiting(user: User) -> bool:
    """Whether a one-time password still waits to be changed."""
    return waiting_password(user) is not None


def is_over(waiting: OneTimePassword) -> bool:
    return waiting.issued_at < timezone.now() - LIFE


class FirstPasswordMiddleware:
    """Leads whoever logged in with a one-time password to the change of it; signs out whoever came too late."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        waiting = waiting_password(request.user) if isinstance(request.user, User) and is_ours(request) else None
        if waiting and is_over(waiting):
            return _too_late(request)
        if waiting is None or request.path in _open_meanwhile():
            return self.get_response(request)
        if wants_json(request):
            return in_json("Change the one-time password first.", code="first_password", status=403)
        onward.keep(request)
        messages.warning(request, "This password was made for the first log-in only. Choose your own to go on.")
        return HttpResponseRedirect(reverse("admin:password_change"))


def _too_late(request: HttpRequest) -> HttpResponse:
    logout(request)
    words = f"This one-time password ended {LIFE.days} days after it was made. Ask an administrator for a new one."
    if wants_json(request):
        return in_json(words, code="first_password", status=401)
    messages.warning(request, words)
    return HttpResponseRedirect(reverse("admin:login"))


def _open_meanwhile() -> set[str]:
    """The addresses that change the password or log out; who has a second factor shows it before the change."""
    names = ("admin:password_change", "admin:logout", "admin:login", "second_factor:verify")
    return {reverse(name) for name in names}
