"""Writing the append-only audit of what people do to money and settings, and its fingerprint for who checks it."""

import hashlib
import json
from functools import partial
from typing import Any

import structlog
from django.contrib.auth.models import AnonymousUser, User
from django.db import transaction
from django.db.models import Model

from ledger.circumstances import circumstances
from ledger.masking import mask_cards, mask_cards_within
from ledger.models import AuditRecord

log = structlog.get_logger(__name__)

Actor = User | AnonymousUser | None

SEALED = (
    "pk",
    "actor_id",
    "actor_name",
    "deed",
    "subject_kind",
    "subject_id",
    "subject",
    "before",
    "after",
    "way",
    "address",
)
"""What a fingerprint covers, beside the time."""

IDS = ("account", "entry")
"""Under these names stand numbers of the accounting system; some of them look like a card's."""


def person(actor: Actor) -> User | None:
    """Whoever did it, if it was somebody known; None for Daybook itself."""
    return actor if isinstance(actor, User) else None


def note(actor: Actor, deed: str, subject: Model | type[Model], *, before: Any = None, after: Any = None) -> None:
    """Record one deed of a person, inside the caller's transaction. A class as the subject stands for the whole table.

    The words of a deed are one of `ledger.deeds`. What is secret never comes here: name the field, not its value. A
    card number that somebody typed is masked, since what stands here can never be taken out again.
    """
    known, around = person(actor), circumstances()
    whole = isinstance(subject, type)
    record = AuditRecord.objects.create(
        actor=known,
        actor_name=known.get_username() if known else "Daybook",
        deed=deed,
        subject_kind=subject._meta.label_lower,
        subject_id="" if whole else str(subject.pk),
        subject=mask_cards(str(subject._meta.verbose_name_plural if whole else subject))[:200],
        before=mask_cards_within(before or {}, but=IDS),
        after=mask_cards_within(after or {}, but=IDS),
        way=around.way,
        address=around.address or None,
    )
    transaction.on_commit(partial(_witness, record))


def _witness(record: AuditRecord) -> None:
    """A second witness: the deed stands in the log too, which usually lies where nobody of the database comes."""
    log.info(
        "deed",
        audit=record.pk,
        person=record.actor_name,
        deed=record.deed,
        subject_kind=record.subject_kind,
        subject_id=record.subject_id,
        fingerprint=fingerprint_of([record]),
    )


def newest_record() -> int:
    """Its id; 0 where there is none."""
    return AuditRecord.objects.order_by("-pk").values_list("pk", flat=True).first() or 0


def fingerprint(*, through: int) -> tuple[int, str]:
    """How many records there are up to that id, and the fingerprint of them all: another one when any has changed."""
    rows = AuditRecord.objects.filter(pk__lte=through).order_by("pk")
    return rows.count(), fingerprint_of(rows.iterator(chunk_size=2000))


def fingerprint_of(records: Any) -> str:
    """SHA-256 over the records in their order."""
    digest = hashlib.sha256()
    for record in records:
        told = [record.at.isoformat(), *(getattr(record, name) for name in SEALED)]
        digest.update(json.dumps(told, sort_keys=True, default=str).encode() + b"\n")
    return digest.hexdigest()
