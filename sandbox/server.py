"""The HTTP server under every pretend vendor: requests, answers, mounted apps, connections that break.

An app is a callable from `Request` to `Answer`, mounted by the first part of the path. Knows no vendor.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import json
import re
import secrets
import socket
import socketserver
import sys
import threading
import time
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from email.message import Message
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, parse_qsl, unquote, urlsplit

BANNER = "daybook sandbox, not a real vendor"
AUDITOR_TOKEN = "sandbox-auditor"
MAX_BODY = 16 * 1024 * 1024

# The JSON encoder knows no Decimal: it writes this mark and the digits as text; the quotes go afterwards.
_MARK = "decimal-" + secrets.token_hex(8) + ":"
_MARKED = re.compile('"' + _MARK + '([^"]*)"')


class DropConnection(Exception):
    """Raised by an app: the socket is closed without an answer, as if the network had failed."""


@dataclass(frozen=True)
class Request:
    """One request as an app sees it: `path` without the mount, `query` with brackets kept in its keys."""

    method: str
    path: str
    query: dict[str, list[str]]
    headers: Mapping[str, str]
    body: bytes
    mount: str = ""

    def json(self) -> Any:
        """The body as JSON with Decimal for every fraction; ValueError when it is not JSON."""
        return json.loads(self.body, parse_float=Decimal)

    def form(self) -> dict[str, str]:
        return dict(parse_qsl(self.body.decode("utf-8", "replace"), keep_blank_values=True))

    def param(self, name: str, default: str = "") -> str:
        """The first value of a query parameter."""
        return self.query.get(name, [default])[0]

    def bearer(self) -> str | None:
        kind, _, token = (self.headers.get("Authorization") or "").partition(" ")
        return token.strip() if kind.lower() == "bearer" and token.strip() else None

    def basic(self) -> tuple[str, str] | None:
        """Name and password of HTTP Basic authentication, None when missing or unreadable."""
        kind, _, encoded = (self.headers.get("Authorization") or "").partition(" ")
        if kind.lower() != "basic":
            return None
        try:
            name, colon, password = base64.b64decode(encoded, validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            return None
        return (name, password) if colon else None

    @property
    def origin(self) -> str:
        """The address the caller used, for URLs in answers."""
        return "http://" + (self.headers.get("Host") or "127.0.0.1")


@dataclass
class Answer:
    status: int
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)


App = Callable[[Request], Answer]


def dump_json(value: Any) -> str:
    """JSON text in which a Decimal is a number with exactly its digits."""
    return _MARKED.sub(r"\1", json.dumps(value, default=_mark, separators=(",", ":")))


def _mark(value: object) -> str:
    if isinstance(value, Decimal) and value.is_finite():
        return f"{_MARK}{value:f}"
    raise TypeError(f"cannot be written as JSON: {value!r}")


def json_answer(status: int, value: Any, headers: Mapping[str, str] | None = None) -> Answer:
    return Answer(status, dump_json(value).encode(), {"Content-Type": "application/json", **(headers or {})})


def html_answer(status: int, text: str, headers: Mapping[str, str] | None = None) -> Answer:
    return Answer(status, text.encode(), {"Content-Type": "text/html; charset=utf-8", **(headers or {})})


class Sandbox(ThreadingHTTPServer):
    """The server with its mounted apps. Making one takes the port; it listens once it has apps, and `serve` answers.

    Until then a connection is refused. A request that waited for a long start would be done later than any vendor
    promises, and whoever sent it would rightly have sent it again.
    """

    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], *, mounts: Mapping[str, App] | None = None) -> None:
        self._under_way = 0
        self._idle = threading.Condition()
        super().__init__(address, _Connection, bind_and_activate=False)
        self.server_bind()
        if mounts is not None:
            self.mount(mounts)

    def mount(self, mounts: Mapping[str, App]) -> None:
        """Set the apps by the first part of their path, of which the longest that fits answers; and listen."""
        self._mounts = sorted(mounts.items(), key=lambda item: -len(item[0]))
        self.server_activate()

    def server_bind(self) -> None:
        # HTTPServer asks the DNS for the host's name here, which can take seconds.
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = "127.0.0.1", self.server_address[1]

    def handle_error(self, request: Any, client_address: Any) -> None:
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)

    def answer(self, request: Request) -> Answer:
        """Let the app under the longest fitting mount answer; DropConnection passes through."""
        with self._idle:
            self._under_way += 1
        try:
            return self._route(request)
        finally:
            with self._idle:
                self._under_way -= 1
                self._idle.notify_all()

    def _route(self, request: Request) -> Answer:
        for prefix, app in self._mounts:
            if request.path == prefix or request.path.startswith(prefix.rstrip("/") + "/"):
                path = request.path[len(prefix.rstrip("/")) :] or "/"
                return _guarded(app, _moved(request, path=path, mount=prefix.rstrip("/")))
        return json_answer(404, {"error": "no such path in this sandbox", "path": request.path})

    def wait_idle(self, *, seconds: float) -> bool:
        """Wait until no request is being answered; False when `seconds` were not enough."""
        with self._idle:
            return self._idle.wait_for(lambda: self._under_way == 0, timeout=seconds)


def _moved(request: Request, *, path: str, mount: str) -> Request:
    return Request(request.method, path, request.query, request.headers, request.body, mount)


def _guarded(app: App, request: Request) -> Answer:
    try:
        return app(request)
    except DropConnection:
        raise
    except Exception:
        traceback.print_exc()
        return json_answer(500, {"error": "the sandbox itself failed, see its error output"})


class _Connection(BaseHTTPRequestHandler):
    """One kept-alive connection: reads requests, writes each answer with a single send."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    timeout = 300
    server: Sandbox

    def _serve(self) -> None:
        try:
            request = self._read()
            answer = self.server.answer(request) if request else Answer(413)
        except DropConnection:
            self._drop()
            return
        self._write(answer)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = do_OPTIONS = _serve

    def _read(self) -> Request | None:
        length = self.headers.get("Content-Length") or "0"
        if not length.isdigit() or int(length) > MAX_BODY or "Transfer-Encoding" in self.headers:
            self.close_connection = True
            return None
        body = self.rfile.read(int(length)) if length != "0" else b""
        url = urlsplit(self.path)
        query = parse_qs(url.query, keep_blank_values=True)
        return Request(self.command, unquote(url.path) or "/", query, _names(self.headers), body)

    def _write(self, answer: Answer) -> None:
        lines = [f"HTTP/1.1 {answer.status} {_reason(answer.status)}"]
        headers = {"X-Sandbox": BANNER, "Date": self.date_time_string(), **answer.headers}
        headers["Content-Length"] = str(len(answer.body))
        if self.close_connection:
            headers["Connection"] = "close"
        lines += [f"{name}: {value}" for name, value in headers.items()]
        head = "\r\n".join(lines).encode("latin-1", "replace") + b"\r\n\r\n"
        self.wfile.write(head if self.command == "HEAD" else head + answer.body)

    def _drop(self) -> None:
        self.close_connection = True
        with contextlib.suppress(OSError):
            self.connection.shutdown(socket.SHUT_RDWR)

    def log_message(self, format: str, *args: Any) -> None:
        """Silent: what exists here can be read from the control paths."""


def _names(headers: Message) -> Mapping[str, str]:
    # The standard message object looks names up without regard to case, which is all an app needs.
    return headers  # type: ignore[return-value]


def _reason(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Unknown"


def serve(server: Sandbox) -> None:
    """Serve until `server.shutdown()` is called from elsewhere, then let requests under way finish."""
    server.serve_forever(poll_interval=0.1)
    server.server_close()
    server.wait_idle(seconds=3)
    for thread in threading.enumerate():
        if isinstance(thread, threading.Timer):
            thread.join(timeout=4)  # work that comes late still comes
    time.sleep(0.05)  # the last answers leave their threads
