"""Whoever has not clicked for a while is signed out; a page that looks by itself does not count as a click."""

import time
from collections.abc import Callable
from datetime import timedelta
from urllib.parse import urlencode

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import SESSION_KEY, logout
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone

from config.policy import is_ours, policy_for, wants_json, watches
from config.refusals import in_json

SIGNED_IN = "signed_in_at"
"""In the session: the second of the sign-in."""
CLICKED = "clicked_at"
"""In the session: the second of the last click, by the clock that also ends sessions."""
KEPT_EVERY_SECONDS = 30
"""A click sooner after the last one is not written down: a write for each click would be a write for each page."""


class IdleMiddleware:
    """Ends a session that nobody used for as long as the policy allows, and any session some hours after its begin."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        _begin(request)
        policy = policy_for(request) if is_ours(request) else None
        if policy is not None and request.path != reverse("admin:logout"):
            idle = int(time.time()) - request.session[CLICKED]
            if policy.idle_minutes and idle >= policy.idle_minutes * 60:
                logout(request)
                return _signed_out(request, minutes=policy.idle_minutes)
            if not watches(request) and idle >= KEPT_EVERY_SECONDS:
                request.session[CLICKED] = int(time.time())
        response = self.get_response(request)
        _begin(request)  # The request may have been the sign-in itself.
        return response


def _begin(request: HttpRequest) -> None:
    """From the sign-in on a session has its end, which no click moves, and a first click.

    Without an end of its own, Django gives a session the whole time anew whenever something in it changes. The session
    is asked, and not who makes the request: whoever shows an API token has none.
    """
    if is_ours(request) and SESSION_KEY in request.session and SIGNED_IN not in request.session:
        request.session[SIGNED_IN] = int(time.time())
        request.session.setdefault(CLICKED, int(time.time()))
        request.session.set_expiry(timezone.now() + timedelta(seconds=settings.SESSION_COOKIE_AGE))


def _signed_out(request: HttpRequest, *, minutes: int) -> HttpResponse:
    words = f"You were signed out because nothing was clicked for {minutes} minutes."
    if wants_json(request):
        return in_json(words, code="signed_out", status=401)
    messages.warning(request, f"{words} Sign in again to go on.")
    back = {"next": request.get_full_path()} if request.method == "GET" else {}
    return HttpResponseRedirect(f"{reverse('admin:login')}?{urlencode(back)}")
