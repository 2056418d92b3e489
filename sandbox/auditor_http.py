"""How the auditor reads: one kept-alive connection, JSON with exact decimals, and patience with a bad day.

It only ever reads, so every failure may simply be tried again.
"""

import http.client
import json
import time
from collections.abc import Sequence
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode, urlsplit

AUDITOR_TOKEN = "sandbox-auditor"
ATTEMPTS = 12
LONGEST_PAUSE = 5.0

TROUBLE = (OSError, http.client.HTTPException)


class AuditFailed(Exception):
    """The audit could not be made: a vendor gave no usable answer."""


class Refused(Exception):
    """One answer that was not the JSON asked for; worth another try."""

    def __init__(self, what: str, *, pause: float | None = None) -> None:
        super().__init__(what)
        self.pause = pause


class Reader:
    """GETs JSON documents below one base URL with the auditor's bearer token."""

    def __init__(self, url: str, *, token: str = AUDITOR_TOKEN, timeout: float = 60.0) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise AuditFailed(f"{url!r} is not the address of a sandbox; give one like http://127.0.0.1:8001")
        kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        self._connection = kind(parts.hostname, parts.port, timeout=timeout)
        self._base = parts.path.rstrip("/")
        self._headers = {"Authorization": f"Bearer {token}", "Accept": "application/json"}

    def get(self, path: str, query: Sequence[tuple[str, str]] = ()) -> Any:
        """The JSON at `path`; raises AuditFailed when it does not come after several tries."""
        target = f"{self._base}{path}" + (f"?{urlencode(query)}" if query else "")
        trouble: Exception | None = None
        for attempt in range(ATTEMPTS):
            try:
                return self._once(target)
            except (Refused, *TROUBLE) as error:
                trouble = error
                self._connection.close()
                time.sleep(_pause(error, attempt=attempt))
        raise AuditFailed(f"{path} gave no usable answer in {ATTEMPTS} tries: {_name(trouble)}")

    def close(self) -> None:
        self._connection.close()

    def _once(self, target: str) -> Any:
        self._connection.request("GET", target, headers=self._headers)
        answer = self._connection.getresponse()
        body = answer.read()
        if answer.status != 200:
            raise Refused(_said(answer.status, body), pause=_seconds(answer.headers.get("Retry-After")))
        try:
            return json.loads(body, parse_float=Decimal)
        except ValueError:
            raise Refused(_said(answer.status, body)) from None


def _pause(error: Exception, *, attempt: int) -> float:
    asked = error.pause if isinstance(error, Refused) else None
    return min(LONGEST_PAUSE, asked if asked is not None else 0.05 * 2**attempt)


def _seconds(text: str | None) -> float | None:
    return float(text) if text and text.isdigit() else None


def _said(status: int, body: bytes) -> str:
    return f"HTTP {status}: {body[:200].decode('utf-8', 'replace')}"


def _name(error: Exception | None) -> str:
    return str(error) or type(error).__name__
