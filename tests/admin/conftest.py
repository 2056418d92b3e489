"""People and a connected book for the tests of the screens."""

from collections.abc import Callable

import pytest
from django.conf import settings
from django.contrib.auth.models import Permission, User
from django.test import Client

from integrations.models import Connection
from ledger.clock import database_now
from ledger.models import Book, Store

Login = Callable[..., Client]


@pytest.fixture
def connection(book: Book) -> Connection:
    """QuickBooks as it stands once somebody has connected it; nothing is ever sent to it here."""
    return Connection.objects.create(
        vendor="quickbooks",
        book=book,
        state=Connection.State.CONNECTED,
        company_name="Main Street Trading",
        installation_id=settings.INSTALLATION_ID,
        connected_at=database_now(),
    )


@pytest.fixture
def login(db: None) -> Login:
    """Log a new person in who has exactly these permissions; `stores` makes a store manager."""

    def logged_in(*permissions: str, name: str = "sam", stores: tuple[Store, ...] = ()) -> Client:
        person = User.objects.create_user(name, is_staff=True)
        for permission in permissions:
            app, codename = permission.split(".")
            person.user_permissions.add(Permission.objects.get(content_type__app_label=app, codename=codename))
        for store in stores:
            store.managers.add(person)
        client = Client()
        client.force_login(person)
        return client

    return logged_in


@pytest.fixture
def everything(db: None) -> list[str]:
    """Every permission there is, as app.codename."""
    rows = Permission.objects.values_list("content_type__app_label", "codename")
    return [f"{app}.{codename}" for app, codename in rows]
