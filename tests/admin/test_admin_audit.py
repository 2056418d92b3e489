"""The audit: who did what, found, read and taken away; what is in it cannot be changed unseen."""

import ast
import csv
import io
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connection as database
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from openpyxl import load_workbook

from integrations import bulk
from integrations.bulk_deeds import DEEDS as BULK_DEEDS
from integrations.models import BulkDeed, Connection, Subscription
from ledger import deeds, guards
from ledger.admin import audit_search
from ledger.audit import fingerprint, note
from ledger.journal import orders
from ledger.journal.states import trace
from ledger.models import AuditRecord, Book, Posting, Store
from ledger.moments import zone_of_house
from ledger.terms import SyncState
from tests.admin.conftest import Login
from tests.office import Office
from tests.screens.clock import standing_clock
from tests.test_house import calls, modules
from tests.trade import item, new_id, paid, sale, ticket

LIST = "/admin/ledger/auditrecord/"


def page_of(record: AuditRecord) -> str:
    return reverse("admin:ledger_auditrecord_change", args=[record.pk])


def shown(client: Client, address: str) -> str:
    answer = client.get(address)
    assert answer.status_code == 200
    return answer.content.decode()


def text_of(html: str) -> str:
    """What a reader sees, without the markup."""
    return " ".join(re.sub(r"<[^>]+>", " ", html).split())


def listed(client: Client, **query: str) -> list[str]:
    """The deeds that the list shows with a filter."""
    answer = client.get(LIST, query)
    assert answer.status_code == 200
    return [record.deed for record in answer.context["cl"].result_list]


@pytest.fixture
def aside(office: Office, connection: Connection, admin_user: User) -> Posting:
    """An event that somebody set aside."""
    facts = sale("20.00", external_id=new_id())
    office.record(facts)
    orders.set_aside(office.posting(facts), "Booked by hand", actor=admin_user)
    return office.posting(facts)


# --- One deed -------------------------------------------------------------------------------------


def test_a_deed_is_read_as_a_sentence_with_before_and_after(admin_client: Client, book: Book, admin_user: User) -> None:
    before = {"uses_financials": False, "rows": [{"role": "tender", "account": "Cash"}], "kept": "as it was"}
    after = {"uses_financials": True, "rows": [{"role": "tender", "account": "Checking"}], "kept": "as it was"}
    note(admin_user, "changed the settings of", book, before=before, after=after)
    html = shown(admin_client, page_of(AuditRecord.objects.get()))
    seen = text_of(html)
    assert "admin changed the settings of Main Street Trading" in seen
    assert "Uses financials changed no yes" in seen
    assert "Rows 1 changed role tender, account Cash role tender, account Checking" in seen
    assert "Kept as it was as it was" in seen and "Kept changed" not in seen
    assert html.count('class="db-changed"') == 2


def test_what_is_told_on_one_side_only_is_no_change(admin_client: Client, aside: Posting) -> None:
    record = AuditRecord.objects.get(deed="set aside an event")
    html = shown(admin_client, page_of(record))
    assert "State Never Synced -" in text_of(html) and "Reason - Booked by hand" in text_of(html)
    assert "db-changed" not in html


def test_a_deed_leads_to_what_it_was_done_to_and_to_the_other_deeds_on_it(
    admin_client: Client, aside: Posting, admin_user: User
) -> None:
    orders.take_back(aside, actor=admin_user)
    record = AuditRecord.objects.get(deed="set aside an event")
    html = shown(admin_client, page_of(record))
    assert reverse("admin:ledger_posting_change", args=[aside.pk]) in html
    other = AuditRecord.objects.get(deed="took back an event that was set aside")
    assert page_of(other) in html
    (all_of_them,) = re.findall(r'href="([^"]+subject_kind=[^"]+)"', html)
    answer = admin_client.get(all_of_them.replace("&amp;", "&"))
    assert [one.pk for one in answer.context["cl"].result_list] == [other.pk, record.pk]


def test_deeds_on_books_and_connections_lead_to_their_pages(
    admin_client: Client, started: Book, connection: Connection, admin_user: User
) -> None:
    note(admin_user, "connected", connection)
    assert f"?connection={connection.pk}" in shown(admin_client, page_of(AuditRecord.objects.get(deed="connected")))
    start = AuditRecord.objects.get(deed="started the sync")
    assert f"?connection={connection.pk}" in shown(admin_client, page_of(start))
    mapped = AuditRecord.objects.get(deed="applied a mapping template to")
    assert reverse("mappings:configuration", args=[started.pk]) in shown(admin_client, page_of(mapped))


