"""How the API says no: one shape of JSON for every refusal, with a sentence that a person can act on."""

from typing import Any, TypeVar

from django.core.exceptions import PermissionDenied
from django.db.models import Model, QuerySet
from django.http import Http404
from rest_framework import exceptions, serializers, status
from rest_framework.response import Response
from rest_framework.views import exception_handler

from ledger.errors import DaybookError

Row = TypeVar("Row", bound=Model)

SENTENCES: dict[type[Exception], str] = {
    exceptions.NotAuthenticated: "Send a token in the header: Authorization: Bearer <token>. "
    "Tokens are made in Daybook under Settings > API tokens.",
    exceptions.PermissionDenied: "You lack the permission, or it concerns the whole company while you manage some "
    "stores. Ask an administrator if you need it.",
    exceptions.ValidationError: "Something in the request cannot be used; `fields` says what.",
    exceptions.NotAcceptable: "Answers are JSON. Send Accept: application/json, or no such header.",
}
"""What is said in place of the library's own words."""


class Problem(serializers.Serializer):
    """Every refusal looks like this."""

    problem = serializers.CharField(help_text="What happened and what to do, in a sentence for a person.")
    code = serializers.CharField(help_text="The kind of problem, for a program: such as `not_found` or `throttled`.")
    fields = serializers.DictField(  # type: ignore[assignment]
        child=serializers.ListField(child=serializers.CharField()),
        required=False,
        help_text="What is wrong with which field or filter; only with code `invalid`.",
    )


class Conflict(exceptions.APIException):
    """What was asked for is understood and allowed, and cannot be done as things stand."""

    status_code = status.HTTP_409_CONFLICT
    default_code = "refused"


def answer(problem: Exception, context: dict[str, Any]) -> Response | None:
    """The settings' EXCEPTION_HANDLER. None, for what nobody foresaw, leaves it to Django to report."""
    if isinstance(problem, DaybookError):
        problem = Conflict(problem.sentence)
    if isinstance(problem, Http404):
        problem = exceptions.NotFound("There is nothing here, or it belongs to a store that is not yours.")
    if isinstance(problem, PermissionDenied):
        problem = exceptions.PermissionDenied()
    response = exception_handler(problem, context)
    if response is not None and isinstance(problem, exceptions.APIException):
        response.data = _told(problem)
    return response


def _told(problem: exceptions.APIException) -> dict[str, Any]:
    known = SENTENCES.get(type(problem))
    own_words = isinstance(problem, exceptions.PermissionDenied) and problem.detail != problem.default_detail
    said = known if known and not own_words else str(problem.detail)
    code = "invalid" if isinstance(problem, exceptions.ValidationError) else str(problem.get_codes())
    told: dict[str, Any] = {"problem": said, "code": code}
    if isinstance(problem, exceptions.ValidationError):
        told["fields"] = {name: list(_sentences(said)) for name, said in _by_field(problem.detail).items()}
    return told


def _by_field(detail: Any) -> dict[str, Any]:
    """What concerns no field of its own stands under `request`."""
    if not isinstance(detail, dict):
        return {"request": detail}
    return {"request" if name == "non_field_errors" else str(name): said for name, said in detail.items()}


def _sentences(said: Any) -> list[str]:
    """The sentences of one field, those of the members of a list among them."""
    if isinstance(said, dict):
        said = list(said.values())
    if isinstance(said, list | tuple):
        return [sentence for one in said for sentence in _sentences(one)]
    return [str(said)]


def found(rows: QuerySet[Row], pk: int, *, what: str) -> Row:
    """The row of this id; 404 when there is none or this person may not see it, which look the same."""
    row = rows.filter(pk=pk).first()
    if row is None:
        raise exceptions.NotFound(f"There is no such {what}, or it belongs to a store that is not yours.")
    return row
