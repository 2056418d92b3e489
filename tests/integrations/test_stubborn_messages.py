"""What holds up a message, and whom it must not hold up: strangers that drip, defects, lost keys, races."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from cryptography.fernet import Fernet
from django.conf import LazySettings
from django.contrib.auth.models import User
from django.core.management import call_command
from django.db import IntegrityError, connections
from django.db import connection as database

from integrations import alerts, channels, deadlines, hearing, notices, public_hosts, seeing, tasks, telling, wording
from integrations.models import Alert, Connection, Notice, Subscription
from ledger.clock import database_now
from ledger.errors import OutcomeUnknown
from ledger.models import Attempt, Posting, Store
from ledger.terms import SyncState
from tests.integrations.post_office import Chat, MailServer
from tests.integrations.test_notices import (
    AT_ONCE,
    chat,
    connection,
    happen,
    ines,
    lost,
    mails,
    maria,
    pass_time,
    person,
    send_all,
    solve,
    states,
)
from tests.office import Office
from tests.trade import sale, unreadable

__all__ = ["chat", "connection", "ines", "mails", "maria"]  # fixtures

# --- One deadline ---------------------------------------------------------------------------------

HEADERS = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 100000\r\n\r\n"


@contextmanager
def dripping(before: bytes) -> Iterator[tuple[str, threading.Event]]:
    """A host that says this and then one byte after the other; its address, and whether it was hung up on."""
    hung_up = threading.Event()

    def drip(server: socket.socket) -> None:
        with server.accept()[0] as line:
            line.recv(65536)
            line.sendall(before)
            try:
                while True:
                    line.sendall(b"o")
                    time.sleep(0.05)
            except OSError:
                hung_up.set()

    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=drip, args=(server,), daemon=True).start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}/x", hung_up


def test_the_body_of_an_answer_is_read_by_nobody() -> None:
    with dripping(HEADERS) as (address, hung_up):
        began = time.monotonic()
        channels._send_chat({"text": "x"}, address=address, seconds=5)
        assert time.monotonic() - began < 3 and hung_up.wait(5)


def test_nor_is_that_of_an_answer_that_leads_elsewhere() -> None:
    with dripping(HEADERS.replace(b"200 OK", b"302 Found\r\nLocation: http://127.0.0.1/y")) as (address, hung_up):
        began = time.monotonic()
        with pytest.raises(channels.NotDelivered, match="HTTP 302"):
            channels._send_chat({"text": "x"}, address=address, seconds=5)
        assert time.monotonic() - began < 3 and hung_up.wait(5)


def test_a_host_that_drips_its_headers_is_hung_up_on_at_the_deadline() -> None:
    with dripping(b"HTTP/1.1 200 OK\r\nX-Long: ") as (address, hung_up):
        began = time.monotonic()
        with pytest.raises(channels.NotDelivered, match="no definite answer") as failure:
            channels._send_chat({"text": "x"}, address=address, seconds=0.5)
        assert time.monotonic() - began < 3 and hung_up.wait(5) and not failure.value.surely


def test_a_name_that_is_looked_up_for_ever_ends_at_the_deadline_too(monkeypatch: pytest.MonkeyPatch) -> None:
    released = threading.Event()
    monkeypatch.setattr(public_hosts, "check", lambda url: released.wait(10))
    began = time.monotonic()
    with pytest.raises(channels.NotDelivered):
        channels._send_chat({"text": "x"}, address="https://example.com/x", seconds=0.3)
    assert time.monotonic() - began < 3
    released.set()


def test_a_mail_server_that_says_nothing_ends_at_the_deadline(maria: Subscription, settings: Any) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        settings.EMAIL_PORT = server.getsockname()[1]
        began = time.monotonic()
        with pytest.raises(channels.NotDelivered):
            channels.deliver(channels.Message("k", "s", "i"), subscription=maria, channel="email", seconds=0.5)
        assert time.monotonic() - began < 3


def test_a_message_takes_far_less_than_its_lease_and_a_test_message_less_than_ten_seconds() -> None:
    assert telling.LEASE.total_seconds() > 4 * (tasks.BUDGET + channels.TIMEOUT)
    assert telling.TRIAL_SECONDS < 10


def test_what_went_wrong_in_time_is_said_as_it_was() -> None:
    def talk(call: deadlines.Call) -> str:
        raise KeyError("x")

    with pytest.raises(KeyError):
        deadlines.within(5, talk)
    assert deadlines.within(5, lambda call: "said") == "said"


@pytest.mark.parametrize("loopback", [False, True])
@pytest.mark.parametrize(
    "address",
    [
        *("64:ff9b::a9fe:a9fe", "64:ff9b::7f00:1", "64:ff9b:1::1", "2002:7f00:1::", "2002:a00:1::"),
        *("::10.0.0.1", "::", "::ffff:10.0.0.1", "::ffff:169.254.169.254", "fec0::1", "fe80::1", "fd00::1"),
        *("2001:0:53aa:64c::1", "100.64.0.1", "192.0.0.8", "169.254.169.254", "0.0.0.0", "224.0.0.1", "ff02::1"),
    ],
)
def test_no_spelling_of_an_address_leads_inside(address: str, loopback: bool, settings: LazySettings) -> None:
    settings.ALLOW_LOOPBACK_VENDORS = loopback
    assert not public_hosts.is_public(address)


@pytest.mark.parametrize("address", ["1.1.1.1", "2606:4700:4700::1111", "::ffff:1.1.1.1", "64:ff9b::101:101"])
def test_what_leads_outside_is_public(address: str) -> None:
    assert public_hosts.is_public(address)


# --- Given up, not for ever -----------------------------------------------------------------------


def test_a_message_that_cannot_be_worded_is_given_up_and_takes_no_other_with_it(
    office: Office, connection: Connection, maria: Subscription, mails: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    happen(office, connection, lost("9"), lost("8"))
    bad, worded = Alert.objects.get(cause__endswith="9"), wording.at_once

    def stumbles(told: Any, *, key: str) -> channels.Message:
        if any(notice.alert_id == bad.pk for notice in told):
            raise KeyError("vendor")
        return worded(told, key=key)

    monkeypatch.setattr(wording, "at_once", stumbles)
    for _ in range(4):
        send_all()
        pass_time(minutes=2)
    assert len(mails.mails) == 1
    told = dict(Notice.objects.values_list("alert__cause", "state"))
    assert told == {"unmapped:sales:9": Notice.State.FAILED, "unmapped:sales:8": Notice.State.SENT}


def test_a_notice_on_which_each_worker_dies_is_given_up(
    office: Office, connection: Connection, maria: Subscription
) -> None:
    happen(office, connection, lost("9"))
    deaths = 0
    while telling.claim_next():
        deaths += 1
        pass_time(minutes=6)
        assert deaths < 20
    notice = Notice.objects.get()
    assert deaths == len(telling.PAUSES) + 1 and notice.state == Notice.State.FAILED
    assert notice.problem == telling.WORN_OUT


def test_who_rests_does_not_stand_before_the_others_in_the_queue(
    office: Office,
    connection: Connection,
    maria: Subscription,
    ines: Subscription,
    chat: Chat,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(telling, "AT_A_TIME", 2)
    now = database_now()
    row = {"subscription": maria, "channel": "email", "due_at": now - timedelta(hours=1)}
    Notice.objects.create(**row, occasion="opened:0", state="sent", sent_at=now)
    Notice.objects.bulk_create(Notice(**row, occasion=f"digest:{n}") for n in range(5))
    happen(office, connection, lost("9"))
    assert send_all() == 1 and len(chat.bodies) == 1


# --- Who hears, and of what -----------------------------------------------------------------------


def test_whoever_acts_on_alerts_is_told_without_having_looked_at_a_page(
    office: Office, connection: Connection, mails: MailServer, stores: dict[str, Store]
) -> None:
    person("maria", email="maria@example.com")
    person("sam", email="sam@example.com", stores=(stores["Main Street"],))
    person("lee", "view_alert", email="lee@example.com")
    person("nobody")
    happen(office, connection, lost("9"))
    send_all()
    assert mails.recipients == [["maria@example.com"]] and Subscription.objects.get().email_errors == AT_ONCE


def test_to_know_who_hears_takes_the_same_queries_however_many_there_are(
    db: None, mails: MailServer, stores: dict[str, Store], django_assert_max_num_queries: Any
) -> None:
    for number in range(6):
        person(f"person {number}", email="x@example.com", stores=(stores["Main Street"],) if number % 2 else ())
    hearing.listeners()
    with django_assert_max_num_queries(5):
        assert len(hearing.listeners()) == 3


def test_who_was_told_that_it_is_worse_hears_that_it_is_over(
    office: Office, connection: Connection, maria: Subscription, mails: MailServer
) -> None:
    Subscription.objects.update(email_errors=Subscription.When.NEVER)
    happen(office, connection, lost("9"))
    alerts.acknowledge(Alert.objects.get(), actor=maria.user)
    Subscription.objects.update(email_errors=AT_ONCE)
    happen(office, connection, lost("9"), lost("9"))
    send_all()
    pass_time(minutes=2)
    solve(connection)
    send_all()
    assert states() == {"again": Notice.State.SENT, "closed": Notice.State.SENT}
    assert mails.mails[-1]["Subject"].startswith("Daybook: Solved")


def test_the_next_digest_says_what_one_that_was_given_up_would_have_told(
    office: Office, maria: Subscription, mails: MailServer
) -> None:
    now = database_now()
    row = {"subscription": maria, "channel": "email"}
    Notice.objects.create(**row, occasion="digest:a", due_at=now - timedelta(days=1), state="failed")
    begun, ended = now - timedelta(hours=30), now - timedelta(hours=26)
    Alert.objects.create(
        book=office.book, cause="x", sentence="s", first_seen_at=begun, last_seen_at=ended, closed_at=ended
    )
    digest = Notice.objects.create(**row, occasion="digest:b", due_at=now)
    message = wording.digest(digest, key="k")
    assert message is not None and [line.word for line in message.lines] == [wording.SOLVED]
    Notice.objects.filter(occasion="digest:a").update(state="sent", sent_at=now - timedelta(hours=20))
    assert wording.digest(digest, key="k") is None


def test_an_unknown_outcome_names_the_events_that_it_counts(office: Office, connection: Connection) -> None:
    office.record(*[sale(at=database_now() + timedelta(hours=1)) for _ in range(2)])
    office.enter()
    office.answer(office.sent(), error=OutcomeUnknown("No answer."))
    Attempt.objects.filter(pk=Attempt.objects.earliest("pk").pk).update(
        started_at=database_now() - timedelta(minutes=16)
    )
    alerts.refresh(connection)
    alert = Alert.objects.get(cause=seeing.OUTCOME_UNKNOWN)
    shown = seeing.affected(alert, person=User(is_superuser=True, is_active=True))
    assert (
        alert.events
        == shown.count()
        == Attempt.objects.filter(started_at__lt=database_now() - timedelta(minutes=15)).count()
    )


# --- Keys -----------------------------------------------------------------------------------------


def test_after_a_rotation_an_address_can_be_read_without_the_old_key(ines: Subscription, settings: Any) -> None:
    new = Fernet.generate_key().decode()
    settings.CREDENTIAL_KEYS = [new, *settings.CREDENTIAL_KEYS]
    call_command("rotate_credentials", verbosity=0)
    settings.CREDENTIAL_KEYS = [new]
    assert Subscription.objects.get().chat_address == ines.chat_address


def test_an_address_whose_key_is_lost_stops_nobody_and_comes_back_with_its_key(
    office: Office, maria: Subscription, ines: Subscription, mails: MailServer, settings: Any
) -> None:
    old, settings.CREDENTIAL_KEYS = settings.CREDENTIAL_KEYS, [Fernet.generate_key().decode()]
    door = Connection.objects.create(vendor="quickbooks", book=office.book, state=Connection.State.CONNECTED)
    happen(office, door, lost("9"))
    send_all()
    assert mails.recipients == [["maria@example.com"]]
    assert "cannot be decrypted" in Notice.objects.get(channel="chat").problem
    tasks.sweep()
    assert "ines" in Alert.objects.get(cause="messages:chat").sentence
    Subscription.objects.get(pk=ines.pk).save()
    call_command("rotate_credentials", verbosity=0)
    settings.CREDENTIAL_KEYS = old
    assert Subscription.objects.get(pk=ines.pk).chat_address == ines.chat_address


# --- Side by side ---------------------------------------------------------------------------------


def test_one_problem_of_daybook_itself_is_one_open_alert(db: None) -> None:
    now = database_now()
    row = {"cause": f"{notices.MESSAGES}:email", "sentence": "s", "first_seen_at": now, "last_seen_at": now}
    Alert.objects.create(**row)
    with pytest.raises(IntegrityError):
        Alert.objects.create(**row)


@pytest.mark.django_db(transaction=True)
def test_who_counted_before_it_was_solved_does_not_open_it_again(
    office: Office, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    if database.vendor != "postgresql":
        pytest.skip("SQLite has one writer at a time")
    office.record(unreadable("777001"))
    alerts.refresh(connection)
    counted, go_on, count = threading.Event(), threading.Event(), alerts._book_problems

    def slowly(door: Connection) -> dict[str, alerts.Problem]:
        found = count(door)
        if threading.current_thread() is slow:
            counted.set()
            go_on.wait(1)
        return found

    def refresh() -> None:
        alerts.refresh(Connection.objects.get(pk=connection.pk))
        connections.close_all()

    monkeypatch.setattr(alerts, "_book_problems", slowly)
    slow = threading.Thread(target=refresh)
    slow.start()
    assert counted.wait(10)
    Posting.objects.update(state=SyncState.NEVER_SYNCED, cause="", error="", error_code="")
    alerts.refresh(connection)
    go_on.set()
    slow.join(10)
    assert not Alert.objects.filter(closed_at=None).exists() and Alert.objects.count() == 1
