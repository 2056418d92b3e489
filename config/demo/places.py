"""Where a demo runs: its ports, its folder and the environment of everything that it starts."""

import contextlib
import os
import shutil
import socket
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent.parent
HOST = "127.0.0.1"
DEFAULT_PORT, DEFAULT_SANDBOX_PORT = 8000, 8765


class CannotStart(Exception):
    """Its text is the sentence for the person."""


@dataclass(frozen=True)
class Places:
    """`check`: in a temporary folder that is removed in the end, on free ports unless they are given."""

    folder: Path
    port: int
    sandbox_port: int

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.port}"

    @property
    def sandbox_url(self) -> str:
        return f"http://{HOST}:{self.sandbox_port}"

    @property
    def sandbox_state(self) -> Path:
        return self.folder / "sandbox.sqlite3"

    def environment(self) -> dict[str, str]:
        """What the processes of the demo see on top of the environment of this one."""
        return {
            "DATABASE_URL": f"sqlite:///{self.folder / 'daybook.sqlite3'}",
            "REDIS_URL": "",
            "HEARTLAND_RETAIL_URL": f"{self.sandbox_url}/heartland-retail/api",
            "QUICKBOOKS_URL": f"{self.sandbox_url}/quickbooks",
            "ALLOW_LOOPBACK_VENDORS": "true",
            "DJANGO_SETTINGS_MODULE": "config.settings",
            "LOG_LEVEL": os.environ.get("LOG_LEVEL", "WARNING"),
            "VENDOR_SETTLE_SECONDS": os.environ.get("VENDOR_SETTLE_SECONDS", "5"),
        }


@contextlib.contextmanager
def places(*, check: bool) -> Iterator[Places]:
    """The places of one run. Raises CannotStart when a port is taken."""
    folder = _folder(check=check)
    try:
        if check:
            port, sandbox_port = _port("PORT", 0), _port("SANDBOX_PORT", 0)
        else:
            port, sandbox_port = _port("PORT", DEFAULT_PORT), _port("SANDBOX_PORT", DEFAULT_SANDBOX_PORT)
        yield Places(folder, port, sandbox_port)
    finally:
        if check:
            shutil.rmtree(folder, ignore_errors=True)


def _folder(*, check: bool) -> Path:
    if check:
        return Path(os.environ.get("DAYBOOK_DEMO_FOLDER") or tempfile.mkdtemp(prefix="daybook-check."))
    folder = PROJECT / "var" / "demo"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _port(name: str, default: int) -> int:
    given = os.environ.get(name, "").strip() or str(default)
    if not given.isdigit() or int(given) > 65535:
        raise CannotStart(f"{name} is {given!r}; give the number of a port, for example {name}={DEFAULT_PORT}.")
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, int(given)))
        except OSError:
            raise CannotStart(
                f"Port {given} on {HOST} is in use. Stop what listens there, or choose another: {name}=8123 bin/demo"
            ) from None
        return int(probe.getsockname()[1])


def say(text: str, *, end: str = "\n") -> None:
    """To the person, on standard error: standard output belongs to the result."""
    print(text, end=end, file=sys.stderr, flush=True)
