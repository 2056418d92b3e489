"""What the page of one deed shows, and where what it was done to can be seen."""

import json
from typing import Any
from urllib.parse import urlencode

from django.apps import apps
from django.urls import NoReverseMatch, reverse

from ledger.admin import upstairs
from ledger.admin.changes import side_by_side
from ledger.admin.scoping import Person, may_for_all
from ledger.deeds import MAPPING, subject_of
from ledger.models import AuditRecord, Book

MOST_OTHERS = 20

PAGES = {"ledger.book": ("mappings:configuration", "mappings.view_mapping")}
"""Where a deed on the mapping is seen, which names the book."""


def on_the_page(record: AuditRecord, *, reader: Person) -> dict[str, Any]:
    """Everything the template needs."""
    others = AuditRecord.objects.filter(subject_kind=record.subject_kind, subject_id=record.subject_id)
    raw = {"before": record.before, "after": record.after}
    return {
        "record": record,
        "zone": upstairs.zone_of_reader(reader),
        "sentence": str(record),
        "heading": subject_of(record.deed),
        "kind_of_subject": kind_of(record),
        "address_of_subject": about(record, reader),
        "touched": upstairs.touched_by(record, reader),
        "changes": side_by_side(record.before, record.after),
        "raw": json.dumps(raw, indent=2, ensure_ascii=False),
        "others": others.exclude(pk=record.pk).order_by("-id")[:MOST_OTHERS],
        "all_of_them": f"{reverse('admin:ledger_auditrecord_changelist')}?{urlencode(_same(record))}",
    }


def mapping_deeds(book: Book, reader: Person) -> str:
    """The address of everything that was done to the mapping of a book; empty for who may not read the audit."""
    if not may_for_all(reader, "ledger.view_auditrecord"):
        return ""
    chosen = {"kind": MAPPING, "subject_kind": "ledger.book", "subject_id": book.pk}
    return f"{reverse('admin:ledger_auditrecord_changelist')}?{urlencode(chosen)}"


def _same(record: AuditRecord) -> dict[str, str]:
    return {"subject_kind": record.subject_kind, "subject_id": record.subject_id}


def kind_of(record: AuditRecord) -> str:
    """What the subject is, in a word: "posting", "connection", "user"."""
    try:
        return str(apps.get_model(record.subject_kind)._meta.verbose_name)
    except (LookupError, ValueError):
        return record.subject_kind


def about(record: AuditRecord, reader: Person) -> str:
    """The address of what a deed was done to; empty where it has no page, or none for this reader."""
    if not record.subject_id:
        return ""
    known = upstairs.links.get(record.subject_kind)
    if known and not (record.subject_kind in PAGES and subject_of(record.deed) == MAPPING):
        return known(record.subject_id, reader)
    app, _, model = record.subject_kind.partition(".")
    name, permission = PAGES.get(record.subject_kind, (f"admin:{app}_{model}_change", f"{app}.view_{model}"))
    if not may_for_all(reader, permission):
        return ""
    try:
        return reverse(name, args=[record.subject_id])
    except NoReverseMatch:
        return ""
