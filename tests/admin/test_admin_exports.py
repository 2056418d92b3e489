"""Lists as files: with the filter that is set, of the own stores only, guarded, and with a trace in the audit."""

import csv
import io
import re
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from html import unescape
from typing import Any
from urllib.parse import urlencode

import pytest
from django.test import Client
from django.urls import reverse
from openpyxl import load_workbook

from integrations import alerts
from integrations.models import Connection
from ledger import exporting, resources
from ledger.models import Account, AuditRecord, Book, JournalEntry, JournalLine, Posting, Store
from ledger.resources import EntryLineResource, PostingResource
from ledger.terms import DeliveryState, SyncState
from tests.admin.conftest import Login
from tests.office import Office
from tests.trade import item, paid, sale, ticket

SEE = ("ledger.view_posting", "ledger.view_journalentry", "integrations.view_alert", "integrations.view_connection")


@pytest.fixture
def trade(office: Office, connection: Connection) -> Connection:
    """Two sales in the books, one of them in Los Angeles, and one in Error."""
    office.record(sale("20.00", external_id="1"), sale("30.00", external_id="2", store="100002"))
    office.record(ticket(item("40.00"), paid("40.00", by="99"), external_id="3"))
    Posting.objects.update(state=SyncState.NOT_SYNCED)
    office.post()
    alerts.refresh(connection)
    return connection


def rows(client: Client, address: str) -> list[dict[str, str]]:
    answer = client.get(address)
    assert answer.status_code == 200, address
    return list(csv.DictReader(io.StringIO(answer.getvalue().decode("utf-8-sig"))))


def cells(client: Client, address: str) -> list[dict[str, Any]]:
    answer = client.get(address)
    sheet = load_workbook(io.BytesIO(answer.getvalue())).active
    headings, *lines = sheet.iter_rows(values_only=True)
    return [dict(zip(headings, line, strict=True)) for line in lines]


def events(connection: Connection, form: str = "csv", query: str = "") -> str:
    return reverse(f"integrations:export_events_{form}", args=[connection.pk]) + query


def test_the_financial_events_leave_as_the_tab_shows_them(login: Login, trade: Connection) -> None:
    client = login(*SEE)
    assert [row["Number"] for row in rows(client, events(trade))] == ["T3", "T2", "T1"]
    assert [row["Number"] for row in rows(client, events(trade, query="?sort=oldest"))] == ["T1", "T2", "T3"]
    (stuck,) = rows(client, events(trade, query="?state=error"))
    assert (stuck["State"], stuck["Amount"], stuck["Currency"]) == ("Error", "40.00", "USD")
    assert stuck["What to know"].startswith("No payment account is mapped")
    assert [row["Number"] for row in rows(client, events(trade, query="?number=T2"))] == ["T2"]


def test_in_a_workbook_amounts_are_numbers_and_dates_are_dates(login: Login, trade: Connection) -> None:
    row = next(row for row in cells(login(*SEE), events(trade, "xlsx")) if row["Number"] == "T1")
    assert Decimal(str(row["Amount"])) == Decimal("20") and isinstance(row["Amount"], int | float)
    assert row["Business date"].date() == date(2010, 12, 14)
    lines = cells(login(*SEE, name="lee"), reverse("admin:ledger_journalentry_export_xlsx"))
    assert sum(line["Debit"] or 0 for line in lines) == sum(line["Credit"] or 0 for line in lines) > 0
    assert {type(line[name]) for line in lines for name in ("Posting date", "Posted at (UTC)")} == {datetime}


def test_entries_leave_one_row_a_line_that_balances(login: Login, trade: Connection) -> None:
    client = login(*SEE)
    lines = rows(client, reverse("admin:ledger_journalentry_export_csv"))
    assert len(lines) == JournalLine.objects.count() > 4
    mine = [line for line in lines if line["Event"] == "T1"]
    assert sum(Decimal(line["Debit"] or 0) for line in mine) == sum(Decimal(line["Credit"] or 0) for line in mine) > 0
    tender = next(line for line in mine if line["Role"] == "Payment account")
    assert (tender["Tender"], tender["Account name"], tender["Entry"]) == ("Cash", "Cash on Hand:Main Street", "HR-T1")


def test_posted_entries_leave_without_those_that_were_refused_or_dropped(login: Login, trade: Connection) -> None:
    client = login(*SEE)
    refused, dropped = JournalEntry.objects.order_by("pk")[:2]
    JournalEntry.objects.filter(pk=refused.pk).update(state=DeliveryState.REJECTED)
    everything = rows(client, reverse("admin:ledger_journalentry_export_csv"))
    assert {row["State"] for row in everything} == {"Posted", "Rejected"}
    page = client.get(reverse("admin:ledger_journalentry_changelist")).content.decode()
    (address,) = re.findall(r'href="([^"]*)" aria-label="CSV, Posted entries only"', page)
    posted = rows(client, unescape(address))
    assert {row["Entry"] for row in posted} == {dropped.reference} and {row["State"] for row in posted} == {"Posted"}
    narrowed = client.get(reverse("admin:ledger_journalentry_changelist") + "?state__exact=rejected").content.decode()
    assert "Posted entries only" not in narrowed


