"""Sliding windows: whatever the order of calls, no window ever holds more than its rate."""

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from integrations.windows import FULL, LATEST_ARRIVAL, MARGIN, Calls, Flight, Limits, Rate

NARROW = Limits(requests_per_minute=7, requests_per_second=3, batches_per_minute=2)
MINUTE = 60_000 + MARGIN


def most_within(times: Sequence[int], milliseconds: int) -> int:
    """The most calls that any window of this length holds."""
    return max((sum(begin <= time < begin + milliseconds for time in times) for begin in times), default=0)


@given(st.lists(st.tuples(*[st.integers(0, 20_000)] * 2, st.integers(0, 9_000), st.booleans()), max_size=60))
def test_no_window_ever_holds_more_than_its_rate(stream: list[tuple[int, int, int, bool]]) -> None:
    """However long a call takes to arrive, and its answer to come."""
    calls, now, batches, requests = Calls(), 0, [], []
    coming: list[tuple[int, str]] = []
    for number, (pause, way, work, batch) in enumerate(stream):
        kinds = ("request", "batch") if batch else ("request",)
        now += pause
        while True:
            for answer, name in sorted(coming):
                if answer <= now:
                    calls.leave(name, counts_from=answer)
                    coming.remove((answer, name))
            calls.forget(NARROW.rates, now=now)
            if not (wait := calls.wait(kinds, NARROW, now=now)):
                break
            now += wait
        calls.enter(str(number), Flight(kinds, now, now + 1_000_000))
        coming.append((now + way + work, str(number)))
        requests.append(now + way)
        batches.extend([now + way] * batch)
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
    calls = Calls({"request": [0, 1, 2], "batch": [1]})
    calls.forget(NARROW.rates, now=MINUTE + 1)
    assert calls == Calls({"request": [2], "batch": []})


def test_a_call_whose_answer_never_came_counts_from_when_it_must_have_arrived() -> None:
    calls = Calls(flying={"lost": Flight(("request", "batch"), 0, 90_000), "under way": Flight(("batch",), 5, 90_001)})
    calls.forget(NARROW.rates, now=90_000)
    assert list(calls.flying) == ["under way"] and calls.times == {"request": [], "batch": []}
    soon = Calls(flying={"lost": Flight(("batch",), 0, 3500)})
    soon.forget(NARROW.rates, now=4000)
    soon.leave("lost", counts_from=4001)
    assert soon.times == {"batch": [LATEST_ARRIVAL]}


def test_a_call_under_way_counts_as_one_of_now() -> None:
    calls = Calls({"batch": [0]}, {"a": Flight(("batch",), 10, 90_000)})
    assert calls.wait(("batch",), NARROW, now=40_000) == MINUTE - 40_000
    calls.forget(NARROW.rates, now=MINUTE + 5)
    assert calls.wait(("batch",), NARROW, now=MINUTE + 5) == 0
    calls.enter("b", Flight(("batch",), MINUTE + 5, 200_000))
    assert calls.wait(("batch",), NARROW, now=MINUTE + 5) == MINUTE


def test_a_kind_without_a_rate_leaves_nothing_behind() -> None:
    calls = Calls({"request": [1, 2]})
    calls.forget(Limits().rates, now=3)
    assert calls.times == {"request": []} and calls.wait(("request",), Limits(), now=3) == 0


def test_a_clock_that_went_back_frees_no_place_and_holds_none_for_ever() -> None:
    calls = Calls({"batch": [900_000, 900_000]})
    calls.forget(NARROW.rates, now=1000)
    assert calls.wait(("batch",), NARROW, now=1000) == MINUTE
    assert calls.times["batch"] == [1000, 1000]


def test_a_call_under_way_before_the_clock_went_back_may_last_as_long_as_before() -> None:
    calls = Calls(flying={"a": Flight(("batch",), 900_000, 990_000), "b": Flight(("batch",), 500, 90_500)})
    calls.forget(NARROW.rates, now=1000)
    assert calls.flying == {"a": Flight(("batch",), 1000, 91_000), "b": Flight(("batch",), 500, 90_500)}
    calls.forget(NARROW.rates, now=91_000)
    assert calls.flying == {}


def test_when_too_many_are_under_way_one_looks_again_soon() -> None:
    two, flight = Limits(in_flight=2), Flight(("request",), 0, 90_000)
    assert Calls(flying={"a": flight}).wait(("request",), two, now=0) == 0
    assert Calls(flying={"a": flight, "b": flight}).wait(("request",), two, now=0) == FULL


def test_what_is_taken_is_counted_by_rate() -> None:
    calls = Calls({"request": [0, 60_000, 60_040]}, {"a": Flight(("request",), 0, 90_000)})
    assert calls.within("request", Rate(10, 1), now=60_040) == 3
    assert calls.within("request", Rate(500, 60), now=60_040) == 4
