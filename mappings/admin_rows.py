"""Single rows of the mapping: the accounts that fit one, as one types, and taking one out."""

from functools import reduce
from operator import and_
from typing import Any

from django.contrib import messages
from django.db.models import Case, IntegerField, Q, QuerySet, When
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET

from ledger.admin.base import page_context
from ledger.admin.guard import page
from ledger.models import Account, Book
from ledger.terms import ROLES, Role
from mappings import editing, loading
from mappings.admin_forms import NEEDS_A_PARTY
from mappings.admin_views import Changed
from mappings.models import Mapping
from mappings.names import Known

OFFERED = 50
WHY = "each line would need a customer or vendor; choose a current asset or liability"


@require_GET
@page("mappings.view_mapping")
def choices(request: HttpRequest, book_id: int, role: str) -> HttpResponse:
    """The accounts that a role takes and that hold what was typed; those named exactly so come first."""
    if role not in list(Role):
        raise Http404(f"There is no role {role}.")
    book = get_object_or_404(Book, pk=book_id)
    typed = request.GET.get("q", "").strip()[:200]
    active = Account.objects.filter(book=book, deleted_at=None, active=True)
    found = list(_named(active.filter(type__in=ROLES[Role(role)].fits), typed)[: OFFERED + 1])
    parties = list(_named(active.filter(type__in=NEEDS_A_PARTY), typed)[:5]) if typed else []
    options = [_option(account) for account in found[:OFFERED]]
    options += [{**_option(account), "value": "", "why": WHY} for account in parties]
    return JsonResponse({"options": options, "more": len(found) > OFFERED})


def _named(rows: QuerySet[Account], typed: str) -> QuerySet[Account]:
    words = typed.replace(":", " ").split()
    if not words:
        return rows.order_by("full_name", "pk")
    held = reduce(and_, (Q(full_name__icontains=word) | Q(number__icontains=word) for word in words))
    exact = Q(full_name__iexact=typed) | Q(number__iexact=typed) | Q(name__iexact=typed)
    first = Case(When(exact, then=0), default=1, output_field=IntegerField())
    return rows.filter(held | exact).order_by(first, "full_name", "pk")


def _option(account: Account) -> dict[str, Any]:
    names = {"value": str(account.pk), "text": str(account), "name": account.full_name, "number": account.number}
    return {**names, "warning": account.warning}


@page("mappings.change_mapping")
def delete_row(request: HttpRequest, book_id: int, row_id: int, changed: Changed) -> HttpResponse:
    """First what will happen, then the button that does it."""
    row = get_object_or_404(Mapping.objects.select_related("account", "book", "store"), pk=row_id, book=book_id)
    said = loading.label(row, Known(row.book, rows=[row], accounts=False))
    if request.method == "POST":
        editing.delete_row(row, said=said, actor=request.user)
        changed(row.book)
        messages.success(request, f"{said}: the row is deleted.")
        return redirect("mappings:configuration", book_id)
    context = page_context(request, title="Delete a row of the mapping", book=row.book, row=row, said=said)
    return render(request, "admin/mappings/delete_row.html", context)