def test_the_sum_of_an_entry_is_called_its_total_debits(login: Login, trade: Connection) -> None:
    client = login(*SEE)
    listed = client.get(reverse("admin:ledger_journalentry_changelist")).content.decode()
    assert "Total debits" in listed and ">Amount<" not in re.sub(r"\s+(?=<)|(?<=>)\s+", "", listed)
    entry = JournalEntry.objects.get(reference="HR-T1")
    page = client.get(reverse("admin:ledger_journalentry_change", args=[entry.pk])).content.decode()
    assert f"HR-T1, total debits {entry.total:.2f} USD" in page


def test_a_list_of_the_admin_leaves_with_its_filter(login: Login, trade: Connection) -> None:
    client = login(*SEE)
    page = client.get(reverse("admin:ledger_posting_changelist") + "?state__exact=error").content.decode()
    (address,) = re.findall(r'href="(/admin/ledger/posting/export\.csv[^"]*)"', page)
    assert [row["Number"] for row in rows(client, address)] == ["T3"]
    assert len(rows(client, reverse("admin:ledger_posting_export_csv") + "?q=T1")) == 1
    assert client.get(reverse("admin:ledger_posting_export_csv") + "?nothing=1").status_code == 302


def test_alerts_leave_as_the_list_shows_them(login: Login, trade: Connection) -> None:
    client = login(*SEE)
    found = rows(client, reverse("integrations:export_alerts_csv"))
    (alert,) = [row for row in found if row["Cause"] == "unmapped:tender:99"]
    assert (alert["Events"], alert["Amount"], alert["Severity"]) == ("1", "40.00", "Action required")
    assert rows(client, reverse("integrations:export_alerts_csv") + "?open=closed") == []


def test_accounts_leave_as_they_are_searched(login: Login, trade: Connection) -> None:
    client = login("ledger.view_account")
    address = reverse("mappings:export_accounts_csv", args=[trade.book_id])
    assert len(rows(client, address)) == Account.objects.count()
    assert {row["Account name"] for row in rows(client, f"{address}?q=shipping+inc")} == {"Shipping Income"}


LISTS = ("admin:ledger_posting_export_csv", "admin:ledger_journalentry_export_csv", "integrations:export_alerts_csv")


def test_a_store_manager_takes_along_the_own_stores_only(
    login: Login, trade: Connection, stores: dict[str, Store]
) -> None:
    client = login(*SEE, stores=(stores["Los Angeles"],))
    assert {row["Number"] for row in rows(client, events(trade))} == {"T2"}
    assert {row["Number"] for row in rows(client, reverse("admin:ledger_posting_export_csv"))} == {"T2"}
    assert {row["Event"] for row in rows(client, reverse("admin:ledger_journalentry_export_csv"))} == {"T2"}
    assert rows(client, reverse("integrations:export_alerts_csv")) == []


def test_a_store_manager_reads_no_word_of_accounting_in_a_file(
    login: Login, trade: Connection, stores: dict[str, Store]
) -> None:
    client = login(*SEE, stores=(stores["Main Street"],))
    for address in (events(trade), reverse("admin:ledger_posting_export_csv")):
        stuck = next(row for row in rows(client, address) if row["Number"] == "T3")
        assert "your accountant has to say where it is booked" in stuck["What to know"]
        assert not {"Entry", "Entry in the accounting system", "How it was settled"} & set(stuck)
    (alert,) = rows(client, reverse("integrations:export_alerts_csv"))
    assert "account is mapped" not in alert["What"] and "Cause" not in alert


@pytest.mark.parametrize("name", LISTS)
def test_who_may_not_see_a_list_does_not_export_it(login: Login, trade: Connection, name: str) -> None:
    assert login("ledger.view_account").get(reverse(name)).status_code == 403


def test_each_export_leaves_what_and_how_many_in_the_audit(login: Login, trade: Connection) -> None:
    rows(login(*SEE), events(trade, query="?state=error"))
    record = AuditRecord.objects.get(deed="exported a table")
    assert record.after["rows"] == 1 and record.after["format"] == "csv"
    assert record.after["filter"] == {"state": "error"} and record.subject == "Main Street Trading"


