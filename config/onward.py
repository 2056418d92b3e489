"""Where somebody wanted to go before a page stood in the way that comes first: the change of a password, a set-up."""

from django.http import HttpRequest
from django.urls import reverse

KEPT = "onward"
"""In the session: the address. Several such pages may follow each other, so that none can hand it to the next."""

FILES = (".csv", ".xlsx")


def keep(request: HttpRequest) -> None:
    """Remember the page that was asked for."""
    if request.method == "GET" and _is_page(request):
        request.session[KEPT] = request.get_full_path()


def _is_page(request: HttpRequest) -> bool:
    """No part that a script fetches, no file, and not the set-up itself, to which nobody wanted to go."""
    fetched = "HX-Request" in request.headers or request.headers.get("Sec-Fetch-Mode", "navigate") != "navigate"
    return not fetched and not request.path.endswith(FILES) and request.path != reverse("second_factor:page")


def take(request: HttpRequest) -> str:
    """The page that was remembered, once; the Overview where there is none."""
    return str(request.session.pop(KEPT, "") or reverse("admin:index"))
