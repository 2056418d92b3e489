"""A null character is in no name, number or reason: a request that holds one is refused before anything looks at it.

PostgreSQL stores none, so that each look-up and each form would have to think of it. Headers come here without any,
for the server refuses those; in a cookie one can be written as an escape. The API has an answer of its own, which says
what concerns a field.
"""

from collections.abc import Callable, Iterator

from django.http import HttpRequest, HttpResponse, QueryDict
from django.http.request import UnreadablePostError

from config.policy import wants_json
from config.refusals import in_json, unusable

FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")
WORDS = "The address or the form holds a null character, which nothing here can contain. Go back and type it anew."


class NullCharacterMiddleware:
    """Looks at the path, the query, the cookies, and the fields of a form; not into files."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not any("\0" in text for text in _texts(request)):
            return self.get_response(request)
        if wants_json(request):
            return in_json(WORDS, code="invalid", status=400)
        return unusable(WORDS)


def _texts(request: HttpRequest) -> Iterator[str]:
    yield from request.COOKIES.values()
    if request.path.startswith("/api/"):
        return
    yield request.path
    yield from _fields(request.GET)
    if request.method == "POST" and request.content_type in FORMS:
        try:
            yield from _fields(request.POST)
        except UnreadablePostError:
            return  # whoever sent it has gone


def _fields(sent: QueryDict) -> Iterator[str]:
    for name, values in sent.lists():
        yield name
        yield from (value for value in values if isinstance(value, str))
