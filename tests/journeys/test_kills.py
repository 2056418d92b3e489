"""Exactly once, proved the hard way: at least 50 kills while the vendor loses answers, then a count at the vendor."""

import os
import random
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.journeys.killing_ground import carry_out

KILLS = 54
pytestmark = pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="reads process trees from /proc")


@pytest.fixture(scope="module")
def figures() -> dict[str, Any]:
    seed = int(os.environ.get("KILL_SEED") or random.randrange(1_000_000))
    found = carry_out(seed=seed, kills=KILLS, seconds=420)
    with open(os.devnull, "w") as _:
        print(sentence(found))
    return found


def sentence(found: Mapping[str, Any]) -> str:
    return str(found)


def test_nothing_is_lost_or_doubled(figures: Mapping[str, Any]) -> None:
    assert figures["lost"] == [] and figures["doubled"] == []
