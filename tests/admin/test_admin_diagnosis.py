"""Called because something is red: the pages say whose turn it is, since when, what was interrupted, what is safe."""

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse

from integrations import tokens, vendors
from integrations.admin_views.diagnosis import Interruption, interruptions, limits, safe
from integrations.models import Alert, Capture, Circuit, Connection, Heartbeat
from integrations.seeing import OUTCOME_UNKNOWN
from ledger.clock import database_now
from ledger.errors import Flaw, ForeignEntry, OutcomeUnknown, Unreachable
from ledger.journal import marking
from ledger.models import Attempt, Book, Source, Store
from ledger.moments import plain, zone_of_book
from tests.admin.conftest import Login
from tests.office import Office
from tests.trade import new_id, sale, unreadable


def page(client: Client, connection: Connection) -> str:
    return client.get(reverse("integrations:vendor", args=[connection.vendor])).content.decode()


@pytest.fixture
def till(source: Source, started: Book) -> Connection:
    """A till that feeds the started book and was read a moment ago."""
    now = database_now()
    till = Connection.objects.create(
        vendor="heartland_retail", source=source, state="connected", connected_at=now, answered_at=now
    )
    Capture.objects.create(connection=till, live_since=now, history_until=now, last_run_at=now, history_done=True)
    return till


def today(connection: Connection, book: Book) -> list[Interruption]:
    return interruptions(connection, book, zone=zone_of_book(book))


def tried(office: Office, *, minutes_ago: float = 0) -> None:
    """A sale whose answer was lost."""
    office.record(sale(at=database_now() + timedelta(hours=1)))
    office.enter()
    office.answer(office.sent(), error=OutcomeUnknown("No answer."))
    when = database_now() - timedelta(minutes=minutes_ago)
    Attempt.objects.filter(pk=Attempt.objects.latest("pk").pk).update(started_at=when, ended_at=when)


# --- The page of the books ------------------------------------------------------------------------


def test_a_good_day_is_held_up_by_nothing_and_nothing_is_lost(
    admin_client: Client, connection: Connection, till: Connection
) -> None:
    said = page(admin_client, connection)
    assert "Nothing: QuickBooks Online, the till and Daybook&#x27;s worker do their work." in said
    assert "Nothing is lost: no event waits." in said and "nothing that a try or an alert tells of" in said


@pytest.mark.parametrize(
    ("waiting", "failed", "said"),
    [
        (1, 0, "1 event waits; each is sent in its turn"),
        (2, 1, "1 event in Error is kept until a person has acted."),
        (20_000, 0, "more than 10,000 events wait"),
    ],
)
def test_what_waits_is_said_to_be_safe(waiting: int, failed: int, said: str) -> None:
    assert said in safe(waiting, failed) and safe(waiting, failed).startswith("Nothing is lost:")


def test_whose_turn_it_is_is_said_in_order_of_gravity(
    admin_client: Client, connection: Connection, till: Connection, office: Office
) -> None:
    office.record(unreadable(new_id(), readable=True))
    assert "A person: 1 event in Error" in page(admin_client, connection)
    Connection.objects.filter(pk=till.pk).update(state="action_required", problem="The token was revoked.")
    assert "<dd>Heartland Retail: The token was revoked.</dd>" in page(admin_client, connection)
    Heartbeat.objects.create(name="worker", at=database_now() - timedelta(hours=1))
    assert "Daybook itself: no worker has given a sign of life since" in page(admin_client, connection)
    Connection.objects.filter(pk=connection.pk).update(state="action_required", problem="The permission was withdrawn.")
    said = page(admin_client, connection)
    assert "A person: QuickBooks Online must be connected again. The permission was withdrawn." in said


def test_what_waits_for_a_lost_answer_says_whose_it_is(
    admin_client: Client, connection: Connection, till: Connection, office: Office
) -> None:
    tried(office)
    said = page(admin_client, connection)
    assert "<dd>an answer of QuickBooks Online was lost" in said
    assert "1 event waiting; nothing moves at this moment." in said
    assert "Nothing is lost: 1 event waits" in said


