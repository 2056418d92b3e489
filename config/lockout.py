"""Whoever guesses passwords is locked out for a while: where a request comes from, and the page that says so."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render


def client_address(request: HttpRequest) -> str:
    """Where a request comes from. Behind our proxy its own, last word counts: what stands before it can be invented."""
    said = request.headers.get("X-Forwarded-For", "") if settings.BEHIND_PROXY else ""
    return said.rpartition(",")[2].strip() or str(request.META.get("REMOTE_ADDR", ""))


def locked_out(
    request: HttpRequest, response: HttpResponse | None = None, credentials: dict[str, str] | None = None
) -> HttpResponse:
    """The answer to a try that was not even looked at. It does not tell whether there is such a user."""
    minutes = int(settings.AXES_COOLOFF_TIME.total_seconds() // 60)
    words = (
        f"There were too many wrong passwords for this name from this address. Wait {minutes} minutes, then try "
        "again; an administrator can unlock it at once."
    )
    context = {"title": "Signing in is locked for a while", "words": words, "back": "Sign in"}
    return render(request, "admin/daybook/refused.html", context, status=429)
