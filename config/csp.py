"""Content-Security-Policy on every answer, by path, with the names Django 6 uses, to ease a later move."""

from collections.abc import Callable, Mapping, Sequence

from django.conf import settings
from django.http import HttpRequest, HttpResponse

HEADER = "Content-Security-Policy"


def policy_for(path: str) -> dict[str, Sequence[str]]:
    """The common policy, with the directives of the longest matching prefix put over it."""
    matching = [prefix for prefix in settings.SECURE_CSP_BY_PATH if path.startswith(prefix)]
    extra = settings.SECURE_CSP_BY_PATH[max(matching, key=len)] if matching else {}
    return {**settings.SECURE_CSP, **extra}


def as_header(policy: Mapping[str, Sequence[str]]) -> str:
    return "; ".join(f"{directive} {' '.join(sources)}".strip() for directive, sources in policy.items())


class ContentSecurityPolicyMiddleware:
    """A view that sets the header itself keeps its own."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        response.headers.setdefault(HEADER, as_header(policy_for(request.path_info)))
        return response
