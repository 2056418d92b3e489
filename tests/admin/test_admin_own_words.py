"""A store manager reads what is wrong without accounting, wherever it stands; an accountant reads how it is mended."""

import pytest
from django.urls import reverse

from integrations.models import Connection
from ledger.models import Posting, Store
from tests.admin.conftest import Login
from tests.office import Office
from tests.trade import item, paid, ticket, unreadable

FOR_THE_ACCOUNTANT, FOR_THE_STORE = "Settings &gt; Financial", "your accountant has to say where it is booked"


@pytest.fixture
def held_up(office: Office, connection: Connection) -> Posting:
    """A sale paid with what nobody has mapped."""
    facts = ticket(item("33.33"), paid("33.33", by="98"))
    office.record(facts)
    Posting.objects.update(state="not_synced")
    office.enter()
    return office.posting(facts)


def pages_about(posting: Posting) -> list[str]:
    events = reverse("integrations:events", args=[posting.book.connection.pk])
    return [
        events,
        f"{events}?cause={posting.cause}",
        reverse("admin:ledger_posting_changelist"),
        reverse("admin:ledger_posting_change", args=[posting.pk]),
    ]


def test_a_store_manager_reads_what_is_wrong_without_accounting(
    login: Login, held_up: Posting, stores: dict[str, Store]
) -> None:
    client = login("ledger.view_posting", "ledger.retry_posting", stores=(stores["Main Street"],))
    for address in pages_about(held_up):
        page = client.get(address).content.decode()
        assert FOR_THE_STORE in page, address
        assert f"/events/{held_up.pk}/retry/" not in page, address
        assert FOR_THE_ACCOUNTANT not in page and "payment account" not in page.lower(), address
    assert "Debit" not in page


def test_an_accountant_reads_how_it_is_mended(login: Login, held_up: Posting) -> None:
    client = login("ledger.view_posting", "ledger.retry_posting")
    page = client.get(pages_about(held_up)[-1]).content.decode()
    assert FOR_THE_ACCOUNTANT in page and "Debit" in page and "/retry/" in page


def test_a_store_manager_retries_what_the_store_itself_mends(
    login: Login, office: Office, connection: Connection, stores: dict[str, Store]
) -> None:
    office.record(unreadable("3"))
    Posting.objects.update(store=stores["Main Street"])
    client = login("ledger.view_posting", "ledger.retry_posting", stores=(stores["Main Street"],))
    assert "/retry/" in client.get(pages_about(Posting.objects.get())[-1]).content.decode()
