"""How an operation is described: in plain words, with an example and with every answer that it gives."""

from collections.abc import Callable
from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.exceptions import NotAcceptable, PermissionDenied

from integrations.api.authentication import REFUSED
from integrations.api.problems import SENTENCES, Problem

REFUSALS: dict[int, tuple[str, dict[str, Any]]] = {
    400: (
        "A filter or a field cannot be used.",
        {
            "problem": "Something in the request cannot be used; `fields` says what.",
            "code": "invalid",
            "fields": {"first": ["Date has wrong format. Use one of these formats instead: YYYY-MM-DD."]},
        },
    ),
    401: (
        "No token, or one that is not valid.",
        {"problem": REFUSED, "code": "authentication_failed"},
    ),
    403: ("You lack the permission.", {"problem": SENTENCES[PermissionDenied], "code": "permission_denied"}),
    404: (
        "There is no such object, or it belongs to a store that is not yours.",
        {"problem": "There is no such event, or it belongs to a store that is not yours.", "code": "not_found"},
    ),
    405: ("Another method is needed.", {"problem": 'Method "PUT" not allowed.', "code": "method_not_allowed"}),
    406: ("Another form than JSON was asked for.", {"problem": SENTENCES[NotAcceptable], "code": "not_acceptable"}),
    409: (
        "It cannot be done as things stand; nothing was changed.",
        {"problem": "Press Start Sync first; past events can be ordered after it.", "code": "refused"},
    ),
    415: (
        "The body is not JSON.",
        {"problem": 'Unsupported media type "text/plain" in request.', "code": "unsupported_media_type"},
    ),
    429: (
        "Too many calls in this minute. Wait for as many seconds as `Retry-After` says.",
        {"problem": "Request was throttled. Expected available in 17 seconds.", "code": "throttled"},
    ),
}
ALWAYS = (401, 403, 405, 406, 429)


def operation(
    name: str,
    *,
    tag: str,
    summary: str,
    description: str,
    answer: Any,
    example: Any,
    status: int = 200,
    refusals: tuple[int, ...] = (),
    filters: Any = None,
    body: Any = None,
    bodies: dict[str, Any] | None = None,
) -> Callable[[Any], Any]:
    """Describe one operation: `bodies` are examples of what is sent, by their titles."""
    codes = sorted({*refusals, *ALWAYS, *((400, 415) if body else ())})
    sent = [OpenApiExample(title, value, request_only=True) for title, value in (bodies or {}).items()]
    got = OpenApiExample(summary, example, response_only=True, status_codes=[str(status)])
    return extend_schema(
        operation_id=name,
        tags=[tag],
        summary=summary,
        description=description,
        request=body,
        parameters=[*([filters] if filters else []), _retry_after()],
        responses={status: OpenApiResponse(answer, summary), **{code: _refusal(code) for code in codes}},
        examples=[*sent, got],
    )


def _refusal(code: int) -> OpenApiResponse:
    words, example = REFUSALS[code]
    return OpenApiResponse(Problem, words, examples=[OpenApiExample(example["code"], example)])


def _retry_after() -> OpenApiParameter:
    return OpenApiParameter(
        "Retry-After",
        OpenApiTypes.INT,
        OpenApiParameter.HEADER,
        description="Seconds until the next call is taken.",
        response=[429],
    )
