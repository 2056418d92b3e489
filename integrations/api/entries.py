"""Journal entries with their lines: what was or will be sent to the accounting system."""

from typing import Any

from django.db.models import Prefetch, QuerySet
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from integrations.api.described import operation
from integrations.api.fields import Amount, Day, Id, PageInDaybook, Text, asked
from integrations.api.paging import BY_ID, Page, Paged, by_date, page
from integrations.api.problems import found
from ledger.admin.scoping import visible
from ledger.models import Book, JournalEntry, JournalLine
from ledger.terms import DeliveryState, EntryKind, Role


class EntryFilters(Paged):
    """Which entries; filters narrow each other."""

    state = serializers.ChoiceField([state.value for state in DeliveryState], required=False, help_text="Where it is.")
    store = Id(required=False, help_text="Id of a store.")
    first = Day(required=False, help_text="First posting date.")
    last = Day(required=False, help_text="Last posting date, included.")
    reference = Text(required=False, max_length=21, help_text="The whole number of the entry.")


class Line(serializers.Serializer):
    """One line: debit or credit, and why it goes to this account. The other side is null."""

    account = serializers.CharField(source="account.full_name")
    account_number = serializers.CharField(source="account.number")
    account_id = serializers.CharField(source="account.external_id", help_text="Its id in the accounting system.")
    role = serializers.ChoiceField([role.value for role in Role], help_text="What the line is.")
    debit = serializers.SerializerMethodField()
    credit = serializers.SerializerMethodField()
    text = serializers.CharField()
    why = serializers.CharField(help_text="The mapping that chose the account, in words.")
    event = serializers.IntegerField(source="posting_id", help_text="Id of the event it comes from.")

    def get_debit(self, line: JournalLine) -> str | None:
        return f"{line.debit:.2f}" if line.debit else None

    def get_credit(self, line: JournalLine) -> str | None:
        return f"{line.credit:.2f}" if line.credit else None


class Entry(serializers.Serializer):
    """A balanced set of lines with one date in one book."""

    id = serializers.IntegerField()
    reference = serializers.CharField(help_text="Its number in the accounting system, for ever.")
    kind = serializers.ChoiceField([kind.value for kind in EntryKind])
    state = serializers.ChoiceField([state.value for state in DeliveryState])
    book = serializers.IntegerField(source="book_id")
    store = serializers.IntegerField(source="store_id", allow_null=True)
    store_name = serializers.CharField(source="store.name", allow_null=True)
    posting_date = Day()
    currency = serializers.CharField()
    total = Amount(
        help_text="Total debits: the sum of all debit lines, those of cost among them. Its credits come to the same."
    )
    memo = serializers.CharField()
    remote_id = serializers.CharField(help_text="Its id in the accounting system; empty before it is posted.")
    remote_link = serializers.CharField()
    reverses = serializers.IntegerField(source="reverses_id", allow_null=True)
    created_at = serializers.DateTimeField()
    posted_at = serializers.DateTimeField(allow_null=True)
    lines = Line(many=True)
    page = PageInDaybook("admin:ledger_journalentry_change")


class EntryPage(Page):
    """A page of entries, newest first."""

    results = Entry(many=True)


ENTRY: dict[str, Any] = {
    "id": 981,
    "reference": "HR-T100123",
    "kind": "original",
    "state": "posted",
    "book": 1,
    "store": 2,
    "store_name": "Los Angeles",
    "posting_date": "2010-12-03",
    "currency": "USD",
    "total": "86.40",
    "memo": "[Daybook HR-T100123] Sale 100123",
    "remote_id": "145",
    "remote_link": "https://qbo.intuit.com/app/journal?txnId=145",
    "reverses": None,
    "created_at": "2010-12-04T02:44:00Z",
    "posted_at": "2010-12-04T02:44:10Z",
    "lines": [
        {
            "account": "Undeposited Cards",
            "account_number": "1040",
            "account_id": "35",
            "role": "tender",
            "debit": "86.40",
            "credit": None,
            "text": "Visa",
            "why": "Payment account of Visa",
            "event": 1204,
        },
        {
            "account": "Sales:Home",
            "account_number": "4010",
            "account_id": "41",
            "role": "sales",
            "debit": None,
            "credit": "86.40",
            "text": "Home",
            "why": "Sales of Home",
            "event": 1204,
        },
    ],
    "page": "https://daybook.example.com/admin/ledger/journalentry/981/change/",
}


def _with_lines(rows: QuerySet[JournalEntry]) -> QuerySet[JournalEntry]:
    lines = JournalLine.objects.select_related("account").order_by("pk")
    return rows.select_related("store").defer("sent_body").prefetch_related(Prefetch("lines", queryset=lines))


class EntriesView(APIView):
    """The journal entries of a book."""

    needs = "ledger.view_journalentry"
    store_managers = True

    @operation(
        "list_entries",
        tag="Journal entries",
        summary="The journal entries of a book",
        description="Journal entries with their lines, in pages: the latest first, or by date if narrowed by it.",
        filters=EntryFilters,
        answer=EntryPage,
        example={"next": None, "next_cursor": None, "results": [ENTRY]},
        refusals=(400, 404),
    )
    def get(self, request: Request, book_id: int) -> Response:
        chosen = asked(EntryFilters, request.query_params)
        book = found(Book.objects.all(), book_id, what="book")
        columns = {
            "state": "state",
            "store": "store",
            "first": "posting_date__gte",
            "last": "posting_date__lte",
            "reference": "reference",
        }
        narrowed = {column: chosen[name] for name, column in columns.items() if name in chosen}
        rows = visible(_with_lines(JournalEntry.objects.filter(book=book, **narrowed)), to=request.user)
        order = by_date("posting_date") if "first" in chosen or "last" in chosen else BY_ID
        context = {"request": request}
        return page(request, rows, chosen, lambda them: Entry(them, many=True, context=context).data, order=order)


class EntryView(APIView):
    """One journal entry."""

    needs = "ledger.view_journalentry"
    store_managers = True

    @operation(
        "get_entry",
        tag="Journal entries",
        summary="One journal entry with its lines",
        description="What was or will be sent, line by line, with the account and the mapping that chose it.",
        answer=Entry,
        example=ENTRY,
        refusals=(404,),
    )
    def get(self, request: Request, entry_id: int) -> Response:
        entry = found(visible(_with_lines(JournalEntry.objects.all()), to=request.user), entry_id, what="entry")
        return Response(Entry(entry, context={"request": request}).data)
