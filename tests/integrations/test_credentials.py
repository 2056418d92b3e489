"""Credentials at rest: encrypted, rotated, and not used by a copy of the database."""

import pytest
from cryptography.fernet import Fernet
from django.conf import LazySettings
from django.core.exceptions import ImproperlyConfigured
from django.core.management import call_command
from django.db import connection as database

from integrations import connecting, vendors
from integrations.models import Connection
from ledger.errors import AuthExpired
from ledger.models import Source

pytestmark = pytest.mark.django_db


@pytest.fixture
def till() -> Connection:
    source = Source.objects.create(code="XX", name="A till")
    connection = Connection.objects.create(vendor="heartland_retail", source=source)
    connecting.save_keys(connection, {"api_token": "a-token-that-nobody-must-see"}, None)
    return connection


def stored(connection: Connection) -> str:
    with database.cursor() as cursor:
        cursor.execute("SELECT credentials FROM integrations_connection WHERE id = %s", [connection.pk])
        return str(cursor.fetchone()[0])


def test_the_database_does_not_hold_a_token_that_can_be_read(till: Connection) -> None:
    assert "a-token-that" not in stored(till)
    assert Connection.objects.get(pk=till.pk).credentials["api_token"] == "a-token-that-nobody-must-see"


def test_after_a_rotation_the_old_key_can_be_taken_away(till: Connection, settings: LazySettings) -> None:
    new = Fernet.generate_key().decode()
    settings.CREDENTIAL_KEYS = [new, *settings.CREDENTIAL_KEYS]
    call_command("rotate_credentials", verbosity=0)
    settings.CREDENTIAL_KEYS = [new]
    assert Connection.objects.get(pk=till.pk).credentials["api_token"] == "a-token-that-nobody-must-see"


def test_a_lost_key_is_named(till: Connection, settings: LazySettings) -> None:
    settings.CREDENTIAL_KEYS = [Fernet.generate_key().decode()]
    with pytest.raises(ImproperlyConfigured, match="CREDENTIAL_KEYS"):
        Connection.objects.get(pk=till.pk)


def test_a_copied_database_does_not_read_the_till_with_the_first_ones_token(
    till: Connection, settings: LazySettings
) -> None:
    settings.INSTALLATION_ID = "the-copy"
    with pytest.raises(AuthExpired, match="copied from another installation"):
        vendors.point_of_sale(till)
    connecting.save_keys(till, {"api_token": "a-token-of-its-own"}, None)
    assert vendors.point_of_sale(till) is not None
