"""Who has a second factor, or must have one, shows it before anything else under /admin/ and the API is opened."""

from collections.abc import Callable
from urllib.parse import urlencode

from django.contrib import messages
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse

from config import onward
from config.policy import is_ours, policy_for, wants_json
from config.refusals import in_json
from integrations.sign_in import has_second_factor


class SecondFactorMiddleware:
    """Leads to the page that asks for the code, or to the one that sets the second factor up.

    A request that bears an API token only has no signed-in person here: what its owner must have done is asked where
    the token is looked at. One that bears a session as well is held to the session.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        missing = _missing(request) if is_ours(request) else ""
        if not missing or request.path in _open_while(missing):
            return self.get_response(request)
        if wants_json(request):
            return in_json("Sign in with your second factor first.", code="second_factor", status=403)
        if missing == "page":
            onward.keep(request)
            messages.warning(request, "Your role signs in with a second factor. Set it up to go on.")
            return HttpResponseRedirect(reverse("second_factor:page"))
        back = {"next": request.get_full_path()} if request.method == "GET" else {}
        return HttpResponseRedirect(f"{reverse('second_factor:verify')}?{urlencode(back)}")


def _missing(request: HttpRequest) -> str:
    """The page that this person must go through first: `verify`, `page` for the set-up, or none."""
    person = request.user
    if not isinstance(person, User) or person.is_verified():  # type: ignore[attr-defined]  # set by django_otp
        return ""
    if has_second_factor(person):
        return "verify"
    policy = policy_for(request)
    return "page" if policy and policy.second_factor else ""


def _open_while(missing: str) -> set[str]:
    """The addresses that stay open. With a second factor not even the password can be changed without it."""
    always = {reverse("admin:login"), reverse("admin:logout"), reverse(f"second_factor:{missing}")}
    if missing == "verify":
        return always
    return always | {reverse("admin:password_change"), reverse("second_factor:set_up")}
