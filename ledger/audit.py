"""Writing the append-only audit of what people do to money and settings."""

from typing import Any

from django.contrib.auth.models import AnonymousUser, User
from django.db.models import Model

from ledger.models import AuditRecord

Actor = User | AnonymousUser | None


def person(actor: Actor) -> User | None:
    """Whoever did it, if it was somebody known; None for Daybook itself."""
    return actor if isinstance(actor, User) else None


def note(actor: Actor, deed: str, subject: Model, *, before: Any = None, after: Any = None) -> None:
    """Record one deed of a person on one object, inside the caller's transaction."""
    known = person(actor)
    AuditRecord.objects.create(
        actor=known,
        actor_name=known.get_username() if known else "Daybook",
        deed=deed,
        subject_kind=subject._meta.label_lower,
        subject_id=str(subject.pk),
        subject=str(subject)[:200],
        before=before or {},
        after=after or {},
    )
