"""One deed on many events: its preview, what it does and leaves, who may do it, and its one record in the audit."""

import re
from datetime import date
from importlib import import_module
from typing import Any

import pytest
from django.apps import apps
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse

from integrations import bulk, pipeline, tasks
from integrations.admin_views import bulk as views
from integrations.bulk_deeds import DEEDS
from integrations.models import BulkDeed, BulkItem, Connection, Lease
from ledger.journal import delivery
from ledger.models import AuditRecord, Posting, Store, SyncOrder
from ledger.terms import Outcome, SyncState
from ledger.values import EventFacts
from tests.admin.conftest import Login
from tests.admin.test_admin_posting import ordered, typed_by_hand
from tests.office import Office
from tests.sandbox_fixture import Sandbox
from tests.trade import item, new_id, paid, sale, ticket, unreadable

SEE, RETRY, ASIDE = "ledger.view_posting", "ledger.retry_posting", "ledger.set_aside_posting"


@pytest.fixture
def failed(office: Office) -> list[EventFacts]:
    """Three events in Error for want of an account: two tenders, two stores."""
    facts = [
        ticket(item("20.00"), paid("20.00", by="99"), external_id="1", day=date(2010, 12, 1)),
        ticket(item("30.00"), paid("30.00", by="99"), external_id="2", store="100002", day=date(2010, 12, 2)),
        ticket(item("50.00"), paid("50.00", by="98"), external_id="3", day=date(2010, 12, 3)),
    ]
    office.record(*facts)
    Posting.objects.update(state=SyncState.NOT_SYNCED)
    office.enter()
    assert set(office.states(facts)) == {SyncState.ERROR}
    return facts


def many(connection: Connection) -> str:
    return reverse("integrations:many", args=[connection.pk])


def preview(client: Client, connection: Connection, **chosen: Any) -> str:
    answer = client.get(many(connection), chosen, follow=True)
    assert answer.status_code == 200
    return answer.content.decode()


def press(client: Client, connection: Connection, *, reason: str = "", **chosen: Any) -> str:
    """Open the preview and press its button; what the person sees then."""
    shown = preview(client, connection, **chosen)
    seen = re.search(r'name="seen" value="(\w+)"', shown)
    address = f"{many(connection)}?{_query(chosen)}"
    answer = client.post(address, {"seen": seen[1] if seen else "", "reason": reason}, follow=True)
    assert answer.status_code == 200
    return answer.content.decode()


def _query(chosen: dict[str, Any]) -> str:
    pairs = [(name, one) for name, many_ in chosen.items() for one in (many_ if isinstance(many_, list) else [many_])]
    return "&".join(f"{name}={value}" for name, value in pairs)


def numbers(state: SyncState) -> set[str]:
    return set(Posting.objects.filter(state=state).values_list("number", flat=True))


# --- The preview ----------------------------------------------------------------------------------


def test_the_preview_says_what_it_would_touch_and_changes_nothing(
    admin_client: Client, office: Office, connection: Connection, failed: list[EventFacts]
) -> None:
    office.record(sale("7.00", external_id="4"))
    shown = preview(admin_client, connection, deed="retry", all="1")
    for part in ("Retry: 3 events, 100.00 USD", "Main Street", "70.00 USD", "Los Angeles", "30.00 USD", "50.00 USD"):
        assert part in shown, part
    assert "Never Synced: nobody has asked for them" in shown
    assert set(office.states(failed)) == {SyncState.ERROR} and not BulkDeed.objects.exists()


def test_a_cause_on_the_preview_leads_to_its_events(
    admin_client: Client, connection: Connection, failed: list[EventFacts]
) -> None:
    shown = preview(admin_client, connection, deed="retry", all="1", state="error")
    assert "cause=unmapped%3Atender%3A99" in shown


