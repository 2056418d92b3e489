"""Each tree of worker processes has a heartbeat and a queue of its own; one that hangs is seen though another works."""

from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django_q.brokers import get_broker
from django_q.models import OrmQ

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