def test_a_reader_is_not_led_where_the_reader_may_not_go(login: Login, aside: Posting) -> None:
    client = login("ledger.view_auditrecord")
    html = shown(client, page_of(AuditRecord.objects.get(deed="set aside an event")))
    assert reverse("admin:ledger_posting_change", args=[aside.pk]) not in html


def test_the_values_as_they_are_kept_are_shown_on_demand(admin_client: Client, aside: Posting) -> None:
    html = shown(admin_client, page_of(AuditRecord.objects.get(deed="set aside an event")))
    assert "&quot;state&quot;: &quot;never_synced&quot;" in html and "<details><summary>As it is kept" in html


def test_what_a_person_pressed_says_from_where_and_by_which_way(
    login: Login, office: Office, connection: Connection
) -> None:
    facts = sale("20.00", external_id=new_id())
    office.record(facts)
    client = login("ledger.view_posting", "ledger.set_aside_posting")
    address = reverse("integrations:set_aside", args=[office.posting(facts).pk])
    client.post(address, {"reason": "because"}, REMOTE_ADDR="203.0.113.7")
    record = AuditRecord.objects.get(deed="set aside an event")
    assert (record.way, record.address) == ("screen", "203.0.113.7")


def test_what_was_done_outside_of_a_request_says_so(aside: Posting) -> None:
    record = AuditRecord.objects.get(deed="set aside an event")
    assert (record.way, record.address) == ("own", None)


# --- Searching ------------------------------------------------------------------------------------


@pytest.fixture
def deeds_of_two(started: Book, connection: Connection, admin_user: User) -> User:
    """Deeds of Daybook itself, of the administrator and of another person."""
    ines = User.objects.create_user("ines", is_staff=True)
    orders.stop_sync(started, actor=ines)
    note(admin_user, "connected", connection)
    return ines


def test_the_audit_is_searched_by_person_kind_and_deed(admin_client: Client, deeds_of_two: User) -> None:
    assert listed(admin_client, person=str(deeds_of_two.pk)) == ["stopped the sync"]
    assert listed(admin_client, person="-") == ["started the sync", "applied a mapping template to"]
    assert listed(admin_client, kind="Connections and tills") == ["connected"]
    assert listed(admin_client, deed="started the sync") == ["started the sync"]
    assert listed(admin_client, kind=deeds.OTHER) == []


def test_the_audit_is_searched_by_words_of_its_object(admin_client: Client, aside: Posting) -> None:
    assert listed(admin_client, q=aside.number) == ["set aside an event"]
    assert listed(admin_client, q=aside.number[-3:]) == ["set aside an event"]
    assert "set aside an event" not in listed(admin_client, q="another")


@pytest.mark.parametrize("typed", ["maria", "Zelle", "checking", '"payment account"', "Café", "mapping zelle MARIA"])
def test_the_audit_is_searched_by_person_deed_and_values(admin_client: Client, book: Book, typed: str) -> None:
    maria = User.objects.create_user("maria", is_staff=True)
    note(None, "connected", book)
    mapped = {"Payment account: Zelle": "1010 Checking", "Sales: Café": "4000 Sales"}
    note(maria, "changed the mapping", book, before={"Payment account: Zelle": ""}, after=mapped)
    assert listed(admin_client, q=typed) == ["changed the mapping"]
    assert listed(admin_client, q=f"{typed} nowhere") == []


@pytest.mark.parametrize("typed", ["by hand", "set aside", '"Booked by hand"', "REASON"])
def test_the_audit_is_searched_by_reason_and_words_of_the_deed(
    admin_client: Client, aside: Posting, typed: str
) -> None:
    assert listed(admin_client, q=typed) == ["set aside an event"]


@pytest.fixture
def many_aside(office: Office, connection: Connection, admin_user: User) -> list[Posting]:
    """Twelve events that somebody set aside in one deed; a thirteenth that nobody touched."""
    facts = [sale("20.00", external_id=new_id()) for _ in range(13)]
    office.record(*facts)
    chosen = list(Posting.objects.order_by("pk")[:12])
    rows = Posting.objects.filter(pk__in=[posting.pk for posting in chosen])
    bulk.order(office.book, BULK_DEEDS["set_aside"], rows, actor=admin_user, narrowed={}, reason="Test sales")
    return chosen


