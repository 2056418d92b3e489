"""Settings > API tokens: made once, shown once, ended by their owner or an administrator, each deed audited."""

import re
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from integrations.models import ApiToken
from ledger.models import AuditRecord, Store
from tests.admin.conftest import Login, login
from tests.integrations.api_people import API, token_of

__all__ = ["login"]  # a fixture


def page() -> str:
    return reverse("integrations:tokens")


def filled(**changed: str) -> dict[str, str]:
    return {"name": "Nightly report", "last_day": str(timezone.now().date() + timedelta(days=30)), **changed}


def test_a_token_is_shown_once_works_at_once_and_is_kept_as_a_hash(login: Login) -> None:
    client = login("ledger.view_posting")
    answer = client.post(page(), filled())
    [token] = re.findall(r'value="(daybook_[0-9a-f]{64})"', answer.content.decode())
    assert "no-store" in answer["Cache-Control"]
    assert Client().get(f"{API}/books/", headers={"Authorization": f"Bearer {token}"}).status_code == 200
    row = ApiToken.objects.get()
    assert token not in (row.digest, row.token_key) and row.name == "Nightly report"
    assert token not in client.get(page()).content.decode()
    record = AuditRecord.objects.get(deed="made an API token of")
    assert record.actor_name == "sam" and record.after["name"] == "Nightly report"
    assert token not in str(record.after)


def test_a_token_ends_with_its_last_day_where_the_stores_are(login: Login, stores: dict[str, Store]) -> None:
    Store.objects.update(time_zone="America/Los_Angeles")
    client = login("ledger.view_posting")
    assert "America/Los_Angeles" in client.get(page()).content.decode()
    day = timezone.now().date() + timedelta(days=30)
    said = client.post(page(), filled(last_day=str(day))).content.decode()
    expiry = ApiToken.objects.get().expiry
    assert expiry is not None
    local = expiry.astimezone(ZoneInfo("America/Los_Angeles"))
    assert local.date() == day and local.hour == 23
    assert f"{day:%b %-d, %Y}, 23:59 P" in said


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"name": ""}, "required"),
        ({"name": "x" * 101}, "at most 100"),
        ({"last_day": "2001-01-01"}, "This day is over"),
        ({"last_day": "2999-01-01"}, "within one year"),
        ({"last_day": "soon"}, "valid date"),
    ],
)
def test_a_token_needs_a_purpose_and_an_end(login: Login, changed: dict[str, str], said: str) -> None:
    answer = login().post(page(), filled(**changed))
    assert answer.status_code == 422 and said in answer.content.decode()
    assert not ApiToken.objects.exists()


def test_nobody_has_more_than_twenty(login: Login) -> None:
    client = login()
    sam = User.objects.get(username="sam")
    for _ in range(20):
        token_of(sam)
    assert "You have 20 tokens already" in client.post(page(), filled()).content.decode()
    assert ApiToken.objects.count() == 20


def test_everybody_revokes_the_own_token_and_nobody_elses(login: Login) -> None:
    client = login()
    mine, _ = token_of(User.objects.get(username="sam"))
    other, _ = token_of(User.objects.create_user("maria"), name="Somebody else's")
    assert "Somebody else" not in client.get(page()).content.decode()
    assert client.post(reverse("integrations:revoke_token"), {"token": other.pk}).status_code == 404
    assert client.post(reverse("integrations:revoke_token"), {"token": mine.pk}).status_code == 302
    assert list(ApiToken.objects.all()) == [other]
    assert AuditRecord.objects.get(deed="revoked an API token of").before == {"name": "A program"}


def test_an_administrator_sees_whose_tokens_there_are_and_revokes_them(login: Login) -> None:
    client = login("auth.change_user", name="ines")
    other, token = token_of(User.objects.create_user("maria"), name="Month end")
    html = client.get(page()).content.decode()
    assert "Month end" in html and "maria" in html and token not in html
    client.post(reverse("integrations:revoke_token"), {"token": other.pk})
    assert not ApiToken.objects.exists()
    assert AuditRecord.objects.get(deed="revoked an API token of").subject == "maria"


@pytest.mark.parametrize("sent", [{}, {"token": "x"}, {"token": "y" * 9999}])
def test_a_token_that_is_not_there_is_said_to_be_gone(login: Login, sent: dict[str, str]) -> None:
    assert login().post(reverse("integrations:revoke_token"), sent).status_code == 404


def test_an_expired_token_is_said_to_be_expired(login: Login) -> None:
    client = login()
    token_of(User.objects.get(username="sam"), days=-1)
    assert "Expired" in client.get(page()).content.decode()