def test_the_preview_of_a_retry_says_what_must_be_mended_first(
    admin_client: Client, connection: Connection, failed: list[EventFacts]
) -> None:
    shown = preview(admin_client, connection, deed="retry", all="1", state="error")
    assert "What to mend first" in shown and "Choose the account, and press Save." in shown
    assert "What to mend first" not in preview(admin_client, connection, deed="set_aside", all="1", state="error")


def test_one_sentence_of_a_cause_whose_events_say_different_things_is_an_example(
    admin_client: Client, connection: Connection, failed: list[EventFacts]
) -> None:
    Posting.objects.update(cause="rejected", error="It is closed.")
    assert "for example" not in preview(admin_client, connection, deed="retry", all="1")
    Posting.objects.filter(number="T3").update(error="Zero is no amount.")
    assert "for example: It is closed" in preview(admin_client, connection, deed="retry", all="1")


def test_the_smaller_causes_of_a_preview_are_one_line_that_says_how_many_events(
    admin_client: Client, connection: Connection, failed: list[EventFacts], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(views, "SHOWN", 1)
    Posting.objects.filter(number="T3").update(cause="rejected")
    Posting.objects.filter(number="T1").update(cause="internal")
    shown = preview(admin_client, connection, deed="retry", all="1")
    assert re.search(r"2 more causes.*?>2</td>", shown) and re.search(r"1 more store<.*?>1</td>", shown)


def test_without_a_choice_one_is_sent_back_to_choose(
    admin_client: Client, connection: Connection, failed: list[EventFacts]
) -> None:
    assert "Choose at least one event" in preview(admin_client, connection, deed="retry", state="error")


@pytest.mark.parametrize("broken", [{"first": "soon"}, {"state": "nope"}, {"store": "9999"}, {"least": "much"}])
def test_a_filter_that_cannot_be_read_chooses_nothing(
    admin_client: Client, connection: Connection, failed: list[EventFacts], broken: dict[str, str]
) -> None:
    assert "Choose at least one event" in preview(admin_client, connection, deed="retry", all="1", **broken)


def test_an_unknown_deed_is_not_found(admin_client: Client, office: Office, connection: Connection) -> None:
    assert admin_client.get(many(connection), {"deed": "delete", "all": "1"}).status_code == 404


def test_the_button_retry_failed_leads_to_the_preview(
    admin_client: Client, connection: Connection, failed: list[EventFacts]
) -> None:
    for address in (
        reverse("integrations:events", args=[connection.pk]),
        reverse("integrations:vendor", args=[connection.vendor]),
    ):
        shown = admin_client.get(address).content.decode()
        form = re.search(rf'<form method="get" action="{many(connection)}">(.*?)</form>', shown, re.DOTALL)
        assert form and "Retry Failed" in form[1] and 'name="state" value="error"' in form[1]


# --- The deeds ------------------------------------------------------------------------------------


def test_all_that_match_are_retried_and_the_audit_says_it_once(
    login: Login, office: Office, connection: Connection, failed: list[EventFacts]
) -> None:
    said = press(login(SEE, RETRY), connection, deed="retry", all="1", last="2010-12-02")
    assert "Queued again: 2 events." in said
    assert numbers(SyncState.NOT_SYNCED) == {"T1", "T2"} and numbers(SyncState.ERROR) == {"T3"}
    record = AuditRecord.objects.get(deed="retried failed events")
    assert record.after["events"] == 2 and record.after["amount"] == "50.00"
    assert record.after["filter"] == {"To": "Dec 2, 2010"} and record.actor_name == "sam"


def test_rows_chosen_by_hand_are_set_aside_with_the_reason(
    login: Login, office: Office, connection: Connection, failed: list[EventFacts]
) -> None:
    chosen = [office.posting(one).pk for one in failed[:2]]
    said = press(login(SEE, ASIDE), connection, deed="set_aside", chosen=chosen, reason="Training till")
    assert "Set aside: 2 events." in said
    assert set(Posting.objects.exclude(set_aside_reason="").values_list("number", "set_aside_reason")) == {
        ("T1", "Training till"),
        ("T2", "Training till"),
    }
    assert AuditRecord.objects.get(deed="set aside events").after["reason"] == "Training till"


def test_a_card_number_in_the_reason_or_the_filter_is_kept_nowhere(
    office: Office, connection: Connection, failed: list[EventFacts]
) -> None:
    card = "4111 1111 1111 1111"
    rows = Posting.objects.filter(state=SyncState.ERROR)
    row = bulk.order(
        office.book, DEEDS["set_aside"], rows, actor=None, narrowed={"Number": card}, reason=f"read {card}"
    )
    bulk.run(row, go_on=lambda: True)
    row.refresh_from_db()
    reasons = set(Posting.objects.exclude(set_aside_reason="").values_list("set_aside_reason", flat=True))
    assert reasons == {"read [masked]"} and row.filter == {"Number": "[masked]"}
    assert "4111" not in str(AuditRecord.objects.values_list("after"))


def test_setting_many_aside_needs_a_reason(
    login: Login, office: Office, connection: Connection, failed: list[EventFacts]
) -> None:
    said = press(login(SEE, ASIDE), connection, deed="set_aside", all="1", reason="  ")
    assert "Say why these events are set aside" in said
    assert set(office.states(failed)) == {SyncState.ERROR} and not AuditRecord.objects.filter(actor_name="sam").exists()


def test_what_was_set_aside_is_taken_back(
    login: Login, office: Office, connection: Connection, failed: list[EventFacts]
) -> None:
    client = login(SEE, ASIDE)
    press(client, connection, deed="set_aside", all="1", state="error", reason="Training")
    assert "Taken back: 3 events." in press(client, connection, deed="take_back", all="1", state="set_aside")
    assert not Posting.objects.exclude(set_aside_reason="").exists()


def test_before_events_are_taken_back_it_is_said_why_they_were_set_aside_and_what_becomes_of_them(
    login: Login, office: Office, connection: Connection, failed: list[EventFacts]
) -> None:
    client = login(SEE, ASIDE)
    Posting.objects.update(order=SyncOrder.objects.create(book=office.book, kind=SyncOrder.Kind.PAST))
    for number, reason in (("1", "Training"), ("2", "Test of the till"), ("3", "Training")):
        chosen = Posting.objects.get(number=f"T{number}")
        press(client, connection, deed="set_aside", chosen=str(chosen.pk), reason=reason)
    shown = preview(client, connection, deed="take_back", all="1", state="set_aside")
    assert "By reason" in shown and "Training</td>" in shown and "Test of the till</td>" in shown
    assert "in Error again if its cause stands" in shown and "Not in Error" not in shown
    press(client, connection, deed="take_back", all="1", state="set_aside")
    office.enter()
    assert set(office.states(failed)) == {SyncState.ERROR}


def test_an_event_is_not_left_without_a_reason(
    login: Login, office: Office, connection: Connection, failed: list[EventFacts]
) -> None:
    rows = Posting.objects.filter(book=office.book)
    deed = bulk.order(office.book, DEEDS["retry"], rows, actor=None, narrowed={})
    assert set(deed.items.values_list("reason", "cause")) == {("", cause) for (cause,) in rows.values_list("cause")}
    with pytest.raises(IntegrityError), transaction.atomic():
        deed.items.update(outcome=BulkItem.Outcome.LEFT)


def test_causes_that_stood_among_the_reasons_move_and_come_back(
    office: Office, connection: Connection, failed: list[EventFacts]
) -> None:
    deed = bulk.order(office.book, DEEDS["retry"], Posting.objects.all(), actor=None, narrowed={})
    deed.items.update(reason="unmapped", cause=None)
    deed.items.filter(posting__number="T1").update(outcome=BulkItem.Outcome.LEFT, reason="It is Synced.")
    migration = import_module("integrations.migrations.0004_cause_of_a_chosen_event")
    migration.take_out(apps, None)
    assert set(deed.items.values_list("reason", "cause")) == {("It is Synced.", None), ("", "unmapped")}
    migration.put_back(apps, None)
    assert set(deed.items.values_list("reason", flat=True)) == {"It is Synced.", "unmapped"}


def test_when_something_else_matches_meanwhile_nothing_is_done(
    login: Login, office: Office, connection: Connection, failed: list[EventFacts]
) -> None:
    client = login(SEE, RETRY)
    shown = preview(client, connection, deed="retry", all="1")
    seen = re.search(r'name="seen" value="(\w+)"', shown)
    assert seen
    Posting.objects.filter(number="T3").update(state=SyncState.NEVER_SYNCED, error="", cause="")
    answer = client.post(f"{many(connection)}?deed=retry&all=1", {"seen": seen[1]})
    assert "has changed since this page was shown" in answer.content.decode()
    assert numbers(SyncState.ERROR) == {"T1", "T2"}


def test_other_events_of_the_same_number_and_money_are_not_those_of_the_preview(
    login: Login, office: Office, connection: Connection, failed: list[EventFacts]
) -> None:
    client = login(SEE, RETRY)
    shown = preview(client, connection, deed="retry", all="1")
    seen = re.search(r'name="seen" value="(\w+)"', shown)
    assert seen
    gone = Posting.objects.get(number="T3")
    office.record(twin := sale(str(gone.amount)))
    Posting.objects.filter(number=twin.header.number).update(state=SyncState.ERROR, error="No.", cause="No.")
    Posting.objects.filter(pk=gone.pk).update(state=SyncState.NEVER_SYNCED, error="", cause="")
    answer = client.post(f"{many(connection)}?deed=retry&all=1", {"seen": seen[1]})
    assert "has changed since this page was shown" in answer.content.decode()
    assert not BulkDeed.objects.exists() and twin.header.number in numbers(SyncState.ERROR)


def test_what_cannot_be_touched_any_more_is_left_and_named(
    admin_client: Client, office: Office, connection: Connection, failed: list[EventFacts], monkeypatch: Any
) -> None:
    book, rows = office.book, Posting.objects.filter(book=office.book)
    row = bulk.order(book, DEEDS["retry"], rows, actor=None, narrowed={})
    Posting.objects.filter(number="T3").update(state=SyncState.NEVER_SYNCED, error="", cause="")
    tasks.deed(row.pk)
    shown = admin_client.get(reverse("integrations:deed", args=[row.pk])).content.decode()
    assert "2 events queued again." in shown and "1 left as it was" in shown
    assert "T3" in shown and "It did not fail" in shown


def test_a_retry_reads_unreadable_documents_again(
    login: Login, office: Office, connection: Connection, woken: list[Any], django_capture_on_commit_callbacks: Any
) -> None:
    till = Connection.objects.create(vendor="heartland_retail", source=office.source)
    office.record(unreadable("8", readable=True))
    with django_capture_on_commit_callbacks(execute=True):
        press(login(SEE, RETRY), connection, deed="retry", all="1")
    assert ("integrations.tasks.reread", till.pk, [Posting.objects.get().event_id]) in woken


# --- Many of them ---------------------------------------------------------------------------------


def test_a_large_deed_is_a_workers_and_its_page_shows_how_far_it_is(
    login: Login,
    office: Office,
    connection: Connection,
    failed: list[EventFacts],
    woken: list[Any],
    django_capture_on_commit_callbacks: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(bulk, "AT_ONCE", 2)
    client = login(SEE, RETRY)
    with django_capture_on_commit_callbacks(execute=True):
        said = press(client, connection, deed="retry", all="1")
    row = BulkDeed.objects.get()
    assert "Ordered for 3 events" in said and "0 of 3 events done" in said
    assert ("integrations.tasks.deed", row.pk) in woken and numbers(SyncState.ERROR) == {"T1", "T2", "T3"}
    tasks.deed(row.pk)
    assert numbers(SyncState.NOT_SYNCED) == {"T1", "T2", "T3"}
    assert "3 events queued again." in client.get(reverse("integrations:deed", args=[row.pk])).content.decode()


def test_what_matches_later_is_not_touched(office: Office, connection: Connection, failed: list[EventFacts]) -> None:
    rows = Posting.objects.filter(book=office.book, state=SyncState.ERROR)
    row = bulk.order(office.book, DEEDS["retry"], rows, actor=None, narrowed={})
    office.record(unreadable("9", readable=True))
    tasks.deed(row.pk)
    assert numbers(SyncState.ERROR) == {"T9"}


def test_a_deed_whose_worker_died_goes_on_where_it_stopped(
    office: Office,
    connection: Connection,
    failed: list[EventFacts],
    woken: list[Any],
    django_capture_on_commit_callbacks: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(bulk, "BLOCK", 1)
    row = bulk.order(office.book, DEEDS["retry"], Posting.objects.all(), actor=None, narrowed={})
    looks = iter([True, False])
    bulk.run(row, go_on=lambda: next(looks))
    assert bulk.progress(row) == {"waiting": 2, "done": 1, "left": 0}
    with django_capture_on_commit_callbacks(execute=True):
        tasks.sweep()
    assert ("integrations.tasks.deed", row.pk) in woken
    tasks.deed(row.pk)
    tasks.deed(row.pk)
    row.refresh_from_db()
    assert row.ended_at is not None and bulk.progress(row) == {"waiting": 0, "done": 3, "left": 0}
    assert AuditRecord.objects.filter(deed="retried failed events").count() == 1


@pytest.mark.parametrize("kind", ["retry", "set_aside"])
def test_a_worker_that_was_overtaken_does_not_do_a_block_again(
    office: Office, connection: Connection, failed: list[EventFacts], kind: str
) -> None:
    row = bulk.order(office.book, DEEDS[kind], Posting.objects.all(), actor=None, narrowed={}, reason="Training")
    read = [item.posting_id for item in row.items.all()]
    bulk.run(row, go_on=lambda: True)
    Posting.objects.update(state=SyncState.ERROR, error="No.", cause="no", set_aside_reason="")  # and they failed anew
    bulk._do(row, read, bulk.Done())
    assert bulk.progress(row) == {"waiting": 0, "done": 3, "left": 0}
    assert numbers(SyncState.ERROR) == {"T1", "T2", "T3"}


def test_what_was_called_back_is_not_done_by_a_worker_that_had_read_it(
    office: Office, connection: Connection, failed: list[EventFacts]
) -> None:
    row = bulk.order(office.book, DEEDS["retry"], Posting.objects.all(), actor=None, narrowed={})
    read = [item.posting_id for item in row.items.all()]
    bulk.call_back(row, actor=None)
    bulk._do(row, read, bulk.Done())
    assert numbers(SyncState.ERROR) == {"T1", "T2", "T3"} and bulk.progress(row)["left"] == 3


def test_a_deed_whose_lease_is_lost_stops_after_its_block(
    office: Office,
    connection: Connection,
    failed: list[EventFacts],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(bulk, "BLOCK", 1)
    row = bulk.order(office.book, DEEDS["retry"], Posting.objects.all(), actor=None, narrowed={})
    do = bulk._do

    def overtaken(*given: Any) -> None:
        do(*given)
        Lease.objects.filter(name=f"deed:{row.pk}").update(owner="another")

    monkeypatch.setattr(bulk, "_do", overtaken)
    assert tasks.deed(row.pk) == "Its time was up."
    assert bulk.progress(row) == {"waiting": 2, "done": 1, "left": 0}


def test_a_deed_can_be_stopped_and_leaves_the_rest_as_it_is(
    login: Login, office: Office, connection: Connection, failed: list[EventFacts]
) -> None:
    row = bulk.order(office.book, DEEDS["retry"], Posting.objects.all(), actor=None, narrowed={})
    client = login(SEE, RETRY)
    said = client.post(reverse("integrations:stop_deed", args=[row.pk]), follow=True).content.decode()
    assert "Stopped: 3 events left as they were." in said
    tasks.deed(row.pk)
    assert numbers(SyncState.ERROR) == {"T1", "T2", "T3"}
    assert AuditRecord.objects.filter(deed="called back a deed on many events", actor_name="sam").exists()


def test_more_than_the_largest_deed_is_refused_before_anything_happens(
    admin_client: Client,
    office: Office,
    connection: Connection,
    failed: list[EventFacts],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(bulk, "LARGEST", 2)
    assert "At most 2 events can be changed at once" in preview(admin_client, connection, deed="retry", all="1")
    with pytest.raises(bulk.Refused):
        bulk.order(office.book, DEEDS["retry"], Posting.objects.all(), actor=None, narrowed={})
    assert not BulkDeed.objects.exists() and not BulkItem.objects.exists()


# --- Who may --------------------------------------------------------------------------------------


@pytest.mark.parametrize("deed", ["retry", "set_aside", "take_back", "adopt"])
def test_a_reader_sees_no_preview_and_no_button(
    login: Login, office: Office, connection: Connection, failed: list[EventFacts], deed: str
) -> None:
    client = login(SEE)
    assert client.get(many(connection), {"deed": deed, "all": "1"}).status_code == 403
    assert client.post(f"{many(connection)}?deed={deed}&all=1", {"seen": ""}).status_code == 403
    shown = client.get(reverse("integrations:events", args=[connection.pk])).content.decode()
    assert 'name="chosen"' not in shown and 'name="deed"' not in shown


def test_a_store_manager_touches_the_own_stores_events_only(
    login: Login, office: Office, connection: Connection, failed: list[EventFacts], stores: dict[str, Store]
) -> None:
    Posting.objects.update(error_code="unreadable", cause="unreadable:payments")
    client = login(SEE, RETRY, stores=(stores["Main Street"],))
    shown = preview(client, connection, deed="retry", all="1")
    assert "Retry: 2 events, 70.00 USD" in shown and "Los Angeles" not in shown and "30.00" not in shown
    theirs = office.posting(failed[1]).pk
    press(client, connection, deed="retry", chosen=[theirs, office.posting(failed[0]).pk])
    assert numbers(SyncState.NOT_SYNCED) == {"T1"}


def test_a_store_manager_touches_only_what_the_store_can_mend_and_reads_no_accounting(
    login: Login, office: Office, connection: Connection, failed: list[EventFacts], stores: dict[str, Store]
) -> None:
    unread = {"error_code": "unreadable", "error": "Ticket 1: its payments do not make up its total."}
    Posting.objects.filter(number="T1").update(cause="unreadable:payments", **unread)
    Posting.objects.filter(number="T2").update(cause="unreadable:type", **unread)
    client = login(SEE, RETRY, stores=tuple(stores.values()))
    shown = preview(client, connection, deed="retry", all="1")
    assert "Retry: 1 event, 20.00 USD" in shown and "Correct the payments of the ticket" in shown
    assert "Your accountant has to act first; there is nothing to do for you" in shown
    for accounting in ("mapp", "account under", "Synced", "adopt"):
        assert accounting not in shown.split("<h2", 1)[1], accounting
    press(client, connection, deed="retry", all="1")
    client.post(reverse("integrations:retry_failed", args=[connection.pk]))
    assert numbers(SyncState.NOT_SYNCED) == {"T1"}


def test_a_store_manager_does_not_see_another_persons_deed(
    login: Login, office: Office, connection: Connection, failed: list[EventFacts], stores: dict[str, Store]
) -> None:
    row = bulk.order(office.book, DEEDS["retry"], Posting.objects.all(), actor=None, narrowed={})
    client = login(SEE, RETRY, stores=(stores["Main Street"],))
    answer = client.get(reverse("integrations:deed", args=[row.pk]))
    assert answer.status_code == 404 and "it is not in one of your stores." in answer.content.decode()
    assert "BulkDeed" not in answer.content.decode()
    assert client.post(reverse("integrations:stop_deed", args=[row.pk])).status_code == 404


def test_a_reader_does_not_stop_a_deed(
    login: Login, office: Office, connection: Connection, failed: list[EventFacts]
) -> None:
    row = bulk.order(office.book, DEEDS["retry"], Posting.objects.all(), actor=None, narrowed={})
    assert login(SEE).post(reverse("integrations:stop_deed", args=[row.pk])).status_code == 403


# --- Adopt ----------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_of_many_entries_only_those_that_say_the_same_are_adopted(
    admin_client: Client, office: Office, running: Connection, sandbox: Sandbox
) -> None:
    same, other = sale("20.00", external_id=new_id()), sale("30.00", external_id=new_id())
    ordered(office, same)
    ordered(office, other)
    office.enter()
    typed_there(office, sandbox, same)
    typed_there(office, sandbox, other, twice=True)
    pipeline.post(running)
    assert office.states([same, other]) == [SyncState.ERROR, SyncState.ERROR]
    shown = preview(admin_client, running, deed="adopt", all="1", state="error")
    assert "Says the same: adopted as" in shown and "Left: It comes to" in shown
    assert "Adopt: 1 event, 20.00 USD" in shown and ">Adopt 1 event<" in shown
    press(admin_client, running, deed="adopt", all="1", state="error")
    row = BulkDeed.objects.get()
    tasks.deed(row.pk)
    assert office.states([same, other]) == [SyncState.SYNCED, SyncState.ERROR]
    assert office.posting(same).outcome == Outcome.ADOPTED
    left = admin_client.get(reverse("integrations:deed", args=[row.pk])).content.decode()
    assert office.posting(other).number in left and "It comes to" in left
    assert AuditRecord.objects.filter(deed="ordered the adoption of entries").count() == 1
    assert AuditRecord.objects.get(deed="adopted an entry").actor_name == "admin"


def typed_there(office: Office, sandbox: Sandbox, facts: EventFacts, *, twice: bool = False) -> None:
    """Somebody typed our entry in there under its number; `twice`: with every amount doubled."""
    entry = delivery.outgoing([office.entry(facts)])[office.entry(facts).reference]
    factor = 2 if twice else 1
    lines = [(line.side.value.capitalize(), line.account, str(line.amount * factor)) for line in entry.lines]
    sandbox.control("quickbooks/entries", typed_by_hand(entry.reference, lines, day=entry.posting_date))


@pytest.mark.django_db(transaction=True)
def test_no_button_to_adopt_is_offered_where_no_entry_says_the_same(
    admin_client: Client, office: Office, running: Connection, sandbox: Sandbox
) -> None:
    other = sale("30.00", external_id=new_id())
    ordered(office, other)
    office.enter()
    typed_there(office, sandbox, other, twice=True)
    pipeline.post(running)
    shown = preview(admin_client, running, deed="adopt", all="1", state="error")
    assert "Adopt: nothing" in shown and "There is nothing to press" in shown and "Left: It comes to" in shown
    assert "4 accounts have other amounts in it." in shown
    assert 'name="seen"' not in shown and ">Adopt 0" not in shown and ">Adopt 1" not in shown


@pytest.mark.django_db(transaction=True)
def test_when_the_books_do_not_answer_an_adoption_waits_and_says_so(
    admin_client: Client, office: Office, running: Connection, sandbox: Sandbox
) -> None:
    facts = sale("20.00", external_id=new_id())
    ordered(office, facts)
    office.enter()
    typed_there(office, sandbox, facts)
    pipeline.post(running)
    rows = Posting.objects.filter(book=office.book)
    row = bulk.order(office.book, DEEDS["adopt"], rows, actor=None, narrowed={})
    Connection.objects.filter(pk=running.pk).update(base_url="http://127.0.0.1:9")
    tasks.deed(row.pk)
    row.refresh_from_db()
    assert row.ended_at is None and row.problem
    Connection.objects.filter(pk=running.pk).update(base_url="")
    tasks.deed(row.pk)
    assert office.posting(facts).outcome == Outcome.ADOPTED
