"""Alerts reach people by e-mail and chat, through a real mail server and a real webhook on this machine."""

import logging
import socket
import ssl
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.contrib.auth.models import Group, Permission, User
from django.db import connection as database
from django.db.models import F

from integrations import alerts, channels, hearing, notices, public_hosts, tasks, telling
from integrations.models import Alert, Connection, Notice, Subscription
from ledger.admin.scoping import STORE_MANAGER
from ledger.clock import database_now
from ledger.errors import Refused
from ledger.journal import orders
from ledger.models import Posting, Store
from ledger.moments import plain
from ledger.terms import SyncState
from ledger.values import EventFacts
from tests.integrations.post_office import Chat, MailServer, chat_receiver, free_port, mail_server
from tests.office import Office
from tests.trade import item, paid, ticket, unreadable

NEVER, AT_ONCE, DAILY = Subscription.When.NEVER, Subscription.When.AT_ONCE, Subscription.When.DAILY


@pytest.fixture
def connection(office: Office) -> Connection:
    return Connection.objects.create(vendor="quickbooks", book=office.book, state=Connection.State.CONNECTED)


@pytest.fixture
def mails(settings: Any) -> Iterator[MailServer]:
    """A mail server, to which this installation sends."""
    with mail_server() as server:
        settings.EMAIL_CONFIGURED, settings.EMAIL_HOST, settings.EMAIL_PORT = True, "127.0.0.1", server.port
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.DEFAULT_FROM_EMAIL = "Daybook <daybook@example.com>"
        settings.DAYBOOK_URL = "https://daybook.example.com"
        yield server


@pytest.fixture
def chat() -> Iterator[Chat]:
    with chat_receiver() as receiver:
        yield receiver


def person(name: str, *permissions: str, email: str = "", stores: tuple[Store, ...] = ()) -> User:
    user = User.objects.create_user(name, email=email, is_staff=True)
    for codename in permissions or ("view_alert", "change_alert"):
        user.user_permissions.add(Permission.objects.get(content_type__app_label="integrations", codename=codename))
    for store in stores:
        store.managers.add(user)
    return user


@pytest.fixture
def maria(db: None, mails: MailServer) -> Subscription:
    """The accountant, as she begins: errors at once by e-mail, warnings once a day."""
    return hearing.subscription_of(person("maria", email="maria@example.com"))


@pytest.fixture
def ines(db: None, chat: Chat) -> Subscription:
    """An administrator without e-mail, who hears of errors at once in Slack."""
    own = hearing.subscription_of(person("ines"))
    own.chat_errors, own.chat_address = AT_ONCE, {"url": chat.address}
    own.save()
    return own


def lost(kind: str, *, store: str = "100001") -> EventFacts:
    """A sale of a class that nobody mapped."""
    late = database_now() + timedelta(hours=1)
    return ticket(item("20.00", kind=kind), paid("20.00"), at=late, store=store)


def happen(office: Office, connection: Connection, *documents: Any) -> None:
    office.record(*documents)
    office.enter()
    alerts.refresh(connection)


def solve(connection: Connection) -> None:
    orders.retry(Posting.objects.filter(state=SyncState.ERROR), actor=None)
    alerts.refresh(connection)


def send_all() -> int:
    sent = 0
    while telling.send_next():
        sent += 1
    return sent


def pass_time(**by: float) -> None:
    """Everything that a notice waits for, or rests from, moves into the past."""
    ago = timedelta(**by)
    for name in ("due_at", "lease_until", "sent_at"):
        Notice.objects.filter(**{f"{name}__isnull": False}).update(**{name: F(name) - ago})


def states() -> dict[str, str]:
    """Occasion, without the alert's number, to state."""
    return {notice.occasion.split(":")[0]: notice.state for notice in Notice.objects.order_by("pk")}


# --- Who hears what by default --------------------------------------------------------------------


def test_whoever_acts_on_alerts_and_has_an_address_hears_of_errors_at_once(maria: Subscription) -> None:
    assert (maria.email_errors, maria.email_warnings, maria.chat_errors) == (AT_ONCE, DAILY, NEVER)