def test_how_long_the_connection_lasts_is_told_in_the_time_of_the_book(
    admin_client: Client, connection: Connection, till: Connection
) -> None:
    end = database_now() + timedelta(days=100)
    connection.credentials = {tokens.REFRESH_ENDS: end.isoformat()}
    connection.save()
    assert plain(end, zone_of_book(Book.objects.get())) in page(admin_client, connection)


def test_the_limits_say_what_is_taken_of_them(connection: Connection, started: Book) -> None:
    limiter = vendors.limiter(connection)
    for _ in range(3):
        limiter.wait("request", "batch")
    said = limits(connection, zone_of_book(started))
    assert "3 of 10 requests a second, 3 of 500 requests a minute, 3 of 40 batches a minute" in said
    assert "3 of 5 calls under way." in said
    limiter.pause(60)
    assert "QuickBooks Online asked for a pause until" in limits(connection, zone_of_book(started))


def test_the_limits_say_that_nobody_calls_while_the_circuit_rests(connection: Connection, started: Book) -> None:
    now = database_now()
    Circuit.objects.create(connection=connection, failures=5, opened_at=now, rests_until=now + timedelta(minutes=1))
    said = limits(connection, zone_of_book(started))
    assert "0 of 40 batches a minute" in said and "QuickBooks Online does not answer; nobody calls until" in said


def test_answers_lost_in_a_row_are_one_interruption(connection: Connection, office: Office) -> None:
    for _ in range(3):
        tried(office)
    (one,) = today(connection, office.book)
    assert (one.what, one.tries, one.lasted) == ("No answer.", 3, "less than a minute")


def test_what_lies_far_apart_is_said_once_with_how_often_it_was(
    admin_client: Client, connection: Connection, office: Office
) -> None:
    midnight = database_now().astimezone(zone_of_book(office.book)).replace(hour=0, minute=0, second=0)
    tried(office)
    tried(office)
    first, second = Attempt.objects.order_by("pk")
    for attempt, minutes in ((first, 1), (second, 30)):
        at = midnight + timedelta(minutes=minutes)
        Attempt.objects.filter(pk=attempt.pk).update(started_at=at, ended_at=at)
    (one,) = today(connection, office.book)
    assert (one.begun, one.times, one.tries) == (midnight + timedelta(minutes=30), 2, 2)
    assert "So 2 times today; this was the latest." in page(admin_client, connection)


def test_an_alert_and_the_tries_within_it_are_one_interruption(connection: Connection, office: Office) -> None:
    begun = database_now() - timedelta(seconds=5)
    tried(office)
    Alert.objects.create(
        connection=connection, cause="unreachable", sentence="No answer.", first_seen_at=begun, last_seen_at=begun
    )
    (one,) = today(connection, office.book)
    assert (one.begun, one.ended, one.tries, one.times) == (begun, None, 1, 1)


def test_how_the_token_is_renewed_is_told_truly(admin_client: Client, connection: Connection, till: Connection) -> None:
    now = database_now()
    connection.credentials = {tokens.REFRESH_ENDS: (now + timedelta(days=100)).isoformat()}
    connection.token_expires_at = now
    connection.save()
    said = page(admin_client, connection)
    assert "a few minutes before it ends, with the first call after" in said and "longer with each use" not in said
    assert "; a renewal before then extends it, as far as QuickBooks Online allows" in said


def test_an_interruption_of_yesterday_and_a_refusal_are_none_of_today(connection: Connection, office: Office) -> None:
    tried(office, minutes_ago=60 * 25)
    office.record(facts := sale(at=database_now() + timedelta(hours=1)))
    office.enter()
    claim = office.sent()
    reference = office.entry(facts).reference
    marking.refuse(claim, {reference: ForeignEntry(reference, remote_id="9", why="which Daybook did not write")})
    assert today(connection, office.book) == []


def test_what_was_not_sent_because_nobody_answered_is_an_interruption(connection: Connection, office: Office) -> None:
    office.record(sale(at=database_now() + timedelta(hours=1)))
    office.enter()
    office.answer(office.sent(), error=Unreachable("The other system does not answer."))
    assert [one.what for one in today(connection, office.book)] == ["The other system does not answer."]


