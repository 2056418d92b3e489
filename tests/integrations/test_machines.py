"""Each tree of worker processes has a heartbeat and a queue of its own; one that hangs is seen though another works."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.db.models import F
from django_q.brokers import get_broker
from django_q.models import OrmQ
from pytest_django import Settings

from config.pulse import QueuePulse
from config.queue import OwnAndSharedRows
from integrations import alerts, machines, tasks
from integrations.models import Alert, Heartbeat
from ledger.clock import database_now

pytestmark = pytest.mark.django_db


def silent(name: str, *, minutes: int = 10) -> None:
    Heartbeat.objects.create(name=name, at=database_now() - timedelta(minutes=minutes))


def open_causes() -> list[str]:
    return list(Alert.objects.filter(closed_at=None).values_list("cause", flat=True))


def test_a_silent_machine_is_an_alert_as_long_as_another_works() -> None:
    silent("two:1")
    machines.beat("one:1")
    tasks.sweep()
    alert = Alert.objects.get(cause="worker_silent", closed_at=None)
    assert "1 of 2" in alert.sentence and "two:1" in alert.sentence and "one:1" not in alert.sentence
    machines.beat("two:1")
    tasks.sweep()
    assert open_causes() == []


def test_a_machine_alone_that_is_late_with_its_first_sign_opens_no_alert() -> None:
    silent("one:1")
    alerts.refresh_daybook()
    assert open_causes() == []


def test_a_machine_that_never_came_back_is_forgotten_after_an_hour_with_its_queue() -> None:
    silent("gone:1", minutes=61)
    silent("late:1", minutes=59)
    machines.beat("one:1")
    queue = get_broker(machines.queue_of("gone:1"))
    queue.enqueue("a question that nobody answers")
    tasks.sweep()
    assert [machine.name for machine in machines.machines()] == ["late:1", "one:1"]
    assert queue.queue_size() == 0


def test_the_last_machine_is_never_forgotten_for_then_nobody_would_be_missed() -> None:
    silent("one:1", minutes=600)
    silent("two:1", minutes=500)
    machines.forget_lost()
    assert [machine.name for machine in machines.machines()] == ["two:1"]


def test_after_the_farewell_of_all_the_last_sign_of_life_stays_so_that_somebody_is_missed() -> None:
    silent("one:1", minutes=2)
    machines.beat("two:1")
    last = machines.last_sign()
    for name in ("one:1", "two:1"):
        machines.farewell(name)
    machines.forget_lost()
    assert machines.last_sign() == last and machines.machines() == []
    assert list(Heartbeat.objects.values_list("name", flat=True)) == ["two:1"]


def test_a_machine_that_said_farewell_is_no_alert_while_another_works_and_is_forgotten() -> None:
    silent("one:1")
    machines.farewell("one:1")
    machines.beat("two:1")
    tasks.sweep()
    assert open_causes() == []
    assert list(Heartbeat.objects.values_list("name", flat=True)) == ["two:1"]


@pytest.fixture
def pulse(monkeypatch: pytest.MonkeyPatch) -> Iterator[QueuePulse]:
    """The connection is the test's own and stays; what was asked in Redis goes."""
    monkeypatch.setattr("config.pulse.close_old_connections", lambda: None)
    pulse = QueuePulse()
    yield pulse
    get_broker(machines.queue_of(pulse.tree)).delete_queue()


def test_a_machine_that_came_back_forgets_what_it_left_behind_as_soon_as_that_is_silent(
    settings: Settings, pulse: QueuePulse
) -> None:
    """Its neighbour lives, and so does the second tree of this machine, which was begun before it."""
    here = f"{settings.MACHINE}:"
    for name in (f"{here}killed", f"{here}lives", f"{here}just-killed", "elsewhere:1"):
        silent(name)
    for name in (f"{here}lives", f"{here}just-killed"):
        machines.beat(name)
    pulse.ask()
    known = {machine.name for machine in machines.machines()}
    assert known == {pulse.tree, f"{here}lives", f"{here}just-killed", "elsewhere:1"}
    later = -timedelta(minutes=10)
    Heartbeat.objects.exclude(name="elsewhere:1").update(at=F("at") + later)
    assert pulse.begun is not None
    pulse.begun += later
    machines.beat(pulse.tree)
    machines.beat(f"{here}lives")
    pulse.ask()
    assert {machine.name for machine in machines.machines()} == {pulse.tree, f"{here}lives", "elsewhere:1"}


def test_a_tree_that_never_beat_is_known_but_gave_no_sign_of_life_and_its_queue_goes_with_it(pulse: QueuePulse) -> None:
    pulse.ask()
    queue = get_broker(machines.queue_of(pulse.tree))
    assert queue.queue_size() == 1
    assert pulse.last() is None and machines.last_sign() is None
    (machine,) = machines.machines()
    assert machine.name == pulse.tree and machine.starts and not machine.works
    with pytest.raises(CommandError, match="silent"):
        call_command("machines", "--here")
    Heartbeat.objects.update(at=database_now() - timedelta(minutes=61))
    machines.forget_lost()
    assert machines.machines() == [] and queue.queue_size() == 0


def test_a_tree_that_never_beat_leaves_nothing_at_its_farewell() -> None:
    machines.begin("one:1")
    machines.farewell("one:1")
    assert not Heartbeat.objects.exists()


def test_two_replicas_with_the_same_number_are_two_trees(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in two containers under one name, where each supervisor has the same number."""
    monkeypatch.setattr("os.getpid", lambda: 7)
    machines._own_name.cache_clear()
    names = {machines.tree(), machines.tree()}
    machines._own_name.cache_clear()
    assert len(names) == 1 and machines.tree() not in names


def test_a_cluster_takes_its_own_rows_first_then_the_shared_ones_and_nobody_elses(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv(machines.TREE, "one:1")
    monkeypatch.setattr("django_q.brokers.orm.sleep", lambda seconds: None)
    shared = OwnAndSharedRows()
    shared.enqueue("for all")
    OwnAndSharedRows(list_key=machines.queue_of("two:1")).enqueue("for two")
    OwnAndSharedRows(list_key=machines.queue_of("one:1")).enqueue("for one")
    taken = [fetched[0] if fetched else None for fetched in (shared.dequeue() for _ in range(3))]
    assert [one and one[1] for one in taken] == ["for one", "for all", None]
    assert taken[0] is not None
    shared.acknowledge(taken[0][0])
    assert not OrmQ.objects.filter(key=machines.queue_of("one:1")).exists()


def test_a_queue_of_a_machine_has_a_name_that_fits_whatever_the_machine_is_called() -> None:
    names = {machines.queue_of(f"{'m' * 100}:{process}") for process in (1, 2)}
    assert len(names) == 2 and all(len(name) <= 100 for name in names)


def test_the_command_lists_the_machines_and_fails_where_this_one_is_silent(
    capsys: pytest.CaptureFixture[str], settings: object
) -> None:
    here = machines.tree()
    with pytest.raises(CommandError, match="No worker machine"):
        call_command("machines")
    silent(here)
    machines.beat("elsewhere:1")
    call_command("machines")
    assert "elsewhere:1: works" in (said := capsys.readouterr().out) and f"{here}: SILENT" in said
    with pytest.raises(CommandError, match="silent"):
        call_command("machines", "--here")
    machines.beat(here)
    call_command("machines", "--here")
    assert "elsewhere" not in capsys.readouterr().out
