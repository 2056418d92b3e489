"""Fixtures for tests of the sandbox: real HTTP to a server in this process."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.sandbox.quickbooks_server import QuickBooksServer, quickbooks_server


@pytest.fixture
def quickbooks(tmp_path: Path) -> Iterator[QuickBooksServer]:
    """A connected pretend QuickBooks with empty books and without limits."""
    with quickbooks_server(tmp_path / "state.sqlite3") as server:
        yield server
