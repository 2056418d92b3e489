"""Each request has an id of its own, in its answer and in what it logs; nobody can choose it."""

import io
import json
import logging
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from structlog.contextvars import get_contextvars

from config.logs import formatter
from config.tracing import HEADER
from ledger.audit import fingerprint_of
from ledger.circumstances import OUTSIDE, circumstances
from ledger.models import AuditRecord, Book


def test_every_answer_bears_an_id_of_its_own(client: Client, db: None) -> None:
    ids = {client.get(address)[HEADER] for address in ("/admin/login/", "/admin/login/", "/admin/no-such-page/")}
    assert len(ids) == 3 and all(len(one) == 32 for one in ids)


def test_an_id_that_comes_with_a_request_is_not_taken(client: Client, db: None) -> None:
    assert client.get("/admin/login/", headers={HEADER: "mine"})[HEADER] != "mine"


@pytest.fixture
def written() -> Iterator[Callable[[], list[dict[str, Any]]]]:
    """The lines of the log as they are written while something is done, in JSON."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(formatter(as_json=True))
    root = logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    yield lambda: [json.loads(line) for line in stream.getvalue().splitlines()]
    root.removeHandler(handler)
    root.setLevel(level)


def test_what_a_request_logs_bears_its_id(
    admin_client: Client, office: object, written: Callable[[], list[dict[str, Any]]]
) -> None:
    answers = [admin_client.get(f"/admin/integrations/events/{number}/set-aside/") for number in (1, 999999)]
    said = [line for line in written() if line["logger"] == "django.request"]
    assert [answer.status_code >= 400 for answer in answers] == [True, True]
    assert [line["request_id"] for line in said] == [answer[HEADER] for answer in answers]
    assert get_contextvars() == {} and circumstances() == OUTSIDE


@pytest.mark.parametrize(
    ("address", "kept"),
    [
        ("::ffff:203.0.113.7", "203.0.113.7"),
        ("fe80::1%eth0", "fe80::1"),
        ("2001:DB8:0::1", "2001:db8::1"),
        ("198.51.100.4", "198.51.100.4"),
    ],
)
@pytest.mark.django_db(transaction=True)
def test_a_deeds_line_bears_its_request_and_a_fingerprint_that_can_be_reproduced(
    admin_client: Client, book: Book, written: Callable[[], list[dict[str, Any]]], address: str, kept: str
) -> None:
    """Wherever it came from: the database gives an address back in one form only."""
    answer = admin_client.post(reverse("mappings:switches", args=[book.pk]), REMOTE_ADDR=address)
    record = AuditRecord.objects.get(deed="changed the settings of")
    (line,) = [line for line in written() if line["event"] == "deed" and line["deed"] == record.deed]
    assert (record.address, line["request_id"]) == (kept, answer[HEADER])
    assert line["fingerprint"] == fingerprint_of([record])


def test_behind_a_proxy_the_address_is_the_one_that_the_proxy_saw(
    client: Client, admin_user: object, settings: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[str] = []

    def look(path: str) -> dict[str, list[str]]:
        seen.append(circumstances().address)
        return {}

    monkeypatch.setattr("config.csp.policy_for", look)
    settings.BEHIND_PROXY = True  # type: ignore[attr-defined]
    client.get("/admin/login/", headers={"X-Forwarded-For": "10.0.0.1, 203.0.113.9"})
    client.get("/admin/login/", headers={"X-Forwarded-For": "not an address"})
    settings.BEHIND_PROXY = False  # type: ignore[attr-defined]
    client.get("/admin/login/", headers={"X-Forwarded-For": "203.0.113.9"}, REMOTE_ADDR="198.51.100.4")
    assert seen == ["203.0.113.9", "", "198.51.100.4"]
