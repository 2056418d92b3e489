"""Card numbers that people type: they never reach the audit, which keeps for ever what it has."""

import pytest
from django.contrib.auth.models import User

from ledger.audit import note
from ledger.journal import orders
from ledger.masking import mask_cards_within
from ledger.models import AuditRecord, Book, Posting
from tests.office import Office
from tests.trade import unreadable

CARD = "4111 1111 1111 1111"
REALM = "4111111111111111"


def test_texts_are_masked_at_any_depth_and_the_rest_stays() -> None:
    told = {"a": [f"read {CARD} aloud", {"b": CARD}], "entry": CARD, "n": 4111111111111111, "no": None}
    safe = {"a": ["read [masked] aloud", {"b": "[masked]"}], "entry": CARD, "n": 4111111111111111, "no": None}
    assert mask_cards_within(told, but=("entry",)) == safe


def test_a_card_number_never_reaches_the_audit(book: Book, admin_user: User) -> None:
    book.name = f"Main {CARD}"
    note(admin_user, "connected", book, before={"reason": CARD}, after={"deep": [{"memo": CARD}], "account": REALM})
    record = AuditRecord.objects.get()
    assert CARD not in f"{record.subject} {record.before} {record.after}"
    assert record.after["account"] == REALM  # the number of a company, not of a card


@pytest.mark.parametrize("before", ["", "x" * 290])
def test_a_reason_is_masked_before_it_is_kept(office: Office, admin_user: User, before: str) -> None:
    """Also where the end of the reason is cut off within the number."""
    office.record(unreadable("777001"))
    posting = Posting.objects.get()
    orders.set_aside(posting, f"{before} {CARD} was read aloud", actor=admin_user)
    posting.refresh_from_db()
    assert "4111" not in posting.set_aside_reason and posting.set_aside_reason
    assert "4111" not in str(AuditRecord.objects.get(deed="set aside an event").after)