def test_auditors_store_managers_and_people_without_an_address_hear_nothing_unasked(
    stores: dict[str, Store],
) -> None:
    lee = person("lee", "view_alert", email="lee@example.com")
    sam = person("sam", email="sam@example.com", stores=(stores["Los Angeles"],))
    nobody = person("nobody")
    assert [hearing.subscription_of(one).email_errors for one in (lee, sam, nobody)] == [NEVER] * 3
    assert hearing.subscription_of(sam).time_zone == "America/Los_Angeles"


def test_without_a_mail_server_no_email_is_written(
    office: Office, connection: Connection, maria: Subscription, settings: Any
) -> None:
    settings.EMAIL_CONFIGURED = False
    happen(office, connection, lost("9"))
    assert not Notice.objects.exists()


# --- At once --------------------------------------------------------------------------------------


def test_an_alert_that_opens_is_an_email_with_what_to_do_and_a_link(
    office: Office, connection: Connection, maria: Subscription, mails: MailServer
) -> None:
    happen(office, connection, lost("9"), lost("9"))
    assert send_all() == 1
    (mail,), alert, notice = mails.mails, Alert.objects.get(), Notice.objects.get()
    assert mails.recipients == [["maria@example.com"]] and mail["From"] == "Daybook <daybook@example.com>"
    assert mail["Subject"].startswith("Daybook: Action required: No account is mapped for sales of item class")
    assert mail["Message-ID"] == f"<{notice.message_key}@example.com>" and mail["Auto-Submitted"] == "auto-generated"
    (plain,) = mails.bodies()
    assert "Choose an account under Settings" in plain and "2 events, 40.00 USD" in plain
    assert f"https://daybook.example.com/admin/integrations/alert/{alert.pk}/change/" in plain
    html = mail.get_body(("html",))
    assert html and "Choose an account under Settings" in html.get_content() and "style" not in html.get_content()
    assert notice.state == Notice.State.SENT and notice.sent_at is not None


def test_fifty_alerts_of_a_bad_minute_are_one_message_of_fifty_lines(
    office: Office, connection: Connection, maria: Subscription, mails: MailServer
) -> None:
    happen(office, connection, *[lost(f"new{n}") for n in range(50)])
    assert Alert.objects.count() == 50 and send_all() == 1
    (plain,) = mails.bodies()
    assert plain.count("- Action required:") == 50 and mails.mails[0]["Subject"] == "Daybook: 50 problems"


def test_what_follows_within_a_minute_waits_for_the_next_message(
    office: Office, connection: Connection, maria: Subscription, mails: MailServer
) -> None:
    happen(office, connection, lost("9"))
    assert send_all() == 1
    happen(office, connection, lost("8"))
    happen(office, connection, lost("7"))
    assert send_all() == 0
    pass_time(seconds=61)
    assert send_all() == 1 and "2 problems" in mails.mails[1]["Subject"]


def test_nothing_is_told_twice(office: Office, connection: Connection, maria: Subscription, mails: MailServer) -> None:
    happen(office, connection, lost("9"))
    for _ in range(3):
        alerts.refresh(connection)
        send_all()
        pass_time(minutes=2)
    assert len(mails.mails) == 1 and Notice.objects.count() == 1


def test_the_end_is_told_to_whom_the_beginning_was_told(
    office: Office, connection: Connection, maria: Subscription, ines: Subscription, mails: MailServer, chat: Chat
) -> None:
    Subscription.objects.filter(pk=ines.pk).update(quiet_from=time(0), quiet_until=time(23, 59, 59))
    happen(office, connection, lost("9"))
    send_all()
    pass_time(minutes=2)
    Notice.objects.filter(subscription=ines).update(due_at=database_now() + timedelta(hours=5))
    solve(connection)
    send_all()
    assert [mail["Subject"].split(":")[1].strip() for mail in mails.mails] == ["Action required", "Solved"]
    assert chat.bodies == []
    assert set(Notice.objects.filter(subscription=ines).values_list("state", flat=True)) == {Notice.State.DROPPED}


