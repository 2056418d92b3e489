"""Settings > Financial > Configuration: the mapping as a file, from another book, and as a template.

Whatever comes in is shown first and written only when it is confirmed, exactly as it was shown.
"""

from typing import Any

from django import forms
from django.contrib import messages
from django.core import signing
from django.core.exceptions import BadRequest
from django.db import IntegrityError, transaction
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_POST

from ledger.admin.base import page_context
from ledger.admin.guard import page
from ledger.admin.scoping import may_for_all
from ledger.audit import note, person
from ledger.clock import database_now
from ledger.exporting import Table, exported, unguarded
from ledger.locks import locked
from ledger.models import Book
from ledger.moments import zone_of_book
from mappings import effects, files, loading
from mappings.admin_views import Changed
from mappings.loading import MappingRow
from mappings.models import Mapping, MappingTemplate
from mappings.resources import MappingResource, lines_of

SALT, HOUR = "mappings.dry_run", 3600
IMPORTED, APPLIED = "imported the mapping of", "applied a mapping template to"


class TemplateForm(forms.ModelForm):
    class Meta:
        model = MappingTemplate
        fields = ["name"]


@require_GET
@page("mappings.view_mapping")
def exchange(request: HttpRequest, book_id: int) -> HttpResponse:
    """The ways in and out of a book's mapping."""
    return _exchange(request, get_object_or_404(Book, pk=book_id))


def _exchange(request: HttpRequest, book: Book, *, problem: str = "", status: int = 200) -> HttpResponse:
    others = Book.objects.exclude(pk=book.pk).filter(mappings__isnull=False).distinct()
    context = page_context(request, title="Financial", book=book, tab="configuration", problem=problem)
    context |= {
        "others": others,
        "templates": MappingTemplate.objects.select_related("made_by"),
        "mapped": Mapping.objects.filter(book=book).count(),
        "may_map": may_for_all(request.user, "mappings.change_mapping"),
        "most_rows": files.MOST_ROWS,
        "zone": zone_of_book(book),
    }
    return render(request, "admin/mappings/exchange.html", context, status=status)


@require_GET
@page("mappings.view_mapping")
def export_mapping(request: HttpRequest, book_id: int, form: str) -> HttpResponseBase:
    book = get_object_or_404(Book, pk=book_id)
    rows = Mapping.objects.filter(book=book)
    table = MappingResource(book).table(rows)
    return exported(request.user, table, form=form, about=book, book=book.name, rows=rows.count())


# --- What comes in is shown first -----------------------------------------------------------------


@require_POST
@page("mappings.change_mapping")
def import_mapping(request: HttpRequest, book_id: int) -> HttpResponse:
    """A file: what it would change. Nothing is written."""
    book = get_object_or_404(Book, pk=book_id)
    upload = request.FILES.get("file")
    if upload is None:
        return _exchange(request, book, problem="Choose a file first.", status=422)
    try:
        rows = files.read(upload)
    except files.BadFile as reason:
        return _exchange(request, book, problem=f"{upload.name}: {reason}", status=422)
    return _dry_run(request, book, rows, deed=IMPORTED, source=f"the file {upload.name}")


@require_POST
@page("mappings.change_mapping")
def copy(request: HttpRequest, book_id: int) -> HttpResponse:
    """The mapping of another book: what it would change here."""
    book = get_object_or_404(Book, pk=book_id)
    other = get_object_or_404(Book, pk=_number(request, "from"))
    return _template_run(request, book, lines_of(other), source=f"the mapping of {other}")


@require_POST
@page("mappings.change_mapping")
def apply_template(request: HttpRequest, book_id: int) -> HttpResponse:
    """A template: what it would change here."""
    book = get_object_or_404(Book, pk=book_id)
    template = get_object_or_404(MappingTemplate, pk=_number(request, "template"))
    return _template_run(request, book, template.rows, source=f"the template {template}")


def _template_run(request: HttpRequest, book: Book, lines: list[dict[str, str]], *, source: str) -> HttpResponse:
    try:
        rows = files.from_dicts(lines)
    except files.BadFile as reason:
        return _exchange(request, book, problem=f"{source[:1].upper()}{source[1:]}: {reason}", status=422)
    return _dry_run(request, book, loading.as_numbered(book, rows), deed=APPLIED, source=source)


def _number(request: HttpRequest, name: str) -> int:
    wanted = request.POST.get(name, "")
    if not (wanted.isascii() and wanted.isdecimal()) or len(wanted) > 18:
        raise BadRequest(f"{name} is no number")
    return int(wanted)


