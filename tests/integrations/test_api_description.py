"""The API keeps to its description: schemathesis calls every operation with what it says may and may not be sent."""

import os
from collections.abc import Iterator
from io import StringIO
from typing import Any

import hypothesis
import pytest
import schemathesis
from django.core.management import call_command
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections
from django.test import Client
from django.urls import get_resolver
from hypothesis import strategies as st
from pytest_django import Settings
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi import checks

from integrations.api import urls
from ledger.admin.scoping import AUDITOR, STORE_MANAGER
from ledger.models import Store
from tests.integrations.api_people import API, Caller, caller
from tests.integrations.test_api import connection, trade
from tests.office import Office

__all__ = ["connection", "trade"]  # fixtures

EXAMPLES = int(os.environ.get("API_EXAMPLES", "6"))
"""For each operation, person and mode; a night's run takes thousands."""

CHECKS = [
    not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_headers_conformance,
    checks.response_schema_conformance,
    checks.negative_data_rejection,
    checks.missing_required_header,
    checks.unsupported_method,
    checks.allow_header_conformance,
    checks.ignored_auth,
]


@pytest.fixture(autouse=True)
def without_a_rate(settings: Settings) -> None:
    settings.API_CALLS_PER_MINUTE = 10**9


@pytest.fixture(autouse=True)
def one_connection() -> Iterator[None]:
    """As Django's own test client does: the end of a request leaves the connection of the test open."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


@pytest.fixture(params=["superuser", AUDITOR, STORE_MANAGER])
def somebody(request: Any, stores: dict[str, Store]) -> Caller:
    limited = (stores["Main Street"],) if request.param == STORE_MANAGER else ()
    return caller("somebody", role="" if request.param == "superuser" else request.param, stores=limited)


def described(person: Caller) -> Any:
    return schemathesis.openapi.from_wsgi(f"{API}/schema/", get_wsgi_application(), headers=person.headers)


def operations(person: Caller) -> Iterator[Any]:
    return (found.ok() for found in described(person).get_all_operations())


def cases(operation: Any, mode: GenerationMode, known: dict[str, int]) -> st.SearchStrategy[Any]:
    """Cases with whatever ids, and with those of rows that are there."""
    names = {parameter.name for parameter in operation.path_parameters}
    real = {name: pk for name, pk in known.items() if name in names}
    anything = operation.as_strategy(generation_mode=mode)
    if not real or len(real) != len(names):
        return anything
    return st.one_of(operation.as_strategy(generation_mode=mode, path_parameters=real), anything)


def known_ids(book: Office) -> dict[str, int]:
    posting = book.book.postings.order_by("pk").first()
    entry = book.book.entries.order_by("pk").first()
    alert = book.book.alerts.order_by("pk").first()
    order = book.book.orders.order_by("pk").first()
    assert posting and entry and alert and order
    ids = {"book_id": book.book.pk, "event_id": posting.pk, "entry_id": entry.pk}
    return ids | {"alert_id": alert.pk, "order_id": order.pk}


@pytest.mark.parametrize("mode", list(GenerationMode))
def test_every_operation_answers_as_it_is_described(somebody: Caller, trade: Office, mode: GenerationMode) -> None:
    known = known_ids(trade)
    called = 0
    for operation in operations(somebody):
        if mode is GenerationMode.NEGATIVE and not (operation.query or operation.body or operation.path_parameters):
            continue  # nothing can be sent wrongly

        @hypothesis.settings(
            max_examples=EXAMPLES,
            derandomize=True,
            deadline=None,
            database=None,
            suppress_health_check=list(hypothesis.HealthCheck),
        )
        @hypothesis.given(case=cases(operation, mode, known))
        def call(case: Any) -> None:
            case.call_and_validate(headers=somebody.headers, checks=CHECKS)

        call()
        called += 1
    assert called >= 12


def test_the_description_is_valid_and_complete(db: None) -> None:
    call_command("spectacular", validate=True, fail_on_warn=True, stdout=StringIO())


def test_every_operation_says_what_it_does_shows_an_example_and_lists_its_answers(trade: Office) -> None:
    document = described(caller("ines")).raw_schema
    wanting = []
    for path, methods in document["paths"].items():
        for method, told in methods.items():
            good = [code for code in told["responses"] if code.startswith("2")]
            example = told["responses"][good[0]]["content"]["application/json"].get("examples")
            complete = told["summary"] and told["description"].endswith(".") and example
            needed = {"401", "403", "406", "429"} | ({"400", "415"} if method == "post" else set())
            if not complete or not needed <= set(told["responses"]):
                wanting.append((method, path))
            for field in told.get("parameters", []):
                if field["in"] == "query" and not field.get("description"):
                    wanting.append((path, field["name"]))
    assert wanting == []
    assert len(document["paths"]) == len(urls.urlpatterns) - 3  # the description, its page, and nowhere


def test_strangers_read_neither_the_description_nor_its_page(db: None) -> None:
    assert Client().get(f"{API}/schema/").status_code == 401
    assert "/admin/login/" in Client().get(f"{API}/docs/")["Location"]
    assert get_resolver().resolve(f"{API}/docs/")