def test_a_deed_on_many_is_found_by_the_number_of_each_of_its_events(
    admin_client: Client, many_aside: list[Posting]
) -> None:
    assert listed(admin_client, q=many_aside[11].number) == ["set aside events"]
    assert listed(admin_client, q=many_aside[11].number.lower()) == ["set aside events"]
    assert listed(admin_client, q=Posting.objects.latest("pk").number) == []


def test_a_deed_is_found_by_the_id_of_its_event_in_the_log(admin_client: Client, many_aside: list[Posting]) -> None:
    assert listed(admin_client, q=trace(many_aside[11])) == ["set aside events"]
    assert listed(admin_client, q=trace(Posting.objects.latest("pk"))) == []


def test_a_deed_is_found_by_the_number_of_the_entry(
    admin_client: Client, started: Book, office: Office, connection: Connection, admin_user: User
) -> None:
    facts = sale("20.00", external_id=new_id())
    office.record(facts)
    day = facts.header.business_date
    assert day is not None
    orders.order_past(started, day, day, actor=admin_user)
    office.post()
    assert listed(admin_client, q=office.entry(facts).reference) == ["ordered past events"]


def test_the_record_of_a_deed_on_many_names_its_first_events_and_leads_to_the_rest(
    login: Login, admin_client: Client, many_aside: list[Posting]
) -> None:
    record = AuditRecord.objects.get(deed="set aside events")
    html = shown(admin_client, page_of(record))
    for posting in many_aside[:10]:
        assert reverse("admin:ledger_posting_change", args=[posting.pk]) in html
    deed = reverse("integrations:deed", args=[BulkDeed.objects.get().pk])
    assert f'<a href="{deed}">2 more, in the list of all</a>' in html
    assert reverse("admin:ledger_posting_change", args=[many_aside[11].pk]) not in html
    reader = login("ledger.view_auditrecord")
    assert many_aside[0].number not in shown(reader, page_of(record))


def test_the_record_of_an_order_names_its_events(
    admin_client: Client, started: Book, office: Office, connection: Connection, admin_user: User
) -> None:
    facts = sale("20.00", external_id=new_id())
    office.record(facts)
    day = facts.header.business_date
    assert day is not None
    order = orders.order_past(started, day, day, actor=admin_user)
    html = shown(admin_client, page_of(AuditRecord.objects.get(deed="ordered past events")))
    assert "The 1 event" in html and reverse("admin:ledger_posting_change", args=[office.posting(facts).pk]) in html
    assert f"{reverse('integrations:events', args=[connection.pk])}?order={order.pk}" in html


def test_a_search_reads_so_many_records_and_says_where_it_ended(
    admin_client: Client, aside: Posting, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audit_search, "MOST_READ", 5)
    for _ in range(5):
        note(None, "started the sync", aside.book)
    assert listed(admin_client, q="by hand") == []
    assert "The search reads the newest 5 records" in shown(admin_client, f"{LIST}?q=sync")
    assert listed(admin_client, q="by hand", deed="set aside an event") == ["set aside an event"]


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ({"person": "nobody"}, "“nobody” is no person of the list"),
        ({"kind": "Weather"}, "“Weather” is no kind of deed of the list"),
        ({"deed": "sang"}, "“sang” is no deed of the list"),
        ({"at_from": "2026-13-45"}, "“2026-13-45” is no date"),
        ({"at_to": "yesterday"}, "“yesterday” is no date"),
        ({"e": "1"}, "The filter of this address cannot be read"),
    ],
)
def test_a_filter_that_cannot_be_read_lists_nothing_and_says_so(
    admin_client: Client, aside: Posting, query: dict[str, str], says: str
) -> None:
    assert listed(admin_client, **query) == []
    assert says in shown(admin_client, f"{LIST}?{urlencode(query)}")


def test_a_column_that_is_not_there_lists_nothing(admin_client: Client, aside: Posting) -> None:
    answer = admin_client.get(LIST, {"colour": "red"}, follow=True)
    shown = answer.content.decode()
    assert "cannot be read" in shown and not answer.context["cl"].result_list
    assert "Nothing matches" in shown and ">Show all</a>" in shown


