"""A token is no way round the sign-in: what its owner must do before a screen opens must be done for it as well."""

import pytest
from django.contrib.sessions.models import Session
from django.test import Client

from config import first_password
from integrations.models import OneTimePassword
from ledger.admin.scoping import ACCOUNTANT
from tests.config.signing_in import demands, sign_in, somebody, with_phone
from tests.integrations.api_people import Caller, token_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def maria() -> Caller:
    person = somebody("maria", role=ACCOUNTANT)
    return Caller(person, token_of(person)[1])


def test_a_token_begins_no_session(maria: Caller) -> None:
    answer = maria.get("/books/")
    assert answer.status_code == 200 and not answer.cookies and not Session.objects.exists()


def test_a_token_does_nothing_while_its_owner_has_a_one_time_password(maria: Caller) -> None:
    first_password.issue(maria.person)
    answer = maria.get("/books/")
    assert answer.status_code == 401 and "changed the one-time password" in answer.json()["problem"]
    OneTimePassword.objects.all().delete()
    assert maria.get("/books/").status_code == 200


def test_a_token_does_nothing_while_its_owner_lacks_the_second_factor_that_the_role_demands(maria: Caller) -> None:
    demands(ACCOUNTANT, second_factor=True)
    answer = maria.get("/books/")
    assert answer.status_code == 401 and "set up the second factor" in answer.json()["problem"]
    client = Client()
    sign_in(client, "maria")
    with_phone(client)
    assert maria.get("/books/").status_code == 200
