"""What a connection may ask of its vendor: the contract's numbers, and other ones that an administrator sets."""

import pytest
from django.test import Client
from django.urls import reverse

from integrations import vendors
from integrations.models import Connection
from integrations.windows import Limits
from ledger.models import AuditRecord, Source
from tests.admin.conftest import Login
from tests.admin.test_admin_orders import press, status

CONFIGURE = ("integrations.view_connection", "integrations.change_connection")


def test_each_limit_stands_beside_the_contracts_number(admin_client: Client, connection: Connection) -> None:
    page = status(admin_client, connection)
    for label, number in {
        "Requests a minute": 500,
        "Requests a second": 10,
        "Calls under way at once": 5,
        "Batches a minute": 40,
        "Entries in a batch": 30,
    }.items():
        after = page[page.index(f">{label}</label>") :]
        assert f"Empty: {number}, the limit of QuickBooks Online." in after[:800], label


def test_a_smaller_number_counts_at_once_and_stands_in_the_audit(login: Login, connection: Connection) -> None:
    client = login(*CONFIGURE)
    said = press(client, "limits", connection, requests_per_minute="120", batches_per_minute="5")
    assert "Saved. The limits hold from the next call on" in said
    connection.refresh_from_db()
    assert vendors.limits(connection) == Limits(120, 10, 5, 5, 30)
    record = AuditRecord.objects.get()
    assert (record.actor_name, record.deed) == ("sam", "changed the limits of")
    assert (record.before["batches_per_minute"], record.after["batches_per_minute"]) == (None, 5)


def test_an_empty_field_goes_back_to_the_contracts_number(admin_client: Client, connection: Connection) -> None:
    press(admin_client, "limits", connection, batches_per_minute="5")
    press(admin_client, "limits", connection, batches_per_minute="")
    connection.refresh_from_db()
    assert connection.batches_per_minute is None and vendors.limits(connection).batches_per_minute == 40


def test_what_was_not_changed_leaves_no_record(admin_client: Client, connection: Connection) -> None:
    assert "Nothing was changed." in press(admin_client, "limits", connection)
    assert not AuditRecord.objects.exists()


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("requests_per_second", "0", "greater than or equal to 1"),
        ("requests_per_second", "-3", "greater than or equal to 1"),
        ("batches_per_minute", "many", "Enter a whole number"),
        ("in_flight", "100001", "less than or equal to 100000"),
        ("items_per_batch", "31", "QuickBooks Online refuses a batch of more than 30 entries."),
    ],
)
def test_a_number_that_cannot_be_is_refused(
    admin_client: Client, connection: Connection, field: str, value: str, said: str
) -> None:
    page = press(admin_client, "limits", connection, requests_per_minute="9", **{field: value})
    assert said in page and "Nothing was changed." in page
    connection.refresh_from_db()
    assert connection.requests_per_minute is None and getattr(connection, field) is None


def test_a_till_has_no_limits_of_batches(admin_client: Client, source: Source) -> None:
    till = Connection.objects.create(vendor="heartland_retail", source=source)
    page = status(admin_client, till)
    assert "Empty: 20, the limit of Heartland Retail." in page
    assert "Empty: no limit, the vendor states none." in page and "Batches a minute" not in page
    press(admin_client, "limits", till, requests_per_second="3", batches_per_minute="7")
    till.refresh_from_db()
    assert (till.requests_per_second, till.batches_per_minute) == (3, None)


def test_only_who_may_configure_sees_and_sets_them(login: Login, connection: Connection) -> None:
    reader = login("integrations.view_connection")
    assert "Save limits" not in status(reader, connection)
    address = reverse("integrations:limits", args=[connection.pk])
    assert reader.post(address, {"batches_per_minute": "5"}).status_code == 403
    connection.refresh_from_db()
    assert connection.batches_per_minute is None