def test_a_record_of_an_earlier_version_is_read_and_found_in_todays_words(admin_client: Client, book: Book) -> None:
    note(None, "changed the switches of", book)
    record = AuditRecord.objects.get()
    assert "Daybook changed the settings of Main Street Trading" in text_of(shown(admin_client, page_of(record)))
    assert (
        len(listed(admin_client, deed="changed the settings of")) == len(listed(admin_client, kind=deeds.MAPPING)) == 1
    )
    assert "switches" not in text_of(shown(admin_client, LIST))


def test_moments_are_told_in_the_time_of_the_house_or_of_the_reader_and_days_are_cut_there(
    admin_client: Client, admin_user: User, stores: dict[str, Store], book: Book
) -> None:
    Store.objects.update(time_zone="America/Chicago")
    with standing_clock(datetime(2026, 7, 2, 3, 30, tzinfo=UTC)):
        note(admin_user, "connected", book)
    page = page_of(AuditRecord.objects.get(deed="connected"))
    assert "Jul 1, 2026, 22:30 CDT" in shown(admin_client, LIST)
    assert "Jul 1, 2026, 22:30:00 CDT" in shown(admin_client, page)
    assert "day (America/Chicago)" in shown(admin_client, LIST)
    assert listed(admin_client, at_from="2026-07-01", at_to="2026-07-01") == ["connected"]
    assert listed(admin_client, at_from="2026-07-02", at_to="2026-07-02") == []
    Subscription.objects.create(user=admin_user, time_zone="Europe/Berlin")
    assert "Jul 2, 2026, 05:30 CEST" in shown(admin_client, LIST)
    assert listed(admin_client, at_from="2026-07-02", at_to="2026-07-02") == ["connected"]


def test_a_range_of_dates_holds_the_whole_of_its_last_day(admin_client: Client, aside: Posting) -> None:
    today = datetime.now(zone_of_house()).date()
    day = {"at_from": today.isoformat(), "at_to": today.isoformat()}
    assert "set aside an event" in listed(admin_client, **day)
    earlier = (today - timedelta(days=2)).isoformat()
    assert listed(admin_client, at_from=earlier, at_to=(today - timedelta(days=1)).isoformat()) == []


def test_no_filter_reads_the_whole_table_for_its_choices(admin_client: Client, deeds_of_two: User) -> None:
    with CaptureQueriesContext(database) as queries:
        listed(admin_client)
    assert not [query for query in queries if "DISTINCT" in query["sql"]]


def test_a_long_audit_is_listed_with_no_more_queries_than_a_short_one(admin_client: Client, started: Book) -> None:
    listed(admin_client)
    with CaptureQueriesContext(database) as few:
        listed(admin_client)
    for _ in range(40):
        note(None, "started the sync", started)
    with CaptureQueriesContext(database) as many:
        listed(admin_client)
    assert len(many) <= len(few)


# --- Taking it away -------------------------------------------------------------------------------


def exported(client: Client, form: str, **query: str) -> bytes:
    answer = client.get(reverse(f"admin:ledger_auditrecord_export_{form}"), query)
    assert answer.status_code == 200
    assert re.search(rf"daybook-audit(-[a-z-]+)?-\d{{4}}-\d\d-\d\d\.{form}", answer["Content-Disposition"])
    return b"".join(answer.streaming_content)  # type: ignore[attr-defined]


def rows_of(file: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(file.decode("utf-8-sig"))))


def test_the_audit_leaves_as_csv_with_the_filter_that_is_set(admin_client: Client, deeds_of_two: User) -> None:
    (row,) = rows_of(exported(admin_client, "csv", deed="stopped the sync"))
    assert (row["Person"], row["Deed"], row["Kind of deed"]) == ("ines", "stopped the sync", "Sync and events")
    assert (row["Before"], row["After"]) == ('{"syncing": true}', '{"syncing": false}')


def test_the_audit_leaves_as_a_workbook_with_real_dates(admin_client: Client, deeds_of_two: User) -> None:
    sheet = load_workbook(io.BytesIO(exported(admin_client, "xlsx", kind="Sync and events"))).active
    assert sheet is not None
    headings, *rows = [[cell.value for cell in row] for row in sheet.iter_rows()]
    assert headings[:4] == ["Record", "At (UTC)", "Person", "Deed"]
    assert isinstance(rows[0][1], datetime) and len(rows) == 2