def test_an_alert_that_closed_before_it_was_told_is_not_told(
    office: Office, connection: Connection, maria: Subscription, mails: MailServer
) -> None:
    happen(office, connection, lost("9"))
    solve(connection)
    assert send_all() == 0 and mails.mails == [] and states() == {"opened": Notice.State.DROPPED}


def test_what_closes_while_the_server_is_down_is_not_told_at_all(
    office: Office, connection: Connection, maria: Subscription, settings: Any, mails: MailServer
) -> None:
    settings.EMAIL_PORT = free_port()
    happen(office, connection, lost("9"))
    claim = telling.claim_next()  # it is being sent while the alert closes
    assert claim is not None
    solve(connection)
    telling._failed(claim, channels.NotDelivered("The mail server cannot be reached."))
    settings.EMAIL_PORT = mails.port
    pass_time(minutes=5)
    send_all()
    assert mails.mails == [] and states() == {"opened": Notice.State.DROPPED, "closed": Notice.State.DROPPED}


def test_a_problem_that_comes_back_is_told_anew(
    office: Office, connection: Connection, maria: Subscription, mails: MailServer
) -> None:
    for _ in range(2):
        happen(office, connection, lost("9"))
        send_all()
        pass_time(minutes=2)
        solve(connection)
        send_all()
        pass_time(minutes=2)
    assert [mail["Subject"].split(":")[1].strip() for mail in mails.mails] == ["Action required", "Solved"] * 2


def test_an_acknowledged_alert_is_told_again_when_more_than_twice_as_many_events_have_it(
    office: Office, connection: Connection, maria: Subscription, mails: MailServer
) -> None:
    happen(office, connection, lost("9"))
    send_all()
    alerts.acknowledge(Alert.objects.get(), actor=maria.user)
    for more, told in ((1, 1), (1, 2), (3, 2), (1, 3)):  # 2, 3, 6 and 7 events, of which 1 and then 3 are known
        pass_time(minutes=2)
        happen(office, connection, *[lost("9") for _ in range(more)])
        send_all()
        assert len(mails.mails) == told, more
    assert "Still there, and worse: Action required" in mails.bodies()[1]
    alert = Alert.objects.get()
    assert alert.acknowledged_by == maria.user and alert.events == alert.known_events == 7


def test_a_warning_that_becomes_an_error_is_told_again(maria: Subscription) -> None:
    now = database_now()
    alert = Alert.objects.create(cause="capture", severity="warning", sentence="x", first_seen_at=now, last_seen_at=now)
    assert alerts._update(alert, alerts.Problem("y", 0)) and not alerts._update(alert, alerts.Problem("y", 9))


def test_a_message_tells_moments_by_the_clock_of_its_reader(
    office: Office, connection: Connection, maria: Subscription, mails: MailServer
) -> None:
    Subscription.objects.update(time_zone="Asia/Tokyo")
    happen(office, connection, lost("9"))
    send_all()
    begun = Alert.objects.get().first_seen_at
    assert f"since {plain(begun, ZoneInfo('Asia/Tokyo'))}" in mails.bodies()[0] and "JST" in mails.bodies()[0]


def test_a_card_number_never_leaves(
    office: Office, connection: Connection, maria: Subscription, mails: MailServer
) -> None:
    happen(office, connection, unreadable("900", what="4111 1111 1111 1111 is no number.", readable=True))
    Posting.objects.update(state=SyncState.ERROR, cause="unreadable", error="4111111111111111 is no number.")
    alerts.refresh(connection)
    send_all()
    assert mails.mails and "1111" not in mails.mails[0].as_string()


# --- Store managers -------------------------------------------------------------------------------


@pytest.fixture
def sam(mails: MailServer, stores: dict[str, Store]) -> Subscription:
    """The manager of Main Street, who asked for errors at once."""
    own = hearing.subscription_of(person("sam", "view_alert", email="sam@example.com", stores=(stores["Main Street"],)))
    own.email_errors = AT_ONCE
    own.save()
    return own