def test_the_audit_keeps_the_filters_that_the_list_knows_and_nothing_else(login: Login, trade: Connection) -> None:
    """Whatever else stands in the address is somebody's text in a table from which nothing can be taken out."""
    client = login(*SEE)
    number = "4111 1111 1111 1111" + "x" * 30
    asked = {"state": "error", "number": number, "x": "y" * 9000}
    rows(client, f"{events(trade)}?{urlencode(asked)}")
    rows(client, reverse("integrations:export_alerts_csv") + "?severity=error&mine=on&x=1&page=2")
    rows(client, reverse("admin:ledger_posting_export_csv") + "?state__exact=error&o=1&p=0&q=" + "T" * 300)
    kept = [record.after["filter"] for record in AuditRecord.objects.filter(deed="exported a table").order_by("pk")]
    assert kept == [
        {"state": "error", "number": "[masked]" + "x" * 30},
        {"severity": "error", "mine": "on"},
        {"state__exact": "error", "q": "T" * 200},
    ]


@pytest.mark.parametrize("query", ["?first=soon", "?cause=" + "c" * 201, "?state=lost"])
def test_an_unreadable_filter_leads_back_to_the_list_and_exports_nothing(
    login: Login, trade: Connection, query: str
) -> None:
    answer = login(*SEE).get(events(trade, query=query))
    assert answer["Location"] == reverse("integrations:events", args=[trade.pk]) + query
    assert not AuditRecord.objects.filter(deed="exported a table").exists()


def test_each_file_is_named_for_what_it_holds_its_book_and_the_day_where_the_stores_are(
    login: Login, trade: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    late = datetime(2011, 1, 1, 3, 0, tzinfo=UTC)  # still December in every store
    monkeypatch.setattr(exporting, "database_now", lambda: late)
    client = login(*SEE)
    entries, all_events = reverse("admin:ledger_journalentry_export_csv"), reverse("admin:ledger_posting_export_xlsx")
    named = {
        entries: "daybook-entries-main-street-trading-2010-12-31.csv",
        f"{entries}?state__exact=posted": "daybook-posted-entries-main-street-trading-2010-12-31.csv",
        all_events: "daybook-events-main-street-trading-2010-12-31.xlsx",
        events(trade, query="?state=not_synced"): "daybook-not-synced-events-main-street-trading-2010-12-31.csv",
        reverse("integrations:export_alerts_csv"): "daybook-alerts-main-street-trading-2010-12-31.csv",
    }
    for address, name in named.items():
        assert f'filename="{name}"' in client.get(address)["Content-Disposition"]
    Book.objects.create(name="Main Street Holding")
    assert "daybook-entries-all-books-2010-12-31.csv" in client.get(entries)["Content-Disposition"]
    assert "daybook-events-main-street-trading-2010" in client.get(events(trade))["Content-Disposition"]


def test_a_page_is_told_when_the_file_it_asked_for_begins(login: Login, trade: Connection) -> None:
    client = login(*SEE)
    assert client.get(events(trade)).cookies[exporting.BEGUN].value == "1"
    assert exporting.BEGUN not in client.get(reverse("integrations:events", args=[trade.pk])).cookies


def test_what_a_spreadsheet_would_run_is_guarded(login: Login, trade: Connection) -> None:
    Posting.objects.filter(number="T1").update(number="=HYPERLINK(1)")
    assert "'=HYPERLINK(1)" in [row["Number"] for row in rows(login(*SEE), events(trade))]
    assert "'=HYPERLINK(1)" in [row["Number"] for row in cells(login(*SEE, name="lee"), events(trade, "xlsx"))]


def test_a_workbook_takes_no_more_rows_than_it_should(
    login: Login, trade: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resources, "MOST_IN_XLSX", 2)
    answer = login(*SEE).get(events(trade, "xlsx"), follow=True)
    assert "3 rows are too many for a workbook" in answer.content.decode()
    assert len(rows(login(*SEE, name="lee"), events(trade))) == 3


def test_a_long_list_streams_and_no_cell_asks_the_database(
    login: Login, trade: Connection, django_assert_max_num_queries: Any
) -> None:
    with django_assert_max_num_queries(1):
        table = PostingResource().table(Posting.objects.order_by("pk"))
        assert isinstance(table.rows, Iterator) and len(list(table.rows)) == 3
    lines = EntryLineResource()
    with django_assert_max_num_queries(1):
        assert len(list(lines.table(JournalLine.objects.all()).rows)) > 4
    client = login(*SEE)
    client.get("/admin/")
    with django_assert_max_num_queries(20):
        client.get(reverse("admin:ledger_journalentry_export_csv")).getvalue()


def test_no_object_is_made_for_a_line_of_an_entry_nor_for_what_it_points_at(
    trade: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Seven objects a line made the file of 2,000 entries last seven times as long."""
    made: list[str] = []
    for model in (JournalLine, JournalEntry, Posting, Account):
        monkeypatch.setattr(model, "from_db", classmethod(lambda cls, *_: made.append(cls.__name__)))
    assert list(EntryLineResource().table(JournalLine.objects.all()).rows) and made == []