def _dry_run(
    request: HttpRequest, book: Book, rows: list[MappingRow], *, deed: str, source: str, again: bool = False
) -> HttpResponse:
    made = loading.plan(book, rows)
    held = {"book": book.pk, "by": request.user.pk, "deed": deed, "source": source, "print": made.fingerprint}
    token = signing.dumps({**held, "rows": [_brief(row) for row in rows]}, salt=SALT, compress=True)
    context = page_context(request, title="Financial", book=book, tab="configuration", plan=made, source=source)
    context |= {"token": token, "again": again, "rows": len(rows)}
    context["effect"] = effects.effect(book, effects.of_plan(made))
    return render(request, "admin/mappings/dry_run.html", context)


def _brief(row: MappingRow) -> dict[str, Any]:
    return {name: value for name, value in vars(row).items() if value}


@require_POST
@page("mappings.change_mapping")
def confirm(request: HttpRequest, book_id: int, changed: Changed) -> HttpResponse:
    """Write exactly what was shown; if the mapping or the accounts changed meanwhile, show it again."""
    book = get_object_or_404(Book, pk=book_id)
    try:
        held = signing.loads(request.POST.get("token", ""), salt=SALT, max_age=HOUR)
    except signing.BadSignature:
        return _exchange(request, book, problem="That preview is over an hour old. Begin again.", status=422)
    if (held["book"], held["by"]) != (book.pk, request.user.pk):
        return _exchange(request, book, problem="That preview was made for somebody else. Begin again.", status=422)
    rows = [MappingRow(**{"role": "", **row}) for row in held["rows"]]
    with transaction.atomic():
        locked(Book.objects.all()).get(pk=book.pk)
        made = loading.plan(book, rows)
        fresh = made.fingerprint == held["print"]
        count = loading.carry_out(book, made, actor=request.user, deed=held["deed"]) if fresh else 0
    if not fresh:
        return _dry_run(request, book, rows, deed=held["deed"], source=held["source"], again=True)
    changed(book)
    then = "What waited for it is sent by itself." if book.syncing else "It is used from Start Sync on."
    places = "1 place of the mapping was" if count == 1 else f"{count} places of the mapping were"
    messages.success(request, f"{places} changed by {held['source']}. {then}")
    return redirect("mappings:configuration", book.pk)


# --- Templates ------------------------------------------------------------------------------------


@require_POST
@page("mappings.change_mapping")
def save_template(request: HttpRequest, book_id: int) -> HttpResponse:
    book = get_object_or_404(Book, pk=book_id)
    form = TemplateForm(request.POST)
    lines = lines_of(book)
    if not form.is_valid() or not lines:
        said = " ".join(str(error) for errors in form.errors.values() for error in errors)
        return _exchange(request, book, problem=said or "This book has no mapping yet to be saved.", status=422)
    try:
        with transaction.atomic():
            template = form.save(commit=False)
            template.rows, template.made_by, template.made_at = lines, person(request.user), database_now()
            template.save()
            note(request.user, "saved a mapping template of", book, after={"name": template.name, "rows": len(lines)})
    except IntegrityError:
        return _exchange(request, book, problem="There is a template of that name already.", status=422)
    messages.success(request, f"Saved as the template {template}: {len(lines)} rows.")
    return redirect("mappings:exchange", book.pk)


@require_GET
@page("mappings.view_mapping")
def download_template(request: HttpRequest, template_id: int, form: str) -> HttpResponseBase:
    """A template is a file kept here: the same columns, the same rows."""
    template = get_object_or_404(MappingTemplate, pk=template_id)
    headings = list(dict.fromkeys(heading for line in template.rows for heading in line))
    rows = [[unguarded(line.get(heading, "")) for heading in headings] for line in template.rows]
    table = Table("mapping template", headings, rows)
    return exported(request.user, table, form=form, about=template, book=template.name, rows=len(rows))


@page("mappings.change_mapping")
def delete_template(request: HttpRequest, book_id: int, template_id: int) -> HttpResponse:
    """First what will happen, then the button that does it. Books that it was applied to keep their mapping."""
    book = get_object_or_404(Book, pk=book_id)
    template = get_object_or_404(MappingTemplate, pk=template_id)
    if request.method == "POST":
        with transaction.atomic():
            note(request.user, "deleted a mapping template", template, before={"rows": len(template.rows)})
            template.delete()
        messages.success(request, f"The template {template} is deleted. Mappings made from it stay.")
        return redirect("mappings:exchange", book.pk)
    context = page_context(request, title="Delete a template", book=book, template=template)
    return render(request, "admin/mappings/delete_template.html", context)
