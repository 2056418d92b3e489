"""`manage.py where`, and the sentence of an event's page that says what it waits for."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse

from integrations.models import Capture, Connection
from ledger.clock import database_now
from ledger.models import Book, Posting, Source
from ledger.terms import SyncState
from tests.admin.test_admin_alerts import lost, text_of
from tests.office import Office
from tests.trade import sale


def where(number: str) -> str:
    out = StringIO()
    call_command("where", number, stdout=out)
    return out.getvalue()


@pytest.fixture
def due(office: Office, connection: Connection) -> Posting:
    """An event that was ordered and waits."""
    office.record(sale(external_id="777"))
    Posting.objects.update(state=SyncState.NOT_SYNCED)
    return Posting.objects.get()


def test_the_number_the_id_in_the_logs_and_small_letters_find_it(office: Office, due: Posting) -> None:
    for typed in ("T777", "HR-T777", "hr-t777", "777"):
        said = where(typed)
        assert said.startswith("HR-T777: T777, ") and "Main Street" in said, typed
        assert "Captured from" in said


def test_an_exact_number_leaves_out_those_that_only_begin_so(office: Office, due: Posting) -> None:
    office.record(sale(external_id="7771"))
    assert "T7771" not in where("T777")
    assert "T7771" in where("T7771")
    with pytest.raises(CommandError, match=r"exactly this.*HR-T777 \(T777\), HR-T7771"):
        where("T77")


def test_an_error_is_told_with_its_cause_and_story(office: Office, connection: Connection) -> None:
    office.record(lost("9"))
    office.enter()
    posting = Posting.objects.get()
    said = where(posting.number)
    assert "Error. No account is mapped for sales" in said and "USD" in said


@pytest.mark.parametrize(
    ("broken", "waits"),
    [
        ({"state": Connection.State.ACTION_REQUIRED}, "the connection to QuickBooks Online must be renewed"),
        ({"state": Connection.State.UNCONNECTED}, "QuickBooks Online is not connected"),
        ({}, "Waiting for its turn"),
    ],
)
def test_what_is_due_says_what_it_waits_for_on_both(
    admin_client: Client, due: Posting, connection: Connection, broken: dict[str, str], waits: str
) -> None:
    Book.objects.update(syncing=True, uses_financials=True)
    Connection.objects.filter(pk=connection.pk).update(**broken)
    expected = waits.removeprefix("Waiting ")
    assert expected in where("T777")
    assert expected in text_of(admin_client, reverse("admin:ledger_posting_change", args=[due.pk]))


def test_what_is_not_there_says_what_was_read_so_far(source: Source, connection: Connection) -> None:
    till = Connection.objects.create(vendor="heartland_retail", source=source, installation_id="x")
    now = database_now()
    Capture.objects.create(
        connection=till, live_since=now, history_until=now, last_run_at=now, problem="The till does not answer."
    )
    with pytest.raises(CommandError) as refused:
        where("T404")
    said = str(refused.value)
    assert "No event has this number" in said and "The till does not answer." in said and f"{now:%b %-d, %Y}" in said
