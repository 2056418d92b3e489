"""What has had its time goes, in small blocks; what is money, is owed a decision or may be told again stays."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from axes.models import AccessAttempt, AccessLog
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.db import DatabaseError, connection
from django.db.models import F
from django.test.utils import CaptureQueriesContext
from django_q.models import Task

from integrations import housekeeping, leases, waking
from integrations.models import Alert, Cleared, Lease, Notice, Subscription
from ledger.clock import database_now
from ledger.errors import Rejected
from ledger.models import Attempt, AuditRecord, JournalEntry, JournalLine, Posting, RawDocument
from tests.office import Office
from tests.trade import sale
from tests.trade import ticket as any_ticket

pytestmark = pytest.mark.django_db


@pytest.fixture
def messages(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What housekeeping woke."""
    woken: list[Any] = []
    monkeypatch.setattr(waking, "async_task", woken.append)
    return woken


def ago(days: float) -> datetime:
    return database_now() - timedelta(days=days)


def grow_older(days: int) -> None:
    """Every attempt and entry was made so many days earlier."""
    earlier = timedelta(days=days)
    Attempt.objects.update(started_at=F("started_at") - earlier)
    JournalEntry.objects.exclude(posted_at=None).update(posted_at=F("posted_at") - earlier)


def posted(office: Office, count: int) -> None:
    office.record(*(sale(at=database_now() + timedelta(hours=1)) for _ in range(count)))
    office.post()
    Attempt.objects.update(vendor_message="their words")


def test_a_body_goes_after_its_days_and_the_entry_stays_whole(office: Office) -> None:
    posted(office, 3)
    before = list(Attempt.objects.values("pk", "entry__reference", "result", "message", "request_key", "started_at"))
    lines, deeds = JournalLine.objects.count(), AuditRecord.objects.count()
    grow_older(89)
    assert housekeeping.tidy() == "0 rows tidied up."
    assert not JournalEntry.objects.filter(sent_body="").exists()
    grow_older(2)
    assert housekeeping.tidy() == "3 rows tidied up."
    assert set(JournalEntry.objects.values_list("sent_body", "attempts__vendor_message")) == {("", "")}
    after = list(Attempt.objects.values("pk", "entry__reference", "result", "message", "request_key"))
    assert after == [{k: v for k, v in row.items() if k != "started_at"} for row in before]
    assert (JournalLine.objects.count(), AuditRecord.objects.count(), Posting.objects.count()) == (lines, deeds, 3)


def test_what_a_person_must_still_decide_keeps_its_words(office: Office) -> None:
    office.record(sale(at=database_now() + timedelta(hours=1)))
    office.enter()
    office.answer(office.sent(), error=Rejected("Refused.", vendor_message="their words"))
    grow_older(200)
    housekeeping.tidy()
    assert Attempt.objects.get().vendor_message == "their words"
    assert JournalEntry.objects.get().sent_body


def test_an_old_try_of_what_was_posted_lately_keeps_its_body(office: Office) -> None:
    posted(office, 1)
    Attempt.objects.update(started_at=ago(200))
    housekeeping.tidy()
    assert JournalEntry.objects.get().sent_body


