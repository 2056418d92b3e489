"""Each request gets an id, which stands in its answer and in each line it logs; the audit learns where it came from."""

import uuid
from collections.abc import Callable
from ipaddress import IPv6Address, ip_address

import structlog
from django.http import HttpRequest, HttpResponse
from django.utils.log import log_response

from config.lockout import client_address
from ledger.circumstances import Way, under

HEADER = "X-Request-ID"


class TracingMiddleware:
    """The id is ours: one that came with the request could be anybody's, and could say anything in the log."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request_id = uuid.uuid4().hex
        way = Way.API if request.path_info.startswith("/api/") else Way.SCREEN
        with structlog.contextvars.bound_contextvars(request_id=request_id), under(way, address=_address(request)):
            response = self.get_response(request)
            if response.status_code >= 400:
                # Else Django logs it when this is left; what is logged already it leaves alone.
                log_response("%s: %s", response.reason_phrase, request.path, response=response, request=request)
        response.headers[HEADER] = request_id
        return response


def _address(request: HttpRequest) -> str:
    """As the database gives it back too: IPv4 within IPv6 as IPv4, and without the zone of a link.

    Empty where the server knows none, for instance behind a socket of the file system.
    """
    try:
        address = ip_address(client_address(request))
    except ValueError:
        return ""
    if isinstance(address, IPv6Address):
        return str(address.ipv4_mapped or IPv6Address(int(address)))
    return str(address)