def test_alerts_of_the_connection_and_its_till_are_interruptions_and_another_books_are_not(
    connection: Connection, till: Connection, started: Book
) -> None:
    now = database_now()
    moments = {"first_seen_at": now - timedelta(minutes=12), "last_seen_at": now}
    other = Book.objects.create(name="Second company")
    Alert.objects.create(connection=connection, cause="auth_expired", sentence="It ended.", closed_at=now, **moments)
    Alert.objects.create(connection=till, cause="till_silent", sentence="Not read.", **moments)
    Alert.objects.create(book=other, cause=OUTCOME_UNKNOWN, sentence="Another book.", **moments)
    Alert.objects.create(book=started, cause="unmapped:tender:9", sentence="Not mapped.", **moments)
    told = {one.what: one.lasted for one in today(connection, started)}
    assert told == {"It ended.": "12 minutes", "Not read.": "still so"}


def test_a_store_manager_reads_nothing_of_limits_and_tokens(
    login: Login, connection: Connection, till: Connection, stores: dict[str, Store]
) -> None:
    sam = login("integrations.view_connection", "ledger.view_posting", stores=(stores["Main Street"],))
    assert "Limits used now" not in page(sam, connection)


def test_a_store_manager_is_not_sent_to_the_till_for_what_cannot_be_mended_there(
    login: Login, connection: Connection, till: Connection, stores: dict[str, Store], office: Office
) -> None:
    office.record(unreadable(new_id(), flaw=Flaw.TYPE, what="its type 'Invoice' is not known.", readable=True))
    sam = login("integrations.view_connection", "ledger.view_posting", stores=(stores["Main Street"],))
    said = page(sam, connection)
    assert "1 event of your stores cannot be booked until your accountant has acted" in said
    assert "Invoice" not in said


# --- The page of the till -------------------------------------------------------------------------


def test_documents_that_cannot_be_read_are_told_on_the_page_of_their_till(
    admin_client: Client, connection: Connection, till: Connection, office: Office
) -> None:
    assert "Things are good" in page(admin_client, till)
    office.record(
        *(unreadable(number, flaw=Flaw.AMOUNT, readable=True) for number in ("7001", "7002")),
        unreadable("7003", flaw=Flaw.TYPE, what="its type is not known.", readable=True),
    )
    said = page(admin_client, till)
    assert "Things are good" not in said and "3 documents could not be read" in said
    assert "2 events, for example: Ticket T7001" in said and "Ticket T7003: its type is not known." in said
    events = reverse("integrations:events", args=[connection.pk])
    assert f"{events}?cause=unreadable%3Aamount" in said and f"{events}?cause=unreadable%3Atype" in said


def test_a_document_in_two_books_is_one_document(
    admin_client: Client, connection: Connection, till: Connection, office: Office
) -> None:
    second = Book.objects.create(name="Second company")
    second.feeds.create(source=office.source)
    Connection.objects.create(vendor="quickbooks", book=second, state="connected")
    office.record(unreadable(new_id(), flaw=Flaw.AMOUNT, readable=True))
    said = page(admin_client, till)
    assert "1 document could not be read" in said and "in Second company" in said
    assert said.count("its total is missing") == 1


def test_the_keys_of_a_connected_till_are_folded(admin_client: Client, till: Connection) -> None:
    said = page(admin_client, till)
    assert "<details>" in said and "It works until its user revokes it" in said
    Connection.objects.filter(pk=till.pk).update(state="action_required")
    assert "<details open>" in page(admin_client, till)


def test_the_last_successful_read_is_not_the_last_try(admin_client: Client, till: Connection) -> None:
    read = database_now() - timedelta(hours=3)
    Connection.objects.filter(pk=till.pk).update(answered_at=read)
    Capture.objects.update(problem="It does not answer.", history_done=False, history_since=read)
    said = page(admin_client, till)
    assert plain(read, zone_of_book(Book.objects.get()), seconds=True) in said and "UTC (" in said
    assert "so far what changed until" in said
