"""Addresses with a defect, under the real handlers, for the tests of what is answered then."""

from django.http import HttpRequest, HttpResponse
from django.urls import path

from config.urls import handler403, handler404, handler500
from config.urls import urlpatterns as real

__all__ = ["handler403", "handler404", "handler500", "urlpatterns"]


def break_down(request: HttpRequest) -> HttpResponse:
    raise ZeroDivisionError("a defect of ours")


urlpatterns = [path("admin/broken/", break_down), path("api/v1/broken", break_down), *real]
