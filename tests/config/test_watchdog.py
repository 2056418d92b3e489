"""When the watchdog takes a worker for hung, and when it must not; the clock is moved by hand."""

from datetime import UTC, datetime

from config.watchdog import PulseUnavailable, Watchdog


class ManualClock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class ScriptedPulse:
    def __init__(self) -> None:
        self.heartbeat: datetime | None = None
        self.questions = self.sweeps = 0
        self.reachable = True

    def last(self) -> datetime | None:
        if not self.reachable:
            raise PulseUnavailable("the database is away")
        return self.heartbeat

    def ask(self) -> None:
        self.questions += 1

    def sweep(self) -> None:
        self.sweeps += 1

    def farewell(self) -> None:
        if not self.reachable:
            raise PulseUnavailable("the database is away")


def looks(watchdog: Watchdog, clock: ManualClock, *, seconds: int) -> bool:
    """Lets seconds pass, one look each; true if the worker was found hanging."""
    for _ in range(seconds):
        clock.now += 1
        if watchdog.hangs():
            return True
    return False


def test_the_watchdog_asks_again_only_when_answered_or_after_a_third_of_the_limit() -> None:
    clock, pulse = ManualClock(), ScriptedPulse()
    watchdog = Watchdog(pulse, limit=180, clock=clock)
    looks(watchdog, clock, seconds=59)
    assert pulse.questions == 1
    looks(watchdog, clock, seconds=30)
    assert pulse.questions == 2
    pulse.heartbeat = datetime(2026, 1, 1, tzinfo=UTC)
    looks(watchdog, clock, seconds=15)
    assert pulse.questions == 3


def test_silence_beyond_the_limit_is_a_hang_and_not_before() -> None:
    clock, pulse = ManualClock(), ScriptedPulse()
    watchdog = Watchdog(pulse, limit=180, clock=clock)
    assert not looks(watchdog, clock, seconds=180)
    assert looks(watchdog, clock, seconds=16)


def test_an_old_heartbeat_of_an_earlier_run_is_no_reason_to_kill() -> None:
    clock, pulse = ManualClock(), ScriptedPulse()
    pulse.heartbeat = datetime(2020, 1, 1, tzinfo=UTC)
    assert not looks(Watchdog(pulse, limit=180, clock=clock), clock, seconds=170)


def test_a_database_that_is_away_is_no_silence_of_the_worker() -> None:
    clock, pulse = ManualClock(), ScriptedPulse()
    watchdog = Watchdog(pulse, limit=180, clock=clock)
    pulse.reachable = False
    assert not looks(watchdog, clock, seconds=1000)
    pulse.reachable = True
    assert not looks(watchdog, clock, seconds=170)


def test_a_database_that_is_away_at_the_end_does_not_keep_the_supervisor_from_ending() -> None:
    pulse = ScriptedPulse()
    pulse.reachable = False
    Watchdog(pulse, limit=180).ended()
