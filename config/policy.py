"""What a request must keep to: the policy of whoever makes it, and what kind of request it is."""

from django.contrib.auth.models import User
from django.http import HttpRequest

from integrations.sign_in import Policy, policy_of


def policy_for(request: HttpRequest) -> Policy | None:
    """The policy of whoever makes this request, read once for it; None for a stranger."""
    if not isinstance(request.user, User):
        return None
    known: Policy | None = request.__dict__.get("_sign_in_policy")
    if known is None:
        known = request.__dict__["_sign_in_policy"] = policy_of(request.user)
    return known


def is_ours(request: HttpRequest) -> bool:
    """Whether an address lies behind the sign-in: the screens and the API."""
    return request.path.startswith(("/admin/", "/api/"))


def wants_json(request: HttpRequest) -> bool:
    """Whether a program or a script of a page asks, which has no use for a page to be led to."""
    return (
        request.path.startswith("/api/") or watches(request) or "application/json" in request.headers.get("Accept", "")
    )


def watches(request: HttpRequest) -> bool:
    """Whether an open page asks by itself how things stand; nobody clicked."""
    return request.headers.get("X-Daybook-Watch") == "1" or "watch" in request.GET or request.path.endswith(".json")
