"""Sliding windows: whatever the order of calls, no window ever holds more than its rate."""

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from integrations.windows import FULL, MARGIN, Calls, Limits, Rate

NARROW = Limits(requests_per_minute=7, requests_per_second=3, batches_per_minute=2)
MINUTE = 60_000 + MARGIN


def most_within(times: Sequence[int], milliseconds: int) -> int:
    """The most calls that any window of this length holds."""
    return max((sum(begin <= time < begin + milliseconds for time in times) for begin in times), default=0)


@given(st.lists(st.tuples(st.integers(0, 20_000), st.booleans()), max_size=60))
def test_no_window_ever_holds_more_than_its_rate(pauses: list[tuple[int, bool]]) -> None:
    calls, now, batches, requests = Calls(), 0, [], []
    for pause, batch in pauses:
        now += pause
        kinds = ("request", "batch") if batch else ("request",)
        calls.forget(NARROW.rates, now=now)
        now += calls.wait(kinds, NARROW, now=now)
        calls.forget(NARROW.rates, now=now)
        assert calls.wait(kinds, NARROW, now=now) == 0
        calls.enter(kinds, at=now)
        requests.append(now)
        batches.extend([now] * batch)
    assert most_within(requests, 1000) <= 3 and most_within(requests, 60_000) <= 7
    assert most_within(batches, 60_000) <= 2


def test_a_place_is_free_when_the_window_has_passed_and_not_before() -> None:
    calls = Calls({"batch": [0, 10]})
    assert calls.wait(("batch",), NARROW, now=20) == MINUTE - 20
    assert calls.wait(("batch",), NARROW, now=MINUTE - 1) == 1
    assert calls.wait(("batch",), NARROW, now=MINUTE) == 0


def test_the_longest_wait_of_all_kinds_counts() -> None:
    calls = Calls({"request": [0, 0, 0], "batch": [0, 0]})
    assert calls.wait(("request",), NARROW, now=0) == 1000 + MARGIN
    assert calls.wait(("request", "batch"), NARROW, now=0) == MINUTE


def test_what_counts_no_longer_is_forgotten() -> None:
    calls = Calls({"request": [0, 1, 2], "batch": [1]}, {"gone": 5, "under way": MINUTE + 9})
    calls.forget(NARROW.rates, now=MINUTE + 1)
    assert calls == Calls({"request": [2], "batch": []}, {"under way": MINUTE + 9})


def test_a_kind_without_a_rate_leaves_nothing_behind() -> None:
    calls = Calls({"request": [1, 2]})
    calls.forget(Limits().rates, now=3)
    assert calls.times == {"request": []} and calls.wait(("request",), Limits(), now=3) == 0


def test_a_clock_that_went_back_frees_no_place_and_holds_none_for_ever() -> None:
    calls = Calls({"batch": [900_000, 900_000]})
    calls.forget(NARROW.rates, now=1000)
    assert calls.wait(("batch",), NARROW, now=1000) == MINUTE
    assert calls.times["batch"] == [1000, 1000]


def test_calls_under_way_are_looked_at_again_soon() -> None:
    two = Limits(in_flight=2)
    assert Calls(flying={"a": 90_000}).wait(("request",), two, now=0) == 0
    assert Calls(flying={"a": 90_000, "b": 80_000}).wait(("request",), two, now=0) == FULL
    assert Calls(flying={"a": 90_000, "b": 40}).wait(("request",), two, now=0) == 40


def test_a_call_that_left_later_counts_from_then() -> None:
    calls = Calls({"request": [1, 1, 4], "batch": [1]})
    calls.move(("request", "batch"), at=1, to=6)
    assert calls.times == {"request": [1, 4, 6], "batch": [6]}
    calls.move(("request",), at=2, to=9)
    assert calls.times["request"] == [1, 4, 6]


def test_what_is_taken_is_counted_by_rate() -> None:
    calls = Calls({"request": [0, 60_000, 60_100]})
    assert calls.within("request", Rate(10, 1), now=60_100) == 2
    assert calls.within("request", Rate(500, 60), now=60_100) == 3
