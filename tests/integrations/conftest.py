"""One sandbox serves all tests of the doors; each test finds its faults off."""

from collections.abc import Iterator

import pytest

from tests.sandbox_fixture import Sandbox, running_sandbox


@pytest.fixture(scope="session")
def _sandbox() -> Iterator[Sandbox]:
    with running_sandbox() as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(_sandbox: Sandbox) -> Sandbox:
    """The running sandbox without faults and without limits."""
    _sandbox.control("faults", method="DELETE")
    _sandbox.control("quickbooks", {"limits": False})
    return _sandbox
