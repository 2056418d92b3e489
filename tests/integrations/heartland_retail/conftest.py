"""These tests walk over everything the shop has sold: they have a sandbox in which no other test sells."""

from collections.abc import Iterator

import pytest

from tests.sandbox_fixture import Sandbox, running_sandbox


@pytest.fixture(scope="session")
def _sandbox() -> Iterator[Sandbox]:
    with running_sandbox() as sandbox:
        yield sandbox
