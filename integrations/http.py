"""The one guarded way out of the house: timeouts, limits, redaction, and what an answer means.

Holds no vendor's field, imports no model. Whether a call may be repeated is decided here, once:
a read that fails is Unreachable; a write that left without a definite answer is OutcomeUnknown.
"""

import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from email.utils import parsedate_to_datetime
from ipaddress import ip_address
from typing import Protocol
from urllib.parse import urlsplit

import requests
import structlog
from requests.adapters import HTTPAdapter

from ledger.errors import DaybookError, OutcomeUnknown, RateLimited, Unreachable
from ledger.ports import Place

log = structlog.get_logger(__name__)


REQUEST = ("request",)
"""The kinds of most calls, for the limiter."""

LONGEST_PAUSE = 3600.0
"""Seconds; a vendor that asks for more is asked again after that."""


class Limiter(Protocol):
    """Keeps us inside a vendor's limits, shared by every process that uses the connection."""

    def wait(self, *kinds: str) -> Place:
        """Wait for a place for a call of these kinds ("request", "batch"); raises RateLimited when that is too long."""

    def pause(self, seconds: float) -> None:
        """Nobody takes a place for so many seconds: the vendor asked us to wait."""


class Breaker(Protocol):
    """Remembers whether the vendor answers at all."""

    def allow(self) -> None:
        """Raises Unreachable while the connection rests after repeated failures."""

    def note(self, *, reached: bool) -> None:
        """Tell whether the vendor was reached."""


@dataclass(frozen=True)
class AccessToken:
    """A bearer token and the version of the credentials it belongs to."""

    value: str
    version: int


class TokenSource(Protocol):
    def current(self) -> AccessToken:
        """A token that should work; raises AuthExpired when a person must connect anew."""

    def renew(self, *, used: int) -> AccessToken:
        """A newer token than version `used`, after the vendor refused that one; raises AuthExpired."""


@dataclass
class NoLimits:
    """A limiter and breaker for connections without limits of their own."""

    def wait(self, *kinds: str) -> "NoLimits":
        """Never waits."""
        return self

    def sends(self) -> None:
        """Remembers nothing."""

    def leave(self) -> None:
        """Nothing was taken."""

    def pause(self, seconds: float) -> None:
        """Remembers nothing."""

    def allow(self) -> None:
        """Always allows."""

    def note(self, *, reached: bool) -> None:
        """Remembers nothing."""