def test_a_store_manager_hears_of_the_own_stores_only_and_without_accounting(
    office: Office, connection: Connection, sam: Subscription, mails: MailServer
) -> None:
    happen(office, connection, lost("9", store="100002"))
    assert send_all() == 0
    happen(office, connection, lost("9", store="100001"), lost("9", store="100002"))
    assert send_all() == 1
    (plain,) = mails.bodies()
    assert "1 event, 20.00 USD" in plain and "your accountant has to say where it is booked" in plain
    assert "item class" not in plain and "60.00" not in plain


def test_a_store_manager_reads_what_to_mend_at_the_till(
    office: Office, connection: Connection, sam: Subscription, mails: MailServer
) -> None:
    office.record(unreadable("900", what="its total is missing.", readable=True))
    alerts.refresh(connection)
    send_all()
    assert "T900" in mails.bodies()[0] and "its total is missing" in mails.bodies()[0]


def test_a_member_of_the_store_managers_without_a_store_hears_nothing(
    office: Office, connection: Connection, maria: Subscription, mails: MailServer
) -> None:
    maria.user.groups.add(Group.objects.get_or_create(name=STORE_MANAGER)[0])
    happen(office, connection, lost("9"))
    assert send_all() == 0


def test_who_may_not_view_alerts_any_more_is_not_told(
    office: Office, connection: Connection, maria: Subscription, mails: MailServer
) -> None:
    happen(office, connection, lost("9"))
    User.objects.filter(pk=maria.user_id).update(is_active=False)
    send_all()
    assert mails.mails == [] and states() == {"opened": Notice.State.DROPPED}


# --- Crashes and refusals -------------------------------------------------------------------------


def test_a_worker_that_dies_before_sending_loses_nothing(
    office: Office, connection: Connection, maria: Subscription, mails: MailServer
) -> None:
    happen(office, connection, lost("9"))
    claim = telling.claim_next()
    assert claim is not None and telling.claim_next() is None
    assert send_all() == 0
    pass_time(minutes=6)
    assert send_all() == 1 and mails.mails[0]["Message-ID"] == f"<{claim.key}@example.com>"


def test_a_worker_that_dies_after_sending_repeats_the_same_message_under_the_same_id(
    office: Office, connection: Connection, maria: Subscription, mails: MailServer
) -> None:
    happen(office, connection, lost("9"))
    claim = telling.claim_next()
    assert claim is not None
    message = telling._composed(claim)
    assert message is not None
    channels.deliver(message, subscription=claim.subscription, channel=claim.channel)
    happen(office, connection, lost("8"))
    pass_time(minutes=6)
    assert send_all() == 1  # the first as it was; what came meanwhile waits its minute
    pass_time(minutes=2)
    assert send_all() == 1
    first, second, third = (mail["Message-ID"] for mail in mails.mails)
    assert first == second != third and mails.bodies()[0] == mails.bodies()[1]


def test_a_worker_that_lost_its_claim_marks_nothing(
    office: Office, connection: Connection, maria: Subscription, mails: MailServer
) -> None:
    happen(office, connection, lost("9"))
    late = telling.claim_next()
    pass_time(minutes=6)
    send_all()
    assert late is not None
    telling._failed(late, channels.NotDelivered("Too late.", final=True))
    assert states() == {"opened": Notice.State.SENT}