def test_the_walk_goes_on_where_it_ended(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(housekeeping, "block_size", lambda: 2)
    posted(office, 5)
    grow_older(100)
    housekeeping.tidy()
    assert not JournalEntry.objects.exclude(sent_body="").exists()
    assert Cleared.objects.get().through == Attempt.objects.latest("pk").pk
    with CaptureQueriesContext(
        connection,
    ) as asked:
        housekeeping.tidy()
    walked = [q["sql"] for q in asked.captured_queries if 'FROM "ledger_attempt"' in q["sql"]]
    assert len(walked) == 1


@pytest.mark.parametrize("days", [0, -1])
def test_without_days_everything_is_kept(office: Office, settings: Any, days: int) -> None:
    settings.KEEP_BODIES_DAYS = settings.KEEP_NOTES_DAYS = days
    posted(office, 1)
    grow_older(5000)
    Alert.objects.create(cause="x", sentence="x", first_seen_at=ago(999), last_seen_at=ago(999), closed_at=ago(999))
    housekeeping.tidy()
    assert JournalEntry.objects.get().sent_body and Alert.objects.count() == 1


def alert(*, closed: datetime | None) -> Alert:
    name = f"cause {Alert.objects.count()}"
    return Alert.objects.create(
        cause=name, sentence=name, first_seen_at=ago(900), last_seen_at=ago(900), closed_at=closed
    )


def notice(to: Subscription, occasion: str, *, of: Alert | None = None, state: str = Notice.State.SENT) -> Notice:
    return Notice.objects.create(
        subscription=to, channel="email", occasion=occasion, alert=of, state=state, due_at=ago(800)
    )


def test_closed_alerts_go_with_their_messages_and_open_ones_keep_theirs() -> None:
    """A message that is gone could be told again."""
    person = Subscription.objects.create(user=User.objects.create(username="ines"))
    old, open_one, young = alert(closed=ago(401)), alert(closed=None), alert(closed=ago(399))
    for one in (old, open_one, young):
        notice(person, f"opened:{one.pk}", of=one)
    notice(person, "digest:2020-01-01")
    waiting = notice(person, "digest:2020-01-02", state=Notice.State.WAITING)
    housekeeping.tidy()
    assert set(Alert.objects.all()) == {open_one, young}
    left = set(Notice.objects.values_list("occasion", flat=True))
    assert left == {f"opened:{open_one.pk}", f"opened:{young.pk}", waiting.occasion}


def test_ended_sessions_old_sign_ins_and_failed_tasks_go() -> None:
    for key, days in (("ended", 2), ("just ended", 0.5), ("alive", -1)):
        Session.objects.create(session_key=key, session_data="", expire_date=ago(days))
    for days in (91, 89):
        row = AccessLog.objects.create(username=f"{days}", path_info="")
        AccessLog.objects.filter(pk=row.pk).update(attempt_time=ago(days))
        tried = AccessAttempt.objects.create(username=f"{days}", path_info="", failures_since_start=1)
        AccessAttempt.objects.filter(pk=tried.pk).update(attempt_time=ago(days))
    for days in (31, 29):
        Task.objects.create(id=f"{days}", name="x", func="x", started=ago(days), stopped=ago(days), success=False)
    housekeeping.tidy()
    assert set(Session.objects.values_list("session_key", flat=True)) == {"alive", "just ended"}
    assert [row.username for row in AccessLog.objects.all()] == ["89"]
    assert [row.username for row in AccessAttempt.objects.all()] == ["89"]
    assert [task.pk for task in Task.objects.all()] == ["29"]


def test_leases_of_deeds_that_nobody_holds_go() -> None:
    Lease.objects.create(name="deed:1")
    Lease.objects.create(name="work:1")
    with leases.held("deed:2"):
        housekeeping.tidy()
    assert set(Lease.objects.values_list("name", flat=True)) == {"deed:2", "work:1", "housekeeping"}


def test_it_goes_block_by_block_and_wakes_itself_when_its_time_is_up(
    monkeypatch: pytest.MonkeyPatch, messages: list[Any], django_capture_on_commit_callbacks: Callable[..., Any]
) -> None:
    monkeypatch.setattr(housekeeping, "block_size", lambda: 2)
    for number in range(5):
        Session.objects.create(session_key=f"{number}", session_data="", expire_date=ago(9))
    with CaptureQueriesContext(connection) as asked:
        housekeeping.tidy()
    deletions = [q["sql"] for q in asked.captured_queries if q["sql"].startswith('DELETE FROM "django_session"')]
    assert len(deletions) == 3 and not Session.objects.exists() and messages == []
    monkeypatch.setattr(housekeeping, "BUDGET", 0.0)
    with django_capture_on_commit_callbacks(execute=True):
        housekeeping.tidy()
    assert messages == ["integrations.housekeeping.tidy"]


def test_a_table_that_refuses_is_logged_and_the_others_are_tidied_up(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    Session.objects.create(session_key="ended", session_data="", expire_date=ago(2))
    monkeypatch.setattr(housekeeping, "_forget", lambda go_on: 5)

    def refuse(at: datetime) -> Any:
        raise DatabaseError("the table is locked")

    refusing = housekeeping.Kept("what refuses", lambda: 1, refuse)
    monkeypatch.setattr(housekeeping, "KEPT", (refusing, *housekeeping.KEPT))
    assert housekeeping.tidy() == "6 rows tidied up."
    (record,) = [record for record in caplog.records if record.levelname == "ERROR"]
    said = record.msg
    assert isinstance(said, dict) and said["table"] == "what refuses" and said["exc_info"]
    assert not Session.objects.exists()


@pytest.mark.skipif(connection.vendor != "sqlite", reason="PostgreSQL chooses by how many rows it has counted")
def test_old_messages_are_found_by_their_index() -> None:
    (kept,) = [kept for kept in housekeeping.KEPT if kept.name == "messages"]
    assert "notice_told" in kept.rows(database_now()).order_by().explain()


def test_two_never_tidy_up_at_once() -> None:
    with leases.held("housekeeping"):
        assert housekeeping.tidy() == "Another worker is at it."


@pytest.mark.parametrize("kept", housekeeping.KEPT, ids=lambda kept: kept.name)
def test_money_is_nowhere_among_what_goes(kept: housekeeping.Kept) -> None:
    assert not kept.rows(database_now()).model._meta.label.startswith(("ledger.", "mappings."))


def test_a_document_is_kept_compressed(office: Office) -> None:
    office.record(any_ticket(total="0.00"))
    (document,) = RawDocument.objects.all()
    assert bytes(document.body)[:1] == b"\x78" and document.text.startswith("{")
