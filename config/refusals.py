"""How Daybook says no: to what is not there, to what is not for this person, and when something of ours broke."""

from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.template.loader import render_to_string

from ledger.admin.scoping import is_store_manager

NOT_YOURS = "There is no such page for you, or it is not in one of your stores."
"""The same whether it exists or not: a manager of some stores learns nothing of the others."""


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answers PermissionDenied."""
    words = "You lack the permission, or it concerns stores that are not yours. Ask an administrator if you need it."
    return _page(request, title="This page is not for you", words=words, status=403)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answers Http404; a sentence of ours that came with it is shown, what Django itself says is not."""
    said = exception.args[0] if exception.args else ""
    ours = isinstance(said, str) and said.endswith(".") and not said.endswith("matches the given query.")
    limited = is_store_manager(getattr(request, "user", AnonymousUser()))
    words = NOT_YOURS if limited else said if ours else "It does not exist any more, or its address was mistyped."
    return _page(request, title="There is no such page", words=words, status=404)


def broken(request: HttpRequest) -> HttpResponse:
    """Answers what nobody foresaw. It asks neither the database nor the session, which may be what broke."""
    words = "Something of ours broke, and it is in the log. Nothing is lost: try again, or tell your administrator."
    if request.path.startswith("/api/"):
        return in_json(words, code="internal", status=500)
    return _bare(title="That did not work", words=words, status=500)


def unusable(words: str) -> HttpResponse:
    """Answers what nothing of ours should look at, the session included."""
    return _bare(title="This cannot be read", words=words, status=400)


def in_json(sentence: str, *, code: str, status: int) -> JsonResponse:
    """A refusal in the shape that the API describes (integrations.api.problems), said before the API is asked."""
    return JsonResponse({"problem": sentence, "code": code}, status=status)


def _bare(*, title: str, words: str, status: int) -> HttpResponse:
    return HttpResponse(render_to_string("admin/daybook/refused.html", {"title": title, "words": words}), status=status)


def _page(request: HttpRequest, *, title: str, words: str, status: int) -> HttpResponse:
    return render(request, "admin/daybook/refused.html", {"title": title, "words": words}, status=status)