@pytest.mark.django_db(transaction=True)
def test_workers_side_by_side_send_it_once(
    office: Office, connection: Connection, maria: Subscription, mails: MailServer
) -> None:
    happen(office, connection, lost("9"))

    def work() -> None:
        send_all()
        database.close()

    workers = [threading.Thread(target=work) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(30)
    assert len(mails.mails) == 1 and states() == {"opened": Notice.State.SENT}


def test_a_mail_server_that_is_down_is_tried_again_with_growing_pauses(
    office: Office, connection: Connection, maria: Subscription, settings: Any, mails: MailServer
) -> None:
    settings.EMAIL_PORT = free_port()
    happen(office, connection, lost("9"))
    pauses = []
    for _ in range(3):
        send_all()
        notice = Notice.objects.get()
        pauses.append(round((notice.due_at - database_now()).total_seconds() / 60))
        pass_time(hours=1)
    assert pauses == [1, 2, 5] and "cannot be reached" in notice.problem and notice.state == Notice.State.WAITING
    happen(office, connection, lost("8"))
    settings.EMAIL_PORT = mails.port
    assert send_all() == 1 and mails.mails[0]["Subject"] == "Daybook: 2 problems"


def test_a_refusal_for_good_is_given_up_at_once_and_is_an_alert_itself(
    office: Office, connection: Connection, maria: Subscription, ines: Subscription, mails: MailServer, chat: Chat
) -> None:
    mails.to_recipient = "550 No such user"
    happen(office, connection, lost("9"))
    send_all()
    failed = Notice.objects.get(channel="email")
    assert failed.state == Notice.State.FAILED and "550 No such user" in failed.problem
    tasks.sweep()
    alert = Alert.objects.get(cause="messages:email")
    assert "maria" in alert.sentence and not Notice.objects.filter(alert=alert, channel="email").exists()
    pass_time(minutes=2)
    send_all()
    assert "could not be delivered to maria" in str(chat.bodies[-1])
    mails.to_recipient = "250 OK"
    telling.send_trial(maria, channel="email")
    tasks.sweep()
    alert.refresh_from_db()
    assert alert.closed_at is not None


def test_after_the_last_try_a_message_is_given_up(
    office: Office, connection: Connection, maria: Subscription, mails: MailServer
) -> None:
    mails.to_message = "451 Try again later"
    happen(office, connection, lost("9"))
    tries = 0
    while Notice.objects.get().state != Notice.State.FAILED:
        tries += send_all()
        pass_time(hours=3)
        assert tries < 20
    assert tries == len(telling.PAUSES) + 1 and "451 Try again later" in Notice.objects.get().problem


def test_an_address_with_a_line_break_is_refused_not_sent(
    office: Office, connection: Connection, maria: Subscription, mails: MailServer
) -> None:
    User.objects.filter(pk=maria.user_id).update(email="maria@example.com\nBcc: all@example.com")
    happen(office, connection, lost("9"))
    send_all()
    assert mails.mails == [] and Notice.objects.get().state == Notice.State.FAILED


# --- Chat -----------------------------------------------------------------------------------------


def test_slack_takes_a_text_and_blocks(
    office: Office, connection: Connection, ines: Subscription, chat: Chat, settings: Any
) -> None:
    settings.DAYBOOK_URL = "https://daybook.example.com"
    happen(office, connection, lost("<!channel> & co"))
    assert send_all() == 1 and chat.kinds == ["application/json"]
    (body,) = chat.bodies
    assert set(body) == {"text", "blocks"} and "&lt;!channel&gt; &amp; co" in body["text"]
    header, intro, line, foot = body["blocks"]
    assert header["type"] == "header" and header["text"]["type"] == "plain_text"
    assert len(header["text"]["text"]) <= 150 and intro["type"] == "section"
    assert line["type"] == "section" and line["text"]["type"] == "mrkdwn"
    assert line["text"]["text"].startswith("*Action required*: No account is mapped for sales")
    assert "<!channel>" not in line["text"]["text"]
    assert f"<https://daybook.example.com/admin/integrations/alert/{Alert.objects.get().pk}/change/|What to do>" in str(
        line
    )
    assert foot == {
        "type": "context",
        "elements": [
            {"type": "mrkdwn", "text": "<https://daybook.example.com/admin/integrations/alert/|Open Daybook>"}
        ],
    }


def test_teams_takes_an_adaptive_card_in_a_message(
    office: Office, connection: Connection, ines: Subscription, chat: Chat, settings: Any
) -> None:
    settings.DAYBOOK_URL = "https://daybook.example.com"
    Subscription.objects.filter(pk=ines.pk).update(chat=Subscription.Chat.TEAMS)
    chat.status, chat.says = 202, b""
    happen(office, connection, lost("[free money](https://bad.example)"))
    assert send_all() == 1
    (body,) = chat.bodies
    assert set(body) == {"type", "attachments"} and body["type"] == "message"
    (attachment,) = body["attachments"]
    assert attachment["contentType"] == "application/vnd.microsoft.card.adaptive" and attachment["contentUrl"] is None
    card = attachment["content"]
    assert (card["type"], card["version"]) == ("AdaptiveCard", "1.4")
    assert card["$schema"] == "http://adaptivecards.io/schemas/adaptive-card.json"
    assert all(block["type"] == "TextBlock" and block["wrap"] for block in card["body"]) and len(card["body"]) == 4
    assert "](https://bad" not in str(card) and "[What to do](https://daybook.example.com/" in str(card)
    action = {"type": "Action.OpenUrl", "title": "Open Daybook"}
    assert card["actions"] == [action | {"url": "https://daybook.example.com/admin/integrations/alert/"}]
    assert Notice.objects.get().state == Notice.State.SENT


@pytest.mark.parametrize("kind", Subscription.Chat.values)
def test_a_message_of_many_long_lines_keeps_within_the_limits_of_the_chat(kind: str) -> None:
    line = channels.Line("Action required", "word " * 900, "QuickBooks Online", "https://daybook.example.com/")
    body = channels.FORMATS[kind](channels.Message("k", "s", "i", (line,) * 300, "https://daybook.example.com/"))
    if kind == Subscription.Chat.SLACK:
        assert len(body["blocks"]) <= 50 and all(len(b["text"]["text"]) <= 3000 for b in body["blocks"] if "text" in b)
    else:
        assert len(str(body)) < 28_000
    assert "more" in str(body)


def test_a_chat_that_breaks_is_tried_again_as_it_was(
    office: Office, connection: Connection, ines: Subscription, chat: Chat
) -> None:
    chat.status = 500
    happen(office, connection, lost("9"))
    send_all()
    first = Notice.objects.get()
    assert first.state == Notice.State.WAITING and first.message_key
    happen(office, connection, lost("8"))
    chat.status = 200
    for _ in range(2):
        pass_time(minutes=2)
        assert send_all() == 1
    assert len(chat.bodies) == 3 and chat.bodies[0] in chat.bodies[1:] and "class 8" not in str(chat.bodies[0])


def test_a_chat_that_asks_to_wait_is_left_alone_for_so_long(
    office: Office, connection: Connection, ines: Subscription, chat: Chat
) -> None:
    chat.status, chat.headers = 429, {"Retry-After": "600"}
    happen(office, connection, lost("9"))
    send_all()
    notice = Notice.objects.get()
    assert notice.state == Notice.State.WAITING and not notice.message_key
    assert 590 < (notice.due_at - database_now()).total_seconds() < 610


def test_a_webhook_that_is_gone_is_given_up_and_its_address_is_told_to_nobody(
    office: Office, connection: Connection, ines: Subscription, chat: Chat, caplog: Any, capsys: Any
) -> None:
    caplog.set_level(logging.DEBUG)
    chat.status, chat.says = 404, f"no_service {chat.address}".encode()
    happen(office, connection, lost("9"))
    send_all()
    notice = Notice.objects.get()
    assert notice.state == Notice.State.FAILED and "HTTP 404. Make a new webhook" in notice.problem
    assert "no_service" not in notice.problem  # what a stranger answers is shown to nobody
    heard = capsys.readouterr()
    assert "very-secret" not in notice.problem + caplog.text + heard.out + heard.err


def test_a_redirect_is_not_followed(office: Office, connection: Connection, ines: Subscription, chat: Chat) -> None:
    chat.status, chat.headers = 302, {"Location": chat.address}
    happen(office, connection, lost("9"))
    send_all()
    assert len(chat.bodies) == 1 and "HTTP 302" in Notice.objects.get().problem


def test_the_address_is_encrypted_in_the_database(ines: Subscription, chat: Chat) -> None:
    with database.cursor() as cursor:
        cursor.execute("SELECT chat_address FROM integrations_subscription")
        ((stored,),) = cursor.fetchall()
    assert "secret" not in stored and "127.0.0.1" not in stored


@pytest.mark.parametrize(
    "address",
    [
        "http://hooks.example.com/x",
        "https://127.0.0.1/x",
        "https://localhost/x",
        "https://[::1]/x",
        "https://10.0.0.7/x",
        "https://169.254.169.254/latest/meta-data",
        "https://[::ffff:192.168.0.1]/x",
        "https://1.1.1.1:8443/x",
        "https://1.1.1.1:http/x",
        "https://user:word@1.1.1.1/x",
        "file:///etc/passwd",
        "https:///x",
    ],
)
def test_only_https_to_a_public_host_is_an_address(address: str, settings: Any) -> None:
    settings.ALLOW_LOOPBACK_VENDORS = False
    with pytest.raises(Refused):
        public_hosts.check(address)


def test_a_public_address_is_taken(settings: Any) -> None:
    settings.ALLOW_LOOPBACK_VENDORS = False
    public_hosts.check("https://1.1.1.1/services/T/B/x")


def test_a_name_that_points_inside_a_moment_later_gets_no_byte(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The look-up said public; the connection itself ends at this machine, and is hung up before anything is said."""
    settings.ALLOW_LOOPBACK_VENDORS = False
    monkeypatch.setattr(public_hosts, "check", lambda url: None)
    heard: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as server:
        listener = threading.Thread(target=lambda: heard.append(server.accept()[0].recv(100)))
        listener.start()
        with pytest.raises(channels.NotDelivered) as refused:
            channels._send_chat({"text": "x"}, address=f"https://localhost:{server.getsockname()[1]}/x")
        listener.join(5)
    assert heard == [b""] and refused.value.surely


def test_the_certificate_of_a_chat_is_checked(settings: Any, tmp_path: Any) -> None:
    """A server that cannot prove its name gets no message, here because it speaks no TLS at all."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        answer = threading.Thread(target=lambda: server.accept()[0].sendall(b"HTTP/1.1 200 OK\r\n\r\n"))
        answer.start()
        with pytest.raises(channels.NotDelivered):
            channels._send_chat({"text": "x"}, address=f"https://localhost:{server.getsockname()[1]}/x")
        answer.join(5)
    assert ssl.create_default_context().check_hostname


# --- Quiet hours ----------------------------------------------------------------------------------

NIGHT = {"quiet_from": time(22), "quiet_until": time(7), "time_zone": "America/New_York"}


@pytest.mark.parametrize(
    ("hours", "at", "free"),
    [
        (NIGHT, "2026-01-15T02:00", None),  # 21:00
        (NIGHT, "2026-01-15T03:00", "2026-01-15T12:00"),  # 22:00 sharp: until the next morning
        (NIGHT, "2026-01-15T09:00", "2026-01-15T12:00"),  # 04:00: the same morning
        (NIGHT, "2026-01-15T12:00", None),  # 07:00 sharp
        (NIGHT, "2026-03-08T04:00", "2026-03-08T11:00"),  # the night that lacks an hour
        (NIGHT, "2026-11-01T03:00", "2026-11-01T12:00"),  # the night that has one more
        (NIGHT | {"quiet_until": time(2, 30)}, "2026-03-08T06:00", "2026-03-08T07:30"),  # an end that no clock shows
        (NIGHT | {"quiet_until": time(1, 30)}, "2026-11-01T05:15", "2026-11-01T05:30"),  # 01:15, the first time
        (NIGHT | {"quiet_until": time(1, 30)}, "2026-11-01T06:15", "2026-11-01T06:30"),  # 01:15, the second time
        (NIGHT | {"quiet_from": time(12), "quiet_until": time(13)}, "2026-01-15T17:30", "2026-01-15T18:00"),
        (NIGHT | {"quiet_from": None, "quiet_until": None}, "2026-01-15T04:00", None),
    ],
)
def test_quiet_hours_delay_to_their_end_by_the_persons_clock(hours: dict[str, Any], at: str, free: str | None) -> None:
    moment = datetime.fromisoformat(at).replace(tzinfo=UTC)
    expected = datetime.fromisoformat(free).replace(tzinfo=UTC) if free else moment
    assert hearing.free_at(Subscription(**hours), moment) == expected


def test_what_happens_in_quiet_hours_is_told_at_their_end_in_one_message(
    office: Office, connection: Connection, maria: Subscription, mails: MailServer
) -> None:
    now = database_now()
    quiet = {"quiet_from": (now - timedelta(hours=1)).time(), "quiet_until": (now + timedelta(hours=2)).time()}
    Subscription.objects.update(time_zone="UTC", **quiet)
    happen(office, connection, lost("9"))
    happen(office, connection, lost("8"))
    assert send_all() == 0 and not telling.are_due()
    pass_time(hours=2, seconds=1)
    assert send_all() == 1 and mails.mails[0]["Subject"] == "Daybook: 2 problems"


# --- The digest -----------------------------------------------------------------------------------


def digest_now() -> int:
    notices.plan_digests(database_now())
    return send_all()


@pytest.fixture
def daily(maria: Subscription) -> Subscription:
    """Maria, who reads everything once a day."""
    Subscription.objects.update(email_errors=DAILY, email_warnings=DAILY, digest_at=time(0), time_zone="UTC")
    maria.refresh_from_db()
    return maria


def test_the_digest_says_what_is_open_and_what_came_and_went(
    office: Office, connection: Connection, daily: Subscription, mails: MailServer
) -> None:
    happen(office, connection, lost("9"), lost("8"))
    Alert.objects.filter(cause__endswith="9").update(first_seen_at=database_now() - timedelta(days=3))
    Posting.objects.filter(cause__endswith="8").update(state=SyncState.NEVER_SYNCED, cause="", error="", error_code="")
    alerts.refresh(connection)
    happen(office, connection, lost("7"))
    assert digest_now() == 1 and not Notice.objects.exclude(occasion__startswith="digest:").exists()
    (plain,) = mails.bodies()
    assert "2 problems open, 1 of them new; 1 solved since" in plain
    assert plain.count("- New: Action required:") == 1 and plain.count("- Solved:") == 1
    assert plain.index("- New") < plain.index("- Solved")


def test_the_digest_comes_once_a_day_and_not_before_its_hour(
    office: Office, connection: Connection, daily: Subscription, mails: MailServer
) -> None:
    happen(office, connection, lost("9"))
    assert [digest_now() for _ in range(3)] == [1, 0, 0]
    later = datetime(2030, 6, 1, 11, 59, tzinfo=UTC)
    daily.digest_at, daily.time_zone = time(8), "America/New_York"
    assert hearing.digest_day(daily, later) is None
    assert hearing.digest_day(daily, later + timedelta(minutes=1)) == later.date()


def test_where_there_is_nothing_to_say_no_digest_is_sent(
    office: Office, connection: Connection, daily: Subscription, mails: MailServer
) -> None:
    digest_now()
    assert mails.mails == [] and states() == {"digest": Notice.State.DROPPED}


# --- The queue ------------------------------------------------------------------------------------


def test_the_sweep_wakes_a_worker_that_sends(
    office: Office,
    connection: Connection,
    maria: Subscription,
    mails: MailServer,
    woken: list[Any],
    django_capture_on_commit_callbacks: Any,
) -> None:
    office.record(lost("9"))
    office.enter()
    with django_capture_on_commit_callbacks(execute=True):
        tasks.sweep()
    assert ("integrations.tasks.tell",) in woken
    assert tasks.tell() == "1 messages handled." and len(mails.mails) == 1
