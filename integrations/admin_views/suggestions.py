"""The accounts that a book needs: what is there, what is not, and ordering what is not to be created."""

import re
from dataclasses import dataclass, field
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET

from integrations import accounts_creating, tasks, vendors
from integrations.accounts_creating import Wanted
from integrations.admin_views.access import page
from integrations.admin_views.books import OPERATE, book_of, books_connection
from integrations.admin_views.words import counted
from integrations.models import AccountCreation, Connection
from ledger.admin.base import page_context
from ledger.admin.scoping import may_for_all
from ledger.errors import Refused, Unsupported
from ledger.exporting import Table, exported
from ledger.models import Account
from ledger.moments import zone_of_book
from mappings.suggesting import Suggested, suggestions

MAP = "mappings.change_mapping"


@dataclass
class Row:
    """A suggestion as the page shows it, or as it was filled in."""

    suggested: Suggested
    type: str
    detail: str
    name: str
    number: str = ""
    chosen: bool = False
    errors: list[str] = field(default_factory=list)

    @property
    def standing(self) -> str:
        one = self.suggested
        if one.is_mapped:
            return f"Mapped: {one.found}" if one.found else "Mapped, store by store"
        return f"In the chart: {one.found}" if one.found else "Not in the chart yet"


@page("integrations.view_connection")
def suggested_accounts(request: HttpRequest, connection_id: int) -> HttpResponse:
    """The list; a POST shows what would be created, and orders it once that is confirmed."""
    connection = books_connection(connection_id)
    if request.method != "POST":
        return _page(request, connection, _rows(connection))
    rows = _filled_in(request, connection)
    if any(row.errors for row in rows):
        messages.error(request, "Nothing was ordered: some names below need a change.")
        return _page(request, connection, rows, status=422)
    if "confirmed" not in request.POST:
        return _page(request, connection, rows, preview=True)
    return _order(request, connection, rows)


def _page(
    request: HttpRequest, connection: Connection, rows: list[Row], *, preview: bool = False, status: int = 200
) -> HttpResponse:
    latest = connection.account_creations.first()
    running = latest if latest and latest.ended_at is None else None
    label = vendors.VENDORS[connection.vendor].label
    context = page_context(request, title=f"Accounts for {label}", connection=connection, book=book_of(connection))
    context |= {
        "vendor": label,
        "rows": rows,
        "zone": zone_of_book(book_of(connection)),
        "there": sum(not row.suggested.is_missing for row in rows),
        "chosen": [row for row in rows if row.chosen],
        "unmapped": [row for row in rows if row.suggested.found and row.suggested.open and not row.suggested.optional],
        "preview": preview and not running,
        "fill": "fill" in request.POST,
        "numbers": Account.objects.filter(book=connection.book, number__gt="").exists(),
        "may_create": may_for_all(request.user, OPERATE) and connection.state == Connection.State.CONNECTED,
        "may_map": may_for_all(request.user, MAP),
        "latest": latest,
        "running": running,
        "results": _results(latest),
        "stamp": _stamp(latest),
    }
    return render(request, "admin/integrations/suggested_accounts.html", context, status=status)


def _results(creation: AccountCreation | None) -> list[dict[str, Any]]:
    rows = creation.rows if creation else []
    return [{**row, "words": accounts_creating.WORDS[row["state"]]} for row in rows]


def _stamp(creation: AccountCreation | None) -> str:
    if creation is None:
        return ""
    return f"{creation.pk}-{creation.ended_at}-{[row['state'] for row in creation.rows]}"


@require_GET
@page("integrations.view_connection")
def creation_json(request: HttpRequest, connection_id: int) -> HttpResponse:
    """What the page asks for while accounts are being created."""
    return JsonResponse({"stamp": _stamp(books_connection(connection_id).account_creations.first())})


def _rows(connection: Connection) -> list[Row]:
    found = [_row(connection, one) for one in suggestions(book_of(connection))]
    return sorted(found, key=lambda row: not row.suggested.is_missing)


def _row(connection: Connection, one: Suggested) -> Row:
    kind, detail = _kind(connection, Wanted(one.name, one.type, one.role)) or (one.type.replace("_", " "), "")
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", detail)
    return Row(one, kind, spaced, one.name, chosen=one.is_missing and not one.optional)


def _kind(connection: Connection, wanted: Wanted) -> tuple[str, str] | None:
    """Type and detail type in the vendor's words. Raises Unsupported for what it would not take."""
    kind_of = vendors.VENDORS[connection.vendor].account_kind
    return kind_of(accounts_creating.as_new(wanted)) if kind_of else None


def _filled_in(request: HttpRequest, connection: Connection) -> list[Row]:
    """The rows with what the person chose and wrote, each checked."""
    rows = _rows(connection)
    taken = {
        name.casefold() for name in Account.objects.filter(book=connection.book).values_list("full_name", flat=True)
    }
    for row in rows:
        key = row.suggested.key
        row.chosen = f"create:{key}" in request.POST and row.suggested.is_missing
        row.name = " ".join(request.POST.get(f"name:{key}", row.name).split())
        row.number = request.POST.get(f"number:{key}", "").strip()
        if row.chosen:
            _check(connection, row, taken)
            taken.add(row.name.casefold())
    return rows


def _check(connection: Connection, row: Row, taken: set[str]) -> None:
    if row.name.casefold() in taken:
        row.errors.append("There is an account of this name already, here or above. Choose another name.")
    try:
        _kind(connection, _wanted(row))
    except Unsupported as reason:
        row.errors.append(reason.sentence)


def _wanted(row: Row) -> Wanted:
    one = row.suggested
    places = [(slot.role.value, slot.value) for slot in one.open]
    return Wanted(row.name, one.type, one.role, row.number, places, one.found.external_id if one.found else "")


@page(OPERATE)
def _order(request: HttpRequest, connection: Connection, rows: list[Row]) -> HttpResponse:
    fill = "fill" in request.POST and may_for_all(request.user, MAP)
    mended = [row for row in rows if fill and row.suggested.found and row.suggested.open and not row.suggested.optional]
    wanted = [_wanted(row) for row in [*(row for row in rows if row.chosen), *mended]]
    try:
        ordered = accounts_creating.order(connection, wanted, fill=fill, actor=request.user)
    except Refused as refused:
        messages.error(request, refused.sentence)
    else:
        tasks.wake_creation(ordered.pk)
        created = sum(row.chosen for row in rows)
        messages.success(request, f"Ordered: {counted(created, 'account')}. This page shows what becomes of each.")
    return redirect("integrations:suggested_accounts", connection.pk)


@require_GET
@page("integrations.view_connection")
def export_suggestions(request: HttpRequest, connection_id: int, form: str) -> HttpResponseBase:
    """The list as a file, for whoever creates the accounts by hand."""
    connection = books_connection(connection_id)
    rows = _rows(connection)
    headings = ["Account name", "Account type", "Detail type", "For", "What lands there", "Standing"]
    cells = [[r.name, r.type, r.detail, r.suggested.purpose, r.suggested.why, r.standing] for r in rows]
    book = book_of(connection)
    table = Table("suggested accounts", headings, cells)
    return exported(request.user, table, form=form, about=book, book=book.name, rows=len(rows))
