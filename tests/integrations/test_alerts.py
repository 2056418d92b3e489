"""One alert per problem, however many events it holds up; it closes by itself when its cause is gone."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import User

from integrations import alerts, remedies, wording
from integrations.models import Alert, Circuit, Connection
from integrations.seeing import alerts_seen_by
from ledger.clock import database_now
from ledger.errors import Flaw, OutcomeUnknown, Rejected
from ledger.journal import orders
from ledger.models import Attempt, Book, JournalEntry, Posting, Store
from ledger.values import EventFacts
from tests.office import Office
from tests.trade import changed, item, new_id, paid, sale, ticket, unreadable


@pytest.fixture
def connection(office: Office) -> Connection:
    return Connection.objects.create(vendor="quickbooks", book=office.book, state=Connection.State.CONNECTED)


def lost(kind: str) -> EventFacts:
    """A sale of a class that nobody mapped."""
    return ticket(item("20.00", kind=kind), paid("20.00"), at=database_now() + timedelta(hours=1))


def standing(connection: Connection) -> dict[str, int]:
    alerts.refresh(connection)
    return dict(alerts.open_alerts(connection).values_list("cause", "events"))


def test_where_nothing_is_wrong_nothing_is_told(office: Office, connection: Connection) -> None:
    office.record(sale())
    assert standing(connection) == {}


def test_many_events_of_one_cause_are_one_alert(office: Office, connection: Connection) -> None:
    office.record(*[lost("9") for _ in range(3)], lost("8"))
    office.enter()
    assert standing(connection) == {"unmapped:sales:9": 3, "unmapped:sales:8": 1}


def test_an_alert_says_what_to_do(office: Office, connection: Connection) -> None:
    office.record(lost("9"))
    office.enter()
    alerts.refresh(connection)
    assert "Choose an account under Settings" in Alert.objects.get().sentence


def test_documents_of_different_flaws_are_different_alerts(office: Office, connection: Connection) -> None:
    office.record(*(unreadable(new_id(), flaw=flaw) for flaw in (Flaw.TYPE, Flaw.AMOUNT, Flaw.AMOUNT)))
    assert standing(connection) == {"unreadable:type": 1, "unreadable:amount": 2}
    said = dict(Alert.objects.values_list("cause", "sentence"))
    assert said["unreadable:amount"].startswith("2 events, for example: Ticket T")
    assert "for example" not in said["unreadable:type"]


def test_a_document_that_gets_another_flaw_moves_to_the_other_alert(office: Office, connection: Connection) -> None:
    broken = new_id()
    office.record(unreadable(broken))
    assert standing(connection) == {"unreadable": 1}
    office.record(unreadable(broken, flaw=Flaw.TYPE))
    assert standing(connection) == {"unreadable:type": 1}
    assert Alert.objects.get(cause="unreadable").closed_at is not None


def test_a_store_manager_reads_one_document_as_an_example_of_several(
    office: Office, connection: Connection, stores: dict[str, Store]
) -> None:
    sam = User.objects.create_user("sam")
    stores["Main Street"].managers.add(sam)
    office.record(unreadable("7001", flaw=Flaw.AMOUNT, readable=True))
    standing(connection)
    assert wording.title(alerts_seen_by(sam).get(), person=sam) == "Ticket T7001: its total is missing."
    office.record(unreadable("7002", flaw=Flaw.AMOUNT, readable=True))
    standing(connection)
    said = wording.title(alerts_seen_by(sam).get(), person=sam)
    assert said == "2 events, for example: Ticket T7001: its total is missing."


@pytest.mark.parametrize("flaw", Flaw)
def test_each_flaw_has_steps_of_its_own(flaw: Flaw, connection: Connection) -> None:
    steps = remedies.remedy(remedies.Where(flaw.cause, connection.book, connection)).steps
    assert steps not in (remedies.UNLISTED.steps, remedies.TABLE["unreadable"].steps)
    assert "{" not in " ".join(steps)


@pytest.mark.parametrize("flaw", [Flaw.TYPE, Flaw.LINE, Flaw.FORM])
def test_what_daybook_cannot_read_at_all_is_booked_by_hand_by_who_keeps_the_books(
    flaw: Flaw, connection: Connection
) -> None:
    place = remedies.Where(flaw.cause, connection.book, connection)
    said = " ".join(remedies.remedy(place).steps)
    assert "Book it in QuickBooks Online by hand, and set it aside" in said and "Correct" not in said
    assert remedies.remedy_of_a_store(place).steps == (
        "Your accountant books these by hand; there is nothing to do for you.",
    )
    assert not remedies.is_a_stores(flaw.cause)
    assert "at the till nothing is wrong" in remedies.words_of_a_store(flaw.cause, said="Ticket T1: its type.")


def test_told_again_it_is_the_same_alert_with_the_count_of_now(office: Office, connection: Connection) -> None:
    office.record(lost("9"))
    office.enter()
    standing(connection)
    first = Alert.objects.get()
    office.record(lost("9"))
    office.enter()
    assert standing(connection) == {"unmapped:sales:9": 2}
    assert Alert.objects.get().first_seen_at == first.first_seen_at


def test_an_alert_closes_when_its_cause_is_gone(office: Office, connection: Connection) -> None:
    office.record(lost("9"))
    office.enter()
    standing(connection)
    orders.retry(Posting.objects.all(), actor=None)
    assert standing(connection) == {}
    assert Alert.objects.get().closed_at is not None


def test_a_cause_that_comes_back_is_a_new_alert(office: Office, connection: Connection) -> None:
    office.record(lost("9"))
    for _ in range(2):
        office.enter()
        standing(connection)
        orders.retry(Posting.objects.all(), actor=None)
        standing(connection)
    assert Alert.objects.count() == 2


def test_what_the_vendor_refuses_is_told_by_its_cause(office: Office, connection: Connection) -> None:
    office.record(*[sale(at=database_now() + timedelta(hours=1)) for _ in range(2)])
    office.enter()
    office.answer(office.sent(), error=Rejected("The account is inactive.", vendor_code="610"))
    assert standing(connection) == {"rejected:610": 2}


def test_a_sale_that_changed_after_its_sync_is_a_warning(office: Office, connection: Connection) -> None:
    office.record(facts := sale(at=database_now() + timedelta(hours=1)))
    office.post()
    office.record(changed(facts, item("25.00"), paid("25.00")))
    assert standing(connection) == {"changed_since": 1}
    assert Alert.objects.get().severity == Alert.Severity.WARNING


def test_a_dead_connection_is_one_alert_not_one_per_event(office: Office, connection: Connection) -> None:
    office.record(*[sale(at=database_now() + timedelta(hours=1)) for _ in range(5)])
    office.enter()
    Connection.objects.update(state=Connection.State.ACTION_REQUIRED, problem="Connect again.")
    assert standing(connection) == {"auth_expired": 0}
    assert Alert.objects.get().sentence == "Connect again."


def test_an_outcome_that_stays_unknown_is_told_after_a_quarter_of_an_hour(
    office: Office, connection: Connection
) -> None:
    office.record(sale(at=database_now() + timedelta(hours=1)))
    office.enter()
    office.answer(office.sent(), error=OutcomeUnknown("No answer."))
    assert standing(connection) == {}
    JournalEntry.objects.update(created_at=database_now() - timedelta(minutes=20))
    Attempt.objects.update(started_at=database_now() - timedelta(minutes=16))
    assert standing(connection) == {"outcome_unknown": 1}


def test_another_books_problems_are_not_told_here(office: Office, connection: Connection) -> None:
    office.record(lost("9"))
    office.enter()
    standing(connection)
    other = Connection.objects.create(vendor="quickbooks", book=Book.objects.create(name="Second company"))
    assert standing(other) == {}


def test_a_vendor_that_does_not_answer_is_one_warning_and_an_error_when_it_lasts(
    office: Office, connection: Connection
) -> None:
    office.record(*[sale(at=database_now() + timedelta(hours=1)) for _ in range(5)])
    office.enter()
    now = database_now()
    Circuit.objects.create(connection=connection, failures=5, rests=1, opened_at=now, rests_until=now)
    assert standing(connection) == {"unreachable": 0}
    assert Alert.objects.get().severity == Alert.Severity.WARNING
    Circuit.objects.update(opened_at=now - timedelta(minutes=31))
    assert standing(connection) == {"unreachable": 0}
    assert Alert.objects.get().severity == Alert.Severity.ERROR
    Circuit.objects.update(failures=0, rests=0, opened_at=None, rests_until=None)
    assert standing(connection) == {}
