"""The description of the API: as a document for programs, and as a page for people, from our own host alone."""

from drf_spectacular.utils import extend_schema
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView
from rest_framework.exceptions import NotFound
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView


class SchemaView(SpectacularAPIView):
    """The OpenAPI document, for whoever may log in."""


class DocsView(SpectacularSwaggerSplitView):
    """The readable page. The admin's log-in stands before it; its script comes from an address of its own."""

    permission_classes = [AllowAny]
    throttle_classes: list[type] = []
    url_name = "api:schema"
    template_name = "api/docs.html"


@extend_schema(exclude=True)
class NoSuchAddress(APIView):
    """Every other address: the same shape of answer as everywhere."""

    def initial(self, request: Request, *args: object, **kwargs: object) -> None:
        super().initial(request, *args, **kwargs)
        raise NotFound("There is no such address. Addresses end with a slash; /api/v1/docs/ lists them.")

    def get(self, request: Request, rest: str = "") -> Response:
        return Response(status=404)
