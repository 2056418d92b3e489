"""The wake-ups: each may come twice, late or never; the truth is the row."""

import time
from datetime import timedelta
from typing import Any

import pytest
from django.core.management import call_command
from django.utils.module_loading import import_string
from django_q.models import Schedule

from integrations import housekeeping, leases, pipeline, schedules, tasks
from integrations.models import Capture, Connection, Heartbeat, Lease
from ledger.clock import database_now
from ledger.journal import recording
from ledger.models import AuditRecord, JournalEntry
from ledger.terms import DeliveryState, SyncState
from tests.office import Office
from tests.sandbox_fixture import Sandbox
from tests.trade import sale

Messages = list[tuple[Any, ...]]


@pytest.fixture
def office(running: Connection, source: Any) -> Office:
    assert running.book is not None
    return Office(source, running.book)


def live() -> Any:
    return sale(at=database_now() + timedelta(hours=1))


def test_a_wake_up_leaves_the_house_after_the_commit(
    running: Connection, woken: Messages, django_capture_on_commit_callbacks: Any
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        tasks.wake(running.pk)
        assert woken == []
    assert woken == [("integrations.tasks.work", running.pk)]


def test_the_same_work_twice_posts_once(sandbox: Sandbox, running: Connection, office: Office) -> None:
    office.record(facts := live())
    assert tasks.work(running.pk) == "1 entries handled."
    assert tasks.work(running.pk) == "0 entries handled."
    assert len(sandbox.booked(f"HR-T{facts.header.external_id}")) == 1


def test_while_one_works_another_goes_away(running: Connection, office: Office) -> None:
    office.record(facts := live())
    with leases.held(f"work:{running.pk}"):
        assert tasks.work(running.pk) == "Another worker is at it."
    assert office.posting(facts).state == SyncState.NOT_SYNCED


def taken_over(name: str) -> None:
    Lease.objects.filter(name=name).update(owner="another worker")


def test_a_worker_that_lost_its_lease_stops(
    running: Connection, office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks: list[int] = []

    def booked(connection: Connection) -> int:
        looks.append(1)
        taken_over(f"work:{running.pk}")
        return 1

    monkeypatch.setattr(tasks.pipeline, "book", booked)
    tasks.work(running.pk)
    assert len(looks) == 1


def test_a_capture_that_lost_its_lease_stops_after_its_page(till: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    pages: list[int] = []
    real = recording.record

    def recorded(*given: Any) -> Any:
        pages.append(1)
        taken_over(f"capture:{till.pk}")
        return real(*given)

    monkeypatch.setattr(recording, "record", recorded)
    tasks.capture(till.pk)
    capture = Capture.objects.get(connection=till)
    assert len(pages) == 1 and capture.last_run_at is None and not capture.problem


def test_what_was_ordered_during_the_work_is_woken_again(
    running: Connection,
    office: Office,
    woken: Messages,
    monkeypatch: pytest.MonkeyPatch,
    django_capture_on_commit_callbacks: Any,
) -> None:
    """Its own wake-up was turned away by the lease."""
    monkeypatch.setattr(tasks, "BUDGET", -1.0)
    office.record(live())
    with django_capture_on_commit_callbacks(execute=True):
        tasks.work(running.pk)
    assert ("integrations.tasks.work", running.pk) in woken


def test_work_ends_when_its_time_is_up(running: Connection, office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tasks, "BUDGET", 0.0)
    office.record(live())
    started = time.monotonic()
    tasks.work(running.pk)
    assert time.monotonic() - started < 5


def test_the_sweep_wakes_a_book_with_work_and_no_other(
    running: Connection, office: Office, woken: Messages, django_capture_on_commit_callbacks: Any
) -> None:
    assert tasks.sweep() == "0 books woken."
    office.record(live())
    with django_capture_on_commit_callbacks(execute=True):
        assert tasks.sweep() == "1 books woken."
    assert woken[-1] == ("integrations.tasks.work", running.pk)


@pytest.mark.parametrize(("seconds", "books"), [(30, 1), (3600, 0)])
def test_the_sweep_wakes_a_book_whose_next_entry_is_due_before_the_next_sweep(
    running: Connection, office: Office, seconds: int, books: int
) -> None:
    office.record(live())
    office.enter()
    JournalEntry.objects.update(next_attempt_at=database_now() + timedelta(seconds=seconds))
    assert not pipeline.is_due(running)
    assert tasks.sweep() == f"{books} books woken."


def test_the_sweep_puts_back_what_a_dead_worker_held(running: Connection, office: Office) -> None:
    office.record(facts := live())
    office.enter()
    office.claim()
    JournalEntry.objects.update(lease_until=database_now() - timedelta(seconds=1))
    tasks.sweep()
    assert office.entry(facts).state == DeliveryState.READY


def test_the_sweep_leaves_a_stopped_book_alone(running: Connection, office: Office) -> None:
    office.record(live())
    Connection.objects.update(state=Connection.State.ACTION_REQUIRED)
    assert tasks.sweep() == "0 books woken."


def test_every_connected_till_is_woken(
    till: Connection, woken: Messages, django_capture_on_commit_callbacks: Any
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        assert tasks.capture_all() == "1 tills woken."
    assert woken[-1] == ("integrations.tasks.capture", till.pk)
    Connection.objects.update(state=Connection.State.ACTION_REQUIRED)
    assert tasks.capture_all() == "0 tills woken."


def test_a_till_is_captured_by_one_worker_at_a_time(till: Connection) -> None:
    with leases.held(f"capture:{till.pk}"):
        assert tasks.capture(till.pk) == "Another worker is at it."


def test_a_heartbeat_is_one_row_for_its_tree_with_the_time_of_now(db: None) -> None:
    tasks.heartbeat("main:1")
    tasks.heartbeat("main:1")
    beat = Heartbeat.objects.get(name="main:1")
    assert database_now() - beat.at < timedelta(seconds=5)


def test_schedules_are_installed_once_and_name_real_tasks(db: None) -> None:
    schedules.install()
    schedules.install()
    functions = list(Schedule.objects.filter(schedule_type=Schedule.MINUTES).values_list("func", flat=True))
    assert sorted(functions) == sorted(set(functions)) == sorted(schedules.EVERY_MINUTE.values())
    assert all(callable(import_string(name)) for name in functions)


def test_once_a_day_housekeeping_runs_in_place_of_an_earlier_schedule(db: None) -> None:
    Schedule.objects.create(name="daybook sessions", func="django.core.management.call_command", repeats=-1)
    schedules.install()
    daily = Schedule.objects.get(schedule_type=Schedule.DAILY)
    assert import_string(daily.func) is housekeeping.tidy
    assert not Schedule.objects.filter(name="daybook sessions").exists()


def test_no_task_writes_the_audit_of_people(running: Connection, office: Office) -> None:
    before = AuditRecord.objects.count()
    office.record(live())
    tasks.work(running.pk)
    tasks.sweep()
    assert AuditRecord.objects.count() == before


def test_the_models_and_the_migrations_agree(db: None) -> None:
    call_command("makemigrations", check=True, dry_run=True, verbosity=0)
