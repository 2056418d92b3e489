"""Exactly once, the hard way: workers, the cluster and the web process die while the vendor loses answers.

KILL_SEED repeats a run, KILL_LOG names a file for what its processes say. The count is made at the vendor.
"""

import os
import random
from collections.abc import Mapping
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest

from tests.journeys.killing_ground import LONGEST, carry_out, sentence

KILLS = 54
pytestmark = [
    pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="finds its victims in /proc"),
    pytest.mark.xdist_group("kills"),  # one run serves all of these tests
]
Figures = Mapping[str, Any]


@pytest.fixture(scope="module")
def figures(pytestconfig: pytest.Config) -> Figures:
    """One run for all tests of this file; its figures are said even when nobody asked for output."""
    seed = int(os.environ.get("KILL_SEED") or random.randrange(1_000_000))
    found = carry_out(seed=seed, kills=KILLS, seconds=LONGEST)
    capture = pytestconfig.pluginmanager.getplugin("capturemanager")
    with capture.global_and_fixture_disabled() if capture else nullcontext():
        print(f"\n{sentence(found)}")
    return found


def test_every_ordered_event_is_one_entry_at_the_vendor(figures: Figures) -> None:
    assert (figures["lost"], figures["doubled"], figures["strays"]) == ([], [], [])
    assert figures["ordered"] == figures["events"] == figures["entries"] + figures["nothing_to_post"]


def test_every_event_is_synced_and_knows_its_entry(figures: Figures) -> None:
    assert figures["trouble"] == [] and figures["wrong_ids"] == []
    assert figures["states"] == {"synced": figures["ordered"]}


def test_the_books_agree_with_the_till_to_the_cent(figures: Figures) -> None:
    assert (figures["unbalanced"], figures["differences"]) == ([], [])


def test_the_kills_met_work(figures: Figures) -> None:
    workers = figures["by_kind"]["worker"]
    assert figures["kills"] >= 50 and figures["idle"] == 0
    assert figures["at_work"] > workers / 2, "too few workers died in the middle of a call"


def test_the_vendor_lost_answers(figures: Figures) -> None:
    assert figures["answers_lost"] >= 5 and figures["events"] >= 600
