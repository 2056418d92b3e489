"""The one guard before our own pages under /admin/: who lacks the permission gets the page that says so."""

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

from ledger.admin.scoping import may, may_for_all

View = Callable[..., HttpResponse]
Answer = TypeVar("Answer", bound=HttpResponseBase)


def page(permission: str, *, store_managers: bool = False) -> Callable[[Callable[..., Answer]], Callable[..., Answer]]:
    """A page for who has the permission; a manager of some stores only where it is said."""
    allowed = may if store_managers else may_for_all

    def guard(view: Callable[..., Answer]) -> Callable[..., Answer]:
        @wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> Answer:
            if not allowed(request.user, permission):
                raise PermissionDenied
            return view(request, *args, **kwargs)

        return guarded

    return guard
