"""Exactly once, the hard way: workers, the cluster and the web process die while the vendor loses answers.

KILL_SEED repeats a run, KILL_LOG names a file for what its processes say. The count is made at the vendor.
"""

import os
import random
from contextlib import nullcontext
from pathlib import Path

import pytest

from tests.journeys.killing_ground import LONGEST, carry_out, sentence

KILLS = 54
pytestmark = pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="finds its victims in /proc")


def test_whoever_is_killed_every_event_is_one_entry(pytestconfig: pytest.Config, subtests: pytest.Subtests) -> None:
    """One run serves all the questions; its figures are said even when nobody asked for output."""
    seed = int(os.environ.get("KILL_SEED") or random.randrange(1_000_000))
    figures = carry_out(seed=seed, kills=KILLS, seconds=LONGEST)
    capture = pytestconfig.pluginmanager.getplugin("capturemanager")
    with capture.global_and_fixture_disabled() if capture else nullcontext():
        print(f"\n{sentence(figures)}")

    with subtests.test("every ordered event is one entry at the vendor"):
        assert (figures["lost"], figures["doubled"], figures["strays"]) == ([], [], [])
        assert figures["ordered"] == figures["events"] == figures["entries"] + figures["nothing_to_post"]
    with subtests.test("every event is synced and knows its entry"):
        assert figures["trouble"] == [] and figures["wrong_ids"] == []
        assert figures["states"] == {"synced": figures["ordered"]}
    with subtests.test("the books agree with the till to the cent"):
        assert (figures["unbalanced"], figures["differences"]) == ([], [])
    with subtests.test("the kills met work"):
        workers = figures["by_kind"]["worker"]
        assert figures["kills"] >= 50 and figures["idle"] == 0
        assert figures["at_work"] > workers / 2, "too few workers died in the middle of a call"
    with subtests.test("the vendor lost answers"):
        assert figures["answers_lost"] >= 5 and figures["events"] >= 600