def test_a_text_that_a_spreadsheet_would_run_is_guarded(admin_client: Client, book: Book) -> None:
    book.name = "=HYPERLINK(1)"
    note(None, "started the sync", book)
    (row,) = rows_of(exported(admin_client, "csv", deed="started the sync"))
    assert row["Object"] == "'=HYPERLINK(1)"


def test_an_export_of_the_audit_stands_in_the_audit(admin_client: Client, deeds_of_two: User) -> None:
    exported(admin_client, "csv", deed="stopped the sync")
    record = AuditRecord.objects.get(deed="exported a table")
    assert (record.subject_kind, record.after["table"]) == ("ledger.auditrecord", "audit")
    assert "stopped the sync" in str(record.after)
    assert "exported a table: audit records" in text_of(shown(admin_client, page_of(record)))


def test_a_search_that_does_not_reach_every_record_leaves_as_no_file(
    admin_client: Client, book: Book, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(5):
        note(None, "connected", book)
    monkeypatch.setattr(audit_search, "MOST_READ", 2)
    address = f"{reverse('admin:ledger_auditrecord_export_csv')}?q=connected"
    seen = admin_client.get(address, follow=True).content.decode()
    assert "Nothing was exported. Choose days" in seen
    assert not AuditRecord.objects.filter(deed="exported a table").exists()


def test_the_file_of_a_search_does_not_hold_the_record_of_itself(admin_client: Client, book: Book) -> None:
    note(None, "connected", book)
    assert [row["Deed"] for row in rows_of(exported(admin_client, "csv", q="a"))] == ["connected"]
    assert AuditRecord.objects.get(deed="exported a table").after["rows"] == 1


# --- Who may --------------------------------------------------------------------------------------


@pytest.mark.parametrize("permissions", [(), ("ledger.view_posting",)])
def test_who_may_not_read_the_audit_gets_nothing_of_it(
    login: Login, aside: Posting, permissions: tuple[str, ...]
) -> None:
    client = login(*permissions)
    record = AuditRecord.objects.get(deed="set aside an event")
    addresses = [LIST, page_of(record), reverse("admin:ledger_auditrecord_export_csv")]
    assert {client.get(address).status_code for address in addresses} <= {403, 404}
    assert not AuditRecord.objects.filter(deed="exported a table").exists()


def test_a_manager_of_some_stores_gets_nothing_of_it_whatever_the_permissions(
    login: Login, everything: list[str], aside: Posting, stores: dict[str, Store]
) -> None:
    client = login(*everything, stores=(stores["Main Street"],))
    record = AuditRecord.objects.get(deed="set aside an event")
    for address in (LIST, page_of(record), reverse("admin:ledger_auditrecord_export_csv")):
        assert "Booked by hand" not in client.get(address).content.decode()
    assert client.get(LIST).status_code == 403


@pytest.mark.parametrize("what", ["change", "delete"])
def test_nobody_changes_a_record_on_the_screen(admin_client: Client, aside: Posting, what: str) -> None:
    record = AuditRecord.objects.get(deed="set aside an event")
    admin_client.post(reverse(f"admin:ledger_auditrecord_{what}", args=[record.pk]), {"deed": "nothing", "post": "yes"})
    record.refresh_from_db()
    assert record.deed == "set aside an event"


# --- Nothing was changed --------------------------------------------------------------------------


def verified(**options: Any) -> str:
    out = io.StringIO()
    call_command("verify_audit", stdout=out, **options)
    return out.getvalue()


def test_an_untouched_audit_has_the_fingerprint_that_was_written_down(aside: Posting) -> None:
    last = AuditRecord.objects.latest("pk").pk
    _, before = fingerprint(through=last)
    note(None, "started the sync", aside.book)
    assert before in verified(through=last, fingerprint=before)
    assert "nothing has changed" in verified(through=last, fingerprint=before)


def test_the_fingerprint_is_shown_to_who_reads_the_audit_and_to_nobody_else(login: Login, aside: Posting) -> None:
    auditor, address = login("ledger.view_auditrecord", name="lee"), reverse("admin:ledger_auditrecord_fingerprint")
    last = AuditRecord.objects.latest("pk").pk
    count, found = fingerprint(through=last)
    assert f'action="{address}"' in shown(auditor, LIST)
    note(None, "started the sync", aside.book)
    for through in (str(last), ""):
        seen = auditor.get(address, {"through": through}, follow=True).content.decode()
        assert (f"Fingerprint of all {count} records through #{last}: {found}." in seen) == bool(through)
        assert "Fingerprint of all" in seen
    seen = auditor.get(address, {"through": "9" * 30}, follow=True).content.decode()
    assert "is no number of a record" in seen and "Fingerprint of all" not in seen
    assert login("ledger.view_posting", name="sam").get(address).status_code == 403


@pytest.mark.parametrize("deed", ["change", "delete", "add"])
def test_a_record_that_was_changed_behind_the_guards_shows(aside: Posting, deed: str) -> None:
    note(None, "started the sync", aside.book)
    last = AuditRecord.objects.latest("pk").pk
    _, before = fingerprint(through=last)
    first = AuditRecord.objects.order_by("pk").first()
    assert first is not None
    guards.drop(database)
    try:
        if deed == "change":
            AuditRecord.objects.filter(pk=first.pk).update(actor_name="nobody")
        elif deed == "delete":
            first.delete()
        else:
            AuditRecord.objects.create(pk=-1, actor_name="nobody", deed="connected")
    finally:
        guards.install(database)
    with pytest.raises(CommandError, match="do not have the fingerprint"):
        verified(through=last, fingerprint=before)


def test_an_audit_that_nobody_guards_is_told(aside: Posting) -> None:
    guards.drop(database)
    try:
        with pytest.raises(CommandError, match="does not guard the audit"):
            verified()
    finally:
        guards.install(database)


@pytest.mark.django_db(transaction=True)
def test_a_deed_stands_in_the_log_too_with_its_fingerprint(
    book: Book, admin_user: User, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    note(admin_user, "started the sync", book, before={"syncing": False}, after={"syncing": True})
    record = AuditRecord.objects.get()
    (line,) = [r.msg for r in caplog.records if isinstance(r.msg, dict) and r.msg["event"] == "deed"]
    assert (line["audit"], line["person"], line["deed"]) == (record.pk, "admin", "started the sync")
    assert line["fingerprint"] == fingerprint(through=record.pk)[1]


# --- The list of deeds ----------------------------------------------------------------------------


def noted() -> Iterator[str]:
    """Every deed that the rooms note, as far as it is written out there."""
    for path in modules("ledger", "mappings", "integrations", "config"):
        for call in calls(path, "note"):
            if len(call.args) > 1:
                yield from (str(one.value) for one in ast.walk(call.args[1]) if isinstance(one, ast.Constant))
    yield from (deed.audited for deed in BULK_DEEDS.values())


def test_every_deed_that_is_noted_stands_on_the_list() -> None:
    assert sorted(set(noted()) - set(deeds.known())) == []


def test_no_deed_is_too_long_for_its_column_or_stands_on_the_list_twice() -> None:
    assert [deed for deed in deeds.known() if len(deed) > 60] == []
    assert len(deeds.known()) == len(set(deeds.known()))


def test_keys_are_named_in_the_audit_and_never_told(
    admin_client: Client, connection: Connection, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    secret = "very-secret-value-0815"
    address = reverse("integrations:keys", args=[connection.pk])
    admin_client.post(address, {"client_id": "some-client-id", "client_secret": secret})
    record = AuditRecord.objects.get(deed="changed the keys")
    assert "client_secret" in str(record.after)
    assert secret not in str(record.after) + str(record.before) + caplog.text


def test_every_deed_on_the_sync_is_noted_with_who_pressed_it(
    admin_client: Client, office: Office, connection: Connection
) -> None:
    stuck = ticket(item("20.00"), paid("20.00", by="99"), external_id=new_id())
    office.record(stuck)
    past = {"first": "2010-12-14", "last": "2010-12-14"}
    for name, posted in (("stop", {}), ("start", {}), ("past", past)):
        admin_client.post(reverse(f"integrations:{name}", args=[connection.pk]), posted)
    office.enter()
    posting = office.posting(stuck)
    assert posting.state == SyncState.ERROR
    admin_client.post(reverse("integrations:retry", args=[posting.pk]))
    admin_client.post(reverse("integrations:set_aside", args=[posting.pk]), {"reason": "because"})
    admin_client.post(reverse("integrations:take_back", args=[posting.pk]))
    done = list(AuditRecord.objects.filter(actor_name="admin").order_by("pk").values_list("deed", flat=True))
    assert done == [
        "stopped the sync",
        "started the sync",
        "ordered past events",
        "retried failed events",
        "set aside an event",
        "took back an event that was set aside",
    ]
