"""The pages that say no: to what is not there, and to what is not for this person. Both lead back."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answers PermissionDenied."""
    words = "You lack the permission, or it concerns stores that are not yours. Ask an administrator if you need it."
    return _page(request, title="This page is not for you", words=words, status=403)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answers Http404; a sentence that came with it is shown, what Django itself says of an address is not."""
    said = exception.args[0] if exception.args else ""
    known = isinstance(said, str) and said.endswith(".")
    words = said if known else "It does not exist any more, or its address was mistyped."
    return _page(request, title="There is no such page", words=words, status=404)


def _page(request: HttpRequest, *, title: str, words: str, status: int) -> HttpResponse:
    return render(request, "admin/daybook/refused.html", {"title": title, "words": words}, status=status)
