"""Exactly once, the hard way: whatever Daybook consists of dies while the vendor loses answers.

KILL_SEED repeats a plan, KILL_LOG names a folder for what the processes say. The count is made at the vendor. On
PostgreSQL there are two machines, and the database and Redis are restarted.
"""

import os
import random
from contextlib import nullcontext
from pathlib import Path

import pytest

from tests.journeys.killing_ground import LONGEST, carry_out, sentence
from tests.journeys.killing_plan import POSTGRES, POSTGRES_REDIS, SQLITE, Trial, draw

KILLS, EVENTS = 50, 600
pytestmark = pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="finds its victims in /proc")


def place() -> str:
    """The databases as given."""
    if not os.environ.get("DATABASE_URL", "").startswith("postgres"):
        return SQLITE
    return POSTGRES_REDIS if os.environ.get("REDIS_URL") else POSTGRES


def test_whoever_is_killed_every_event_is_one_entry(pytestconfig: pytest.Config, subtests: pytest.Subtests) -> None:
    """One run serves all the questions; its figures are said even when nobody asked for output."""
    seed, on = int(os.environ.get("KILL_SEED") or random.randrange(1_000_000)), place()
    figures = carry_out(Trial(seed, on, EVENTS, KILLS, machines=1 if on == SQLITE else 2), seconds=LONGEST)
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
        assert figures["kills"] == KILLS and figures["idle"] == 0
        assert figures["at_work"] > workers / 2, "too few workers died in the middle of a call"
    with subtests.test("the vendor lost answers"):
        assert figures["answers_lost"] >= 5 and figures["events"] >= EVENTS


def test_a_seed_writes_the_same_plan_again() -> None:
    trial = Trial(7, POSTGRES_REDIS, 10_000, 200, machines=2)
    plan = draw(trial)
    assert plan == draw(trial) != draw(Trial(8, POSTGRES_REDIS, 10_000, 200, machines=2))
    assert {blow.machine for blow in plan} == {0, 1}
    assert {"worker", "member", "parent", "cluster", "web", "supervisor", "machine"} < {blow.victim for blow in plan}
    assert {(blow.victim, blow.how) for blow in plan} > {("database", "fast"), ("database", "immediate"), ("redis", "")}