@dataclass(frozen=True)
class HttpAnswer:
    """An answer below 500 that is not a 429. `headers` are case-insensitive."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    write: bool

    def json(self) -> object:
        """The body, numbers with a point as Decimal; an answer that is no JSON has told us nothing definite."""
        try:
            return json.loads(self.body, parse_float=Decimal)
        except (ValueError, ArithmeticError, RecursionError):
            raise lost(f"HTTP {self.status} with a page instead of data", write=self.write) from None


def lost(what: str, *, write: bool) -> DaybookError:
    """The error for a call without a definite answer."""
    if write:
        return OutcomeUnknown(f"No definite answer after sending ({what}). Daybook looks it up before it sends again.")
    return Unreachable(f"The other system could not be read ({what}). Daybook tries again by itself.")


@dataclass
class Http:
    """Calls to one base URL with one limiter and breaker. Not shared between threads."""

    base_url: str
    timeout: float
    limiter: Limiter = field(default_factory=NoLimits)
    breaker: Breaker = field(default_factory=NoLimits)
    session: requests.Session = field(default_factory=lambda: _session())

    def call(
        self,
        method: str,
        path: str,
        *,
        write: bool,
        params: Sequence[tuple[str, str]] = (),
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        send_before: float | None = None,
        request_id_header: str = "",
        place: Place | None = None,
        kinds: Sequence[str] = REQUEST,
    ) -> HttpAnswer:
        """One request. `write` says whether it may change something there.

        Raises Unreachable, RateLimited or OutcomeUnknown; answers below 500 other than 429 are returned.
        `send_before` is a time on the monotonic clock after which nothing may leave any more.
        `request_id_header` names the header in which the vendor names the call; errors keep what it says.
        `place`: what the caller took for this call already; it is left with the answer. Else one of `kinds` is taken.
        """
        with self.guarded(method, path, write=write, send_before=send_before, place=place, kinds=kinds):
            answer = self.session.request(
                method,
                self.base_url.rstrip("/") + path,
                params=list(params),
                headers=dict(headers or {}),
                data=body,
                timeout=(min(10.0, self.timeout), self.timeout),
                allow_redirects=False,
            )
        try:
            return self._judge(answer, write=write)
        except DaybookError as error:
            error.request_id = answer.headers.get(request_id_header, "")
            raise

    @contextmanager
    def guarded(
        self,
        method: str,
        path: str,
        *,
        write: bool,
        send_before: float | None = None,
        place: Place | None = None,
        kinds: Sequence[str] = REQUEST,
    ) -> Iterator[None]:
        """Run a call of any library built on requests inside our limits, log and judgement of failures."""
        self.breaker.allow()
        taken = place or self.limiter.wait(*kinds)
        try:
            with self._in_time(method, path, write=write, send_before=send_before):
                taken.sends()
                yield
        finally:
            taken.leave()

    @contextmanager
    def _in_time(self, method: str, path: str, *, write: bool, send_before: float | None) -> Iterator[None]:
        """Nothing leaves after its time; what it means when a call fails."""
        if send_before is not None and time.monotonic() > send_before:
            raise Unreachable("Daybook was held up before the call, so nothing was sent. It tries again by itself.")
        started = time.monotonic()
        try:
            yield
        except requests.exceptions.RequestException as failure:
            self.breaker.note(reached=False)
            log.warning("call failed", method=method, path=path, failure=type(failure).__name__)
            raise _failure(failure, write=write) from None
        log.debug("call", method=method, path=path, ms=int((time.monotonic() - started) * 1000))

    def _judge(self, answer: requests.Response, *, write: bool) -> HttpAnswer:
        self.breaker.note(reached=answer.status_code < 500)
        if answer.status_code == 429:
            wait = retry_after(answer.headers.get("Retry-After"))
            self.limiter.pause(60.0 if wait is None else wait)
            raise RateLimited("The other system asks us to slow down. Daybook waits by itself.", retry_after=wait)
        if answer.status_code >= 500:
            raise lost(f"HTTP {answer.status_code}", write=write)
        return HttpAnswer(answer.status_code, answer.headers, answer.content, write)


def repeat_with_new_token(tokens: TokenSource, send: Callable[[str], HttpAnswer]) -> HttpAnswer:
    """Send with the current token; after a 401 (nothing was done) renew it and send once more."""
    token = tokens.current()
    answer = send(token.value)
    if answer.status != 401:
        return answer
    return send(tokens.renew(used=token.version).value)


def retry_after(header: str | None) -> float | None:
    """Seconds to wait by a Retry-After header: a number of seconds or a date; None when it says nothing."""
    if not header:
        return None
    if header.strip().isdigit():
        return min(float(header), LONGEST_PAUSE)
    try:
        return min(max(0.0, parsedate_to_datetime(header).timestamp() - time.time()), LONGEST_PAUSE)
    except (TypeError, ValueError):
        return None


def is_loopback(url: str) -> bool:
    """Whether an address is on this machine, which is where the sandbox lives."""
    host = urlsplit(url).hostname or ""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        address = ip_address(host)
    except ValueError:
        return False
    return address.is_loopback or address.is_unspecified


def _failure(failure: requests.exceptions.RequestException, *, write: bool) -> DaybookError:
    """A connection that never stood sent nothing; anything later on a write could have arrived."""
    if isinstance(failure, requests.exceptions.ConnectTimeout) or _refused(failure):
        return Unreachable("The other system does not answer. Daybook tries again by itself.")
    in_time = not isinstance(failure, requests.exceptions.Timeout)
    return lost("the connection broke" if in_time else "no answer in time", write=write)


def _refused(failure: BaseException) -> bool:
    reason = getattr(failure.args[0], "reason", None) if failure.args else None
    return type(reason).__name__ in {"NewConnectionError", "NameResolutionError", "ConnectTimeoutError"}


def _session() -> requests.Session:
    session = requests.Session()
    session.trust_env = False
    adapter = HTTPAdapter(max_retries=0)
    session.mount("http://", adapter)
    session.mount("https://", adapter)
    return session
