"""The sandbox as a process of its own on a free port, and what a test may turn in it."""

import re
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import requests

ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Sandbox:
    """A running sandbox; `url` without a slash at its end."""

    url: str

    @property
    def quickbooks(self) -> str:
        return f"{self.url}/quickbooks"

    @property
    def heartland_retail(self) -> str:
        return f"{self.url}/heartland-retail"

    def control(self, path: str, values: Mapping[str, object] | None = None, *, method: str = "") -> Any:
        """Read (without values) or set something under /_control."""
        method = method or ("GET" if values is None else "POST")
        answer = requests.request(method, f"{self.url}/_control/{path}", json=values, timeout=10)
        answer.raise_for_status()
        return answer.json()

    @contextmanager
    def fault(self, name: str, **switch: object) -> Iterator[None]:
        """One fault switch on, once unless said otherwise; all are off afterwards."""
        self.control("faults", {name: switch or {"times": 1}})
        try:
            yield
        finally:
            self.control("faults", method="DELETE")

    @contextmanager
    def company(self, **settings: object) -> Iterator[None]:
        """Settings of the QuickBooks company, put back afterwards."""
        before = self.control("quickbooks")
        self.control("quickbooks", settings)
        try:
            yield
        finally:
            self.control("quickbooks", {name: before[name] for name in settings})

    def booked(self, reference: str) -> list[dict[str, Any]]:
        """The journal entries that exist in QuickBooks under a number."""
        entries = self.control("quickbooks/journal")["entries"]
        return [entry for entry in entries if entry.get("DocNumber") == reference]

    def callback(self, authorize_url: str, *, button: str = "accept") -> dict[str, str]:
        """Press a button on an authorize page; gives what the callback address receives."""
        page = requests.get(authorize_url, timeout=10).text
        form = page.split(f'id="{button}"')[1].split("</form>")[0]
        fields = {name: unescape(value) for name, value in re.findall(r'name="([^"]*)" value="([^"]*)"', form)}
        answer = requests.post(authorize_url, data=fields, timeout=10, allow_redirects=False)
        query = parse_qs(urlsplit(answer.headers["Location"]).query)
        return {name: values[0] for name, values in query.items()}


@contextmanager
def running_sandbox() -> Iterator[Sandbox]:
    """Start a sandbox with an empty state, wait until it answers, and stop it in the end."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "sandbox", "--port", port, "--state", f"{folder}/state.sqlite3"]
        process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL)
        try:
            yield _answering(Sandbox(f"http://127.0.0.1:{port}"), process)
        finally:
            process.terminate()
            process.wait(timeout=10)


def _answering(sandbox: Sandbox, process: "subprocess.Popen[bytes]") -> Sandbox:
    deadline = time.monotonic() + 30
    while process.poll() is None and time.monotonic() < deadline:
        try:
            requests.get(sandbox.url, timeout=5).raise_for_status()
            return sandbox
        except (requests.exceptions.ConnectionError, requests.exceptions.Timeout):
            time.sleep(0.1)
    raise RuntimeError("The sandbox did not start; run `python -m sandbox` by hand to see why.")
