"""An address that a person typed in, to which this house then sends: https, and never a machine of our own network.

The name is looked up when the address is saved, for a sentence; what counts is checked again on the connection itself,
before a byte has left, so that a name which points elsewhere a moment later helps nobody.
"""

import socket
from functools import partial
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Any
from urllib.parse import urlsplit

import requests
from django.conf import settings
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import NewConnectionError

from integrations.deadlines import Call
from integrations.http import is_loopback
from ledger.errors import Refused

PROTOCOLS = ip_network("192.0.0.0/24")
"""Of the protocols themselves (RFC 6890): no chat lives there."""
WRAPPED = (
    (ip_network("::ffff:0:0/96"), 0),
    (ip_network("64:ff9b::/96"), 0),
    (ip_network("::/96"), 0),
    (ip_network("2002::/16"), 80),
)
"""IPv6 addresses that lead to an IPv4 one (mapped, NAT64, compatible, 6to4), and how many bits follow that one."""
CLOSED = tuple(ip_network(net) for net in ("64:ff9b:1::/48", "2001::/32", "fec0::/10"))
"""NAT64 of a network's own, Teredo, and site-local addresses."""


def check(url: str) -> None:
    """Raises Refused, with what to do, unless a message may be sent to this address."""
    parts = urlsplit(url)
    if settings.ALLOW_LOOPBACK_VENDORS and is_loopback(url):
        return
    if parts.scheme != "https" or not parts.hostname or "@" in parts.netloc:
        raise Refused("The address must begin with https:// and name a host. Copy it whole.")
    if _port(url) not in {None, 443}:
        raise Refused("The address must not name a port: a chat listens on that of https. Copy it whole.")
    if not all(is_public(found) for found in _addresses(parts.hostname)):
        raise Refused(f"{parts.hostname} is not on the public internet. Nothing is sent to it.")


def is_public(address: str) -> bool:
    """Whether an IP address can be reached by everybody; this machine where the demo and the tests may use it."""
    found = ip_address(address.split("%")[0])
    if found.is_loopback:
        return bool(settings.ALLOW_LOOPBACK_VENDORS)
    meant = _meant(found) if isinstance(found, IPv6Address) else found
    if any(meant in net for net in (*CLOSED, PROTOCOLS)):
        return False
    return bool(meant.is_global and not meant.is_multicast)


def _meant(found: IPv6Address) -> IPv4Address | IPv6Address:
    """The IPv4 address to which an IPv6 one leads, where it is only its wrapping."""
    for net, following in WRAPPED:
        if found in net:
            return IPv4Address(int(found) >> following & 0xFFFFFFFF)
    return found


def _port(url: str) -> int | None:
    try:
        return urlsplit(url).port
    except ValueError:
        return 0


def _addresses(host: str) -> set[str]:
    try:
        return {str(row[4][0]) for row in socket.getaddrinfo(host, 443, type=socket.SOCK_STREAM)}
    except (OSError, UnicodeError):
        raise Refused(f"There is no host of the name {host}. Copy the address again.") from None


def session(call: Call) -> requests.Session:
    """A session of requests for such an address: it asks the connection itself, and whoever waits can hang up."""
    made = _Session()
    made.trust_env = False
    for scheme in ("https://", "http://"):
        made.mount(scheme, _PublicHostsOnly(call))
    return made


class _Session(requests.Session):
    def get_redirect_target(self, resp: requests.Response) -> None:
        """None: requests would read the whole body of an answer that leads elsewhere."""
        return


class _Checked(HTTPConnection):
    """Hangs up on a host of our own network, and lets whoever waits for the call hang up."""

    def __init__(self, *args: Any, call: Call, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._call = call

    def _new_conn(self) -> socket.socket:
        sock = super()._new_conn()
        if is_public(sock.getpeername()[0]):
            self._call.open(sock)
            return sock
        sock.close()
        raise NewConnectionError(self, "the host is not on the public internet")


class _CheckedSafe(_Checked, HTTPSConnection):
    """The same over TLS."""


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Checked


class _SafePool(HTTPSConnectionPool):
    ConnectionCls = _CheckedSafe


class _PublicHostsOnly(HTTPAdapter):
    """It hangs up on a host of our own network before anything is said."""

    def __init__(self, call: Call) -> None:
        self._call = call
        super().__init__(max_retries=0)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {
            "http": partial(_Pool, call=self._call),
            "https": partial(_SafePool, call=self._call),
        }
