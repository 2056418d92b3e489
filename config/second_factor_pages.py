"""The pages of one's own second factor: asked for after the password, set up, new recovery codes, removed."""

import time
from collections.abc import Callable
from typing import Any

import django_otp
from django.contrib import admin, messages
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import path, reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST
from django_otp.models import Device

from config import devices, onward
from config.policy import policy_for
from integrations.sign_in import has_second_factor
from ledger.admin.base import page_context
from ledger.errors import Refused
from ledger.moments import zone_of_house

SECRET = "second_factor_secret"
"""In the session: the secret of an app that is not set up yet, and the second it was made in."""
SECRET_SECONDS = 15 * 60
"""A secret that was shown and not set up counts no longer: the session lies in the database in clear."""


def myself(request: HttpRequest) -> User:
    """Whoever is signed in; the admin's log-in stands before every page here."""
    if not isinstance(request.user, User):
        raise TypeError("nobody is signed in")
    return request.user


@sensitive_post_parameters("code")
def verify(request: HttpRequest) -> HttpResponse:
    """Asks for the code after the password."""
    person = myself(request)
    if not has_second_factor(person) or person.is_verified():  # type: ignore[attr-defined]
        return HttpResponseRedirect(_onward(request))
    problem = ""
    if request.method == "POST":
        try:
            _signed_in(request, devices.check(person, request.POST.get("code", "")))
            return HttpResponseRedirect(_onward(request))
        except Refused as refused:
            problem = refused.sentence
    context = {**admin.site.each_context(request), "title": "Second factor", "problem": problem}
    context["next"] = _onward(request)
    return render(request, "admin/sign_in/verify.html", context, status=422 if problem else 200)


def page(request: HttpRequest) -> HttpResponse:
    """How one's own second factor stands; without one, how it is set up."""
    return _page(request)


def _page(request: HttpRequest, *, problem: str = "") -> HttpResponse:
    person, app = myself(request), devices.app_of(myself(request))
    policy = policy_for(request)
    context = page_context(request, title="Second factor", app=app, problem=problem)
    context["required"] = bool(policy and policy.second_factor)
    if app is None:
        secret = _shown_secret(request) or devices.new_secret()
        if not _shown_secret(request):
            request.session[SECRET] = [secret, int(time.time())]
        context |= {"picture": devices.picture(person, secret), "typed": devices.typed_secret(secret)}
    else:
        context |= {"codes_left": devices.codes_left(person), "zone": zone_of_house()}
    return render(request, "admin/sign_in/second_factor.html", context, status=422 if problem else 200)


def _shown_secret(request: HttpRequest) -> str:
    """The secret that this session was shown a short while ago; empty when there is none, or it is too old."""
    secret, made_at = request.session.get(SECRET) or ("", 0)
    return str(secret) if time.time() < made_at + SECRET_SECONDS else ""


@sensitive_post_parameters("code")
@require_POST
def set_up(request: HttpRequest) -> HttpResponse:
    """The app shows the right code: it counts from now on, and this session has shown it."""
    secret = _shown_secret(request)
    if has_second_factor(myself(request)):
        return redirect("second_factor:page")
    if not secret:
        return _page(request, problem="The picture was shown too long ago. Scan this new one.")
    try:
        device, codes = devices.set_up(myself(request), secret=secret, code=request.POST.get("code", ""))
    except Refused as refused:
        return _page(request, problem=refused.sentence)
    del request.session[SECRET]
    _signed_in(request, device)
    return _codes(request, codes, title="Your second factor is set up")


@sensitive_post_parameters("code")
@require_POST
def codes(request: HttpRequest) -> HttpResponse:
    """New recovery codes in place of the old ones.

    The app's own code must be shown: whoever found a screen unattended could else take the codes along, or remove the
    second factor with one of them.
    """
    person = myself(request)
    try:
        devices.check(person, request.POST.get("code", ""), app_only=True)
        fresh = devices.renew_codes(person)
    except Refused as refused:
        return _unchanged(request, refused)
    return _codes(request, fresh, title="New recovery codes")


def _codes(request: HttpRequest, fresh: list[str], *, title: str) -> HttpResponse:
    """The answer to the button itself: the codes are kept as hashes, so no later page can show them."""
    context = page_context(request, title=title, codes=fresh, user_name=myself(request).get_username())
    context["onward"] = onward.take(request)
    return render(request, "admin/sign_in/codes.html", context)


@sensitive_post_parameters("code")
@require_POST
def remove(request: HttpRequest) -> HttpResponse:
    """A code must be shown once more: an unattended screen cannot take the second factor away.

    A recovery code will do, or nobody could set up a new phone after the old one was lost. No screen gives one away:
    they were shown once, to who had the phone in the hand.
    """
    person = myself(request)
    try:
        devices.check(person, request.POST.get("code", ""))
    except Refused as refused:
        return _unchanged(request, refused)
    devices.remove(person, actor=person)
    messages.success(request, "Your second factor is removed.")
    return redirect("second_factor:page")


def _unchanged(request: HttpRequest, refused: Refused) -> HttpResponse:
    messages.error(request, f"{refused.sentence} Nothing was changed.")
    return redirect("second_factor:page")


def _signed_in(request: HttpRequest, device: Device) -> None:
    """With the second factor the session is worth more than before, so it gets another key."""
    django_otp.login(request, device)
    request.session.cycle_key()


def _onward(request: HttpRequest) -> str:
    wanted = request.POST.get("next") or request.GET.get("next", "")
    secure = request.is_secure()
    if url_has_allowed_host_and_scheme(wanted, allowed_hosts={request.get_host()}, require_https=secure):
        return wanted
    return reverse("admin:index")


def _inside(view: Callable[..., HttpResponse]) -> Any:
    return admin.site.admin_view(view)


app_name = "second_factor"
urlpatterns = [
    path("second-factor/", _inside(page), name="page"),
    path("second-factor/verify/", _inside(verify), name="verify"),
    path("second-factor/set-up/", _inside(set_up), name="set_up"),
    path("second-factor/codes/", _inside(codes), name="codes"),
    path("second-factor/remove/", _inside(remove), name="remove"),
]
